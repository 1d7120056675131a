// The flood set of one VNI: every VTEP announced for flooding and every local port, in parts of bounded size.
// A part is a node of a binary tree over the members' hashes that splits when it holds too many. So the parts are
// a function of the set alone (two runs agree, nothing is remembered), and one member more or less touches one part,
// or three when it splits.
import { ipFamily, type Ip } from '../net/ip.js'
import type { Vni } from '../net/number.js'

export interface RemoteMember {
  readonly kind: 'remote'
  readonly ip: Ip
  readonly udpPort: number
  /** The VNI its copies carry, where it is not the flood's. */
  readonly encapVni: Vni | undefined
  readonly hash: number
}

/** A port is a member as `local`, and, with the address `unknown`, once more as `unknown`: of the flood for destinations nobody knows. */
export interface LocalMember { readonly kind: 'local' | 'unknown'; readonly port: string; readonly ofport: number; readonly hash: number }
export type FloodMember = RemoteMember | LocalMember

export interface FloodPart {
  /** Heap index of the tree node: 4..127 (see PART_ROOT). Names the part within its VNI. */
  readonly part: number
  readonly members: readonly FloodMember[]
}

export interface FloodSet {
  readonly vni: Vni
  readonly parts: readonly FloodPart[]
  /** Members that found no place, their part being as deep as the part number reaches. */
  readonly left: readonly FloodMember[]
}

/**
 * One translation of OVS has 64 kB for datapath actions and silently loses the tail of a longer flood: it
 * reaches 780 VTEPs over IPv4, 630 over IPv6 (measured). A local port needs little, but its group must stay below 60,000 bytes.
 */
export const PART_CAPACITY = { v4: 600, v6: 480, local: 600, unknown: 600 } as const

/** Members of different classes never share a part: IPv4 and IPv6 tunnel fields must not mix in one action list. */
const PART_ROOT = { v4: 4, v6: 5, local: 6, unknown: 7 } as const
const MAX_PART = 127

export type PartClass = keyof typeof PART_ROOT

export function partClass(member: FloodMember): PartClass {
  if (member.kind !== 'remote') return member.kind
  return ipFamily(member.ip) === 4 ? 'v4' : 'v6'
}

/** Sorts the members into parts; one that is as it was in `old` is that object. Cost is linear in the members. */
export function partition(vni: Vni, members: readonly FloodMember[], old?: FloodSet): FloodSet {
  const parts: FloodPart[] = []
  const left: FloodMember[] = []
  for (const name of Object.keys(PART_ROOT) as PartClass[]) {
    const ofClass = members.filter((member) => partClass(member) === name)
    if (ofClass.length > 0) split(PART_ROOT[name], 31, ofClass, PART_CAPACITY[name], parts, left)
  }
  return { vni, parts: old === undefined ? parts : parts.map((part) => asBefore(part, old)), left }
}

function asBefore(part: FloodPart, { parts }: FloodSet): FloodPart {
  const before = parts.find((one) => one.part === part.part)
  const isSame = before?.members.length === part.members.length && part.members.every((member, i) => isSameMember(member, before.members[i]))
  return isSame ? before : part
}

function isSameMember(a: FloodMember, b: FloodMember | undefined): boolean {
  return a === b || (a.kind !== 'remote' && a.kind === b?.kind && a.port === b.port && a.ofport === b.ofport)
}

function split(part: number, bit: number, members: readonly FloodMember[], capacity: number, parts: FloodPart[], left: FloodMember[]): void {
  const isDeepest = 2 * part > MAX_PART
  if (members.length <= capacity || isDeepest) {
    // Who finds no place may not depend on who came first.
    const ordered = members.length <= capacity ? members : [...members].sort(byContent)
    if (members.length > 0) parts.push({ part, members: ordered.slice(0, capacity) })
    left.push(...ordered.slice(capacity))
    return
  }
  const isOne = (member: FloodMember) => ((member.hash >>> bit) & 1) === 1
  split(2 * part, bit - 1, members.filter((member) => !isOne(member)), capacity, parts, left)
  split(2 * part + 1, bit - 1, members.filter(isOne), capacity, parts, left)
}

function byContent(a: FloodMember, b: FloodMember): number {
  return a.hash - b.hash || (memberKey(a) < memberKey(b) ? -1 : 1)
}

/** Names a member within its VNI. */
export function memberKey(member: FloodMember): string {
  return member.kind !== 'remote' ? `${member.ofport}` : `${member.ip} ${member.udpPort}`
}
