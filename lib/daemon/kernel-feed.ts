// From the kernel into the mirrors: notifications as they come, and whole dumps at start and whenever notifications
// were lost (ENOBUFS, an interrupted dump, a message that could not be read). A resync goes through the same puts.
import type { DumpKind, LinkRow, RtMessage } from '../netlink/index.js'
import { AF, NetlinkError } from '../netlink/index.js'
import type { ModuleLog } from './log/log.js'
import type { Mirrors } from './state.js'

/** The part of a netlink connection the feed uses. Dump rows arrive as messages, in order among the notifications. */
export interface KernelSource {
  /** With `ifindex`: of the FDB, at least the rows of that device. */
  dump(kind: DumpKind, ifindex?: number): Promise<{ readonly interrupted: boolean }>
}

/** A dump that the kernel's own changes interrupt again and again is tried this often before a pause. */
const MAX_ATTEMPTS = 5
const PAUSE_AFTER_FAILURE = 1_000
/** Notifications lost again during a resync: the next one waits, twice as long each time, so that it has a chance. In ms. */
const PAUSE_AFTER_OVERRUN = { first: 100, longest: 5_000 } as const

/** Nexthops before the rows that name them. */
const KINDS: readonly DumpKind[] = ['link', 'vlan', 'nexthop', 'fdb', 'neigh']

export class KernelFeed {
  readonly counters = { messages: 0, malformed: 0, overruns: 0, resyncs: 0 }
  readonly #mirrors: Mirrors
  readonly #source: KernelSource
  readonly #log: ModuleLog
  readonly #synced: () => void
  /** Rows and devices that went, as told by notifications. */
  #deletions = 0
  #isSynced = false
  #isRunning = false
  #isWanted = false
  #isClosed = false
  /** Devices are being dumped; their rows will be after them. */
  #isReadingLinks = false

  /** `synced` is called after each complete resync. */
  constructor(mirrors: Mirrors, source: KernelSource, log: ModuleLog, synced: () => void) {
    this.#mirrors = mirrors
    this.#source = source
    this.#log = log
    this.#synced = synced
  }

  /** True once every mirror has been complete. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  close(): void {
    this.#isClosed = true
  }

  messages(batch: readonly RtMessage[]): void {
    this.counters.messages += batch.length
    for (const message of batch) this.#apply(message)
  }

  /** Notifications were lost: what the mirrors hold may be old. */
  overrun(): void {
    this.counters.overruns++
    this.#log.warn('the kernel dropped notifications (ENOBUFS); reading its tables again')
    this.resync()
  }

  /** Reads every table again; while it does, a further call makes it start once more at the end. */
  resync(): void {
    this.#isWanted = true
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    this.#run().catch((error: unknown) => {
      this.#log.err(`resync stopped: ${String(error)}`)
    }).finally(() => {
      this.#isRunning = false
    })
  }

  async #run(): Promise<void> {
    let pause: number = PAUSE_AFTER_OVERRUN.first
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false
      this.counters.resyncs++
      let ok = true
      for (const kind of KINDS) {
        this.#isReadingLinks = kind === 'link'
        ok = await this.#dump(kind) && ok
      }
      if (this.#isClosed) return
      if (!ok) {
        this.#isWanted = true
        await sleep(PAUSE_AFTER_FAILURE)
      } else if (this.#isWanted) {
        await sleep(pause)
        pause = Math.min(2 * pause, PAUSE_AFTER_OVERRUN.longest)
      } else {
        this.#isSynced = true
        this.#synced()
      }
    }
  }

  async #dump(kind: DumpKind): Promise<boolean> {
    const { links, vlans, fdb, neighbours, nexthops } = this.#mirrors
    const mirror = { link: links, vlan: vlans, fdb, neigh: neighbours, nexthop: nexthops }[kind]
    mirror.beginResync()
    for (let attempt = 1; attempt <= MAX_ATTEMPTS && !this.#isClosed; attempt++) {
      const before = this.#deletions
      try {
        const { interrupted } = await this.#source.dump(kind)
        if (interrupted) {
          mirror.beginResync()
        } else if (this.#deletions === before || attempt === MAX_ATTEMPTS) {
          mirror.finishResync()
          return true
        }
        // Between two pieces of an FDB or neighbour dump the kernel remembers how many rows it has passed, not which: one
        // that goes meanwhile hides one that stays, and nothing tells so. What several dumps show together counts.
      } catch (error) {
        if (kind === 'vlan' && isUnknown(error)) {
          mirror.finishResync()
          return true
        }
        if (!this.#isClosed) this.#log.warn(`dump of ${kind} failed: ${String(error)}; trying again`)
        return false
      }
    }
    return false
  }

  #putLink(row: LinkRow): void {
    const isNew = this.#mirrors.links.byIndex(row.ifindex) === undefined
    this.#mirrors.links.put(row)
    // One that comes from another network namespace brings rows along of which the kernel says nothing (measured on 6.18).
    if (isNew && row.kind === 'vxlan' && !this.#isReadingLinks) this.#readRowsOf(row)
  }

  #readRowsOf({ ifindex, name }: LinkRow): void {
    const before = this.#deletions
    this.#source.dump('fdb', ifindex).then(({ interrupted }) => {
      // A row that went meanwhile may have come back with the dump.
      if (interrupted || this.#deletions !== before) this.resync()
    }).catch((error: unknown) => {
      if (this.#isClosed) return
      this.#log.warn(`reading the rows of ${name} failed: ${String(error)}; reading all tables again`)
      this.resync()
    })
  }

  #apply(message: RtMessage): void {
    const { links, vlans, fdb, neighbours, nexthops } = this.#mirrors
    if ('op' in message && message.op === 'del') this.#deletions++
    if (message.kind === 'link') {
      if (message.op === 'new') this.#putLink(message.row)
      else links.delete(message.row.ifindex)
    } else if (message.kind === 'neigh') {
      const table = message.row.family === AF.BRIDGE ? fdb : neighbours
      if (message.op === 'new') table.put(message.row)
      else table.delete(message.row)
    } else if (message.kind === 'nexthop') {
      if (message.op === 'new') nexthops.put(message.row)
      else nexthops.delete(message.row.id)
    } else if (message.kind === 'vlan') {
      if (message.op === 'new') vlans.put(message.row)
      else vlans.delete(message.row)
    } else if (message.kind === 'bridge_port') {
      if (message.info.vlanTunnel === false) vlans.forgetTunnels(message.ifindex)
    } else if (message.kind === 'malformed') {
      this.counters.malformed++
      this.#log.warn(`netlink message of type ${message.type} could not be read: ${message.error}`)
      // In a dump it spoils itself alone; a notification may have been the news of a change, of a table already dumped too.
      if (message.isReply !== true) this.resync()
    }
  }
}

/** Without the bridge module, or built without CONFIG_BRIDGE_VLAN_FILTERING, the kernel does not know the request: it has no VLANs. */
function isUnknown(error: unknown): boolean {
  return error instanceof NetlinkError && error.code === 'EOPNOTSUPP'
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref())
}
