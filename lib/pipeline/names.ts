// What the numbers of the pipeline are called, for people: tables, groups, reasons for a drop.
import { reasonName } from './drops.js'
import {
  FIRST_GROUP, FIRST_HASHED_NEXTHOP_GROUP, FLOOD_ALL, FLOOD_LOCAL, FLOOD_UNKNOWN, FLOOD_UNKNOWN_LOCAL, isOurCookie, isOurGroup, NEXTHOP_GROUPS, TRAMPOLINE_GROUP
} from './slots.js'
import { TABLE, TABLES } from './tables.js'

export { isOurCookie, reasonName, TABLE }

/** undefined = none of ours. */
export function tableName(id: number): string | undefined {
  return TABLES.find((table) => table.id === id)?.name
}

const FLOODS: ReadonlyMap<number, string> = new Map([
  [FLOOD_ALL, 'flood'], [FLOOD_LOCAL, 'local flood'], [FLOOD_UNKNOWN, 'flood for unknown MACs'], [FLOOD_UNKNOWN_LOCAL, 'local flood for unknown MACs']
])

/** undefined = none of ours. */
export function groupName(id: number): string | undefined {
  if (!isOurGroup(id)) return undefined
  if (id === TRAMPOLINE_GROUP) return 'trampoline'
  if (id >= FIRST_HASHED_NEXTHOP_GROUP) return `nexthop group 0x${id.toString(16)}`
  if (id >= NEXTHOP_GROUPS) return `nexthop ${id - NEXTHOP_GROUPS}`
  const [vni, part] = [Math.floor((id - FIRST_GROUP) / 128), (id - FIRST_GROUP) % 128]
  return `${FLOODS.get(part) ?? `flood part ${part}`} of VNI ${vni}`
}
