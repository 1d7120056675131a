// struct nhmsg and its NHA_* attributes: nexthops and nexthop groups, those for FDB rows included.
import type { Ip } from '../net/ip.js'
import {
  AttributeReader, attributeTable, decodeField, encodeAttribute, encodeFields, hostU16, hostU32, ip, readHostU32, writeHostU32, type Codec
} from './attribute.js'
import { NHA } from './constants.js'
import { NetlinkDecodeError } from './error.js'

export interface NexthopMember {
  readonly id: number
  /** 1..65536; the kernel's field is one less. */
  readonly weight: number
}

export interface NexthopRow {
  readonly id: number
  /** AF.INET or AF.INET6 of the gateway, AF.UNSPEC for groups. */
  readonly family: number
  /** For FDB rows (NDA_NH_ID): the gateway is a remote VTEP. */
  readonly fdb: boolean
  readonly blackhole: boolean
  readonly gateway?: Ip
  readonly oif?: number
  /** RTPROT_* of who wrote it. */
  readonly protocol: number
  /** Present in groups only. */
  readonly group?: readonly NexthopMember[]
  /** NEXTHOP_GRP_TYPE_*: 0 hash threshold, 1 resilient. */
  readonly groupType?: number
}

const HEADER_BYTES = 8
const MEMBER_BYTES = 8

/** struct nexthop_grp: u32 id, u8 weight - 1, u8 its high byte (Linux 6.12; reserved and zero before), u16 reserved. */
const group: Codec<readonly NexthopMember[]> = {
  bytes: 0,
  read(data, start, end) {
    if ((end - start) % MEMBER_BYTES !== 0) throw new RangeError(`${end - start} bytes are no whole number of members of ${MEMBER_BYTES}`)
    const members: NexthopMember[] = []
    for (let at = start; at < end; at += MEMBER_BYTES) {
      members.push({ id: readHostU32(data, at), weight: (data[at + 4] ?? 0) + ((data[at + 5] ?? 0) << 8) + 1 })
    }
    return members
  },
  write(members) {
    const bytes = Buffer.alloc(members.length * MEMBER_BYTES)
    members.forEach(({ id, weight }, index) => {
      writeHostU32(bytes, id, index * MEMBER_BYTES)
      bytes[index * MEMBER_BYTES + 4] = (weight - 1) & 0xff
      bytes[index * MEMBER_BYTES + 5] = (weight - 1) >> 8
    })
    return bytes
  }
}

type NexthopAttributes = Pick<NexthopRow, 'id' | 'gateway' | 'oif' | 'group' | 'groupType'>

const ATTRIBUTES = attributeTable<NexthopAttributes>([
  [NHA.ID, 'id', hostU32],
  [NHA.GROUP, 'group', group],
  [NHA.GROUP_TYPE, 'groupType', hostU16],
  [NHA.OIF, 'oif', hostU32],
  [NHA.GATEWAY, 'gateway', ip]
])

/** Decodes the payload data[start, end) of RTM_NEWNEXTHOP or RTM_DELNEXTHOP. Throws NetlinkDecodeError. */
export function decodeNexthop(data: Buffer, start: number, end: number): NexthopRow {
  if (end - start < HEADER_BYTES) throw new NetlinkDecodeError('nexthop', `nhmsg has ${end - start} bytes, needs ${HEADER_BYTES}`, start)
  const row = { id: 0, family: data[start] ?? 0, fdb: false, blackhole: false, protocol: data[start + 2] ?? 0 }
  const attributes = new AttributeReader(data, start + HEADER_BYTES, end, 'nexthop')
  while (attributes.next()) {
    if (attributes.type === NHA.FDB) row.fdb = true
    else if (attributes.type === NHA.BLACKHOLE) row.blackhole = true
    else decodeField(ATTRIBUTES, attributes, row)
  }
  return row
}

/** The payload of RTM_NEWNEXTHOP; RTM_DELNEXTHOP takes the id alone. */
export function encodeNexthop(row: NexthopRow): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = row.family
  header[2] = row.protocol
  const flags = [...row.blackhole ? [NHA.BLACKHOLE] : [], ...row.fdb ? [NHA.FDB] : []]
  return Buffer.concat([header, ...encodeFields(ATTRIBUTES, row), ...flags.map(type => encodeAttribute(type, Buffer.alloc(0)))])
}

/** The payload of RTM_DELNEXTHOP: the kernel refuses any attribute but the id. */
export function encodeNexthopId(id: number): Buffer {
  return Buffer.concat([Buffer.alloc(HEADER_BYTES), encodeAttribute(NHA.ID, hostU32.write(id))])
}
