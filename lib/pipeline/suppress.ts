// SUPPRESS: a request from a local port for an address that is known need not be flooded. One flow for each known IP
// says which MAC answers; whether the request is one that may be answered, ANSWER decides for all of them.
import type { Responder } from '../evpn/responder.js'
import { ipFamily, type Ip } from '../net/ip.js'
import { macToBytes, type Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Action, Match } from '../openflow/index.js'
import { goTo, type Flow, type FlowPlace } from './flow.js'
import { FROM_TUNNEL, NA_OVERRIDE, NA_ROUTER, NA_SOLICITED } from './registers.js'
import { TABLE } from './tables.js'

const PRIORITY = { OWNER: 200, KNOWN: 100, ANY: 0 } as const

export const ETH_ARP = 0x0806
export const ETH_IPV6 = 0x86dd
export const ICMPV6 = 58
/** Neighbor Solicitation and Advertisement (RFC 4861 section 4). */
export const NS = 135
export const NA = 136

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
/** Ethernet groups of IPv6 (RFC 2464 section 7). */
const IPV6_MULTICAST = ['33:33:00:00:00:00', 'ff:ff:00:00:00:00'] as const

/** Everything else, and what came from a tunnel, goes on. */
export const SUPPRESS_DEFAULT: Flow = { table: TABLE.SUPPRESS, priority: PRIORITY.ANY, match: {}, actions: [goTo(TABLE.FORWARD)] }

/** What one known IP costs: one flow, and one more when it is bound here. */
export function responderFlows(responder: Responder): Flow[] {
  return [{ ...knownPlace(responder.vni, responder.ip), actions: answerWith(responder) }, ...ownerFlows(responder)]
}

/** A request for the IP. */
export function knownPlace(vni: Vni, ip: Ip): FlowPlace {
  return { table: TABLE.SUPPRESS, priority: PRIORITY.KNOWN, match: { metadata: vni, reg0: [0, FROM_TUNNEL], ...requestFor(ip) } }
}

/** Who answers it, and as what. */
export function answerWith({ ip, mac, router }: Responder): Action[] {
  const flags = (NA_SOLICITED | NA_OVERRIDE | (router ? NA_ROUTER : 0)) >>> 0
  return [
    { kind: 'set_field', field: 'xreg4', value: macNumber(mac) },
    ...(ipFamily(ip) === 6 ? [{ kind: 'set_field', field: 'reg10', value: flags } as const] : []),
    goTo(TABLE.ANSWER)
  ]
}

/** The owner of an address that is bound here may be looking for a duplicate, and is not answered. */
export function ownerFlows({ vni, ip, bound }: Responder): Flow[] {
  if (bound === undefined) return []
  return [{ table: TABLE.SUPPRESS, priority: PRIORITY.OWNER, match: { ...knownPlace(vni, ip).match, eth_src: bound }, actions: [goTo(TABLE.FORWARD)] }]
}

/** A broadcast ARP request or a multicast NS. Unicast ones ask whether the neighbour is still there: only it can say. */
function requestFor(ip: Ip): Match {
  return ipFamily(ip) === 4
    ? { eth_dst: BROADCAST, eth_type: ETH_ARP, arp_op: 1, arp_tpa: ip }
    : { eth_dst: IPV6_MULTICAST, eth_type: ETH_IPV6, nw_proto: ICMPV6, icmpv6_type: NS, icmpv6_code: 0, nd_target: ip }
}

function macNumber(mac: Mac): number {
  return macToBytes(mac).readUIntBE(0, 6)
}
