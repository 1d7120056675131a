// SECURE and SECURE_ND: with evpn-port-security a workload sends from its own addresses only, and says nothing else of
// itself in ARP and ND. The rules are those of OVN's port_security for what a port sends (ovn-nb(5)).
import { ipFamily, linkLocalOf, type Ip } from '../net/ip.js'
import { ZERO_MAC, type Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Match } from '../openflow/index.js'
import { DROP, dropFor } from './drops.js'
import { goTo, HIDDEN_TAG, type Flow } from './flow.js'
import { TABLE } from './tables.js'

const PRIORITY = { OWN: 200, CHECKED: 100, OTHER: 50, NONE: 0 } as const

const ARP = { eth_type: 0x0806 } as const
const IPV4 = { eth_type: 0x0800 } as const
const IPV6 = { eth_type: 0x86dd } as const
const ICMPV6 = { ...IPV6, nw_proto: 58 } as const
const NS = { ...ICMPV6, icmpv6_type: 135, icmpv6_code: 0 } as const
const NA = { ...ICMPV6, icmpv6_type: 136, icmpv6_code: 0 } as const

/** A client that has no address yet asks for one (RFC 2131 section 4.1). */
const DHCP = { ...IPV4, nw_proto: 17, ip_src: '0.0.0.0', ip_dst: '255.255.255.255', udp_src: 68, udp_dst: 67 } as const
/** Sender address 0.0.0.0: is this address in use (RFC 5227 section 2.1.1)? It claims nothing. */
const ARP_PROBE = { ...ARP, arp_op: 1, arp_spa: '0.0.0.0' } as const
/** A host without an address asks whether it may have one, and joins that address's group (RFC 4862 section 5.4, RFC 3810, RFC 2710). */
const WITHOUT_ADDRESS = [135, 143, 131].map((icmpv6_type) => ({
  ...ICMPV6, icmpv6_type, icmpv6_code: 0, ipv6_src: '::', ipv6_dst: ['ff02::', 'ffff::'] as const
}))

/** What is not allowed by a flow of a MAC, for one VNI: what nobody can look into, too. Frames that are neither IP nor ARP need the source MAC only. */
export function secureFlows(vni: Vni): Flow[] {
  const drop = (table: number, priority: number, match: Match): Flow => ({ table, priority, match: { metadata: vni, ...match }, actions: dropFor(DROP.PORT_SECURITY) })
  return [
    ...[ARP, IPV4, IPV6, ...HIDDEN_TAG].map((match) => drop(TABLE.SECURE, PRIORITY.CHECKED, match)),
    drop(TABLE.SECURE, PRIORITY.NONE, {}),
    ...[NS, NA].map((match) => drop(TABLE.SECURE_ND, PRIORITY.CHECKED, match)),
    { table: TABLE.SECURE_ND, priority: PRIORITY.NONE, match: { metadata: vni }, actions: [goTo(TABLE.SOURCE)] }
  ]
}

/** What a port may send from one MAC of its; `ips` are those it may send from, undefined = any. */
export function securedMacFlows(vni: Vni, ofport: number, mac: Mac, ips: readonly Ip[] | undefined): Flow[] {
  const own = { metadata: vni, in_port: ofport, eth_src: mac }
  const flow = (table: number, next: number) => (match: Match): Flow => ({ table, priority: PRIORITY.OWN, match: { ...own, ...match }, actions: [goTo(next)] })
  const [v4, v6] = [ips?.filter((ip) => ipFamily(ip) === 4), ips?.filter((ip) => ipFamily(ip) === 6)]
  // The link-local address made from the MAC belongs to whoever has IPv6 at all.
  const sources = v6 === undefined || v6.length === 0 ? v6 : [...new Set([linkLocalOf(mac), ...v6])]
  return [
    ...[...arpMatches(mac, v4), ...ipv4Matches(v4)].map(flow(TABLE.SECURE, TABLE.SOURCE)),
    ...ipv6Matches(sources).map(flow(TABLE.SECURE, TABLE.SECURE_ND)),
    ...ndMatches(mac, sources).map(flow(TABLE.SECURE_ND, TABLE.SOURCE)),
    { table: TABLE.SECURE, priority: PRIORITY.OTHER, match: own, actions: [goTo(TABLE.SOURCE)] }
  ]
}

function arpMatches(mac: Mac, ips: readonly Ip[] | undefined): Match[] {
  if (ips === undefined) return [{ ...ARP, arp_sha: mac }]
  return ips.length === 0 ? [] : [{ ...ARP_PROBE, arp_sha: mac }, ...ips.map((ip) => ({ ...ARP, arp_sha: mac, arp_spa: ip }))]
}

function ipv4Matches(ips: readonly Ip[] | undefined): Match[] {
  if (ips === undefined) return [IPV4]
  return ips.length === 0 ? [] : [DHCP, ...ips.map((ip) => ({ ...IPV4, ip_src: ip }))]
}

function ipv6Matches(sources: readonly Ip[] | undefined): Match[] {
  if (sources === undefined) return [IPV6]
  return sources.length === 0 ? [] : [...WITHOUT_ADDRESS, ...sources.map((ip) => ({ ...IPV6, ipv6_src: ip }))]
}

/** The link-layer address in the message is the sender's or, OVS's zero, absent; an advertisement is for an address of its own. */
function ndMatches(mac: Mac, sources: readonly Ip[] | undefined): Match[] {
  if (sources?.length === 0) return []
  const targets: readonly Match[] = sources === undefined ? [{}] : sources.map((ip) => ({ nd_target: ip }))
  return [ZERO_MAC, mac].flatMap((lladdr) => [{ ...NS, nd_sll: lladdr }, ...targets.map((target) => ({ ...NA, ...target, nd_tll: lladdr }))])
}
