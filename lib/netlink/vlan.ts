// struct br_vlan_msg and its BRIDGE_VLANDB_* attributes: the VLANs of a bridge's port, or of the bridge itself.
import { AttributeReader, encodeAttribute, encodeNested, hostU16, hostU32, readHostU16, writeHostU16, writeHostU32 } from './attribute.js'
import { AF, BRIDGE_VLANDB, BRIDGE_VLANDB_ENTRY, BRIDGE_VLANDB_TINFO, BRIDGE_VLAN_INFO } from './constants.js'
import { NetlinkDecodeError } from './error.js'

/** One VLAN, or those from `vid` to `end`. */
export interface VlanRange {
  readonly vid: number
  /** The last of a range; absent for one VLAN. */
  readonly end?: number
  /** BRIDGE_VLAN_INFO_* bitmask. */
  readonly flags: number
  /** Tunnel key (a VNI) of `vid` on a port with vlan_tunnel; the others of a range have those that follow, one by one. */
  readonly tunnelId?: number
}

export interface VlanRow {
  /** Of the port or bridge. */
  readonly ifindex: number
  readonly vlans: readonly VlanRange[]
}

const HEADER_BYTES = 8
/** struct bridge_vlan_info: flags and VID. */
const INFO_BYTES = 4

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/** Decodes the payload data[start, end) of RTM_NEWVLAN or RTM_DELVLAN. Throws NetlinkDecodeError. */
export function decodeVlan(data: Buffer, start: number, end: number): VlanRow {
  if (end - start < HEADER_BYTES) throw new NetlinkDecodeError('vlan', `br_vlan_msg has ${end - start} bytes, needs ${HEADER_BYTES}`, start)
  const vlans: VlanRange[] = []
  const attributes = new AttributeReader(data, start + HEADER_BYTES, end, 'vlan')
  // Options that a bridge has for a VLAN as a whole come as BRIDGE_VLANDB_GLOBAL_OPTIONS: they make no member.
  while (attributes.next()) if (attributes.type === BRIDGE_VLANDB.ENTRY) vlans.push(decodeEntry(attributes.nested('entry')))
  return { ifindex: hostU32.read(data, start + 4, end) ?? 0, vlans }
}

function decodeEntry(attributes: AttributeReader): VlanRange {
  let range: Writable<VlanRange> | undefined
  const more: { end?: number, tunnelId?: number } = {}
  while (attributes.next()) {
    const { data, start } = attributes
    switch (attributes.type) {
      case BRIDGE_VLANDB_ENTRY.INFO:
        need(attributes, INFO_BYTES)
        range = { flags: readHostU16(data, start), vid: readHostU16(data, start + 2) }
        break
      case BRIDGE_VLANDB_ENTRY.RANGE:
        need(attributes, hostU16.bytes)
        more.end = readHostU16(data, start)
        break
      case BRIDGE_VLANDB_ENTRY.TUNNEL_INFO: Object.assign(more, decodeTunnel(attributes.nested('tunnel_info')))
    }
  }
  if (range === undefined) throw attributes.error('an entry without bridge_vlan_info', attributes.limit)
  return { ...range, ...more }
}

function decodeTunnel(attributes: AttributeReader): { tunnelId?: number } {
  const tunnel: { tunnelId?: number } = {}
  while (attributes.next()) {
    if (attributes.type !== BRIDGE_VLANDB_TINFO.ID) continue
    need(attributes, hostU32.bytes)
    tunnel.tunnelId = hostU32.read(attributes.data, attributes.start, attributes.end) ?? 0
  }
  return tunnel
}

function need(attributes: AttributeReader, bytes: number): void {
  const length = attributes.end - attributes.start
  if (length < bytes) throw attributes.error(`attribute ${attributes.type} has ${length} bytes, needs ${bytes}`)
}

/** The payload of RTM_NEWVLAN, RTM_DELVLAN as the kernel would notify it. */
export function encodeVlan({ ifindex, vlans }: VlanRow): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = AF.BRIDGE
  writeHostU32(header, ifindex, 4)
  return Buffer.concat([header, ...vlans.map((range) => encodeNested(BRIDGE_VLANDB.ENTRY, encodeEntry(range)))])
}

function encodeEntry({ vid, end, flags, tunnelId }: VlanRange): Buffer[] {
  const info = Buffer.alloc(INFO_BYTES)
  writeHostU16(info, flags, 0)
  writeHostU16(info, vid, 2)
  return [
    encodeAttribute(BRIDGE_VLANDB_ENTRY.INFO, info),
    ...end === undefined ? [] : [encodeAttribute(BRIDGE_VLANDB_ENTRY.RANGE, hostU16.write(end))],
    ...tunnelId === undefined ? []
      : [encodeNested(BRIDGE_VLANDB_ENTRY.TUNNEL_INFO, [encodeAttribute(BRIDGE_VLANDB_TINFO.ID, hostU32.write(tunnelId))])]
  ]
}

/** The flag that makes a VLAN the one of untagged frames that come in. */
export function isPvid({ flags }: Pick<VlanRange, 'flags'>): boolean {
  return (flags & BRIDGE_VLAN_INFO.PVID) !== 0
}
