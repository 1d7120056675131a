// A kernel nexthop group in the switch: a select group by dp_hash, one bucket for each VTEP. It says which VTEP, the flow of
// the MAC says the rest (VNI and UDP port), so that all MACs of all VNIs share it, and a path that fails is one bucket.
// dp_hash recirculates: metadata and registers are still there afterwards (Open vSwitch keeps them with the recirculation).
import type { Members, NexthopPath } from '../evpn/nexthop.js'
import type { ToNexthop } from '../evpn/remote-mac.js'
import { hash32 } from '../net/hash.js'
import { ipFamily } from '../net/ip.js'
import type { Action } from '../openflow/index.js'
import { bucketIds, ipNumber } from './bucket.js'
import { goTo, type Group } from './flow.js'
import { ENCAP_MASK_OF_MAC, encapBits, IPV6 } from './registers.js'
import { FIRST_HASHED_NEXTHOP_GROUP, LAST_GROUP, NEXTHOP_GROUPS } from './slots.js'
import { TABLE } from './tables.js'

/**
 * The kernel's id is ours, moved up, while it fits: FRR's begin at 0x20000000. Larger ids (they have 32 bits), and groups of
 * which a VNI uses one family only, get a hash. Of those that get the same, the first by name has it, and each other one the hash
 * that its `rank` among them makes.
 */
export function nexthopGroupId(id: number, members: Members, rank = 0): number {
  const direct = NEXTHOP_GROUPS + id
  if (members === 'all' && direct < FIRST_HASHED_NEXTHOP_GROUP) return direct
  return FIRST_HASHED_NEXTHOP_GROUP + hash32(`${id} ${members}${rank === 0 ? '' : ` ${rank}`}`) % (LAST_GROUP - FIRST_HASHED_NEXTHOP_GROUP)
}

export function nexthopGroup(id: number, members: Members, paths: readonly NexthopPath[], rank?: number): Group {
  const buckets = bucketIds(paths, ({ ip }) => ip, ({ ip }) => ipNumber(ip))
  return {
    id: nexthopGroupId(id, members, rank), type: 'select',
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

/** To one of the VTEPs of a nexthop group, by way of ENCAP. */
export function toNexthop({ id, members, rank }: Pick<ToNexthop, 'id' | 'members' | 'rank'>, udpPort: number): Action[] {
  return [
    { kind: 'set_field', field: 'reg0', value: encapBits(4, udpPort), mask: ENCAP_MASK_OF_MAC },
    { kind: 'group', group: nexthopGroupId(id, members, rank) }
  ]
}
