// Matches as ovs-ofctl dump-flows prints them: its field names, its order, its protocol words.
import { decodeMatch, type Match } from './match.js'
import { fieldOf, type FieldName } from './fields.js'
import { formatMac, formatIp, formatPort, hex } from './text.js'
import type { FieldValue } from './value.js'

type Given = FieldValue | readonly [value: FieldValue, mask: FieldValue]

/** How ovs-ofctl writes a field that differs from the plain form, and under which name. */
type Style = 'plain' | 'hex' | 'port' | 'hex4' | 'hex5'

/** ovs-ofctl's order; what is not listed follows at the end in the form `name=value`. */
const BEFORE_PROTOCOL: readonly FieldName[] = [
  'pkt_mark', 'recirc_id', 'dp_hash', 'conj_id', 'actset_output', 'ct_state', 'ct_zone', 'ct_mark', 'ct_label',
  'ct_nw_src', 'ct_ipv6_src', 'ct_nw_dst', 'ct_ipv6_dst', 'ct_nw_proto', 'ct_tp_src', 'ct_tp_dst', 'packet_type'
]
const REGISTERS = Array.from({ length: 16 }, (_, i) => `reg${i}` as FieldName)
const BEFORE_VLAN: readonly FieldName[] = [
  ...REGISTERS, 'tun_id', 'tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst', 'tun_gbp_id', 'tun_gbp_flags', 'tun_flags',
  'metadata', 'in_port'
]
const BEFORE_TYPE: readonly FieldName[] = ['eth_src', 'eth_dst']
const AFTER_TYPE: readonly FieldName[] = [
  'ipv6_src', 'ipv6_dst', 'ipv6_label', 'arp_spa', 'arp_tpa', 'ip_src', 'ip_dst', 'nw_proto', 'arp_op', 'arp_sha', 'arp_tha',
  'ip_dscp', 'nw_ecn', 'nw_ttl', 'mpls_label', 'mpls_tc', 'mpls_ttl', 'mpls_bos', 'ip_frag',
  'icmp_type', 'icmp_code', 'icmpv6_type', 'icmpv6_code', 'nd_target', 'nd_sll', 'nd_tll', 'nd_reserved', 'nd_options_type',
  'tcp_src', 'tcp_dst', 'udp_src', 'udp_dst', 'sctp_src', 'sctp_dst', 'tcp_flags',
  'nsh_flags', 'nsh_ttl', 'nsh_mdtype', 'nsh_np', 'nsh_spi', 'nsh_si', 'nsh_c1', 'nsh_c2', 'nsh_c3', 'nsh_c4'
]

/** The older names dump-flows prints. */
const NAMES: Partial<Record<FieldName, string>> = {
  eth_src: 'dl_src', eth_dst: 'dl_dst', eth_type: 'dl_type', ip_src: 'nw_src', ip_dst: 'nw_dst', ip_dscp: 'nw_tos', ip_frag: 'nw_frag',
  icmpv6_type: 'icmp_type', icmpv6_code: 'icmp_code',
  tcp_src: 'tp_src', tcp_dst: 'tp_dst', udp_src: 'tp_src', udp_dst: 'tp_dst', sctp_src: 'tp_src', sctp_dst: 'tp_dst'
}

const STYLES: Partial<Record<FieldName, Style>> = {
  in_port: 'port', actset_output: 'port', eth_type: 'hex4', ipv6_label: 'hex5', ct_zone: 'plain'
}

/** A match, from its fields or from bare OXMs, in ovs-ofctl's syntax; empty when it matches everything. Throws OpenFlowDecodeError. */
export function formatMatch(given: Match | Buffer): string {
  const match = Buffer.isBuffer(given) ? decodeMatch(given) : given
  const { word, implied } = protocolOf(match)
  const skip = new Set<string>(implied)
  const format = (names: readonly FieldName[]): string[] => names.flatMap((name) => {
    const value = match[name]
    return value === undefined || skip.has(name) ? [] : [formatField(name, value)]
  })
  return [
    ...format(BEFORE_PROTOCOL),
    ...(word === undefined ? [] : [word]),
    ...format(BEFORE_VLAN),
    ...formatVlan(match),
    ...format(BEFORE_TYPE),
    ...format(['eth_type']),
    ...format(AFTER_TYPE)
  ].join(',')
}

