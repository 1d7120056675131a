// The way back from flows and buckets to what they were made from: what a switch remembers of VTEPs and MACs that nobody
// announces any more. What was made by another version, and is not understood, was none of ours.
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Action } from '../openflow/index.js'
import type { Flow } from './flow.js'
import { REMOTE_MAC_PRIORITY } from './forward.js'
import { FIRST_GROUP, NEXTHOP_GROUPS } from './slots.js'
import { TABLE } from './tables.js'

/** Where a packet goes: to a VTEP, or to one that a select group chooses. */
export interface Destination {
  readonly ip: Ip | undefined
  readonly group: number | undefined
  readonly udpPort: number
  readonly encapVni: Vni | undefined
}

/** The inverse of toVtep, of the flows of nexthops, and of the buckets of floods and nexthop groups. */
export function destinationOf(actions: readonly Action[]): Destination | undefined {
  let [ip, group, udpPort, encapVni]: [Ip?, number?, number?, Vni?] = []
  for (const action of actions) {
    if (action.kind === 'group') group = action.group
    if (action.kind !== 'set_field') continue
    if (action.field === 'tun_dst' || action.field === 'tun_ipv6_dst') ip = String(action.value)
    if (action.field === 'tun_id') encapVni = Number(action.value)
    if (action.field === 'reg0') udpPort = Number(action.value) >>> 16
  }
  return udpPort === undefined || (ip === undefined && group === undefined) ? undefined : { ip, group, udpPort, encapVni }
}

/** The inverse of toNexthop. */
export function nexthopOf(actions: readonly Action[]): number | undefined {
  const id = actions.flatMap((action) => (action.kind === 'set_field' && action.field === 'reg1' ? [Number(action.value)] : []))[0]
  return actions.some((action) => action.kind === 'resubmit' && action.table === TABLE.NEXTHOP) ? id : undefined
}

/** Whose flow it is, when it is a remote MAC's. */
export function remoteMacOf({ table, priority, match }: Flow): { readonly vni: Vni, readonly mac: Mac } | undefined {
  const { metadata, eth_dst: mac } = match
  if (table !== TABLE.FORWARD || priority !== REMOTE_MAC_PRIORITY || metadata === undefined || typeof mac !== 'string') return undefined
  return { vni: Number(metadata), mac }
}

/** The VNI of a group that floods to VTEPs. */
export function vniOfFloodPart(groupId: number): Vni | undefined {
  return groupId >= FIRST_GROUP && groupId < NEXTHOP_GROUPS && (groupId & 127) >= 4 ? Math.floor((groupId - FIRST_GROUP) / 128) : undefined
}
