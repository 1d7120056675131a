// The switch: everything we own on the integration bridge, desired and realized. Reads back what is ours on every
// (re)connect and sends the difference; one batch is in flight at a time. What the switch refuses is set aside alone
// and tried again later; what a foreign entry occupies is left to it, and looked at again until it is gone.
import type { Action, ApplyError, FlowFilter, FlowStats, FlowUpdate, GroupStats, Meter, RequestForward } from '../openflow/index.js'
import type { Copies } from '../net/copies.js'
import type { Flow, FlowPlace, Group } from '../pipeline/flow.js'
import { Audit, PARTS, type Part } from './audit.js'
import { Conflicts } from './conflicts.js'
import { createTrackers, Desired, type SwitchTrackers } from './desired.js'
import { Drift, type DriftOptions } from './drift.js'
import { tableOfKey } from './flow-entry.js'
import { holdWhatNames } from './held.js'
import { Latency } from './latency.js'
import { Linger } from './linger.js'
import { readFlows, readGroups, withAltered, type SwitchReader } from './read-back.js'
import { Retry } from './retry.js'
import { Sender } from './sender.js'
import type { Tracker } from './tracker.js'
import { ALL, flowNews, FOREIGN_FLOW, FOREIGN_GROUP, requestedKey, Watch } from './watch.js'

/** The part of an OpenFlow connection the sink uses. */
export interface SwitchConnection extends SwitchReader {
  flowStats(filter: FlowFilter): Promise<readonly FlowStats[]>
  groupStats(groupId: number): Promise<readonly GroupStats[]>
  /** Rejects when the connection was lost: the outcome is unknown. */
  apply(mods: readonly Buffer[], options: { readonly bundle: boolean }): Promise<{ readonly applied: boolean; readonly errors: readonly ApplyError[] }>
}

export interface SwitchReport {
  /** One sentence for the log. */
  info(text: string): void
  warn(text: string): void
  /** What may be said as often as there are flows and groups: a switch whose table is full refuses thousands. */
  refused?(text: string): void
  /** The same of entries that somebody else changed. */
  drifted?(text: string, key: string): void
  /** A flow or group is in the switch as it is wanted, or gone; `at` as performance.now() tells. */
  confirmed?(key: string, at: number): void
}

/** After a failure of unknown outcome on a connection that still stands, we look again after this pause, in ms. */
const FAILURE_RECHECK = 1_000

export class SwitchSink {
  readonly #trackers: SwitchTrackers
  readonly flows: SwitchTrackers['flows']
  readonly groups: SwitchTrackers['groups']
  readonly meters: SwitchTrackers['meters']
  readonly #all: readonly Tracker<unknown>[]
  readonly drift: Drift
  readonly latency = new Latency()
  readonly #reads = { readBacks: 0, audits: 0 }
  readonly #sender: Sender
  readonly #desired: Desired
  readonly #conflicts: Conflicts
  readonly #watch: Watch
  readonly #audit: Audit
  readonly #retry: Retry
  readonly #linger: Linger
  readonly #report: SwitchReport
  readonly #wake: () => void
  #connection: SwitchConnection | undefined
  #isReady = false
  #isBusy = false
  #recheck: NodeJS.Timeout | undefined
  /** Keys of what is under way. */
  #inFlight: ReadonlySet<string> = new Set()
  /** Keys to which we and others did something at the same time: nothing is sent for them until they were read again. */
  readonly #doubtful = new Set<string>()
  /** While a part is read again: keys that changed since, by us or by news. */
  #touched: Set<string> | undefined
  /** What others did while all is read: told after it. */
  #news: FlowUpdate[] = []
  /** The switch lost track of what to tell; until it says that it goes on, our own changes would look like those of others. */
  #isPaused = false

