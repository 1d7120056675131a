// The match fields of OpenFlow 1.5 as Open vSwitch knows them: one table of facts (ovs-fields(7), OpenFlow 1.5.1 section 7.2.3).
// The order of the rows is the order in which Open vSwitch writes the fields of a match; matches are canonical because of it.

/** How a field's value is written: a number (in decimal or hex), a port number, or text. */
export type FieldKind = 'decimal' | 'hex' | 'port' | 'mac' | 'ipv4' | 'ipv6'

/** What a match must say first (OpenFlow 1.5.1 section 7.2.3.6). */
export type Prerequisite =
  'vlan' | 'mpls' | 'ip' | 'ipv4' | 'ipv6' | 'arp' | 'tcp' | 'udp' | 'sctp' | 'icmp' | 'icmpv6' | 'nd' | 'ns' | 'na' | 'nsh'

type Row = readonly [
  name: string,
  kind: FieldKind,
  bits: number,
  oxm: string, // the name whose prefix gives the OXM class ...
  oxmNumber: number, // ... and its number in that class
  nxm: string | null, // the older Nicira name where both exist: learn() and printed text use it
  nxmNumber: number | null,
  prerequisite?: Prerequisite
]

const ROWS = [
  ['packet_type', 'hex', 32, 'OXM_OF_PACKET_TYPE', 44, null, null],
  ['dp_hash', 'hex', 32, 'NXOXM_ET_DP_HASH', 0, 'NXM_NX_DP_HASH', 35],
  ['recirc_id', 'decimal', 32, 'NXM_NX_RECIRC_ID', 36, null, null],
  ['conj_id', 'decimal', 32, 'NXM_NX_CONJ_ID', 37, null, null],
  ['in_port', 'port', 16, 'NXM_OF_IN_PORT', 0, null, null],
  ['in_port_oxm', 'port', 32, 'OXM_OF_IN_PORT', 0, null, null],
  ['actset_output', 'port', 32, 'OXM_OF_ACTSET_OUTPUT', 43, null, null],
  ['eth_src', 'mac', 48, 'OXM_OF_ETH_SRC', 4, 'NXM_OF_ETH_SRC', 2],
  ['eth_dst', 'mac', 48, 'OXM_OF_ETH_DST', 3, 'NXM_OF_ETH_DST', 1],
  ['eth_type', 'hex', 16, 'OXM_OF_ETH_TYPE', 5, 'NXM_OF_ETH_TYPE', 3],
  ['vlan_tci', 'hex', 16, 'NXM_OF_VLAN_TCI', 4, null, null],
  ['vlan_vid', 'decimal', 12, 'OXM_OF_VLAN_VID', 6, null, null],
  ['vlan_pcp', 'decimal', 3, 'OXM_OF_VLAN_PCP', 7, null, null, 'vlan'],
  ['mpls_tc', 'decimal', 3, 'OXM_OF_MPLS_TC', 35, null, null, 'mpls'],
  ['mpls_bos', 'decimal', 1, 'OXM_OF_MPLS_BOS', 36, null, null, 'mpls'],
  ['mpls_ttl', 'decimal', 8, 'NXM_NX_MPLS_TTL', 30, null, null, 'mpls'],
  ['mpls_label', 'decimal', 20, 'OXM_OF_MPLS_LABEL', 34, null, null, 'mpls'],
  ['ip_src', 'ipv4', 32, 'OXM_OF_IPV4_SRC', 11, 'NXM_OF_IP_SRC', 7, 'ipv4'],
  ['ip_dst', 'ipv4', 32, 'OXM_OF_IPV4_DST', 12, 'NXM_OF_IP_DST', 8, 'ipv4'],
  ['ipv6_src', 'ipv6', 128, 'OXM_OF_IPV6_SRC', 26, 'NXM_NX_IPV6_SRC', 19, 'ipv6'],
  ['ipv6_dst', 'ipv6', 128, 'OXM_OF_IPV6_DST', 27, 'NXM_NX_IPV6_DST', 20, 'ipv6'],
  ['ip_frag', 'hex', 8, 'NXM_NX_IP_FRAG', 26, null, null, 'ip'],
  ['ip_dscp', 'decimal', 6, 'OXM_OF_IP_DSCP', 8, null, null, 'ip'],
  ['nw_ecn', 'decimal', 2, 'OXM_OF_IP_ECN', 9, 'NXM_NX_IP_ECN', 28, 'ip'],
  ['nw_ttl', 'decimal', 8, 'NXM_NX_IP_TTL', 29, null, null, 'ip'],
  ['ipv6_label', 'hex', 20, 'OXM_OF_IPV6_FLABEL', 28, 'NXM_NX_IPV6_LABEL', 27, 'ipv6'],
  ['nw_proto', 'decimal', 8, 'OXM_OF_IP_PROTO', 10, 'NXM_OF_IP_PROTO', 6, 'ip'],
  ['tcp_src', 'decimal', 16, 'OXM_OF_TCP_SRC', 13, 'NXM_OF_TCP_SRC', 9, 'tcp'],
  ['tcp_dst', 'decimal', 16, 'OXM_OF_TCP_DST', 14, 'NXM_OF_TCP_DST', 10, 'tcp'],
  ['tcp_flags', 'hex', 12, 'OXM_OF_TCP_FLAGS', 42, 'NXM_NX_TCP_FLAGS', 34, 'tcp'],
  ['udp_src', 'decimal', 16, 'OXM_OF_UDP_SRC', 15, 'NXM_OF_UDP_SRC', 11, 'udp'],
  ['udp_dst', 'decimal', 16, 'OXM_OF_UDP_DST', 16, 'NXM_OF_UDP_DST', 12, 'udp'],
  ['sctp_src', 'decimal', 16, 'OXM_OF_SCTP_SRC', 17, null, null, 'sctp'],
  ['sctp_dst', 'decimal', 16, 'OXM_OF_SCTP_DST', 18, null, null, 'sctp'],
  ['icmp_type', 'decimal', 8, 'OXM_OF_ICMPV4_TYPE', 19, 'NXM_OF_ICMP_TYPE', 13, 'icmp'],
  ['icmp_code', 'decimal', 8, 'OXM_OF_ICMPV4_CODE', 20, 'NXM_OF_ICMP_CODE', 14, 'icmp'],
  ['icmpv6_type', 'decimal', 8, 'OXM_OF_ICMPV6_TYPE', 29, 'NXM_NX_ICMPV6_TYPE', 21, 'icmpv6'],
  ['icmpv6_code', 'decimal', 8, 'OXM_OF_ICMPV6_CODE', 30, 'NXM_NX_ICMPV6_CODE', 22, 'icmpv6'],
  ['nd_reserved', 'decimal', 32, 'ERICOXM_OF_ICMPV6_ND_RESERVED', 1, null, null, 'nd'],
  ['nd_target', 'ipv6', 128, 'OXM_OF_IPV6_ND_TARGET', 31, 'NXM_NX_ND_TARGET', 23, 'nd'],
  ['nd_options_type', 'decimal', 8, 'ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE', 2, null, null, 'nd'],
  ['nd_sll', 'mac', 48, 'OXM_OF_IPV6_ND_SLL', 32, 'NXM_NX_ND_SLL', 24, 'ns'],
  ['nd_tll', 'mac', 48, 'OXM_OF_IPV6_ND_TLL', 33, 'NXM_NX_ND_TLL', 25, 'na'],
  ['arp_op', 'decimal', 16, 'OXM_OF_ARP_OP', 21, 'NXM_OF_ARP_OP', 15, 'arp'],
  ['arp_spa', 'ipv4', 32, 'OXM_OF_ARP_SPA', 22, 'NXM_OF_ARP_SPA', 16, 'arp'],
  ['arp_tpa', 'ipv4', 32, 'OXM_OF_ARP_TPA', 23, 'NXM_OF_ARP_TPA', 17, 'arp'],
  ['arp_sha', 'mac', 48, 'OXM_OF_ARP_SHA', 24, 'NXM_NX_ARP_SHA', 17, 'arp'],
  ['arp_tha', 'mac', 48, 'OXM_OF_ARP_THA', 25, 'NXM_NX_ARP_THA', 18, 'arp'],
  ['tun_id', 'hex', 64, 'OXM_OF_TUNNEL_ID', 38, 'NXM_NX_TUN_ID', 16],
  ['tun_flags', 'hex', 16, 'NXM_NX_TUN_FLAGS', 104, null, null],
  ['tun_src', 'ipv4', 32, 'NXM_NX_TUN_IPV4_SRC', 31, null, null],
  ['tun_dst', 'ipv4', 32, 'NXM_NX_TUN_IPV4_DST', 32, null, null],
  ['tun_ipv6_src', 'ipv6', 128, 'NXM_NX_TUN_IPV6_SRC', 109, null, null],
  ['tun_ipv6_dst', 'ipv6', 128, 'NXM_NX_TUN_IPV6_DST', 110, null, null],
  ['tun_gbp_id', 'decimal', 16, 'NXM_NX_TUN_GBP_ID', 38, null, null],
  ['tun_gbp_flags', 'hex', 8, 'NXM_NX_TUN_GBP_FLAGS', 39, null, null],
  ['nsh_flags', 'decimal', 8, 'NXOXM_NSH_FLAGS', 1, null, null, 'nsh'],
  ['nsh_ttl', 'decimal', 8, 'NXOXM_NSH_TTL', 10, null, null, 'nsh'],
  ['nsh_mdtype', 'decimal', 8, 'NXOXM_NSH_MDTYPE', 2, null, null, 'nsh'],
  ['nsh_np', 'decimal', 8, 'NXOXM_NSH_NP', 3, null, null, 'nsh'],
  ['nsh_spi', 'hex', 24, 'NXOXM_NSH_SPI', 4, null, null, 'nsh'],
  ['nsh_si', 'decimal', 8, 'NXOXM_NSH_SI', 5, null, null, 'nsh'],
  ['nsh_c1', 'hex', 32, 'NXOXM_NSH_C1', 6, null, null, 'nsh'],
  ['nsh_c2', 'hex', 32, 'NXOXM_NSH_C2', 7, null, null, 'nsh'],
  ['nsh_c3', 'hex', 32, 'NXOXM_NSH_C3', 8, null, null, 'nsh'],
  ['nsh_c4', 'hex', 32, 'NXOXM_NSH_C4', 9, null, null, 'nsh'],
  ['reg0', 'hex', 32, 'NXM_NX_REG0', 0, null, null],
  ['reg1', 'hex', 32, 'NXM_NX_REG1', 1, null, null],
  ['reg2', 'hex', 32, 'NXM_NX_REG2', 2, null, null],
  ['reg3', 'hex', 32, 'NXM_NX_REG3', 3, null, null],
  ['reg4', 'hex', 32, 'NXM_NX_REG4', 4, null, null],
  ['reg5', 'hex', 32, 'NXM_NX_REG5', 5, null, null],
  ['reg6', 'hex', 32, 'NXM_NX_REG6', 6, null, null],
  ['reg7', 'hex', 32, 'NXM_NX_REG7', 7, null, null],
  ['reg8', 'hex', 32, 'NXM_NX_REG8', 8, null, null],
  ['reg9', 'hex', 32, 'NXM_NX_REG9', 9, null, null],
  ['reg10', 'hex', 32, 'NXM_NX_REG10', 10, null, null],
  ['reg11', 'hex', 32, 'NXM_NX_REG11', 11, null, null],
  ['reg12', 'hex', 32, 'NXM_NX_REG12', 12, null, null],
  ['reg13', 'hex', 32, 'NXM_NX_REG13', 13, null, null],
  ['reg14', 'hex', 32, 'NXM_NX_REG14', 14, null, null],
  ['reg15', 'hex', 32, 'NXM_NX_REG15', 15, null, null],
  ['xreg0', 'hex', 64, 'OXM_OF_PKT_REG0', 0, null, null],
  ['xreg1', 'hex', 64, 'OXM_OF_PKT_REG1', 1, null, null],
  ['xreg2', 'hex', 64, 'OXM_OF_PKT_REG2', 2, null, null],
  ['xreg3', 'hex', 64, 'OXM_OF_PKT_REG3', 3, null, null],
  ['xreg4', 'hex', 64, 'OXM_OF_PKT_REG4', 4, null, null],
  ['xreg5', 'hex', 64, 'OXM_OF_PKT_REG5', 5, null, null],
  ['xreg6', 'hex', 64, 'OXM_OF_PKT_REG6', 6, null, null],
  ['xreg7', 'hex', 64, 'OXM_OF_PKT_REG7', 7, null, null],
  ['xxreg0', 'hex', 128, 'NXM_NX_XXREG0', 111, null, null],
  ['xxreg1', 'hex', 128, 'NXM_NX_XXREG1', 112, null, null],
  ['xxreg2', 'hex', 128, 'NXM_NX_XXREG2', 113, null, null],
  ['xxreg3', 'hex', 128, 'NXM_NX_XXREG3', 114, null, null],
  ['pkt_mark', 'hex', 32, 'NXM_NX_PKT_MARK', 33, null, null],
  ['ct_state', 'hex', 32, 'NXM_NX_CT_STATE', 105, null, null],
  ['ct_zone', 'hex', 16, 'NXM_NX_CT_ZONE', 106, null, null],
  ['ct_mark', 'hex', 32, 'NXM_NX_CT_MARK', 107, null, null],
  ['ct_label', 'hex', 128, 'NXM_NX_CT_LABEL', 108, null, null],
  ['ct_nw_src', 'ipv4', 32, 'NXM_NX_CT_NW_SRC', 120, null, null],
  ['ct_ipv6_src', 'ipv6', 128, 'NXM_NX_CT_IPV6_SRC', 122, null, null],
  ['ct_nw_dst', 'ipv4', 32, 'NXM_NX_CT_NW_DST', 121, null, null],
  ['ct_ipv6_dst', 'ipv6', 128, 'NXM_NX_CT_IPV6_DST', 123, null, null],
  ['ct_nw_proto', 'decimal', 8, 'NXM_NX_CT_NW_PROTO', 119, null, null],
  ['ct_tp_src', 'decimal', 16, 'NXM_NX_CT_TP_SRC', 124, null, null],
  ['ct_tp_dst', 'decimal', 16, 'NXM_NX_CT_TP_DST', 125, null, null],
  ['metadata', 'hex', 64, 'OXM_OF_METADATA', 2, null, null]
] as const satisfies readonly Row[]

