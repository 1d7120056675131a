// What is wanted of a switch, compiled into the form in which it is compared and sent.
import type { Action, Meter } from '../openflow/index.js'
import type { Flow, FlowPlace, Group } from '../pipeline/flow.js'
import { TABLE } from '../pipeline/tables.js'
import { compileActions, compileFlow, compilePlace, tableOfKey, type Encoded } from './flow-entry.js'
import { compileGroup, groupBytes, isEqualGroup, MAX_GROUP_BYTES, type EncodedBuckets, type GroupEntry, type GroupValue } from './group-entry.js'
import { compileMeter, isMetered, meterKey, withMeters } from './meter-entry.js'
import { Tracker } from './tracker.js'

/** Flows, groups and meters, desired and realized. */
export interface SwitchTrackers {
  readonly flows: Tracker<string>
  readonly groups: Tracker<GroupValue>
  readonly meters: Tracker<string>
}

/** Tables that a flow or a group sends packets on to by a number: a packet that finds nothing there is lost. */
const STEPS: ReadonlySet<number> = new Set([TABLE.PART, TABLE.NEXTHOP])

export function createTrackers(): SwitchTrackers {
  return {
    flows: new Tracker<string>((a, b) => a === b, (key) => STEPS.has(tableOfKey(key))),
    groups: new Tracker<GroupValue>(isEqualGroup),
    meters: new Tracker<string>((a, b) => a === b)
  }
}

export class Desired {
  readonly #trackers: SwitchTrackers
  readonly #warn: (text: string) => void
  readonly #encoded: Encoded = new WeakMap()
  readonly #groups = new WeakMap<Group, GroupEntry>()
  readonly #buckets: EncodedBuckets = new WeakMap()
  /** Flows that name meters, by owner: compiled again when a meter comes or goes. */
  readonly #metered = new Map<string, readonly Flow[]>()

  constructor(trackers: SwitchTrackers, warn: (text: string) => void) {
    this.#trackers = trackers
    this.#warn = warn
  }

  setFlows(owner: string, flows: readonly Flow[]): void {
    if (flows.some(isMetered)) this.#metered.set(owner, flows)
    else this.#metered.delete(owner)
    this.#compile(owner, flows)
  }

  setFlow(owner: string, place: FlowPlace, actions: readonly Action[] | undefined): string {
    const key = compilePlace(place)
    this.#trackers.flows.setOne(owner, key, actions && compileActions(actions, this.#encoded))
    return key
  }

  setGroups(owner: string, groups: readonly Group[]): void {
    this.#trackers.groups.setOwned(owner, groups.map((group) => this.#compileGroup(group)).filter((entry) => entry !== undefined))
  }

  setMeters(owner: string, meters: readonly Meter[]): void {
    this.#trackers.meters.setOwned(owner, meters.map(compileMeter))
  }

  /** Meters came or went in the switch. */
  recompile(): void {
    for (const [owner, flows] of this.#metered) this.#compile(owner, flows)
  }

  #compile(owner: string, flows: readonly Flow[]): void {
    const has = (id: number) => this.#trackers.meters.realized(meterKey(id)) !== undefined
    this.#trackers.flows.setOwned(owner, flows.map((flow) => compileFlow(withMeters(flow, has), this.#encoded)))
  }

  /** undefined: too large. The same group again costs nothing. */
  #compileGroup(group: Group): GroupEntry | undefined {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const entry = compileGroup(group, this.#buckets)
    const bytes = groupBytes(entry[1])
    if (bytes > MAX_GROUP_BYTES) {
      this.#warn(`group ${entry[0]} would have ${bytes} bytes, more than ${MAX_GROUP_BYTES}: not installed`)
      return undefined
    }
    this.#groups.set(group, entry)
    return entry
  }
}