/** The word for eth_type and nw_proto together, and which fields it stands for. */
function protocolOf(match: Match): { word?: string; implied: readonly FieldName[] } {
  const type = match.eth_type
  const proto = match.nw_proto
  const family = typeof type === 'number' ? FAMILIES[type] : undefined
  if (family === undefined) return { implied: [] }
  const transport = typeof proto === 'number' ? family.transports?.[proto] : undefined
  return transport === undefined ? { word: family.word, implied: ['eth_type'] } : { word: transport, implied: ['eth_type', 'nw_proto'] }
}

const FAMILIES: Readonly<Record<number, { word: string; transports?: Readonly<Record<number, string>> }>> = {
  0x0800: { word: 'ip', transports: { 1: 'icmp', 6: 'tcp', 17: 'udp', 132: 'sctp' } },
  0x86dd: { word: 'ipv6', transports: { 58: 'icmp6', 6: 'tcp6', 17: 'udp6', 132: 'sctp6' } },
  0x0806: { word: 'arp' },
  0x8035: { word: 'rarp' },
  0x8847: { word: 'mpls' },
  0x8848: { word: 'mplsm' }
}

function formatField(name: FieldName, given: Given): string {
  const [value, mask] = Array.isArray(given) ? (given as [FieldValue, FieldValue]) : [given as FieldValue]
  const field = fieldOf(name)
  const label = NAMES[name] ?? name
  const maskText = mask === undefined ? undefined : String(mask)
  if (field.kind === 'mac') return `${label}=${formatMac(String(value), maskText)}`
  if (field.kind === 'ipv4' || field.kind === 'ipv6') return `${label}=${formatIp(String(value), maskText)}`
  if (name === 'ip_dscp') return `${label}=${Number(value) << 2}`
  return `${label}=${formatNumber(name, value, mask)}`
}

/** Numbers in the form of match_format: decimal or hex when exact, always hex with a mask. */
function formatNumber(name: FieldName, value: FieldValue, mask: FieldValue | undefined): string {
  const style = STYLES[name] ?? (fieldOf(name).kind === 'hex' ? 'hex' : 'plain')
  if (style === 'port') return formatPort(Number(value))
  const width = style === 'hex4' ? 4 : style === 'hex5' ? 5 : 0
  const inHex = (number: FieldValue): string => (width > 0 ? `0x${BigInt(number).toString(16).padStart(width, '0')}` : hex(BigInt(number)))
  if (mask !== undefined) return `${inHex(value)}/${inHex(mask)}`
  return style === 'plain' ? String(value) : inHex(value)
}

const PRESENT = 0x1000
const VID = 0x0fff

/** vlan_vid and vlan_pcp as dl_vlan and dl_vlan_pcp where these can say it, else as vlan_tci. */
function formatVlan(match: Match): string[] {
  const given = match.vlan_vid
  const pcp = match.vlan_pcp
  if (given === undefined) return []
  const [value, mask] = Array.isArray(given) ? (given as [FieldValue, FieldValue]) : [given as FieldValue, PRESENT | VID]
  const [vid, bits] = [Number(value), Number(mask)]
  const pcpText = pcp === undefined ? [] : [`dl_vlan_pcp=${String(pcp)}`]
  if (vid & bits & PRESENT && (bits & VID) === VID) return [`dl_vlan=${vid & VID}`, ...pcpText]
  if (vid & bits & PRESENT && (bits & VID) === 0 && pcp !== undefined) return pcpText
  const tci = vid | (pcp === undefined ? 0 : Number(pcp) << 13)
  const tciMask = bits | (pcp === undefined ? 0 : 0xe000)
  const text = (number: number): string => `0x${number.toString(16).padStart(4, '0')}`
  return [tciMask === 0xffff ? `vlan_tci=${text(tci)}` : `vlan_tci=${text(tci)}/${text(tciMask)}`]
}
