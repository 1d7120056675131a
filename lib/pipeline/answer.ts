// ANSWER and REPLY: a request for a known IP, whose MAC is in xreg4, becomes the answer and leaves where it came in. These
// few flows serve all IPs of all VNIs. What must not be answered goes on to FORWARD, as if nothing were known.
import type { Action, FieldName, Match } from '../openflow/index.js'
import { goTo, type Flow } from './flow.js'
import { ETH_ARP, ETH_IPV6, ICMPV6, NA, NS } from './suppress.js'
import { METER } from './meters.js'
import { LONGER } from './registers.js'
import { PART_ANSWER, TRAMPOLINE_GROUP } from './slots.js'
import { TABLE } from './tables.js'

const PRIORITY = { NEVER: 300, SAME: 200, ANSWER: 100, ANY: 0 } as const

const ARP: Match = { eth_type: ETH_ARP }
const ND: Match = { eth_type: ETH_IPV6, nw_proto: ICMPV6 }
const SOLICITATION: Match = { ...ND, icmpv6_type: NS, icmpv6_code: 0 }
const ARP_REPLY = 2
const TARGET_LINK_LAYER_ADDRESS = 2
/** A solicitation that came over a router is none (RFC 4861 section 7.1.1). */
const HOP_LIMIT = 255
/** Ethernet, IPv6, ICMPv6 up to the target, one option of 8 bytes. */
const SOLICITATION_BYTES = 14 + 40 + 24 + 8
/** OFPP_NONE of ovs-ofctl, OFPP_ANY of OpenFlow 1.5. */
const NO_PORT = 0xffffffff
const ARP_BITS = 32
/** The one conjunction of the table. */
const SENDER_IS_TARGET = 1

/** Which requests are answered, and which are not whatever is known. */
export const ANSWER_FLOWS: readonly Flow[] = [
  // A tag inside a VNI that carries them is a network of its own.
  pass({ vlan_tci: [0x1000, 0x1000] }),
  // Somebody who has no address yet asks whether it is free: only another host can say no (RFC 5227 section 2.1.1, RFC 4862 section 5.4).
  pass({ ...ARP, arp_spa: '0.0.0.0' }),
  pass({ ...SOLICITATION, ipv6_src: '::' }),
  // Without a source link-layer address option there is none that could become the target's.
  pass({ ...SOLICITATION, nd_sll: '00:00:00:00:00:00' }),
  ...announcementFlows(),
  { table: TABLE.ANSWER, priority: PRIORITY.ANSWER, match: ARP, actions: metered() },
  {
    table: TABLE.ANSWER, priority: PRIORITY.ANSWER, match: { ...SOLICITATION, nw_ttl: HOP_LIMIT },
    actions: [{ kind: 'check_pkt_larger', bytes: SOLICITATION_BYTES, dst: { field: 'reg0', offset: 5, bits: 1 } }, goTo(TABLE.LENGTH)]
  },
  pass({}, PRIORITY.ANY),
  // Open vSwitch writes the option's type into the first option, whichever has the address: with others besides, the answer would be wrong.
  { table: TABLE.LENGTH, priority: PRIORITY.NEVER, match: { reg0: [LONGER, LONGER] }, actions: [goTo(TABLE.FORWARD)] },
  { table: TABLE.LENGTH, priority: PRIORITY.ANSWER, match: {}, actions: metered() }
]

