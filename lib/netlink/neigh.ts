// struct ndmsg and its NDA_* attributes: neighbours (ARP, ND) and, with family AF_BRIDGE, forwarding database rows.
import type { AddressCache } from '../net/address-cache.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import {
  AttributeReader, attributeTable, decodeField, encodeFields,
  hostU16, hostU32, ip, mac, netU16, readHostU16, readHostU32, u8, writeHostU16, writeHostU32
} from './attribute.js'
import { AF, NDA, NTF, NUD } from './constants.js'
import { NetlinkDecodeError } from './error.js'

/** A row of the neighbour tables or of a forwarding database. Optional fields are absent when the kernel sent no such attribute. */
export interface NeighRow {
  /** AF.BRIDGE for FDB rows, AF.INET or AF.INET6 for neighbours. */
  readonly family: number
  readonly ifindex: number
  /** NUD_* bitmask. */
  readonly state: number
  /** NTF_* bitmask. SELF = the device's own table (vxlan); bridge-level rows come without SELF and with `master`. */
  readonly flags: number
  /** RTN_*: 0 in FDB rows, RTN_UNICAST and so on in neighbours. */
  readonly type: number
  readonly lladdr?: Mac
  /** Neighbour: its IP. FDB row of a vxlan device: the remote VTEP. */
  readonly dst?: Ip
  readonly vlan?: number
  /** UDP port of the remote, only when it differs from the device's. */
  readonly port?: number
  /** VNI to the remote, only when it differs from the device's (or from srcVni). */
  readonly vni?: number
  /** VNI the row belongs to, on devices with many (collect metadata). */
  readonly srcVni?: number
  /** NDA_IFINDEX: the device the remote is reached through. */
  readonly oif?: number
  readonly nhId?: number
  /** ifindex of the bridge of a bridge-level row. */
  readonly master?: number
  /** RTPROT_* of who wrote it; neighbours only. */
  readonly protocol?: number
  /** NTF_EXT_* bitmask. */
  readonly flagsExt?: number
  /** Seconds since the row was last written. Only where it is asked for: see decodeNeigh. */
  readonly age?: number
}

const HEADER_BYTES = 12

type NeighAttributes = Omit<NeighRow, 'family' | 'ifindex' | 'state' | 'flags' | 'type' | 'age'>

const ATTRIBUTES = attributeTable<NeighAttributes>([
  [NDA.LLADDR, 'lladdr', mac],
  [NDA.DST, 'dst', ip],
  [NDA.VLAN, 'vlan', hostU16],
  [NDA.PORT, 'port', netU16],
  [NDA.VNI, 'vni', hostU32],
  [NDA.SRC_VNI, 'srcVni', hostU32],
  [NDA.IFINDEX, 'oif', hostU32],
  [NDA.NH_ID, 'nhId', hostU32],
  [NDA.MASTER, 'master', hostU32],
  [NDA.PROTOCOL, 'protocol', u8],
  [NDA.FLAGS_EXT, 'flagsExt', hostU32]
])

/** struct nda_cacheinfo: confirmed, used, updated, refcnt; times in clock_t, of which Linux has 100 in a second on all it shows them to. */
const UPDATED = 8
const CLOCK_TICKS = 100

export interface DecodeOptions {
  /** Rows have their age; mirrors do not want it, it is another each time. */
  readonly withAges?: boolean
  /** Makes one string of equal addresses. */
  readonly addresses?: AddressCache
}

/** Decodes the payload data[start, end) of RTM_NEWNEIGH or RTM_DELNEIGH. Throws NetlinkDecodeError. */
export function decodeNeigh(data: Buffer, start: number, end: number, { withAges = false, addresses }: DecodeOptions = {}): NeighRow {
  if (end - start < HEADER_BYTES) throw new NetlinkDecodeError('neigh', `ndmsg has ${end - start} bytes, needs ${HEADER_BYTES}`, start)
  const row: NeighRow & { age?: number } = {
    family: data[start] ?? 0,
    ifindex: readHostU32(data, start + 4),
    state: readHostU16(data, start + 8),
    flags: data[start + 10] ?? 0,
    type: data[start + 11] ?? 0
  }
  const attributes = new AttributeReader(data, start + HEADER_BYTES, end, 'neigh', addresses)
  while (attributes.next()) {
    if (!withAges || attributes.type !== NDA.CACHEINFO) decodeField(ATTRIBUTES, attributes, row)
    else if (attributes.end - attributes.start >= UPDATED + 4) row.age = Math.floor(readHostU32(data, attributes.start + UPDATED) / CLOCK_TICKS)
  }
  return row
}

/** The payload of RTM_NEWNEIGH, RTM_DELNEIGH. */
export function encodeNeigh(row: NeighRow): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = row.family
  writeHostU32(header, row.ifindex, 4)
  writeHostU16(header, row.state, 8)
  header[10] = row.flags
  header[11] = row.type
  return Buffer.concat([header, ...encodeFields(ATTRIBUTES, row)])
}

/** The row in one line, for logs and error messages: `02:00:00:00:00:01 dev 5 dst 192.0.2.1 state NOARP flags SELF,EXT_LEARNED`. */
export function neighText(row: NeighRow): string {
  const bridge = row.family === AF.BRIDGE
  const words = bridge ? [row.lladdr ?? 'no-mac'] : [row.dst ?? 'no-ip']
  words.push(`dev ${row.ifindex}`)
  if (bridge && row.dst !== undefined) words.push(`dst ${row.dst}`)
  if (!bridge && row.lladdr !== undefined) words.push(`lladdr ${row.lladdr}`)
  for (const name of ['vlan', 'port', 'vni', 'srcVni', 'oif', 'nhId', 'master', 'protocol'] as const) {
    if (row[name] !== undefined) words.push(`${name} ${row[name]}`)
  }
  words.push(`state ${bitNames(NUD, row.state)}`, `flags ${bitNames(NTF, row.flags)}`)
  return words.join(' ')
}

function bitNames(table: Readonly<Record<string, number>>, mask: number): string {
  return Object.entries(table).filter(([, bit]) => (mask & bit) !== 0).map(([name]) => name).join(',') || 'none'
}
