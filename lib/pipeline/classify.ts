// Table 0 and CLASSIFY: from an OpenFlow port (and, behind a tunnel, its key and addresses) to VNI and origin.
import type { LocalIps } from '../config/system.js'
import type { Vtep } from '../evpn/vtep.js'
import { ipFamily, type Ip } from '../net/ip.js'
import type { Vni } from '../net/number.js'
import type { Match } from '../openflow/index.js'
import { DROP, dropFor, portDropFlow, WRONG_VNI } from './drops.js'
import { goTo, type Flow } from './flow.js'
import { FROM_TUNNEL, MEMBER } from './registers.js'
import { ENTRY_PRIORITY, ENTRY_TABLE } from './slots.js'
import { TABLE } from './tables.js'

const PRIORITY = { KNOWN: 200, UNKNOWN_VTEP: 100, WRONG_DESTINATION: 90, WRONG_VNI: 50 } as const

/** A port's way into our tables; ports without one are none of our business. */
export function entryFlow(ofport: number): Flow {
  return { table: ENTRY_TABLE, priority: ENTRY_PRIORITY, match: { in_port: ofport }, actions: [goTo(TABLE.CLASSIFY)] }
}

/** A tunnel port. What no more special flow takes is of a VNI that is not here. */
export function tunnelPortFlows(ofport: number): Flow[] {
  return [
    { table: ENTRY_TABLE, priority: ENTRY_PRIORITY, match: { in_port: ofport }, actions: [goTo(TABLE.MEMBER), goTo(TABLE.CLASSIFY)] },
    { table: TABLE.CLASSIFY, priority: PRIORITY.WRONG_VNI, match: { in_port: ofport }, actions: dropFor(WRONG_VNI) },
    portDropFlow(ofport, WRONG_VNI)
  ]
}

/** Packets of a VNI that no more special flow takes: the source is no VTEP of it, or the destination is not our address for it. */
export function unacceptedFlows(vni: Vni, localIps: LocalIps, ofport: number): Flow[] {
  const match = { in_port: ofport, tun_id: vni }
  return [
    ...Object.values(localIps).map((localIp) => ({
      table: TABLE.CLASSIFY, priority: PRIORITY.UNKNOWN_VTEP, match: { ...match, ...tunnelTo(localIp) }, actions: dropFor(DROP.UNKNOWN_VTEP, vni)
    })),
    { table: TABLE.CLASSIFY, priority: PRIORITY.WRONG_DESTINATION, match, actions: dropFor(DROP.WRONG_DESTINATION, vni) }
  ]
}

/** Packets from a known VTEP of the VNI to our address for it. */
export function decapFlow(vtep: Vtep, localIp: Ip, ofport: number): Flow {
  return {
    table: TABLE.CLASSIFY, priority: PRIORITY.KNOWN,
    match: { in_port: ofport, tun_id: vtep.vni, ...tunnelAddresses(vtep.ip, localIp) },
    actions: fromTunnel(vtep.vni)
  }
}

/** evpn-decap off: packets of the VNI to our addresses, whoever sent them. */
export function decapAnyFlows(vni: Vni, localIps: LocalIps, ofport: number): Flow[] {
  return Object.values(localIps).map((localIp) => ({
    table: TABLE.CLASSIFY, priority: PRIORITY.KNOWN - 1,
    match: { in_port: ofport, tun_id: vni, ...tunnelTo(localIp) },
    actions: fromTunnel(vni)
  }))
}

/** A VTEP that some VNI knows, for the VNIs with evpn-decap member: one flow, however many VNIs know it. */
export function memberFlow(ip: Ip, ofport: number): Flow {
  return {
    table: TABLE.MEMBER, priority: 100, match: { in_port: ofport, ...(ipFamily(ip) === 4 ? { tun_src: ip } : { tun_ipv6_src: ip }) },
    actions: [{ kind: 'set_field', field: 'reg0', value: MEMBER, mask: MEMBER }]
  }
}

/** evpn-decap member: packets of the VNI to our addresses, from a VTEP that some VNI knows. */
export function decapMemberFlows(vni: Vni, localIps: LocalIps, ofport: number): Flow[] {
  return decapAnyFlows(vni, localIps, ofport).map((flow) => ({ ...flow, match: { ...flow.match, reg0: [MEMBER, MEMBER] } }))
}

function tunnelTo(local: Ip): Match {
  return ipFamily(local) === 4 ? { tun_dst: local } : { tun_ipv6_dst: local }
}

function tunnelAddresses(remote: Ip, local: Ip): Match {
  return ipFamily(remote) === 4 ? { tun_src: remote, tun_dst: local } : { tun_ipv6_src: remote, tun_ipv6_dst: local }
}

function fromTunnel(vni: Vni): Flow['actions'] {
  return [
    { kind: 'set_field', field: 'metadata', value: vni },
    { kind: 'set_field', field: 'reg0', value: FROM_TUNNEL, mask: FROM_TUNNEL },
    goTo(TABLE.SOURCE)
  ]
}
