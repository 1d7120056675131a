// The tables, declared once: number, name, why each exists, where a packet may go next. docs/pipeline.md draws them.
import { FIRST_TABLE } from './slots.js'

export interface Table {
  readonly id: number
  readonly name: string
  readonly why: string
  readonly next: readonly string[]
}

export const TABLE = {
  CLASSIFY: FIRST_TABLE,
  SUPPRESS: FIRST_TABLE + 1,
  FORWARD: FIRST_TABLE + 2,
  FLOOD: FIRST_TABLE + 3,
  PART: FIRST_TABLE + 4,
  ENCAP: FIRST_TABLE + 5,
  DELIVER: FIRST_TABLE + 6,
  SOURCE: FIRST_TABLE + 7,
  ANSWER: FIRST_TABLE + 8,
  LEARNED: FIRST_TABLE + 9,
  DROP: FIRST_TABLE + 10,
  MEMBER: FIRST_TABLE + 11,
  REPLY: FIRST_TABLE + 12,
  SECURE: FIRST_TABLE + 13,
  SECURE_ND: FIRST_TABLE + 14,
  LEARNED_REMOTE: FIRST_TABLE + 15,
  SNOOP: FIRST_TABLE + 16,
  LENGTH: FIRST_TABLE + 17,
  UNKNOWN: FIRST_TABLE + 18,
  NEXTHOP: FIRST_TABLE + 19
} as const

export const TABLES: readonly Table[] = [
  { id: TABLE.CLASSIFY, name: 'CLASSIFY', why: 'which VNI a packet belongs to, and whether it came from a tunnel; what may not enter is dropped here', next: ['SECURE', 'SOURCE', 'DROP'] },
  { id: TABLE.SUPPRESS, name: 'SUPPRESS', why: 'whether a request of ARP or ND asks for an IP that is known: then which MAC it has', next: ['FORWARD', 'ANSWER'] },
  { id: TABLE.FORWARD, name: 'FORWARD', why: 'where the destination MAC is: a local port, a VTEP, everybody, nowhere', next: ['DELIVER', 'ENCAP', 'FLOOD', 'DROP', 'LEARNED_REMOTE', 'UNKNOWN', 'NEXTHOP'] },
  { id: TABLE.FLOOD, name: 'FLOOD', why: 'copies for the VNI: all of it, or only its local ports when the packet came from a tunnel', next: ['PART', 'ENCAP', 'DELIVER'] },
  { id: TABLE.PART, name: 'PART', why: 'one part of a large flood, translated by itself so that it has an action budget of its own; and requests behind the meter of answers', next: ['ENCAP', 'DELIVER', 'REPLY'] },
  { id: TABLE.ENCAP, name: 'ENCAP', why: 'tunnel id, source address and port of a packet to a VTEP; nothing from a tunnel passes', next: ['DROP'] },
  { id: TABLE.DELIVER, name: 'DELIVER', why: 'output to one local port, with the tag that a trunk has for the VNI', next: ['DROP'] },
  { id: TABLE.SOURCE, name: 'SOURCE', why: 'what its source says of a packet whose VNI is known: frames that no bridge forwards end here, and MACs are learned', next: ['SNOOP', 'LEARNED', 'SUPPRESS', 'DROP'] },
  { id: TABLE.ANSWER, name: 'ANSWER', why: 'whether a request for a known IP may be answered here, or is for the others to hear', next: ['FORWARD', 'PART', 'LENGTH'] },
  { id: TABLE.LEARNED, name: 'LEARNED', why: 'MACs that the switch learned itself, from what `unknown` ports send', next: [] },
  { id: TABLE.DROP, name: 'DROP', why: 'the end of a packet that is dropped for a reason, counted by VNI and reason', next: [] },
  { id: TABLE.MEMBER, name: 'MEMBER', why: 'whether a packet from a tunnel comes from a VTEP that any VNI knows; looked at before CLASSIFY', next: [] },
  { id: TABLE.REPLY, name: 'REPLY', why: 'a request of ARP or ND becomes its answer, and goes back to where it came from', next: ['DELIVER'] },
  { id: TABLE.SECURE, name: 'SECURE', why: 'evpn-port-security: a workload sends from its own MACs and IPs only', next: ['SECURE_ND', 'SOURCE', 'DROP'] },
  { id: TABLE.SECURE_ND, name: 'SECURE_ND', why: 'evpn-port-security: what a neighbour solicitation or advertisement says of its sender is true', next: ['SOURCE', 'DROP'] },
  { id: TABLE.LEARNED_REMOTE, name: 'LEARNED_REMOTE', why: 'MACs that the switch learned from packets of VTEPs', next: [] },
  { id: TABLE.SNOOP, name: 'SNOOP', why: 'copies for the daemon of what says who has which IP', next: [] },
  { id: TABLE.LENGTH, name: 'LENGTH', why: 'whether a solicitation has other options than the one that an answer can be made of', next: ['FORWARD', 'PART'] },
  { id: TABLE.UNKNOWN, name: 'UNKNOWN', why: 'evpn-learn: a destination that neither the control plane nor a port has is where LEARNED_REMOTE says, or nobody knows', next: ['ENCAP', 'FLOOD', 'DROP'] },
  { id: TABLE.NEXTHOP, name: 'NEXTHOP', why: 'which group a VNI uses for a MAC behind a kernel nexthop: that of all its members, or of those that are VTEPs of the VNI', next: ['ENCAP'] }
]
