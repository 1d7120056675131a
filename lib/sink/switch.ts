// The switch: everything we own on the integration bridge, desired and realized. Reads back what is ours on every
// (re)connect and sends the difference; one batch is in flight at a time. What the switch refuses is set aside alone
// and tried again later; what a foreign entry occupies is left to it, and looked at again until it is gone.
import type { ApplyError, FlowFilter, FlowStats, Meter } from '../openflow/index.js'
import type { Flow, Group } from '../pipeline/flow.js'
import { ENTRY_TABLE } from '../pipeline/slots.js'
import { compileFlow, describeFlowKey, tableOfKey, type Encoded } from './flow-entry.js'
import { compileGroup, groupBytes, isEqualGroup, MAX_GROUP_BYTES, type GroupValue } from './group-entry.js'
import { planBatch, type Batch } from './batch.js'
import { holdWhatNames } from './held.js'
import { Linger } from './linger.js'
import { compileMeter, isMetered, meterKey, meterMod, withMeters } from './meter-entry.js'
import { readSwitch, type SwitchReader } from './read-back.js'
import { Retry } from './retry.js'
import { Tracker, type Pending } from './tracker.js'

/** The part of an OpenFlow connection the sink uses. */
export interface SwitchConnection extends SwitchReader {
  flowStats(filter: FlowFilter): Promise<readonly FlowStats[]>
  /** Rejects when the connection was lost: the outcome is unknown. */
  apply(mods: readonly Buffer[], options: { readonly bundle: boolean }): Promise<{ readonly applied: boolean; readonly errors: readonly ApplyError[] }>
}

export interface SwitchReport {
  /** One sentence for the log. */
  info(text: string): void
  warn(text: string): void
  /** What may be said as often as there are flows and groups: a switch whose table is full refuses thousands. */
  refused?(text: string): void
}

/** After so many bundles in a row that failed, the next batch goes unbundled: a bundle is all or nothing. */
const MAX_FAILED_BUNDLES = 3
/** While a foreign entry stands in one of our places, we look again after this pause, in ms; it doubles while nothing changes. */
const CONFLICT_RECHECK = 10_000
const LONGEST_RECHECK = 160_000
/** After a failure of unknown outcome on a connection that still stands, we look again after this pause, in ms. */
const FAILURE_RECHECK = 1_000

const MAX_METERS = 500
const GROUP_EXISTS = 'OFPGMFC_GROUP_EXISTS'
const METER_EXISTS = 'OFPMMFC_METER_EXISTS'

export class SwitchSink {
  readonly flows = new Tracker<string>((a, b) => a === b)
  readonly groups = new Tracker<GroupValue>(isEqualGroup)
  readonly meters = new Tracker<string>((a, b) => a === b)
  /** What of others stands in our places, in words; replaced by each read-back. */
  conflicts: readonly string[] = []
  /** Messages sent since start, for operators and tests. */
  readonly counters = { flowMods: 0, groupMods: 0, meterMods: 0, readBacks: 0, refused: 0 }
  readonly #retry: Retry
  readonly #linger: Linger
  readonly #encoded: Encoded = new WeakMap()
  readonly #report: SwitchReport
  readonly #wake: () => void
  #connection: SwitchConnection | undefined
  #isReady = false
  #hasMeters = false
  /** Flows that name meters, by owner: compiled again when a meter comes or goes. */
  readonly #metered = new Map<string, readonly Flow[]>()
  #isBusy = false
  #failedBundles = 0
  #recheck: NodeJS.Timeout | undefined
  /** Keys of foreign entries that stand where only ours may. */
  #foreign: { readonly flows: readonly string[], readonly groups: readonly string[] } = { flows: [], groups: [] }
  #recheckPause = CONFLICT_RECHECK

  /** `wake` is called when there may be more to send: who decides whether it may be sent now flushes. */
  constructor(report: SwitchReport, wake: () => void = () => this.flush()) {
    this.#report = report
    this.#wake = wake
    this.#retry = new Retry(wake)
    this.#linger = new Linger(this.flows, wake)
  }

  /** True when what the switch holds is known. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** True when nothing is left to send and nothing is under way. */
  get isSettled(): boolean {
    const isDone = this.flows.pending(1).length === 0 && this.groups.pending(1).length === 0 && this.#pendingMeters().length === 0
    return this.#isReady && !this.#isBusy && isDone
  }

  setFlows(owner: string, flows: readonly Flow[]): void {
    if (flows.some(isMetered)) this.#metered.set(owner, flows)
    else this.#metered.delete(owner)
    this.#compile(owner, flows)
  }

