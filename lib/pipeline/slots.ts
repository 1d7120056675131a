// What is ours on the integration bridge. An OpenFlow flow's identity is (table, priority, match), and an ADD with
// another cookie silently replaces it: so we own places, not only cookies. Everything outside is left alone.

/** Tables 200..223 are ours; tables.ts says which are in use. */
export const FIRST_TABLE = 200
export const LAST_TABLE = 223

/** In table 0 we own this one priority, and only matches that are nothing but one in_port. */
export const ENTRY_TABLE = 0
export const ENTRY_PRIORITY = 36864

/** ASCII "evpn" in the upper half of every cookie of ours; the lower half is 0 for what we install, and a tag for what the switch learned. */
export const COOKIE = 0x6576706e_00000000n
export const COOKIE_MASK = 0xffffffff_00000000n

/** The highest bit of a cookie's lower half: the switch made the flow itself, by a learn() action of ours. */
const LEARNED = 0x80000000n

/** The cookie of what one learn() action makes: its limit counts, and its end deletes, the flows of that cookie. */
export function learnedCookie(hash: number): bigint {
  return COOKIE | LEARNED | (BigInt(hash) & (LEARNED - 1n))
}

/** True for a cookie of a flow that the switch learned on our behalf; such a flow is nobody's desired state. */
export function isLearnedCookie(cookie: bigint): boolean {
  return isOurCookie(cookie) && (cookie & LEARNED) !== 0n
}

/** True for a cookie of ours, learned flows included. */
export function isOurCookie(cookie: bigint): boolean {
  return (cookie & COOKIE_MASK) === COOKIE
}

/**
 * Group ids, derived from content. VNI (24 bits) and part (7 bits) fill 0x40000000..0xbfffffff, kernel nexthop
 * groups go above, the one trampoline last. OpenFlow reserves what is above 0xffffff00.
 */
export const FIRST_GROUP = 0x40000000
export const NEXTHOP_GROUPS = 0xc0000000
/** From here on those whose id is hashed. */
export const FIRST_HASHED_NEXTHOP_GROUP = 0xf0000000
export const TRAMPOLINE_GROUP = 0xff000000
export const LAST_GROUP = TRAMPOLINE_GROUP

/** True for a group id of ours (groups have no cookie). */
export function isOurGroup(id: number): boolean {
  return id >= FIRST_GROUP && id <= LAST_GROUP
}

/** Parts 0 and 1 of a VNI are its flood groups: to everybody, and to local ports only. 4..127 are parts of the flood. */
export const FLOOD_ALL = 0
export const FLOOD_LOCAL = 1
/** Parts 2 and 3 the same for destinations nobody knows: VTEPs and `unknown` ports. */
export const FLOOD_UNKNOWN = 2
export const FLOOD_UNKNOWN_LOCAL = 3

/** Part 2 of no VNI: requests of ARP and ND that are answered pass the trampoline, too. */
export const PART_ANSWER = 2

/** The group of one part of a VNI's flood. */
export function floodGroupId(vni: number, part: number): number {
  return FIRST_GROUP + vni * 128 + part
}

/** Meter ids (meters have no cookie): "ev" in the upper half. */
export const FIRST_METER = 0x65760000
export const LAST_METER = 0x6576ffff

/** True for a meter id of ours. */
export function isOurMeter(id: number): boolean {
  return id >= FIRST_METER && id <= LAST_METER
}

/** The controller_id of our connection: packets of our controller actions go to us and to no other controller. "ev". */
export const CONTROLLER_ID = 0x6576
