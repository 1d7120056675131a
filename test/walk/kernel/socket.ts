// The netlink socket between the fake kernel and the agent: a queue in the kernel's order, in which pieces of dumps
// stand among notifications; what the agent asks for; and everything that can go wrong on the way.
import type { DumpKind, RtMessage, WriteRequest } from '../../../lib/netlink/index.js'
import { NetlinkError } from '../../../lib/netlink/index.js'
import { constants } from 'node:os'
import type { Random } from '../random.js'
import { Dump } from './dump.js'
import type { FakeKernel } from './kernel.js'
import type { News, Row } from './rows.js'

/** What shall go wrong next, how often. */
export interface KernelFaults {
  dumpInterrupted: number
  dumpRejected: number
  writeRefused: number
  /** The request is carried out, but its acknowledgement is lost. */
  acknowledgementLost: number
}

export interface SocketEvents {
  messages(batch: readonly RtMessage[]): void
  overrun(): void
  /** Before a batch of writes is taken: rows the agent knew about may not be its own. */
  writing(requests: readonly WriteRequest[]): void
  written(request: WriteRequest, error: string | undefined): void
}

type Item =
  | { readonly kind: 'news', readonly news: News, readonly isDump: boolean }
  | { readonly kind: 'end', interrupted: boolean, readonly resolve: (outcome: { interrupted: boolean }) => void }

interface WaitingDump {
  readonly kind: DumpKind
  readonly resolve: (outcome: { interrupted: boolean }) => void
  readonly reject: (error: Error) => void
}

interface WaitingWrite {
  readonly requests: readonly WriteRequest[]
  readonly outcomes: (NetlinkError | undefined)[]
  readonly resolve: (outcomes: readonly (NetlinkError | undefined)[]) => void
}

export class FakeSocket {
  readonly #kernel: FakeKernel
  readonly #faults: KernelFaults
  readonly #events: SocketEvents
  readonly #known = new WeakSet<Row>()
  #queue: Item[] = []
  #dumps: WaitingDump[] = []
  #dump: Dump | undefined
  #writes: WaitingWrite[] = []
  #isOverrun = false
  #isClosed = false

  constructor(kernel: FakeKernel, faults: KernelFaults, events: SocketEvents) {
    this.#kernel = kernel
    this.#faults = faults
    this.#events = events
  }

  /** The reader has been told of this row as it is now. */
  knows(row: Row): boolean {
    return this.#known.has(row)
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#dumps.length === 0 && this.#writes.length === 0 && !this.#isOverrun
  }

  get isDumping(): boolean {
    return this.#dumps.length > 0
  }

  // --- the agent's side

  dump(kind: DumpKind): Promise<{ interrupted: boolean }> {
    return new Promise((resolve, reject) => {
      this.#dumps.push({ kind, resolve, reject })
    })
  }

  write(requests: readonly WriteRequest[]): Promise<readonly (NetlinkError | undefined)[]> {
    this.#events.writing(requests)
    return new Promise((resolve) => {
      this.#writes.push({ requests, outcomes: [], resolve })
    })
  }

  request(): Promise<never> {
    return Promise.reject(new Error('no walk has evpn-manage-devices'))
  }

