// Learning in the switch: SOURCE learns from what `unknown` ports send and looks up in LEARNED where the destination was
// learned; FORWARD decides what that is worth beside what the control plane says. Learned flows stand in a table of their
// own, so that no packet can change any other.
import type { Vtep } from '../evpn/vtep.js'
import { hash32 } from '../net/hash.js'
import { ipFamily } from '../net/ip.js'
import type { Vni } from '../net/number.js'
import type { LearnAction } from '../openflow/index.js'
import { goTo, TAGGED, type Flow } from './flow.js'
import { unknownActions } from './forward.js'
import { FROM_TUNNEL, LEARNED_LOCAL, LEARNED_REMOTE } from './registers.js'
import { learnedCookie } from './slots.js'
import { ONWARD } from './source.js'
import { TABLE } from './tables.js'

const PRIORITY = { UNLEARNED: 110, LEARN: 100, LEARN_REMOTE: 90, LOOK_UP: 50 } as const
/** What is done with every packet of a VNI that learns: what it says of IPs, and whether its destination was learned. Elsewhere nothing comes of it. */
export const LOOK_UP = [goTo(TABLE.SNOOP), goTo(TABLE.LEARNED), ONWARD]
/** In FORWARD: above or below what the control plane says (300). */
const FORWARD_PRIORITY = { PREFERRED: 350, PLAIN: 200 } as const

/** MACs a port may have learned at once. Open vSwitch counts by cookie, and refuses newcomers without a word. */
export const PORT_LIMIT = 1024
/** MACs that may have been learned behind one VTEP. */
export const VTEP_LIMIT = 8192

/**
 * A port with the address `unknown`: what it sends is learned, for `age` seconds after the last packet from the MAC (0 = until it
 * is deleted). Learning anew begins a hard timeout anew, also by the counters of packets that only the datapath sees, and not
 * an idle timeout: a host that only sends would be forgotten and learned by turns. When this flow goes, what it learned goes with it.
 */
export function learnFlow(vni: Vni, ofport: number, age: number): Flow {
  const learn: LearnAction = {
    kind: 'learn', table: TABLE.LEARNED, priority: 100, hardTimeout: age, deleteLearned: true, limit: PORT_LIMIT,
    cookie: learnedCookie(hash32(`${vni} ${ofport}`)),
    specs: [
      { kind: 'match', src: { field: 'metadata' }, dst: { field: 'metadata' } },
      { kind: 'match', src: { field: 'eth_src' }, dst: { field: 'eth_dst' } },
      { kind: 'load', src: { value: ofport }, dst: { field: 'reg3' } },
      { kind: 'load', src: { value: 1 }, dst: { field: 'reg0', offset: 4, bits: 1 } }
    ]
  }
  return {
    table: TABLE.SOURCE, priority: PRIORITY.LEARN, match: { metadata: vni, in_port: ofport },
    actions: [learn, ...LOOK_UP]
  }
}

/** evpn-inner-vlan drop: a frame that FORWARD drops for its tag teaches nothing. */
export function unlearnedFlows(vni: Vni): Flow[] {
  return TAGGED.map((match) => ({ table: TABLE.SOURCE, priority: PRIORITY.UNLEARNED, match: { metadata: vni, ...match }, actions: [ONWARD] }))
}

/** What a VNI needs in which some port learns: to look up, and what a hit is worth. */
export function learnedFlows(vni: Vni, preferLocal: boolean): Flow[] {
  return [
    { table: TABLE.SOURCE, priority: PRIORITY.LOOK_UP, match: { metadata: vni }, actions: LOOK_UP },
    {
      table: TABLE.FORWARD, priority: preferLocal ? FORWARD_PRIORITY.PREFERRED : FORWARD_PRIORITY.PLAIN,
      match: { metadata: vni, reg0: [LEARNED_LOCAL, LEARNED_LOCAL] },
      actions: [{ kind: 'move', src: { field: 'reg3' }, dst: { field: 'reg1' } }, goTo(TABLE.DELIVER)]
    }
  ]
}

/**
 * evpn-learn: what a known VTEP sends is learned for `age` seconds after the last packet from the MAC. The timeout is a hard one:
 * learning the MAC anew begins it anew, and packets to it do not, which would keep the dead alive. A learned flow says which VTEP,
 * and ENCAP does the rest, as for any other MAC behind it. When this flow goes, what it learned goes with it.
 */
export function learnRemoteFlow({ vni, ip, udpPort }: Vtep, ofport: number, age: number): Flow {
  const isIpv6 = ipFamily(ip) === 6
  const [src, dst] = isIpv6 ? ['tun_ipv6_src', 'tun_ipv6_dst'] as const : ['tun_src', 'tun_dst'] as const
  const learn: LearnAction = {
    kind: 'learn', table: TABLE.LEARNED_REMOTE, priority: 100, hardTimeout: age, deleteLearned: true, limit: VTEP_LIMIT,
    // Of all that a learned flow says: one that leads by another port goes.
    cookie: learnedCookie(hash32(`${vni} ${ip} ${udpPort} ${ofport}`)),
    specs: [
      { kind: 'match', src: { field: 'metadata' }, dst: { field: 'metadata' } },
      { kind: 'match', src: { field: 'eth_src' }, dst: { field: 'eth_dst' } },
      { kind: 'load', src: { field: src }, dst: { field: dst } },
      { kind: 'load', src: { value: udpPort }, dst: { field: 'reg0', offset: 16, bits: 16 } },
      ...(isIpv6 ? [{ kind: 'load', src: { value: 1 }, dst: { field: 'reg0', offset: 1, bits: 1 } }] as const : []),
      { kind: 'load', src: { value: 1 }, dst: { field: 'reg0', offset: 7, bits: 1 } }
    ]
  }
  return {
    table: TABLE.SOURCE, priority: PRIORITY.LEARN_REMOTE,
    match: { metadata: vni, in_port: ofport, reg0: [FROM_TUNNEL, FROM_TUNNEL], [src]: ip },
    actions: [learn, ...LOOK_UP]
  }
}

/** What a VNI with evpn-learn needs: a destination that was learned is behind that VTEP, any other nobody knows. */
export function learnedRemoteFlows(vni: Vni, floodUnknown: boolean): Flow[] {
  return [
    { table: TABLE.UNKNOWN, priority: 100, match: { metadata: vni, reg0: [LEARNED_REMOTE, LEARNED_REMOTE] }, actions: [goTo(TABLE.ENCAP)] },
    { table: TABLE.UNKNOWN, priority: 10, match: { metadata: vni }, actions: unknownActions(floodUnknown) }
  ]
}
