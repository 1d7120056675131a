// Everything that is known of one address at one moment, from whoever knows it: a plain value. Gathered by gather.ts, judged by
// judge.ts, shown by screen.ts.
import type { Explanation } from '../../daemon/explain/explanation.js'

/** A row of the kernel's: of an FDB, or a neighbour. */
export interface KernelRow {
  readonly dev: string
  /** NUD_* and NTF_* names. */
  readonly state: readonly string[]
  readonly flags: readonly string[]
  /** Seconds since it was written. */
  readonly age?: number
  /** FDB row of a vxlan device: the VTEP, or the nexthop. Neighbour: its MAC. */
  readonly dst?: string
  readonly nexthop?: number
  readonly lladdr?: string
  /** RTPROT_* of who wrote a neighbour. */
  readonly protocol?: number
}

export interface KernelView {
  /** Where the bridge has the MAC. */
  readonly bridgeRow?: KernelRow
  /** The vxlan devices' rows for it. */
  readonly deviceRows: readonly KernelRow[]
  /** Of the IPs asked for, or announced with the MAC, by IP; undefined where there is none. */
  readonly neighbours: Readonly<Record<string, KernelRow | null>>
  /** The workload's port as a device: undefined when it is none of the kernel's. */
  readonly port?: { readonly name: string, readonly isUp: boolean, readonly hasCarrier: boolean }
}

export interface ZebraMac {
  readonly type: string
  readonly vtep?: string
  readonly isDuplicate: boolean
  readonly ips: readonly string[]
}

export type ZebraView =
  | { readonly kind: 'silent', readonly why: string }
  /** `mac`: what it has for the MAC. */
  | { readonly kind: 'said', readonly knowsVni: boolean, readonly mac?: ZebraMac }

export interface BgpPath {
  /** Nexthop: the VTEP. */
  readonly nexthop: string
  /** Whose session it came over; our own without. */
  readonly peer?: string
  readonly isValid: boolean
  readonly isBest: boolean
  readonly isLocal: boolean
}

export interface BgpPeer { readonly peer: string, readonly state: string }

export type BgpdView =
  /** `isOff`: FRR's service does not start it. */
  | { readonly kind: 'silent', readonly why: string, readonly isOff?: true }
  | { readonly kind: 'said', readonly as?: number, readonly knowsVni: boolean, readonly peers: readonly BgpPeer[], readonly paths: readonly BgpPath[] }

/** `unknown`: nobody has asked lately, so nobody knows. */
export type NeighbourState = 'resolved' | 'failed' | 'unknown'

/** The way to one VTEP, as whoever routes its packets has it. */
export interface Underlay {
  readonly vtep: string
  readonly by: 'kernel' | 'ovs-vswitchd'
  /** Why nobody could be asked. */
  readonly problem?: string
  /** Absent, without a problem: there is no route. */
  readonly route?: { readonly dev: string, readonly gateway?: string, readonly src?: string, readonly mtu?: number }
  readonly neighbour?: { readonly ip: string, readonly mac?: string, readonly state: NeighbourState, readonly words: string }
}

export interface Chain {
  readonly vni: number
  readonly address: string
  readonly mac?: string
  /** The address asked for, when it is an IP. */
  readonly ip?: string
  readonly daemon: Explanation
  readonly kernel: KernelView
  readonly zebra: ZebraView
  readonly bgpd: BgpdView
  readonly underlay: readonly Underlay[]
}
