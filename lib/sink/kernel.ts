// The kernel rows that announce local addresses, desired and realized. What is realized comes from the mirrors alone,
// never from an acknowledgement: between our write and its answer somebody else may have replaced the row.
import type { Copies } from '../net/copies.js'
import type { NetlinkError, WriteRequest } from '../netlink/index.js'
import { kernelOrder, kernelRequest, type KernelEntry, type KernelValue } from './kernel-row.js'
import { Drift, type DriftOptions } from './drift.js'
import { Retry } from './retry.js'
import { Tracker, type Pending } from './tracker.js'

/** The part of a netlink connection the sink uses: one outcome per request, in order. */
export interface KernelWriter {
  write(requests: readonly WriteRequest[]): Promise<readonly (NetlinkError | undefined)[]>
}

/** How one kind of entry is written: rows, or devices (lib/sink/device.ts). */
export interface KernelTable {
  /** What an entry is called, before its key. */
  readonly noun: string
  /** One outcome per entry, in order. */
  write(batch: readonly Pending<KernelValue>[]): Promise<readonly (NetlinkError | undefined)[]>
  /** What is lower is written first. */
  order(pending: Pending<KernelValue>): number
  /** What somebody did to an entry, completing the sentence "somebody else ...". */
  describeChange(held: KernelValue, value: KernelValue): string
}

/** How FDB rows and neighbours are written. */
export function rowTable(writer: KernelWriter): KernelTable {
  return {
    noun: 'kernel row',
    write: (batch) => writer.write(batch.map(kernelRequest)),
    order: kernelOrder,
    describeChange: (held, value) => `changed it from ${held} to ${value}`
  }
}

const MAX_BATCH = 1000

export class KernelSink {
  readonly rows: Tracker<KernelValue>
  readonly counters = { writes: 0, refused: 0 }
  readonly drift: Drift
  /** Rows that were as wanted and that somebody changed or deleted, with what they were; whether they are still wanted the tick will tell. */
  readonly #disturbed = new Map<string, KernelValue>()
  readonly #retry: Retry
  readonly #table: KernelTable
  readonly #warn: (text: string) => void
  readonly #wake: () => void
  readonly #mayDelete: () => boolean
  readonly #mended: DriftOptions['mended']
  #isBusy = false

  /**
   * `wake` is called when there may be more to write. Who derives what is desired does so first, then flushes: between
   * two ticks a mirror may have learned of another's claim that the rows waiting here do not know of. `mayDelete`: what is not
   * desired is a leftover, and not only unknown yet.
   */
  constructor(
    table: KernelTable, warn: (text: string) => void, wake: () => void = () => this.flush(), drift: DriftOptions = { modeOf: () => 'repair', tell: warn, wake },
    mayDelete = () => true, rows = new Tracker<KernelValue>((a, b) => a === b)
  ) {
    this.rows = rows
    this.#table = table
    this.#warn = warn
    this.#wake = wake
    this.#mayDelete = mayDelete
    this.#retry = new Retry(wake)
    this.drift = new Drift(drift)
    this.#mended = drift.mended
  }

  /** A sink that writes nowhere, wants the same and has it, complete when `copies` are. */
  fork(copies: Copies): KernelSink {
    const nothing = () => undefined
    return new KernelSink(this.#table, nothing, nothing, { modeOf: () => 'repair', tell: nothing, wake: nothing }, () => false, this.rows.fork(true, copies))
  }

  get isSettled(): boolean {
    return !this.#isBusy && this.rows.pending(1).length === 0
  }

  /** True when a flush would write. */
  get hasWork(): boolean {
    return !this.#isBusy && this.rows.pending(1, this.#mayDelete()).length > 0
  }

  setOwned(owner: string, entries: readonly KernelEntry[]): void {
    this.rows.setOwned(owner, entries)
  }

  /**
   * What a mirror says of one of our rows. A row that came, changed or went may be written again at once. `isTaken`: somebody else
   * claims the address in its place, which is no drift.
   */
  observe(key: string, value: KernelValue | undefined, isTaken = false): void {
    // An address that moves from chassis to chassis and back is claimed anew each time.
    if (isTaken) this.drift.forget(key)
    const held = this.rows.realized(key)
    if (value === held) return
    if (held !== undefined && !isTaken && !this.rows.isPending(key)) this.#disturbed.set(key, held)
    this.#retry.forget(key)
    this.rows.unblock(key)
    this.rows.realize(key, value)
    if (!this.rows.isPending(key)) this.#mended?.(key)
  }

  /** A device came, went, or changed, and its rows with it: nobody has fought over them. */
  deviceChanged(ifindex: number): void {
    for (const kind of ['fdb', 'neigh']) this.drift.forgetAll(this.rows, `${kind} ${ifindex} `)
  }

  /** What was disturbed and is still wanted is drift. To be called when what is wanted was derived. */
  judge(): void {
    for (const [key, held] of this.#disturbed) {
      const value = this.rows.realized(key)
      const isWanted = this.rows.desired(key) !== undefined && this.rows.isPending(key)
      if (isWanted) this.drift.found(this.rows, key, `${this.#table.noun} ${key}`, value === undefined ? 'deleted it' : this.#table.describeChange(held, value))
    }
    this.#disturbed.clear()
  }

  /** evpn-audit changed. */
  reviewDrift(): void {
    this.drift.review(this.rows)
  }

  /** Starts writing what is pending, unless it already does. */
  flush(): void {
    this.judge()
    if (this.#isBusy) return
    const batch = this.rows.pending(MAX_BATCH, this.#mayDelete()).sort((a, b) => this.#table.order(a) - this.#table.order(b))
    if (batch.length === 0) return
    this.#isBusy = true
    // Until the mirror has seen the outcome, the same difference must not be sent twice.
    for (const { key } of batch) this.#retry.later(this.rows, key, 'written, not yet seen in the kernel')
    this.#table.write(batch).then((outcomes) => {
      this.counters.writes += batch.length
      batch.forEach(({ key }, i) => this.#outcome(key, outcomes[i]))
    }).catch((error: unknown) => {
      this.#warn(`writing to the kernel failed: ${String(error)}`)
    }).finally(() => {
      this.#isBusy = false
      this.#wake()
    })
  }

  /** Removes every row of ours the kernel has. Rejects with what it refused first. */
  async removeAll(): Promise<void> {
    const rows = this.rows.realizedKeys().map((key) => ({ key, desired: undefined, realized: this.rows.realized(key) })).sort((a, b) => this.#table.order(a) - this.#table.order(b))
    const outcomes = await this.#table.write(rows)
    const refused = outcomes.find((error) => error !== undefined)
    if (refused !== undefined) throw refused
  }

  #outcome(key: string, error: NetlinkError | undefined): void {
    if (error === undefined) return
    this.counters.refused++
    // The mirror may have brought the news first: a row already gone, or one no longer wanted.
    if (this.rows.blocked().get(key) === undefined) return
    // A device that has just gone takes its rows along one by one; that it is gone is the next news.
    if (error.code !== 'ENODEV') this.#warn(`the kernel refused ${key}: ${error.message}; it will be tried again`)
    this.rows.block(key, `refused by the kernel: ${error.message}`)
  }
}
