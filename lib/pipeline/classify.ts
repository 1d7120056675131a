// Table 0 and CLASSIFY: from an OpenFlow port (and, behind a tunnel, its key and addresses) to VNI and origin.
import type { LocalIps } from '../config/system.js'
import type { Vtep } from '../evpn/vtep.js'
import { ipFamily, type Ip } from '../net/ip.js'
import type { Vni } from '../net/number.js'
import type { Match } from '../openflow/index.js'
import { goTo, type Flow } from './flow.js'
import { FROM_TUNNEL } from './registers.js'
import { ENTRY_PRIORITY, ENTRY_TABLE } from './slots.js'
import { TABLE } from './tables.js'

const PRIORITY = { NEVER: 300, KNOWN: 200, UNKNOWN_VTEP: 100, UNKNOWN_VNI: 50 } as const

/** Frames no bridge may forward: a group address as source, and the reserved group 01:80:c2:00:00:0x (IEEE 802.1Q 8.6.3). */
export const NEVER_FORWARDED: readonly Flow[] = [
  { table: TABLE.CLASSIFY, priority: PRIORITY.NEVER, match: { eth_src: ['01:00:00:00:00:00', '01:00:00:00:00:00'] }, actions: [] },
  { table: TABLE.CLASSIFY, priority: PRIORITY.NEVER, match: { eth_dst: ['01:80:c2:00:00:00', 'ff:ff:ff:ff:ff:f0'] }, actions: [] }
]

/** A port's way into our tables; ports without one are none of our business. */
function entryFlow(ofport: number): Flow {
  return { table: ENTRY_TABLE, priority: ENTRY_PRIORITY, match: { in_port: ofport }, actions: [goTo(TABLE.CLASSIFY)] }
}

/** A workload's port: everything it sends belongs to its VNI. */
export function workloadFlows(vni: Vni, ofport: number): Flow[] {
  return [
    entryFlow(ofport),
    {
      table: TABLE.CLASSIFY, priority: PRIORITY.KNOWN, match: { in_port: ofport },
      actions: [{ kind: 'set_field', field: 'metadata', value: vni }, goTo(TABLE.FORWARD)]
    }
  ]
}

/** A tunnel port. What no more special flow takes is of an unknown VNI: dropped, and counted by this flow. */
export function tunnelPortFlows(ofport: number): Flow[] {
  return [entryFlow(ofport), { table: TABLE.CLASSIFY, priority: PRIORITY.UNKNOWN_VNI, match: { in_port: ofport }, actions: [] }]
}

/** Packets of a known VNI from an unknown VTEP, or to an address that is not ours: dropped, and counted by this flow. */
export function unknownVtepFlow(vni: Vni, ofport: number): Flow {
  return { table: TABLE.CLASSIFY, priority: PRIORITY.UNKNOWN_VTEP, match: { in_port: ofport, tun_id: vni }, actions: [] }
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
    match: { in_port: ofport, tun_id: vni, ...(ipFamily(localIp) === 4 ? { tun_dst: localIp } : { tun_ipv6_dst: localIp }) },
    actions: fromTunnel(vni)
  }))
}

function tunnelAddresses(remote: Ip, local: Ip): Match {
  return ipFamily(remote) === 4 ? { tun_src: remote, tun_dst: local } : { tun_ipv6_src: remote, tun_ipv6_dst: local }
}

function fromTunnel(vni: Vni): Flow['actions'] {
  return [
    { kind: 'set_field', field: 'metadata', value: vni },
    { kind: 'set_field', field: 'reg0', value: FROM_TUNNEL, mask: FROM_TUNNEL },
    goTo(TABLE.FORWARD)
  ]
}