  /** `wake` is called when there may be more to send: who decides whether it may be sent now flushes. `modeOf`: evpn-audit, by owner. */
  constructor(report: SwitchReport, wake: () => void = () => this.flush(), modeOf: DriftOptions['modeOf'] = () => 'repair', trackers = createTrackers()) {
    this.#trackers = trackers
    const { flows, groups, meters } = trackers
    this.flows = flows
    this.groups = groups
    this.meters = meters
    this.#all = [flows, groups, meters] as readonly Tracker<unknown>[]
    this.#report = report
    this.#wake = wake
    this.#retry = new Retry(wake)
    this.#linger = new Linger(this.flows, wake)
    this.#desired = new Desired(this.#trackers, (text) => report.warn(text))
    this.#conflicts = new Conflicts(report)
    this.#sender = new Sender(this.#trackers, {
      desired: this.#desired, retry: this.#retry, linger: this.#linger, latency: this.latency, report,
      sending: (keys) => this.#sending(keys),
      doubt: () => this.#connection && this.#distrust(this.#connection),
      lacking: () => this.#audit.suspect('groups')
    })
    this.drift = new Drift({ modeOf, wake, tell: (text, _isOver, key) => (report.drifted === undefined ? report.warn(text) : report.drifted(text, key)) })
    this.#watch = new Watch(this.#trackers, this.#conflicts, this.drift)
    this.#audit = new Audit((part) => this.#readAgain(part), () => this.#isReady && !this.#isBusy, (text) => report.warn(text))
  }

  /** A sink without a connection that wants the same and has it, complete when `copies` are. What cannot be installed is told to `warn`. */
  fork(warn: (text: string) => void, copies: Copies): SwitchSink {
    const nothing = () => undefined
    const { flows, groups, meters } = this.#trackers
    return new SwitchSink({ info: nothing, warn }, nothing, () => 'repair', {
      flows: flows.fork(true, copies), groups: groups.fork(true, copies), meters: meters.fork(false, copies)
    })
  }

  /** Messages sent, reads and refusals since start, for operators and tests. */
  get counters(): Readonly<Record<'flowMods' | 'groupMods' | 'meterMods' | 'refused' | 'readBacks' | 'audits', number>> {
    return { ...this.#sender.counters, ...this.#reads }
  }

  /** What of others stands in our places, in words. */
  get conflicts(): readonly string[] {
    return this.#conflicts.texts
  }

  /** True when what the switch holds is known. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** True when nothing is left to send and nothing is under way. */
  get isSettled(): boolean {
    return this.#isReady && !this.#isBusy && this.#sender.isDone
  }

  /** What is set from here on is due to something that came at this time; undefined = nobody counts. */
  because(eventAt: number | undefined): void {
    this.flows.eventAt = eventAt
    this.groups.eventAt = eventAt
  }

  setFlows(owner: string, flows: readonly Flow[]): void {
    this.#desired.setFlows(owner, flows)
  }

  /** One flow without meters, of which its owner has many, each set by itself; undefined = it goes. Returns its key. */
  setFlow(owner: string, place: FlowPlace, actions: readonly Action[] | undefined): string {
    return this.#desired.setFlow(owner, place, actions)
  }

  setGroups(owner: string, groups: readonly Group[]): void {
    this.#desired.setGroups(owner, groups)
  }

  /** Meters by id; where the switch has none, the flows that name them do without. */
  setMeters(owner: string, meters: readonly Meter[]): void {
    this.#desired.setMeters(owner, meters)
  }

  /** evpn-audit changed: what may be put back now is put back. */
  reviewDrift(): void {
    for (const tracker of this.#all) this.drift.review(tracker)
  }

  /** A fresh connection: what the switch holds is read before anything is sent. */
  async connect(connection: SwitchConnection): Promise<void> {
    this.disconnect()
    this.#connection = connection
    this.#sender.use(connection)
    await this.#readBack(connection, true)
  }

  /** The connection is lost; what is under way has an unknown outcome, which the next read-back tells. */
  disconnect(): void {
    this.#connection = undefined
    this.#sender.use(undefined)
    this.#isReady = false
    this.#isBusy = false
    this.#isPaused = false
    this.#inFlight = new Set()
    this.#news = []
    this.#doubtful.clear()
    clearTimeout(this.#recheck)
    this.#audit.stop()
    this.drift.clear()
    this.#retry.clear()
    this.#linger.clear()
    for (const tracker of this.#all) {
      for (const key of [...tracker.blocked().keys()]) tracker.unblock(key)
    }
  }

  /** What flow monitors on our tables told. */
  flowsChanged(updates: readonly FlowUpdate[]): void {
    if (this.#connection === undefined) return
    if (!this.#isReady) return void this.#news.push(...updates)
    for (const update of updates) {
      if (update.kind === 'paused') this.#isPaused = true
      else if (update.kind === 'resumed') this.#resume()
      else if (update.kind !== 'abbrev' && !this.#isPaused) this.#hear(flowNews(update))
    }
  }

  /** Somebody else changed a group or a meter. */
  requestForwarded(request: RequestForward): void {
    const key = requestedKey(request)
    // While all is read, groups come first: one that changes after that is not in what was read.
    if (this.#connection === undefined || key === undefined) return
    if (!this.#isReady || !request.isDeletion || key === ALL || this.#inFlight.has(key)) {
      this.#audit.suspect('groups')
      return
    }
    this.#touched?.add(key)
    this.#watch.deleted(key)
  }

  /** Counters of flows, as they are now. Rejects when there is no connection. */
  async flowStats(filter: FlowFilter): Promise<readonly FlowStats[]> {
    if (this.#connection === undefined) throw new Error('there is no connection to the switch')
    return await this.#connection.flowStats(filter)
  }

  /** Counters of a group; undefined when the switch has none of this id. Rejects when there is no connection. */
  async groupStats(groupId: number): Promise<GroupStats | undefined> {
    if (this.#connection === undefined) throw new Error('there is no connection to the switch')
    return (await this.#connection.groupStats(groupId)).find((stats) => stats.groupId === groupId)
  }

  /** Starts sending what is pending, unless it already does or cannot. */
  flush(): void {
    const connection = this.#connection
    if (connection === undefined || !this.#isReady || this.#isBusy) return
    if (this.#tellConflicts()) this.#lookAgain(connection, this.#conflicts.nextRecheck())
    if (this.#conflicts.groups.size > 0) holdWhatNames([...this.#conflicts.groups], this.flows, this.groups)
    const sending = this.#sender.next()
    if (sending !== undefined) this.#run(connection, 'sending to the switch', sending)
  }

  /** One thing at a time; whatever becomes of it, the next may follow. */
  #run(connection: SwitchConnection, what: string, work: Promise<void>): void {
    this.#isBusy = true
    work.catch((error: unknown) => {
      this.#report.warn(`${what} failed: ${String(error)}`)
      if (this.#connection === connection) this.#distrust(connection)
    }).finally(() => {
      if (this.#connection !== connection) return
      this.#isBusy = false
      this.#inFlight = new Set()
      for (const key of this.#doubtful) this.flows.block(key, 'somebody else changed it at the same time')
      this.#audit.go()
      this.#wake()
    })
  }

  /** `isNew`: what others did since the last connection is not known. */
  async #readBack(connection: SwitchConnection, isNew = false): Promise<void> {
    this.#isReady = false
    const read = await readGroups(connection)
    const held = isNew ? read : withAltered(read, (key) => this.groups.realized(key) !== undefined)
    const { flows, foreign } = await readFlows(connection)
    if (this.#connection !== connection) return
    this.#reads.readBacks++
    this.#doubtful.clear()
    this.#retry.clear()
    this.#linger.clear()
    for (const tracker of this.#all) {
      for (const key of [...tracker.blocked().keys()]) if (!this.drift.holds(tracker, key)) tracker.unblock(key)
    }
    for (const key of foreign) this.flows.block(key, FOREIGN_FLOW)
    for (const [key] of held.foreign) this.groups.block(key, FOREIGN_GROUP)
    this.#sender.hasMeters = held.hasMeters
    this.meters.replaceRealized(held.meters)
    this.#desired.recompile()
    this.flows.replaceRealized(flows)
    this.groups.replaceRealized(held.groups)
    this.#conflicts.replace(foreign, held.foreign.map(([key]) => key))
    this.#isReady = true
    this.flowsChanged(this.#news.splice(0))
    this.#audit.start()
    this.#tellConflicts()
    if (this.conflicts.length > 0) this.#lookAgain(connection, this.#conflicts.nextRecheck())
  }

  /** Reads a part again; other work goes on, and what it touches is not judged. */
  async #readAgain(part: Part): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    const touched = new Set<string>(this.#inFlight)
    this.#touched = touched
    const judge = part === 'groups' ? await readGroups(connection).then((held) => () => this.#watch.groups(held, touched))
      : await readFlows(connection, [part]).then((held) => () => this.#watch.table(part, held, touched))
    // Everything may have been read meanwhile, which knows better.
    if (this.#touched !== touched || this.#connection !== connection || !this.#isReady) return
    this.#touched = undefined
    this.#reads.audits++
    for (const key of this.#doubtful) if (tableOfKey(key) === part && this.#doubtful.delete(key)) this.flows.unblock(key)
    judge()
    this.#wake()
  }

  #sending(keys: readonly string[]): void {
    this.#inFlight = new Set(keys)
    if (this.#touched !== undefined) for (const key of keys) this.#touched.add(key)
  }

  #hear(news: ReturnType<typeof flowNews>): void {
    if (news === undefined) return
    this.#touched?.add(news.key)
    // Which of the two came first, theirs or ours, only the switch knows.
    if (!this.#inFlight.has(news.key)) return this.#watch.flow(news)
    this.#doubtful.add(news.key)
    this.#audit.suspect(tableOfKey(news.key))
  }

  /** What was lost meanwhile may have been anything. */
  #resume(): void {
    this.#isPaused = false
    for (const part of PARTS) this.#audit.suspect(part)
  }

  #tellConflicts(): boolean {
    return this.#conflicts.tell((key) => this.flows.desired(key) !== undefined)
  }

  /** What the switch holds is not known for sure any more: nothing is sent until it was read again. */
  #distrust(connection: SwitchConnection): void {
    this.#isReady = false
    this.#lookAgain(connection, FAILURE_RECHECK)
  }

  #lookAgain(connection: SwitchConnection, pause: number): void {
    clearTimeout(this.#recheck)
    this.#recheck = setTimeout(() => this.#whenIdle(connection), pause).unref()
  }

  /** Reads back again, but never while a batch is under way: its outcome would be overwritten. */
  #whenIdle(connection: SwitchConnection): void {
    if (this.#connection !== connection) return
    if (this.#isBusy) {
      this.#lookAgain(connection, 100)
      return
    }
    this.#touched = undefined
    this.#run(connection, 'read-back', this.#readBack(connection))
  }
}