/** Second names of ovs-fields(7). They are understood wherever a field is named; decoders give the first name. */
const ALIASES = {
  ip_proto: 'nw_proto',
  nw_src: 'ip_src',
  nw_dst: 'ip_dst',
  ip_ecn: 'nw_ecn',
  nw_frag: 'ip_frag',
  ip_ttl: 'nw_ttl',
  dl_src: 'eth_src',
  dl_dst: 'eth_dst',
  dl_type: 'eth_type'
} as const

/** The prefix of a field's OXM name gives its class; class 0xffff is followed by an experimenter id. */
const CLASSES: readonly (readonly [prefix: string, oxmClass: number, experimenter?: number])[] = [
  ['OXM_OF_PKT_REG', 0x8001],
  ['OXM_OF_', 0x8000],
  ['NXM_OF_', 0x0000],
  ['NXM_NX_', 0x0001],
  ['ERICOXM_OF_', 0x1000],
  ['NXOXM_NSH_', 0xffff, 0x005ad650],
  ['NXOXM_ET_', 0xffff, 0x00002320]
]

/** A field's name, as in ovs-fields(7). */
export type FieldName = (typeof ROWS)[number][0] | keyof typeof ALIASES

/** How one field is named on the wire. */
export interface OxmCode {
  readonly name: string
  readonly oxmClass: number
  readonly number: number
  readonly experimenter: number | undefined
}