  setGroups(owner: string, groups: readonly Group[]): void {
    this.groups.setOwned(owner, groups.map(compileGroup).filter(([key, value]) => this.#fits(key, value)))
  }

  /** Meters by id; where the switch has none, the flows that name them do without. */
  setMeters(owner: string, meters: readonly Meter[]): void {
    this.meters.setOwned(owner, meters.map(compileMeter))
  }

  /** A fresh connection: what the switch holds is read before anything is sent. */
  async connect(connection: SwitchConnection): Promise<void> {
    this.disconnect()
    this.#connection = connection
    this.#failedBundles = 0
    await this.#readBack(connection)
  }

  /** The connection is lost; what is under way has an unknown outcome, which the next read-back tells. */
  disconnect(): void {
    this.#connection = undefined
    this.#isReady = false
    this.#isBusy = false
    clearTimeout(this.#recheck)
    this.#retry.clear()
    this.#linger.clear()
  }

  /** Counters of flows, as they are now. Rejects when there is no connection. */
  async flowStats(filter: FlowFilter): Promise<readonly FlowStats[]> {
    if (this.#connection === undefined) throw new Error('there is no connection to the switch')
    return await this.#connection.flowStats(filter)
  }

  /** Starts sending what is pending, unless it already does or cannot. */
  flush(): void {
    const connection = this.#connection
    if (connection === undefined || !this.#isReady || this.#isBusy) return
    if (this.#tellConflicts()) this.#lookAgain(connection, this.#nextRecheck())
    if (this.#foreign.groups.length > 0) holdWhatNames(this.#foreign.groups, this.flows, this.groups)
    const sending = this.#next(connection)
    if (sending === undefined) return
    this.#isBusy = true
    sending.catch((error: unknown) => {
      this.#report.warn(`sending to the switch failed: ${String(error)}`)
      if (this.#connection === connection) this.#distrust(connection)
    }).finally(() => {
      if (this.#connection !== connection) return
      this.#isBusy = false
      this.#wake()
    })
  }

  /** Meters that come, then groups and flows, then meters that go: a flow may name them until it is gone. */
  #next(connection: SwitchConnection): Promise<void> | undefined {
    const meters = this.#pendingMeters()
    const raised = meters.filter(({ desired }) => desired !== undefined)
    if (raised.length > 0) return this.#sendMeters(connection, raised)
    const batch = planBatch(this.flows, this.groups, (pending) => this.#linger.holds(pending))
    if (batch.mods.length > 0) return this.#send(connection, batch)
    return meters.length > 0 && !this.flows.isHeldBack ? this.#sendMeters(connection, meters) : undefined
  }

  #pendingMeters(): Pending<string>[] {
    return this.#hasMeters ? this.meters.pending(MAX_METERS) : []
  }

  #compile(owner: string, flows: readonly Flow[]): void {
    this.flows.setOwned(owner, flows.map((flow) => compileFlow(withMeters(flow, (id) => this.meters.realized(meterKey(id)) !== undefined), this.#encoded)))
  }

  #fits(key: string, group: GroupValue): boolean {
    const bytes = groupBytes(group)
    if (bytes > MAX_GROUP_BYTES) this.#report.warn(`group ${key} would have ${bytes} bytes, more than ${MAX_GROUP_BYTES}: not installed`)
    return bytes <= MAX_GROUP_BYTES
  }

  async #readBack(connection: SwitchConnection): Promise<void> {
    this.#isReady = false
    const held = await readSwitch(connection)
    if (this.#connection !== connection) return
    this.counters.readBacks++
    this.#retry.clear()
    this.#linger.clear()
    for (const tracker of [this.flows, this.groups, this.meters]) {
      for (const key of [...tracker.blocked().keys()]) tracker.unblock(key)
    }
    for (const key of held.foreignFlows) this.flows.block(key, 'a foreign flow stands there')
    for (const key of held.foreignGroups) this.groups.block(key, 'a foreign group stands there')
    this.#hasMeters = held.hasMeters
    this.meters.replaceRealized(held.meters)
    this.#recompile()
    this.flows.replaceRealized(held.flows)
    this.groups.replaceRealized(held.groups)
    this.#foreign = { flows: held.foreignFlows, groups: held.foreignGroups }
    this.#isReady = true
    this.#tellConflicts()
    if (this.conflicts.length > 0) this.#lookAgain(connection, this.#nextRecheck())
  }

  #recompile(): void {
    for (const [owner, flows] of this.#metered) this.#compile(owner, flows)
  }

  /** The longer a conflict stands, the longer the pause: each look reads all our tables. */
  #nextRecheck(): number {
    const pause = this.#recheckPause
    this.#recheckPause = Math.min(2 * pause, LONGEST_RECHECK)
    return pause
  }

  /** A foreign flow in our tables is always in our way, one in the entry table once we want its place. True when there is a new one. */
  #tellConflicts(): boolean {
    const { flows, groups } = this.#foreign
    if (flows.length + groups.length + this.conflicts.length === 0) return false
    const before = new Set(this.conflicts)
    const inOurWay = flows.filter((key) => tableOfKey(key) !== ENTRY_TABLE || this.flows.desired(key) !== undefined)
    this.conflicts = [
      ...inOurWay.map((key) => `foreign flow in our place: ${describeFlowKey(key)}`),
      ...groups.map((key) => `foreign group in our place: group_id=${key}`)
    ]
    const fresh = this.conflicts.filter((text) => !before.has(text))
    for (const text of fresh) this.#report.warn(`${text}; it is left alone, and what we would put there is missing`)
    if (fresh.length > 0) this.#recheckPause = CONFLICT_RECHECK
    if (this.conflicts.length === 0 && before.size > 0) this.#report.info('nothing foreign is left in our places')
    return fresh.length > 0
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
    this.#isBusy = true
    this.#readBack(connection).catch((error: unknown) => {
      this.#report.warn(`read-back failed: ${String(error)}`)
      if (this.#connection === connection) this.#distrust(connection)
    }).finally(() => {
      if (this.#connection !== connection) return
      this.#isBusy = false
      this.#wake()
    })
  }

  /** A meter cannot be changed in a bundle. */
  async #sendMeters(connection: SwitchConnection, meters: readonly Pending<string>[]): Promise<void> {
    const { errors } = await connection.apply(meters.map(meterMod), { bundle: false })
    if (this.#connection !== connection) return
    const refused = new Map(errors.map((error) => [error.index, error]))
    meters.forEach((pending, i) => {
      const error = refused.get(i)
      if (error === undefined) this.#realize(this.meters, pending)
      else this.#refuseMeter(connection, pending.key, error)
    })
    this.counters.meterMods += meters.length - refused.size
    this.#recompile()
  }

  #refuseMeter(connection: SwitchConnection, key: string, error: ApplyError): void {
    this.counters.refused++
    this.#report.warn(`the switch refused ${key}: ${error.name}; flows do without it`)
    if (error.name === METER_EXISTS) this.#distrust(connection)
    this.#retry.later(this.meters, key, `refused by the switch: ${error.name}`)
  }

  async #send(connection: SwitchConnection, batch: Batch): Promise<void> {
    const bundle = batch.mods.length > 1 && this.#failedBundles < MAX_FAILED_BUNDLES
    const { applied, errors } = await connection.apply(batch.mods, { bundle })
    if (this.#connection !== connection) return
    this.#failedBundles = applied ? 0 : this.#failedBundles + 1
    const refused = new Set<number>()
    for (const error of errors) {
      const entry = batch.entryOfMod[error.index]
      if (entry === undefined) continue
      refused.add(entry)
      this.#refuse(connection, batch, entry, error)
    }
    if (!applied) return
    batch.flows.forEach((pending, i) => {
      if (!refused.has(i)) this.#realize(this.flows, pending)
    })
    batch.groups.forEach((pending, i) => {
      if (!refused.has(batch.flows.length + i)) this.#realize(this.groups, pending)
    })
    this.counters.flowMods += batch.flows.length
    this.counters.groupMods += batch.groups.length
  }

  #realize<V>(tracker: Tracker<V>, pending: Pending<V>): void {
    this.#retry.forget(pending.key)
    tracker.realize(pending.key, pending.desired)
  }

  #tellRefused(text: string): void {
    if (this.#report.refused === undefined) this.#report.warn(text)
    else this.#report.refused(text)
  }

  /** Sets one entry aside, and tries it again after a while. */
  #refuse(connection: SwitchConnection, batch: Batch, entry: number, error: ApplyError): void {
    this.counters.refused++
    const flow = batch.flows[entry]
    const group = batch.groups[entry - batch.flows.length]
    if (flow !== undefined) {
      this.#tellRefused(`the switch refused ${describeFlowKey(flow.key)}: ${error.name}`)
      this.#retry.later(this.flows, flow.key, `refused by the switch: ${error.name}`)
    } else if (group !== undefined) {
      this.#tellRefused(`the switch refused group ${group.key}: ${error.name}`)
      // One of its bucket commands may have been carried out: the next attempt writes it whole.
      if (group.realized !== undefined) this.groups.realize(group.key, { ...group.realized, strange: true })
      // It came there since we looked: no ADD will ever succeed. What it is, the next read-back tells.
      else if (error.name === GROUP_EXISTS) this.#distrust(connection)
      this.#retry.later(this.groups, group.key, `refused by the switch: ${error.name}`)
    }
  }
}
