// A kernel nexthop group in the switch: a select group by dp_hash, one bucket for each VTEP. It says which VTEP and no more, so that all
// MACs of all VNIs that use the same members share it, and a path that fails is one bucket. Which group a VNI uses says one flow of
// NEXTHOP: a VTEP that comes into a VNI or leaves it costs that flow, however many MACs are behind the group.
// dp_hash recirculates: metadata and registers are still there afterwards (Open vSwitch keeps them with the recirculation).
import type { LeftOut, NexthopPath } from '../evpn/nexthop.js'
import { hash32 } from '../net/hash.js'
import { ipFamily } from '../net/ip.js'
import type { Vni } from '../net/number.js'
import type { Action } from '../openflow/index.js'
import { bucketIds, ipNumber } from './bucket.js'
import { goTo, type Flow, type FlowPlace, type Group } from './flow.js'
import { ENCAP_MASK_OF_GROUP, encapBits, IPV6 } from './registers.js'
import { FIRST_HASHED_NEXTHOP_GROUP, LAST_GROUP, NEXTHOP_GROUPS } from './slots.js'
import { TABLE } from './tables.js'

/**
 * The kernel's id is ours, moved up, while it fits: FRR's begin at 0x20000000. Larger ids (they have 32 bits), and groups of
 * which some members are left out, get a hash. Of those that get the same, the first by name has it, and each other one the hash
 * that its `rank` among them makes.
 */
export function nexthopGroupId(id: number, without: LeftOut, rank = 0): number {
  const direct = NEXTHOP_GROUPS + id
  if (without === '' && direct < FIRST_HASHED_NEXTHOP_GROUP) return direct
  return FIRST_HASHED_NEXTHOP_GROUP + hash32(`${id} ${without}${rank === 0 ? '' : ` ${rank}`}`) % (LAST_GROUP - FIRST_HASHED_NEXTHOP_GROUP)
}

export function nexthopGroup(groupId: number, paths: readonly NexthopPath[]): Group {
  const buckets = bucketIds(paths, ({ ip }) => ip, ({ ip }) => ipNumber(ip))
  return {
    id: groupId, type: 'select',
    buckets: buckets.map(([bucketId, path]) => ({ id: bucketId, weight: path.weight, actions: toPath(path) }))
  }
}

function toPath({ ip }: NexthopPath): Action[] {
  const family = ipFamily(ip)
  return [
    { kind: 'set_field', field: family === 4 ? 'tun_dst' : 'tun_ipv6_dst', value: ip },
    { kind: 'set_field', field: 'reg0', value: family === 6 ? IPV6 : 0, mask: IPV6 },
    goTo(TABLE.ENCAP)
  ]
}

/** To one of the VTEPs of a nexthop group, by way of NEXTHOP. */
export function toNexthop(id: number): Action[] {
  return [{ kind: 'set_field', field: 'reg1', value: id }, goTo(TABLE.NEXTHOP)]
}

/** The group that a VNI uses for the MACs behind a nexthop. */
export function nexthopFlow(vni: Vni, id: number, groupId: number, udpPort: number): Flow {
  return {
    ...nexthopPlace(vni, id),
    actions: [{ kind: 'set_field', field: 'reg0', value: encapBits(4, udpPort), mask: ENCAP_MASK_OF_GROUP }, { kind: 'group', group: groupId }]
  }
}

export function nexthopPlace(vni: Vni, id: number): FlowPlace {
  return { table: TABLE.NEXTHOP, priority: 100, match: { metadata: vni, reg1: id } }
}
