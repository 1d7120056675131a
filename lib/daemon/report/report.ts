// What the daemon says of itself: plain data, one row type for each list. The control socket prints them in
// ovn-controller's line forms, ovs-evpnctl as tables. Only shapes live here; the rows are made by the agent.
import type { By, TransitionKind } from '../history.js'
import type { LatencyBucket, LatencyReport } from '../../sink/latency.js'

export type { LatencyBucket, LatencyReport }

/** A remote VTEP of a VNI. `binding_key` and `uuid` are for display only. `port` is the UDP port, `ofport` its tunnel port. */
export interface VtepReport {
  readonly vni: number
  readonly ip: string
  readonly port: number
  readonly flood: boolean
  /** VNI of the broadcast that goes there, when it asked for another than `vni`. */
  readonly flood_vni?: number
  readonly macs: number
  readonly state: 'ok' | 'unusable' | 'stale'
  readonly reason?: string
  readonly ofport?: number
  readonly binding_key: number
  readonly uuid: string
}

/** One path of a MAC that is reached over a nexthop group (ECMP). `ip` is the VTEP, `port` its UDP port. */
export interface PathReport {
  readonly ip: string
  readonly port: number
  readonly weight: number
  readonly binding_key: number
}

/** A remote MAC: reached over one VTEP (`ip`, `port`, `binding_key`) or over the paths of a kernel nexthop group (its id, `paths`). */
export interface MacReport {
  readonly vni: number
  readonly mac: string
  readonly ip?: string
  readonly port?: number
  readonly nexthop?: number
  readonly paths?: readonly PathReport[]
  /** VNI of the packets that go there, when its entry brings another than `vni`. */
  readonly encap_vni?: number
  readonly sticky: boolean
  readonly state: string
  readonly reason?: string
  readonly binding_key?: number
  readonly uuid: string
}

/**
 * An IP and the MAC it resolves to, as announced to us or as bound here. `router` is the R flag of the neighbour (RFC 9047 section 3.1);
 * `answers`: the switch answers requests of local ports for the IP with this MAC.
 */
export interface IpReport {
  readonly vni: number
  readonly ip: string
  readonly mac: string
  readonly from: 'remote' | 'local'
  readonly router: boolean
  readonly answers: boolean
  readonly state: string
  readonly uuid: string
}

/** Where a VNI's broadcast goes: `parts` groups of VTEPs, of which `reached` VTEPs are really reached. */
export interface FloodReport {
  readonly vni: number
  readonly vteps: readonly string[]
  readonly parts: number
  readonly local_ports: readonly string[]
  readonly reached: number
  readonly state: string
  readonly reason?: string
  readonly uuid: string
}

/** A MAC of this chassis and what became of announcing it. */
export interface LocalReport {
  readonly vni: number
  readonly port: string
  readonly mac: string
  readonly ips: readonly string[]
  readonly state: 'advertised' | 'local' | 'waiting' | 'contested' | 'duplicate' | 'pending'
  readonly reason?: string
}

/** A workload's port on the integration bridge, in one VNI: a trunk has a row for each VLAN, with `vlan` (0 = untagged). `vni` is null when none can be used. */
export interface PortReport {
  readonly port: string
  readonly vni: number | null
  readonly vlan?: number
  readonly ofport?: number
  readonly addresses: string
  readonly unknown: boolean
  readonly advertise: boolean
  readonly state: 'up' | 'waiting' | 'ignored'
  readonly reason?: string
}

/** A tunnel port of ours. */
export interface TunnelReport {
  readonly name: string
  readonly udp_port: number
  readonly ofport?: number
  readonly state: 'up' | 'waiting' | 'refused'
  readonly reason?: string
}

/** One VNI: its kernel devices, its counts, and what is wrong with it in words. */
export interface VniReport {
  readonly vni: number
  readonly bridge: string
  /** In a bridge that filters by VLAN. */
  readonly vlan?: number
  readonly vxlan: readonly string[]
  readonly advertise: string
  readonly local_ips: readonly string[]
  readonly vteps: number
  readonly macs: number
  readonly ips: number
  readonly ports: number
  readonly problems: readonly string[]
}

