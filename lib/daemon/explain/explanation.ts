// What the daemon says of one address when it is asked to explain it: plain data, shapes only, as in report/report.ts.
import type { IpReport, LocalReport, MacReport, PortReport, VniReport } from '../report/report.js'

/** `foreign`: somebody else's stands in its place. `different`: ours, but not as it should be. */
export type Presence = 'installed' | 'missing' | 'different' | 'foreign'

/** A flow that the address needs, as the switch has it now. `packets`, `bytes` and `idle_s` (since the last packet) of what stands there. */
export interface FlowExplanation {
  readonly table: string
  /** As ovs-ofctl prints it. */
  readonly flow: string
  readonly actions: string
  readonly state: Presence
  readonly reason?: string
  readonly packets?: number
  readonly bytes?: number
  readonly idle_s?: number
}

/** The group of a nexthop, with the packets of each VTEP's bucket. */
export interface GroupExplanation {
  readonly group: number
  readonly nexthop: number
  readonly buckets: number
  readonly state: Presence
  readonly reason?: string
  readonly packets?: number
  readonly bytes?: number
}

/** A VTEP that packets to the address may go to. `port` is the UDP port. */
export interface VtepExplanation {
  readonly ip: string
  readonly port: number
  readonly weight: number
  readonly local_ip?: string
  readonly ofport?: number
  /** Why no packet can go there. */
  readonly reason?: string
}

export interface Explanation {
  /** The MAC or IP asked for, and the MAC that it is. */
  readonly address: string
  readonly mac?: string
  readonly vni: VniReport
  /** The device on which the VNI's neighbours stand. */
  readonly svi?: string
  readonly bridge: string
  readonly datapath: 'kernel' | 'userspace'
  /** Sessions of the daemon, in words. */
  readonly ovsdb: string
  readonly openflow: string
  readonly netlink: string
  /** The routing daemon's sockets. */
  readonly speaker: readonly string[]
  /** The claim, when the MAC is here; the port that has it. */
  readonly local?: LocalReport
  readonly port?: PortReport
  /** Where another chassis' claim says it is. */
  readonly remote?: MacReport
  readonly vteps: readonly VtepExplanation[]
  /** Of the IP asked for: who says it is whose. */
  readonly ips: readonly IpReport[]
  /** The switch answers requests of ARP and ND for known IPs in this VNI. */
  readonly suppress: boolean
  readonly flows: readonly FlowExplanation[]
  readonly group?: GroupExplanation
  /** Why the switch could not be asked. */
  readonly switch_problem?: string
  /** Known addresses of the same kind, the most similar one first. */
  readonly nearest: readonly string[]
}
