// What others do to our places on the switch while we are connected: as flow monitors and forwarded requests tell, or as reading a
// part again shows. An entry of ours that is not as we left it is drift; one that is not ours is a conflict.
import type { FlowChange, RequestForward } from '../openflow/index.js'
import { isOurCookie, isOurGroup, isOurMeter } from '../pipeline/slots.js'
import type { Conflicts } from './conflicts.js'
import type { SwitchTrackers } from './desired.js'
import type { Drift } from './drift.js'
import { describeFlowKey, describeFlowValue, entryOfDesc, tableOfKey } from './flow-entry.js'
import type { GroupValue } from './group-entry.js'
import { meterKey } from './meter-entry.js'
import { isOurPlace, withAltered, type HeldFlows, type HeldGroups } from './read-back.js'
import type { Tracker } from './tracker.js'

export const FOREIGN_FLOW = 'a foreign flow stands there'
export const FOREIGN_GROUP = 'a foreign group stands there'

/** What stands in one of our places now; `value` undefined = nothing. */
export interface FlowNews {
  readonly key: string
  readonly value: string | undefined
  readonly isForeign: boolean
}

/** What a monitor's update says of one of our places; undefined = it is about none, or about what the switch learned. */
export function flowNews(change: FlowChange): FlowNews | undefined {
  if (!isOurPlace(change)) return undefined
  const [key, value] = entryOfDesc(change)
  return { key, value: change.kind === 'removed' ? undefined : value, isForeign: !isOurCookie(change.cookie) }
}

export const ALL = 'all'

/** The key of the one group or meter of ours that a request was about, ALL when it may be about any; undefined = about none. */
export function requestedKey({ kind, id, isDeletion }: RequestForward): string | undefined {
  if (kind === 'group' ? isOurGroup(id) : isOurMeter(id)) return kind === 'group' ? String(id) : meterKey(id)
  return isDeletion && id > LAST_ID ? ALL : undefined
}

/** OFPG_MAX and OFPM_MAX are below; above are the ids that mean all, or something special. */
const LAST_ID = 0xffffff00

export class Watch {
  readonly #trackers: SwitchTrackers
  readonly #conflicts: Conflicts
  readonly #drift: Drift

  constructor(trackers: SwitchTrackers, conflicts: Conflicts, drift: Drift) {
    this.#trackers = trackers
    this.#conflicts = conflicts
    this.#drift = drift
  }

  /** One flow. */
  flow({ key, value, isForeign }: FlowNews): void {
    const { flows } = this.#trackers
    const name = () => `flow ${describeFlowKey(key)}`
    if (!isForeign) {
      if (this.#conflicts.deleteFlow(key)) flows.unblock(key)
      this.#judge(flows, key, value, name, (held) => `changed it from actions=${describeFlowValue(held)} to actions=${describeFlowValue(value ?? '')}`)
    } else if (value === undefined) {
      if (this.#conflicts.deleteFlow(key)) flows.unblock(key)
    } else {
      flows.realize(key, undefined)
      this.#drift.abandon(key)
      this.#conflicts.addFlow(key)
      flows.block(key, FOREIGN_FLOW)
    }
  }

  /** A group or meter that was deleted. */
  deleted(key: string): void {
    const { groups, meters } = this.#trackers
    if (key.startsWith('meter')) return this.#judge(meters, key, undefined, () => key, () => '')
    if (this.#conflicts.deleteGroup(key)) groups.unblock(key)
    this.#judge(groups, key, undefined, () => `group ${key}`, () => '')
  }

  /** All flows of a table, read while other work went on: what was `touched` since is not judged. */
  table(tableId: number, held: HeldFlows, touched: ReadonlySet<string>): void {
    const { flows } = this.#trackers
    const found: FlowNews[] = [
      ...held.flows.map(([key, value]) => ({ key, value, isForeign: false })),
      ...held.foreign.map((key) => ({ key, value: '', isForeign: true }))
    ]
    const seen = new Set(found.map(({ key }) => key))
    const isGone = (key: string) => tableOfKey(key) === tableId && !seen.has(key)
    for (const key of flows.realizedKeys()) if (isGone(key)) found.push({ key, value: undefined, isForeign: false })
    for (const key of this.#conflicts.flows) if (isGone(key)) found.push({ key, value: undefined, isForeign: true })
    for (const news of found) if (!touched.has(news.key)) this.flow(news)
  }

  /** All groups and meters, read in the same way. */
  groups(read: HeldGroups, touched: ReadonlySet<string>): void {
    const { groups, meters } = this.#trackers
    const held = withAltered(read, (key) => groups.realized(key) !== undefined)
    const ours = new Map<string, GroupValue>(held.groups)
    const foreign = new Set(held.foreign.map(([key]) => key))
    const here = new Map(held.meters)
    for (const key of [...ours.keys(), ...groups.realizedKeys()]) if (!touched.has(key)) this.#group(key, ours.get(key))
    for (const key of [...this.#conflicts.groups]) if (!touched.has(key) && !foreign.has(key) && this.#conflicts.deleteGroup(key)) groups.unblock(key)
    for (const key of foreign) {
      if (touched.has(key)) continue
      this.#drift.abandon(key)
      this.#conflicts.addGroup(key)
      groups.block(key, FOREIGN_GROUP)
    }
    for (const key of [...here.keys(), ...meters.realizedKeys()]) {
      if (!touched.has(key)) this.#judge(meters, key, here.get(key), () => key, (was) => `changed it from ${was} to ${here.get(key)}`)
    }
  }

  #group(key: string, value: GroupValue | undefined): void {
    this.#judge(this.#trackers.groups, key, value, () => `group ${key}`, (held) => `changed it from ${held.buckets.size} buckets to ${value?.buckets.size ?? 0}`)
  }

  /** `changed`: in words, what it was and is. */
  #judge<V>(tracker: Tracker<V>, key: string, value: V | undefined, name: () => string, changed: (held: V) => string, gone = 'deleted it'): void {
    const held = tracker.realized(key)
    if (tracker.isRealized(key, value)) return
    tracker.realize(key, value)
    if (!tracker.isPending(key)) return
    this.#drift.found(tracker, key, name(), value === undefined ? gone : held === undefined ? 'added it' : changed(held))
  }
}
