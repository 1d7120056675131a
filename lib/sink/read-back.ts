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

/** `foreign...`: keys of entries that are not ours and stand where only ours may. */
export interface Held {
  readonly flows: readonly FlowEntry[]
  readonly groups: readonly GroupEntry[]
  readonly meters: readonly MeterEntry[]
  readonly foreignFlows: readonly string[]
  readonly foreignGroups: readonly string[]
  /** False when the switch or its datapath has no meters at all. */
  readonly hasMeters: boolean
}

export async function readSwitch(reader: SwitchReader): Promise<Held> {
  const hasMeters = (await reader.meterFeatures()).maxMeters > 0
  // A switch without meters may refuse to describe them.
  const meters = hasMeters ? await reader.meters() : []
  const groups = await reader.groupDescs()
  const tables = [await reader.flowDescs({ tableId: ENTRY_TABLE })]
  for (let tableId = FIRST_TABLE; tableId <= LAST_TABLE; tableId++) tables.push(await reader.flowDescs({ tableId }))
  return {
    ...sortFlows(tables.flat()),
    groups: groups.filter(isOurs).map(entryOfGroupDesc),
    foreignGroups: groups.filter((group) => isOurGroup(group.groupId) && !isOurs(group)).map((group) => String(group.groupId)),
    meters: meters.filter((meter) => isOurMeter(meter.meterId)).map(compileMeter),
    hasMeters
  }
}

/** Flows that we installed, and foreign ones; those that the switch learned on our behalf are neither. */
function sortFlows(descs: readonly FlowDesc[]): Pick<Held, 'flows' | 'foreignFlows'> {
  const flows: FlowEntry[] = []
  const foreignFlows: string[] = []
  for (const desc of descs) {
    if (desc.tableId === ENTRY_TABLE && desc.priority !== ENTRY_PRIORITY) continue
    if (isLearnedCookie(desc.cookie)) continue
    if (isOurCookie(desc.cookie)) flows.push(entryOfDesc(desc))
    else foreignFlows.push(entryOfDesc(desc)[0])
  }
  return { flows, foreignFlows }
}