/** What was dropped for one reason since its flow was made. `vni` is null where it is not known: `port` is the tunnel port then. */
export interface DropReport {
  readonly vni: number | null
  readonly port?: string
  readonly reason: string
  readonly packets: number
  readonly bytes: number
}

/** Something an operator should look at. `record` names where (an OVSDB record, a device, a VNI); `since` is ISO 8601. */
export interface Problem {
  readonly severity: 'warning' | 'error'
  readonly record: string
  readonly what: string
  readonly since?: string
}

/** The overview. `ovsdb`, `openflow` and `netlink` are the states of the three sessions, in words. */
export interface ShowReport {
  readonly version: string
  readonly system_id?: string
  readonly bridge: string
  readonly ovsdb: string
  readonly openflow: string
  readonly netlink: string
  readonly tunnels: readonly TunnelReport[]
  readonly vnis: readonly VniReport[]
  readonly problems: readonly Problem[]
}

/** One thing that happened (lib/daemon/history.ts). */
export interface TransitionReport {
  readonly seq: number
  /** ISO 8601, UTC. */
  readonly time: string
  readonly kind: TransitionKind
  /** learned, moved, withdrawn (MACs, IPs); up, changed, down (VTEPs); the state of a claim, or gone; repaired, found (drift). */
  readonly event: string
  readonly vni?: number
  /** MAC, IP, or address and UDP port of a VTEP; of drift a sentence. */
  readonly of: string
  readonly from?: string
  readonly to?: string
  readonly by: By
  /** From the event until the switch had it, in ms; missing = nothing was to be written, or it is not there yet. */
  readonly latency?: number
}

export interface EventsReport {
  /** ISO 8601: another time is another daemon, whose numbers say nothing of this one's. */
  readonly began: string
  readonly next: number
  /** Happened since the number asked with, and forgotten. */
  readonly missed: number
  readonly events: readonly TransitionReport[]
}

export interface HistoryReport {
  readonly began: string
  /** Time of the oldest transition of any address that is remembered. */
  readonly oldest?: string
  /** True when the address is known now. */
  readonly known: boolean
  /** When it is neither known nor remembered: what is. */
  readonly nearest: readonly string[]
  readonly events: readonly TransitionReport[]
}

export interface PlanEntry {
  readonly change: 'added' | 'changed' | 'removed'
  /** Flows as ovs-ofctl prints them, rows as bridge and ip do. */
  readonly what: string
  /** Of what would change: what it is now. */
  readonly was?: string
}

/** One kind of things that a plan would touch; of many entries the first ones are told. */
export interface PlannedReport {
  readonly added: number
  readonly changed: number
  readonly removed: number
  /** Changed by others while the plan was made, and so no part of it. */
  readonly meanwhile: number
  readonly entries: readonly PlanEntry[]
}

/** What a change of the configuration would do. */
export interface PlanReport {
  /** That would make it. */
  readonly commands: readonly string[]
  readonly tunnel_ports: PlannedReport
  readonly devices: PlannedReport
  readonly flows: PlannedReport
  readonly groups: PlannedReport
  readonly kernel_rows: PlannedReport
  /** That there would be, and are not now. */
  readonly problems: readonly string[]
}

/** Everything the control socket can ask for. With `vni`, the rows of that VNI only. */
export interface Reports {
  show(): ShowReport
  vteps(vni?: number): readonly VtepReport[]
  macs(vni?: number): readonly MacReport[]
  ips(vni?: number): readonly IpReport[]
  flood(vni?: number): readonly FloodReport[]
  local(vni?: number): readonly LocalReport[]
  ports(vni?: number): readonly PortReport[]
  /** Asks the switch. Without `vni`, only what counted something. Rejects when the switch cannot be asked. */
  drops(vni?: number): Promise<readonly DropReport[]>
  problems(): readonly Problem[]
  /** How long events of the kernel take until the switch has confirmed what follows from them. */
  latency(): readonly LatencyReport[]
}
