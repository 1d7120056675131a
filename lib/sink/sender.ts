// The sending half of the switch sink: what is pending, batch by batch, and what becomes of each message. What the switch
// refuses is set aside alone and tried again later.
import type { ApplyError } from '../openflow/index.js'
import { planBatch, type Batch } from './batch.js'
import type { Desired, SwitchTrackers } from './desired.js'
import { describeFlowKey } from './flow-entry.js'
import type { Change, Latency } from './latency.js'
import type { Linger } from './linger.js'
import { meterMod } from './meter-entry.js'
import type { Retry } from './retry.js'
import type { SwitchConnection, SwitchReport } from './switch.js'
import type { Pending, Tracker } from './tracker.js'

/** After so many bundles in a row that failed, the next batch goes unbundled: a bundle is all or nothing. */
const MAX_FAILED_BUNDLES = 3
const MAX_METERS = 500
const GROUP_EXISTS = 'OFPGMFC_GROUP_EXISTS'
const METER_EXISTS = 'OFPMMFC_METER_EXISTS'
/** A flow names a group or a meter that is not there. */
const NAMES_NOTHING: readonly string[] = ['OFPBAC_BAD_OUT_GROUP', 'OFPMMFC_INVALID_METER', 'OFPMMFC_UNKNOWN_METER']

export interface SenderOptions {
  readonly desired: Desired
  readonly retry: Retry
  readonly linger: Linger
  readonly latency: Latency
  readonly report: SwitchReport
  /** Told what is about to be sent. */
  readonly sending: (keys: readonly string[]) => void
  /** What the switch holds is not what we think. */
  readonly doubt: () => void
  /** The switch lacks groups or meters: Open vSwitch deletes all of them untold when its bridge's fail_mode changes. */
  readonly lacking: () => void
}

export class Sender {
  readonly counters = { flowMods: 0, groupMods: 0, meterMods: 0, refused: 0 }
  /** False when the switch has no meters: ours wait. */
  hasMeters = false
  readonly #trackers: SwitchTrackers
  readonly #options: SenderOptions
  #connection: SwitchConnection | undefined
  #failedBundles = 0

  constructor(trackers: SwitchTrackers, options: SenderOptions) {
    this.#trackers = trackers
    this.#options = options
  }

  /** From here on over this connection, if any; what is under way on another has an unknown outcome. */
  use(connection: SwitchConnection | undefined): void {
    this.#connection = connection
    this.#failedBundles = 0
  }

  /** True when nothing is left that may be sent. */
  get isDone(): boolean {
    const { flows, groups } = this.#trackers
    return flows.pending(1).length === 0 && groups.pending(1).length === 0 && this.#pendingMeters().length === 0
  }

  /** Starts sending the next batch, if there is one: meters that come, then groups and flows, then meters that go - a flow may name them until it is gone. */
  next(): Promise<void> | undefined {
    const connection = this.#connection
    if (connection === undefined) return undefined
    const meters = this.#pendingMeters()
    const raised = meters.filter(({ desired }) => desired !== undefined)
    if (raised.length > 0) return this.#sendMeters(connection, raised)
    this.#options.linger.review()
    const batch = planBatch(this.#trackers.flows, this.#trackers.groups, (pending) => this.#options.linger.holds(pending))
    if (batch.mods.length > 0) return this.#send(connection, batch)
    this.#options.linger.replaced()
    return meters.length > 0 && !this.#trackers.flows.isHeldBack ? this.#sendMeters(connection, meters) : undefined
  }

  #pendingMeters(): Pending<string>[] {
    return this.hasMeters ? this.#trackers.meters.pending(MAX_METERS) : []
  }

