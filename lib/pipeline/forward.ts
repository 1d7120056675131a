// FORWARD, DELIVER and ENCAP: from a destination MAC to a local port or a VTEP.
import type { RemoteMac } from '../evpn/remote-mac.js'
import { ipFamily, type Ip, type IpFamily } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Action } from '../openflow/index.js'
import { DROP, dropFor } from './drops.js'
import { goTo, TAGGED, type Flow, type FlowPlace } from './flow.js'
import { toNexthop } from './nexthop.js'
import { ENCAP_MASK, encapBits, FROM_TUNNEL, UNKNOWN } from './registers.js'
import { TABLE } from './tables.js'

/**
 * Bound local MAC > control-plane MAC > learned MAC (learned.ts; with fdb-prefer-local before it) > group addresses > bound MAC without a
 * port > unknown.
 */
const PRIORITY = { TAGGED: 500, LOCAL: 400, REMOTE: 300, MULTICAST: 50, PORTLESS: 40, UNKNOWN: 10 } as const
/** By it the flow of a remote MAC is known again. */
export const REMOTE_MAC_PRIORITY: number = PRIORITY.REMOTE

/** A MAC bound to a local port. */
export function localMacFlow(vni: Vni, mac: Mac, ofport: number): Flow {
  return { table: TABLE.FORWARD, priority: PRIORITY.LOCAL, match: { metadata: vni, eth_dst: mac }, actions: toPort(ofport) }
}

/** A MAC that we announce and that no port has (evpn-addresses-<vni>): where nothing was learned for it, nobody is there to get it. */
export function portlessMacFlow(vni: Vni, mac: Mac): Flow {
  return { table: TABLE.FORWARD, priority: PRIORITY.PORTLESS, match: { metadata: vni, eth_dst: mac }, actions: dropFor(DROP.NO_PORT) }
}

/** Where a remote MAC's packets go: the same for every MAC that is where it is, so it can be made once for all of them. */
export function toRemote({ via, udpPort, encapVni }: Pick<RemoteMac, 'via' | 'udpPort' | 'encapVni'>): Action[] {
  return via.kind === 'vtep' ? toVtep(via.ip, udpPort, encapVni) : toNexthop(via.id)
}

/** A MAC the control plane put behind a VTEP, or several: the one flow it costs. */
export function remoteMacFlow(remote: RemoteMac, actions: readonly Action[] = toRemote(remote)): Flow {
  return { ...remoteMacPlace(remote.vni, remote.mac), actions }
}

export function remoteMacPlace(vni: Vni, mac: Mac): FlowPlace {
  return { table: TABLE.FORWARD, priority: PRIORITY.REMOTE, match: { metadata: vni, eth_dst: mac } }
}

/** evpn-inner-vlan drop: a VNI carries no 802.1Q tag, neither into a tunnel nor out of one (RFC 7348 section 6.1). */
export function taggedFlows(vni: Vni): Flow[] {
  return TAGGED.map((match) => ({ table: TABLE.FORWARD, priority: PRIORITY.TAGGED, match: { metadata: vni, ...match }, actions: dropFor(DROP.INNER_VLAN) }))
}

/** A destination nobody knows can only be where nobody says who is there: behind `unknown` ports, or behind VTEPs. */
const TO_UNKNOWN: readonly Action[] = [{ kind: 'set_field', field: 'reg0', value: UNKNOWN, mask: UNKNOWN }, goTo(TABLE.FLOOD)]

/** What becomes of a destination nobody knows. */
export function unknownActions(floodUnknown: boolean): readonly Action[] {
  return floodUnknown ? TO_UNKNOWN : dropFor(DROP.UNKNOWN_UNICAST)
}

/** Broadcast, multicast, and destinations nobody knows; with `learnsRemote`, those may have been learned (learned.ts). */
export function floodedFlows(vni: Vni, floodUnknown: boolean, learnsRemote = false): Flow[] {
  return [
    {
      table: TABLE.FORWARD, priority: PRIORITY.MULTICAST,
      match: { metadata: vni, eth_dst: ['01:00:00:00:00:00', '01:00:00:00:00:00'] }, actions: [goTo(TABLE.FLOOD)]
    },
    { table: TABLE.FORWARD, priority: PRIORITY.UNKNOWN, match: { metadata: vni }, actions: learnsRemote ? [goTo(TABLE.LEARNED_REMOTE), goTo(TABLE.UNKNOWN)] : unknownActions(floodUnknown) }
  ]
}

/** To a local port, by way of DELIVER. */
export function toPort(ofport: number): Action[] {
  return [{ kind: 'set_field', field: 'reg1', value: ofport }, goTo(TABLE.DELIVER)]
}

/** To a VTEP, by way of ENCAP; `encapVni` where the packet carries another VNI than ours. */
export function toVtep(ip: Ip, udpPort: number, encapVni?: Vni): Action[] {
  const family = ipFamily(ip)
  return [
    { kind: 'set_field', field: family === 4 ? 'tun_dst' : 'tun_ipv6_dst', value: ip },
    ...(encapVni === undefined ? [] : [{ kind: 'set_field', field: 'tun_id', value: encapVni } as const]),
    { kind: 'set_field', field: 'reg0', value: encapBits(family, udpPort, encapVni !== undefined), mask: ENCAP_MASK },
    goTo(TABLE.ENCAP)
  ]
}

/** Split horizon as a rule: whatever the UDP ports and families in play, from a tunnel never into a tunnel. */
export const SPLIT_HORIZON: Flow = {
  table: TABLE.ENCAP, priority: 300, match: { reg0: [FROM_TUNNEL, FROM_TUNNEL] }, actions: dropFor(DROP.TUNNEL_TO_TUNNEL)
}

/**
 * Tunnel id (unless the entry brought its own), source address and port for the VTEPs of one VNI, family and UDP port. It never takes a packet from a tunnel:
 * SPLIT_HORIZON may be refused, or its place be another's, and that must not let frames circle between chassis.
 */
export function encapFlows(vni: Vni, family: IpFamily, udpPort: number, localIp: Ip, ofport: number): Flow[] {
  return [false, true].map((hasTunnelId) => ({
    table: TABLE.ENCAP, priority: 200,
    match: { metadata: vni, reg0: [encapBits(family, udpPort, hasTunnelId), (ENCAP_MASK | FROM_TUNNEL) >>> 0] },
    actions: [
      ...(hasTunnelId ? [] : [{ kind: 'set_field', field: 'tun_id', value: vni } as const]),
      { kind: 'set_field', field: family === 4 ? 'tun_src' : 'tun_ipv6_src', value: localIp },
      { kind: 'output', port: ofport }
    ]
  }))
}
