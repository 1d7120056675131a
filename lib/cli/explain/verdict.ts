// What can be wrong with the way to an address, link by link, and what to do about each in words and commands.
import type { FlowExplanation, GroupExplanation } from '../../daemon/explain/explanation.js'
import type { BgpPeer } from './chain.js'

/** The links of the chain. A remote address comes from bgpd and goes down to the underlay; a local one begins at its port. */
export type Link = 'daemon' | 'port' | 'claim' | 'bgpd' | 'zebra' | 'kernel' | 'vtep' | 'switch' | 'underlay'

export type Verdict =
  | { readonly kind: 'ok', readonly side: 'local' | 'remote', readonly notes: readonly string[] }
  /** Nobody has ever heard of it; `why`: what keeps us from hearing. */
  | { readonly kind: 'unknown', readonly address: string, readonly vni: number, readonly nearest: readonly string[], readonly why?: string }
  | { readonly kind: 'daemon_blind', readonly session: 'ovsdb' | 'openflow' | 'netlink', readonly status: string }
  | { readonly kind: 'port_missing', readonly port: string, readonly reason: string }
  | { readonly kind: 'port_down', readonly port: string, readonly isUp: boolean }
  | { readonly kind: 'not_announced', readonly state: string, readonly reason: string }
  | { readonly kind: 'row_missing', readonly device: string, readonly mac: string, readonly reason?: string }
  | { readonly kind: 'neighbour_missing', readonly device: string, readonly ip: string, readonly reason?: string }
  | { readonly kind: 'vni_not_in_frr', readonly vni: number, readonly who: 'zebra' | 'bgpd', readonly as?: number }
  | { readonly kind: 'zebra_ignores', readonly mac: string, readonly type?: string }
  | { readonly kind: 'not_in_bgp', readonly mac: string }
  /** `isOff`: FRR's service does not start it. */
  | { readonly kind: 'bgpd_down', readonly why: string, readonly isOff: boolean }
  | { readonly kind: 'zebra_down', readonly why: string }
  | { readonly kind: 'no_peer', readonly peers: readonly BgpPeer[] }
  | { readonly kind: 'path_unusable', readonly nexthop: string }
  | { readonly kind: 'duplicate', readonly mac: string, readonly vni: number }
  | { readonly kind: 'not_in_zebra', readonly mac: string, readonly nexthop: string }
  | { readonly kind: 'devices', readonly problems: readonly string[] }
  | { readonly kind: 'not_in_kernel', readonly mac: string, readonly device: string, readonly vtep: string }
  | { readonly kind: 'local_in_bridge', readonly mac: string, readonly device: string }
  | { readonly kind: 'not_a_speakers_row', readonly mac: string, readonly device: string, readonly vtep: string }
  | { readonly kind: 'not_in_daemon', readonly mac: string }
  | { readonly kind: 'ip_not_in_kernel', readonly ip: string, readonly mac: string, readonly device: string }
  | { readonly kind: 'stale', readonly reason: string }
  | { readonly kind: 'nexthop_empty', readonly nexthop: number }
  | { readonly kind: 'vtep_unusable', readonly vtep: string, readonly reason: string }
  | OnGroup<'group_missing'> | OnGroup<'group_foreign'> | OnGroup<'group_different'>
  | OnFlow<'flow_missing'> | OnFlow<'flow_foreign'> | OnFlow<'flow_different'>
  | { readonly kind: 'no_route', readonly vtep: string, readonly by: string, readonly paths: number }
  | { readonly kind: 'no_neighbour', readonly vtep: string, readonly hop: string, readonly device: string, readonly words: string, readonly paths: number }
  /** These three of an address to which packets go all the same. `type`: what zebra has the MAC for. */
  | { readonly kind: 'unknown_to_zebra', readonly mac: string, readonly device: string, readonly type?: string }
  | { readonly kind: 'zebra_silent', readonly why: string }
  | { readonly kind: 'bgpd_silent', readonly why: string, readonly isOff: boolean }

interface OnGroup<Kind> { readonly kind: Kind, readonly group: GroupExplanation, readonly bridge: string }
interface OnFlow<Kind> { readonly kind: Kind, readonly flow: FlowExplanation, readonly bridge: string }

/** No packet is lost by them; what changes elsewhere will not be followed. */
const WARNINGS: readonly Verdict['kind'][] = ['unknown_to_zebra', 'zebra_silent', 'bgpd_silent']

export function severityOf({ kind }: Verdict): 'ok' | 'warning' | 'error' {
  return kind === 'ok' || kind === 'unknown' ? 'ok' : WARNINGS.includes(kind) ? 'warning' : 'error'
}

export type BrokenKind = Exclude<Verdict['kind'], 'ok' | 'unknown'>

/** Where in the chain each is. */
export const LINK_OF: Readonly<Record<BrokenKind, Link>> = {
  daemon_blind: 'daemon', port_missing: 'port', port_down: 'port', not_announced: 'claim', row_missing: 'kernel', neighbour_missing: 'kernel',
  vni_not_in_frr: 'zebra', zebra_ignores: 'zebra', not_in_bgp: 'bgpd', bgpd_down: 'bgpd', zebra_down: 'zebra', no_peer: 'bgpd', path_unusable: 'bgpd',
  duplicate: 'zebra', not_in_zebra: 'zebra', devices: 'kernel', not_in_kernel: 'kernel', local_in_bridge: 'kernel', not_a_speakers_row: 'kernel',
  not_in_daemon: 'daemon', ip_not_in_kernel: 'kernel', stale: 'daemon', nexthop_empty: 'vtep', vtep_unusable: 'vtep', group_missing: 'switch',
  group_foreign: 'switch', group_different: 'switch', flow_missing: 'switch', flow_foreign: 'switch', flow_different: 'switch', no_route: 'underlay', no_neighbour: 'underlay', unknown_to_zebra: 'zebra', zebra_silent: 'zebra', bgpd_silent: 'bgpd'
}
