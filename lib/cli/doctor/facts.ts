// What doctor looks at: plain values from the daemon, the kernel, OVSDB, ovs-vswitchd and FRR, gathered once.
import type { BridgeConfig } from '../../config/bridge.js'
import type { SystemConfig } from '../../config/system.js'
import type { ShowReport, VtepReport } from '../../daemon/report/report.js'
import type { LinkRow } from '../../netlink/index.js'
import type { BgpPeer, Underlay } from '../explain/chain.js'

export interface BridgeFact {
  readonly name: string
  readonly failMode: string
  /** `netdev` is the userspace datapath. */
  readonly datapathType: string
  readonly controllers: readonly string[]
  /** What ovn-controller leaves on a bridge of its own: keys of external_ids, and its tunnel ports. */
  readonly ovnKeys: readonly string[]
  readonly ovnPorts: readonly string[]
  readonly ports: readonly string[]
}

export interface InterfaceFact {
  readonly name: string
  readonly bridge: string
  readonly type: string
  readonly options: ReadonlyMap<string, string>
  readonly externalIds: ReadonlyMap<string, string>
  readonly mtu?: number
}

export interface FrrFacts {
  /** As `show version` has it: 8.4.4. */
  readonly version: string
  readonly as?: number
  /** undefined: bgpd does not answer, or has no EVPN. */
  readonly advertisesAllVnis?: boolean
  /** Neighbours for EVPN, and all that are configured; undefined: bgpd does not answer. */
  readonly peers?: readonly BgpPeer[]
  readonly neighbours?: readonly string[]
  /** EVPN neighbours without `timers connect`. */
  readonly slowPeers: readonly string[]
}

/** What is looked at, and may not be there to be asked. */
export type Source = 'OVSDB' | 'addresses' | 'ways' | 'checksums' | 'zebra' | 'bgpd' | 'version'

export interface Skipped {
  readonly source: Source
  /** What was not looked at and why, in a sentence. */
  readonly why: string
}

export interface Facts {
  readonly show: ShowReport
  readonly vteps: readonly VtepReport[]
  readonly links: readonly LinkRow[]
  /** Addresses of this machine, in this network namespace, and the device of each, which is up. */
  readonly addresses: ReadonlyMap<string, string>
  /** Those of devices that are down. */
  readonly downAddresses: ReadonlyMap<string, string>
  /** The way to each VTEP. */
  readonly underlay: readonly Underlay[]
  readonly bridges: readonly BridgeFact[]
  readonly interfaces: readonly InterfaceFact[]
  /** external_ids of Open_vSwitch. */
  readonly systemIds: ReadonlyMap<string, string>
  /** What the daemon makes of them, and of the integration bridge's. */
  readonly system: SystemConfig
  readonly options: BridgeConfig
  /** Devices that send into the userspace datapath and leave TX checksums to hardware. */
  readonly offloaded: readonly string[]
  readonly frr?: FrrFacts
  /** Daemons of FRR that should answer and do not, a sentence each. */
  readonly frrDown: readonly string[]
  /** One of them is bgpd, and FRR's service does not start it. */
  readonly isBgpdOff: boolean
  /** Process of an ovn-controller on this machine. */
  readonly ovnController?: number
  readonly skipped: readonly Skipped[]
}

/** The integration bridge's row. */
export function integrationBridge({ bridges, show }: Facts): BridgeFact | undefined {
  return bridges.find(({ name }) => name === show.bridge)
}

export function linkNamed({ links }: Facts, name: string): LinkRow | undefined {
  return links.find((link) => link.name === name)
}

/** True when packets of the integration bridge are forwarded by ovs-vswitchd itself. */
export function isUserspace(facts: Facts): boolean {
  return integrationBridge(facts)?.datapathType === 'netdev'
}