/** The answer itself: who asked becomes whom it is for, who was asked for whom it is from. */
export const REPLY_FLOWS: readonly Flow[] = [
  { table: TABLE.PART, priority: 100, match: { ...ARP, reg1: PART_ANSWER }, actions: [goTo(TABLE.REPLY)] },
  { table: TABLE.PART, priority: 100, match: { ...SOLICITATION, reg1: PART_ANSWER }, actions: [...toAdvertisement(), goTo(TABLE.REPLY)] },
  {
    table: TABLE.REPLY, priority: 100, match: ARP,
    actions: [
      ...ethernetBack(),
      { kind: 'set_field', field: 'arp_op', value: ARP_REPLY },
      move('arp_sha', 'arp_tha'),
      macTo('arp_sha'),
      move('arp_tpa', 'reg10'), move('arp_spa', 'arp_tpa'), move('reg10', 'arp_spa'),
      ...wayBack()
    ]
  },
  {
    table: TABLE.REPLY, priority: 100, match: { ...ND, icmpv6_type: NA },
    actions: [
      ...ethernetBack(),
      macTo('nd_tll'),
      move('ipv6_src', 'ipv6_dst'),
      move('nd_target', 'ipv6_src'),
      ...wayBack()
    ]
  }
]

/**
 * No datapath can write ARP or ND fields: each answer is an upcall. The meter counts before it, in the datapath, because the
 * packet recirculates in between and only the second half needs ovs-vswitchd.
 */
function metered(): Action[] {
  return [
    { kind: 'meter', meter: METER.ANSWER },
    { kind: 'set_field', field: 'reg1', value: PART_ANSWER },
    { kind: 'group', group: TRAMPOLINE_GROUP }
  ]
}

function pass(match: Match, priority: number = PRIORITY.NEVER): Flow {
  return { table: TABLE.ANSWER, priority, match, actions: [goTo(TABLE.FORWARD)] }
}

/**
 * Gratuitous ARP, and any other in which sender and target are one IP: it announces, it does not ask. Open vSwitch cannot compare
 * two fields, but bit by bit it can: a conjunction of 32 clauses, in each of which both bits are 0 or both are 1.
 */
function announcementFlows(): Flow[] {
  const bits = Array.from({ length: ARP_BITS }, (_, bit) => (1 << bit) >>> 0)
  const flows = bits.flatMap((mask, clause) => [0, mask].map((value): Flow => ({
    table: TABLE.ANSWER, priority: PRIORITY.SAME,
    match: { ...ARP, arp_spa: [quad(value), quad(mask)], arp_tpa: [quad(value), quad(mask)] },
    actions: [{ kind: 'conjunction', id: SENDER_IS_TARGET, clause, clauses: ARP_BITS }]
  })))
  return [pass({ ...ARP, conj_id: SENDER_IS_TARGET }, PRIORITY.SAME), ...flows]
}

function quad(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.')
}

/**
 * Flags (reg10), option type and message type; the option's address only in REPLY: nd_tll belongs to an advertisement, and this is
 * none yet when it gets here. Open vSwitch refuses set_field on nd_reserved and nd_options_type where the datapath cannot set
 * them (the kernel's); it can carry it out all the same, the packet being in its hands, and with move does.
 */
function toAdvertisement(): Action[] {
  return [
    { kind: 'set_field', field: 'reg11', value: TARGET_LINK_LAYER_ADDRESS },
    move('reg10', 'nd_reserved'),
    { kind: 'move', src: { field: 'reg11', offset: 0, bits: 8 }, dst: { field: 'nd_options_type' } },
    { kind: 'set_field', field: 'icmpv6_type', value: NA }
  ]
}

function ethernetBack(): Action[] {
  return [move('eth_src', 'eth_dst'), macTo('eth_src')]
}

/** Open vSwitch sends nothing to the port it came from, so the packet forgets where that was. */
function wayBack(): Action[] {
  return [move('in_port_oxm', 'reg1'), { kind: 'set_field', field: 'in_port', value: NO_PORT }, goTo(TABLE.DELIVER)]
}

function move(src: FieldName, dst: FieldName): Action {
  return { kind: 'move', src: { field: src }, dst: { field: dst } }
}

/** The MAC that SUPPRESS found. */
function macTo(field: FieldName): Action {
  return { kind: 'move', src: { field: 'xreg4', offset: 0, bits: 48 }, dst: { field } }
}
