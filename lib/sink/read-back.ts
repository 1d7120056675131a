// What the switch holds in our places, read whole: ours, and what of others stands there.
import type { FlowDesc, GroupDesc, Meter, MeterFeatures } from '../openflow/index.js'
import { ENTRY_PRIORITY, ENTRY_TABLE, FIRST_TABLE, isLearnedCookie, isOurCookie, isOurGroup, isOurMeter, LAST_TABLE } from '../pipeline/slots.js'
import { entryOfDesc, type FlowEntry } from './flow-entry.js'
import { entryOfGroupDesc, isOurs, type GroupEntry } from './group-entry.js'
import { compileMeter, type MeterEntry } from './meter-entry.js'

/** The questions that reading takes. */
export interface SwitchReader {
  groupDescs(): Promise<readonly GroupDesc[]>
  flowDescs(filter: { readonly tableId?: number }): Promise<readonly FlowDesc[]>
  meters(): Promise<readonly Meter[]>
  meterFeatures(): Promise<MeterFeatures>
}

/** Flows in our places. `foreign`: keys of those that are not ours. */
export interface HeldFlows {
  readonly flows: readonly FlowEntry[]
  readonly foreign: readonly string[]
}

/** Groups and meters in our ranges. `foreign`: keys of groups that are not ours. */
export interface HeldGroups {
  readonly groups: readonly GroupEntry[]
  readonly foreign: readonly GroupEntry[]
  readonly meters: readonly MeterEntry[]
  /** False when the switch or its datapath has no meters at all. */
  readonly hasMeters: boolean
}

/** The tables in which we have places. */
export const OUR_TABLES: readonly number[] = [ENTRY_TABLE, ...Array.from({ length: LAST_TABLE - FIRST_TABLE + 1 }, (_, i) => FIRST_TABLE + i)]

export async function readGroups(reader: SwitchReader): Promise<HeldGroups> {
  const hasMeters = (await reader.meterFeatures()).maxMeters > 0
  // A switch without meters may refuse to describe them.
  const meters = hasMeters ? await reader.meters() : []
  const groups = (await reader.groupDescs()).filter((group) => isOurGroup(group.groupId))
  return {
    groups: groups.filter(isOurs).map(entryOfGroupDesc),
    foreign: groups.filter((group) => !isOurs(group)).map(entryOfGroupDesc),
    meters: meters.filter((meter) => isOurMeter(meter.meterId)).map(compileMeter),
    hasMeters
  }
}

/**
 * The same, read on a connection that has stood since we knew of our groups: what is there under the id of one of them, and was not
 * deleted, is ours, whatever somebody made of it.
 */
export function withAltered(held: HeldGroups, isKnown: (key: string) => boolean): HeldGroups {
  const altered = held.foreign.filter(([key]) => isKnown(key)).map(([key, value]): GroupEntry => [key, { ...value, strange: true }])
  return { ...held, groups: [...held.groups, ...altered], foreign: held.foreign.filter(([key]) => !isKnown(key)) }
}

/** Flows that we installed, and foreign ones; those that the switch learned on our behalf are neither. */
export async function readFlows(reader: SwitchReader, tables = OUR_TABLES): Promise<HeldFlows> {
  const flows: FlowEntry[] = []
  const foreign: string[] = []
  for (const tableId of tables) {
    for (const desc of await reader.flowDescs({ tableId })) {
      if (!isOurPlace(desc)) continue
      if (isOurCookie(desc.cookie)) flows.push(entryOfDesc(desc))
      else foreign.push(entryOfDesc(desc)[0])
    }
  }
  return { flows, foreign }
}

/** True for a flow that stands where only ours may, and is none that the switch learned. */
export function isOurPlace({ tableId, priority, cookie }: Pick<FlowDesc, 'tableId' | 'priority' | 'cookie'>): boolean {
  if (isLearnedCookie(cookie)) return false
  return tableId === ENTRY_TABLE ? priority === ENTRY_PRIORITY : tableId >= FIRST_TABLE && tableId <= LAST_TABLE
}