  /** What is queued is read now; the promise of a dump that ended settles a little later, as it would. */
  drain(): void {
    this.deliver(this.#queue.length, undefined)
  }

  // --- the kernel's side

  notify(news: readonly News[]): void {
    if (this.#isClosed) return
    for (const one of news) this.#queue.push({ kind: 'news', news: one, isDump: false })
  }

  /** The last `count` notifications did not fit any more. */
  lose(count: number): number {
    const lost = new Set(this.#queue.filter((item) => item.kind === 'news' && !item.isDump).slice(-count))
    this.#queue = this.#queue.filter((item) => !lost.has(item))
    // Every dump whose end was not read yet may miss what was lost.
    if (this.#dump !== undefined) this.#dump.interrupted = true
    for (const item of this.#queue) if (item.kind === 'end') item.interrupted = true
    this.#isOverrun = true
    this.#tellOverrun()
    return lost.size
  }

  /** One notification still in the queue arrives as bytes that make no sense. */
  corrupt(r: Random): boolean {
    const index = r.maybe(this.#queue.flatMap((item, i) => (item.kind === 'news' && !item.isDump ? [i] : [])))
    if (index === undefined) return false
    this.#queue[index] = { kind: 'news', news: { message: { kind: 'malformed', type: 0, error: 'a walk broke it' } }, isDump: false }
    return true
  }

  /** Reads up to `count` items; some notifications come twice. */
  deliver(count: number, r: Random | undefined): void {
    const items = this.#queue.splice(0, count)
    const messages: RtMessage[] = []
    const ends: (() => void)[] = []
    for (const item of items) {
      if (item.kind === 'end') {
        ends.push(() => item.resolve({ interrupted: item.interrupted }))
        continue
      }
      if (item.news.row !== undefined) this.#known.add(item.news.row)
      messages.push(item.news.message)
      if (r?.chance(0.05) === true) messages.push(item.news.message)
    }
    if (messages.length > 0) this.#events.messages(messages)
    for (const end of ends) end()
    this.#tellOverrun()
  }

  /** What was queued before it is read first, as NetlinkClient does. */
  #tellOverrun(): void {
    if (!this.#isOverrun || this.#queue.length > 0) return
    this.#isOverrun = false
    this.#events.overrun()
  }

  /** The kernel writes the next piece of the dump under way into the queue. */
  continueDump(size: number): void {
    const waiting = this.#dumps[0]
    if (waiting === undefined) return
    if (this.#dump === undefined && this.#faults.dumpRejected > 0) {
      this.#faults.dumpRejected--
      this.#dumps.shift()
      waiting.reject(netlinkError('EBUSY', `dump ${waiting.kind} table`))
      return
    }
    const dump = this.#dump ??= new Dump(this.#kernel, waiting.kind)
    for (const news of dump.next(size)) this.#queue.push({ kind: 'news', news, isDump: true })
    if (!dump.isDone) return
    this.#dumps.shift()
    this.#dump = undefined
    const isFaulty = this.#faults.dumpInterrupted > 0
    if (isFaulty) this.#faults.dumpInterrupted--
    this.#queue.push({ kind: 'end', interrupted: dump.interrupted || isFaulty, resolve: waiting.resolve })
  }

  /** Carries out up to `count` of the requests that wait. */
  work(count: number): void {
    const waiting = this.#writes[0]
    if (waiting === undefined) return
    for (let left = count; left > 0 && waiting.outcomes.length < waiting.requests.length; left--) {
      waiting.outcomes.push(this.#carryOut(waiting.requests[waiting.outcomes.length] as WriteRequest))
    }
    if (waiting.outcomes.length < waiting.requests.length) return
    this.#writes.shift()
    waiting.resolve(waiting.outcomes)
  }

  /** The process is gone: what it had sent is carried out, what it would have sent is not. */
  close(r: Random): void {
    const [{ requests, outcomes } = { requests: [], outcomes: [] }] = this.#writes
    for (const request of requests.slice(outcomes.length, outcomes.length + r.int(0, 3))) this.#carryOut(request)
    this.#isClosed = true
    this.#queue = []
    this.#dumps = []
    this.#writes = []
  }

  #carryOut(request: WriteRequest): NetlinkError | undefined {
    if (this.#faults.writeRefused > 0) {
      this.#faults.writeRefused--
      return netlinkError('EBUSY', 'a request the walk refuses')
    }
    const error = this.#kernel.write(request, 'agent')
    this.#events.written(request, error)
    if (error !== undefined) return netlinkError(error, `${request.op} ${request.row.lladdr ?? ''} ${request.row.dst ?? ''}`)
    if (this.#faults.acknowledgementLost === 0) return undefined
    this.#faults.acknowledgementLost--
    return netlinkError('ENOBUFS', 'a request whose answer the walk loses')
  }
}

function netlinkError(code: string, request: string): NetlinkError {
  return new NetlinkError({ request, errno: (constants.errno as Readonly<Record<string, number>>)[code] ?? 0 })
}