export interface Field {
  readonly name: FieldName
  readonly kind: FieldKind
  /** Bits that carry meaning. */
  readonly bits: number
  /** Bytes of a value on the wire. */
  readonly bytes: number
  /** What OpenFlow 1.5 messages use. */
  readonly oxm: OxmCode
  /** What learn() and printed text use. */
  readonly nxm: OxmCode
  readonly prerequisite: Prerequisite | undefined
  /** Place in a canonical match. */
  readonly rank: number
  /** reg, xreg and xxreg are views of the same bytes: where this one begins. */
  readonly registerOffset: number | undefined
}

/** All fields by name, second names included. */
const BY_NAME: ReadonlyMap<string, Field> = indexByName()

/** All fields by every code they have. */
const BY_CODE: ReadonlyMap<number, Field> = indexByCode()

/** The field of that name. */
export function fieldOf(name: FieldName): Field {
  const field = BY_NAME.get(name)
  if (!field) throw new RangeError(`no match field is called ${name}`)
  return field
}

/** The field with that code, or undefined: an unknown field is no error at this level. */
export function fieldByCode(oxmClass: number, number: number, experimenter: number | undefined): Field | undefined {
  return BY_CODE.get(codeKey(oxmClass, number, experimenter))
}

function indexByName(): Map<string, Field> {
  const index = new Map<string, Field>(ROWS.map((row, rank) => [row[0], fieldFromRow(row, rank)]))
  for (const [alias, name] of Object.entries(ALIASES)) {
    const field = index.get(name)
    if (field) index.set(alias, field)
  }
  return index
}

