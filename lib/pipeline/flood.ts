// FLOOD and PART: one VNI's flood set as groups, a group a part. A flood that fits one translation of OVS names its
// parts' groups directly; in a larger one each part passes the trampoline (a select group with dp_hash recirculates)
// and is translated by itself.
import { memberKey, partClass, type FloodMember, type FloodPart, type FloodSet, type PartClass } from '../evpn/flood.js'
import { ipFamily } from '../net/ip.js'
import type { Vni } from '../net/number.js'
import type { Action } from '../openflow/index.js'
import { bucketIds, ipNumber } from './bucket.js'
import { goTo, type Flow, type Group, type GroupBucket } from './flow.js'
import { toPort, toVtep } from './forward.js'
import { FROM_TUNNEL, UNKNOWN } from './registers.js'
import { FLOOD_ALL, FLOOD_LOCAL, FLOOD_UNKNOWN, FLOOD_UNKNOWN_LOCAL, floodGroupId, TRAMPOLINE_GROUP } from './slots.js'
import { TABLE } from './tables.js'

/** The one group whose only purpose is the recirculation before PART. */
export const TRAMPOLINE: Group = { id: TRAMPOLINE_GROUP, type: 'select', buckets: [{ id: 1, actions: [goTo(TABLE.PART)] }] }

export interface FloodEntries {
  readonly flows: readonly Flow[]
  readonly groups: readonly Group[]
}

/** What was made for parts and members before: of thousands of VTEPs one comes or goes, and the rest stays as it is. */
export interface FloodCache {
  readonly groups: WeakMap<FloodPart, Group>
  readonly buckets: WeakMap<FloodMember, GroupBucket>
}

export function floodCache(): FloodCache {
  return { groups: new WeakMap(), buckets: new WeakMap() }
}

/** Everything a VNI's flood set needs in the switch. */
export function floodEntries(set: FloodSet, cache = floodCache()): FloodEntries {
  const { vni, parts } = set
  const partsOf = (...classes: readonly PartClass[]) => parts.filter(({ members: [first] }) => first !== undefined && classes.includes(partClass(first)))
  const [all, local] = [partsOf('v4', 'v6', 'local'), partsOf('local')]
  const unknownLocal = partsOf('unknown')
  const unknown = unknownLocal.length === 0 ? [] : partsOf('v4', 'v6', 'unknown')
  return {
    flows: [
      ...floodFlow(vni, FLOOD_ALL, 0, all),
      ...floodFlow(vni, FLOOD_LOCAL, FROM_TUNNEL, local),
      ...floodFlow(vni, FLOOD_UNKNOWN, UNKNOWN, unknown),
      ...floodFlow(vni, FLOOD_UNKNOWN_LOCAL, UNKNOWN | FROM_TUNNEL, unknownLocal),
      ...([all, unknown].some(isLarge) ? parts.map((part) => partFlow(vni, part.part)) : [])
    ],
    groups: [
      ...parts.map((part) => partGroup(vni, part, cache)),
      ...partsGroup(vni, FLOOD_ALL, all),
      ...partsGroup(vni, FLOOD_LOCAL, local),
      ...partsGroup(vni, FLOOD_UNKNOWN, unknown),
      ...partsGroup(vni, FLOOD_UNKNOWN_LOCAL, unknownLocal)
    ]
  }
}

function floodFlow(vni: Vni, which: number, bits: number, parts: readonly FloodPart[]): Flow[] {
  const [first, ...more] = parts
  if (first === undefined) return []
  const group = floodGroupId(vni, more.length === 0 ? first.part : which)
  return [{ table: TABLE.FLOOD, priority: 100, match: { metadata: vni, reg0: [bits, UNKNOWN | FROM_TUNNEL] }, actions: [{ kind: 'group', group }] }]
}

function partFlow(vni: Vni, part: number): Flow {
  return { table: TABLE.PART, priority: 100, match: { metadata: vni, reg1: part }, actions: [{ kind: 'group', group: floodGroupId(vni, part) }] }
}

function partsGroup(vni: Vni, which: number, parts: readonly FloodPart[]): Group[] {
  if (parts.length < 2) return []
  const isOneByOne = isLarge(parts)
  const toPart = (part: number): Action[] => isOneByOne
    ? [{ kind: 'set_field', field: 'reg1', value: part }, { kind: 'group', group: TRAMPOLINE_GROUP }]
    : [{ kind: 'group', group: floodGroupId(vni, part) }]
  return [{ id: floodGroupId(vni, which), type: 'all', buckets: parts.map(({ part }) => ({ id: part, actions: toPart(part) })) }]
}

/** Bytes of datapath actions for one copy (65,536 / 780 and 65,536 / 630: an IPv6 header has 20 bytes more), well below 64 kB in sum. */
const COPY_BYTES = { v4: 84, v6: 104, local: 16, unknown: 16 } as const
const TRANSLATION_BYTES = 52_000

/** More than one translation can hold. A single part never is. */
function isLarge(parts: readonly FloodPart[]): boolean {
  // All members of a part are of one class.
  const bytes = parts.reduce((sum, { members }) => sum + members.length * (members[0] === undefined ? 0 : COPY_BYTES[partClass(members[0])]), 0)
  return parts.length > 1 && bytes > TRANSLATION_BYTES
}

function partGroup(vni: Vni, part: FloodPart, { groups, buckets }: FloodCache): Group {
  const known = groups.get(part)
  if (known !== undefined) return known
  const group: Group = {
    id: floodGroupId(vni, part.part),
    type: 'all',
    buckets: bucketIds(part.members, memberKey, wantedBucketId).map(([id, member]) => {
      const before = buckets.get(member)
      if (before?.id === id) return before
      const bucket = { id, actions: toMember(member) }
      buckets.set(member, bucket)
      return bucket
    })
  }
  groups.set(part, group)
  return group
}

function toMember(member: FloodMember): Action[] {
  return member.kind !== 'remote' ? toPort(member.ofport) : toVtep(member.ip, member.udpPort, member.encapVni)
}

function wantedBucketId(member: FloodMember): number {
  // The bridge's own port, LOCAL, has a number above the range of bucket ids; it is brought into it.
  if (member.kind !== 'remote') return member.ofport
  return ipFamily(member.ip) === 4 ? ipNumber(member.ip) : member.hash
}