  /** A meter cannot be changed in a bundle. */
  async #sendMeters(connection: SwitchConnection, meters: readonly Pending<string>[]): Promise<void> {
    this.#options.sending(meters.map(({ key }) => key))
    const { errors } = await connection.apply(meters.map(meterMod), { bundle: false })
    if (this.#connection !== connection) return
    const refused = new Map(errors.map((error) => [error.index, error]))
    meters.forEach((pending, i) => {
      const error = refused.get(i)
      if (error === undefined) this.#realize(this.#trackers.meters, pending)
      else this.#refuseMeter(pending.key, error)
    })
    this.counters.meterMods += meters.length - refused.size
    this.#options.desired.recompile()
  }

  #refuseMeter(key: string, error: ApplyError): void {
    this.counters.refused++
    this.#options.report.warn(`the switch refused ${key}: ${error.name}; flows do without it`)
    if (error.name === METER_EXISTS) this.#options.doubt()
    this.#options.retry.later(this.#trackers.meters, key, `refused by the switch: ${error.name}`)
  }

  async #send(connection: SwitchConnection, batch: Batch): Promise<void> {
    this.#options.sending([...batch.flows, ...batch.groups].map(({ key }) => key))
    const bundle = batch.mods.length > 1 && this.#failedBundles < MAX_FAILED_BUNDLES
    const { applied, errors } = await connection.apply(batch.mods, { bundle })
    if (this.#connection !== connection) return
    this.#failedBundles = applied ? 0 : this.#failedBundles + 1
    const refused = new Set<number>()
    for (const error of errors) {
      const entry = batch.entryOfMod[error.index]
      if (entry === undefined) continue
      refused.add(entry)
      this.#refuse(batch, entry, error)
    }
    if (!applied) return
    this.#options.linger.replaced()
    const now = performance.now()
    batch.flows.forEach((pending, i) => {
      if (refused.has(i)) return
      this.#realize(this.#trackers.flows, pending)
      this.#took(changeOf(pending), pending, now)
    })
    batch.groups.forEach((pending, i) => {
      if (refused.has(batch.flows.length + i)) return
      this.#realize(this.#trackers.groups, pending)
      this.#took('group', pending, now)
    })
    this.counters.flowMods += batch.flows.length
    this.counters.groupMods += batch.groups.length
  }

  #realize<V>(tracker: Tracker<V>, pending: Pending<V>): void {
    this.#options.retry.forget(pending.key)
    tracker.realize(pending.key, pending.desired)
  }

  #took(change: Change, { key, since }: Pending<unknown>, now: number): void {
    this.#options.report.confirmed?.(key, now)
    if (since !== undefined) this.#options.latency.record(change, now - since)
  }

  #tellRefused(text: string): void {
    if (this.#options.report.refused === undefined) this.#options.report.warn(text)
    else this.#options.report.refused(text)
  }

  /** Sets one entry aside, and tries it again after a while. */
  #refuse(batch: Batch, entry: number, error: ApplyError): void {
    this.counters.refused++
    const flow = batch.flows[entry]
    const group = batch.groups[entry - batch.flows.length]
    if (flow !== undefined) {
      this.#tellRefused(`the switch refused ${describeFlowKey(flow.key)}: ${error.name}`)
      if (NAMES_NOTHING.includes(error.name)) this.#options.lacking()
      this.#options.retry.later(this.#trackers.flows, flow.key, `refused by the switch: ${error.name}`)
    } else if (group !== undefined) {
      this.#tellRefused(`the switch refused group ${group.key}: ${error.name}`)
      // One of its bucket commands may have been carried out: the next attempt writes it whole.
      if (group.realized !== undefined) this.#trackers.groups.realize(group.key, { ...group.realized, strange: true })
      // It came there since we looked: no ADD will ever succeed. What it is, the next read-back tells.
      else if (error.name === GROUP_EXISTS) this.#options.doubt()
      this.#options.retry.later(this.#trackers.groups, group.key, `refused by the switch: ${error.name}`)
    }
  }
}

function changeOf({ desired, realized }: Pending<string>): Change {
  if (desired === undefined) return 'withdraw'
  return realized === undefined ? 'learn' : 'move'
}