function indexByCode(): Map<number, Field> {
  const index = new Map<number, Field>()
  for (const field of BY_NAME.values()) {
    for (const code of [field.oxm, field.nxm]) index.set(codeKey(code.oxmClass, code.number, code.experimenter), field)
  }
  return index
}

function fieldFromRow(row: Row, rank: number): Field {
  const [name, kind, bits, oxmName, oxmNumber, nxmName, nxmNumber, prerequisite] = row
  const oxm = codeFromName(oxmName, oxmNumber)
  const nxm = nxmName === null ? oxm : codeFromName(nxmName, nxmNumber ?? 0)
  const bytes = wireBytes(kind, bits)
  const register = /^x{0,2}reg(\d+)$/.exec(name)?.[1]
  const registerOffset = register === undefined ? undefined : Number(register) * bytes
  return { name: name as FieldName, kind, bits, bytes, oxm, nxm, prerequisite, rank, registerOffset }
}

/** Values travel in 1, 2, 4, 8 or 16 bytes, MAC addresses in 6. */
function wireBytes(kind: FieldKind, bits: number): number {
  if (kind === 'mac') return 6
  return [1, 2, 4, 8, 16].find((bytes) => bytes * 8 >= bits) ?? 16
}

function codeFromName(name: string, number: number): OxmCode {
  const found = CLASSES.find(([prefix]) => name.startsWith(prefix))
  if (!found) throw new RangeError(`the OXM class of ${name} is not known`)
  return { name, oxmClass: found[1], number, experimenter: found[2] }
}

/** One number for class, field and experimenter: experimenters lie above all class and field pairs (16 + 7 bits). */
function codeKey(oxmClass: number, number: number, experimenter: number | undefined): number {
  return experimenter === undefined ? oxmClass * 128 + number : 2 ** 23 + experimenter * 128 + number
}
