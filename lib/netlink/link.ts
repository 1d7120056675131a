// struct ifinfomsg and its IFLA_* attributes: network devices, with what matters of bridge, vxlan and VLAN devices.
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import {
  AttributeReader, attributeTable, decodeField, encodeAttribute, encodeFields, encodeNested,
  hostU16, hostU32, ip, mac, netU16, readHostU32, text, u8, u8Boolean, writeHostU32
} from './attribute.js'
import { AF, IFLA, IFLA_BR, IFLA_BRPORT, IFLA_INET6, IFLA_INFO, IFLA_VLAN, IFLA_VXLAN, VETH_INFO } from './constants.js'
import { NetlinkDecodeError } from './error.js'

export interface VxlanInfo {
  readonly vni?: number
  /** Source address of the tunnel's packets. */
  readonly local?: Ip
  /** Default remote or multicast group. */
  readonly group?: Ip
  /** UDP port. */
  readonly port?: number
  /** Learns remote MACs from packets. */
  readonly learning: boolean
  /** IFLA_VXLAN_COLLECT_METADATA: the tunnel's VNI comes with each packet. */
  readonly external: boolean
  readonly vnifilter: boolean
  /** ifindex of the underlay device it is bound to. */
  readonly link?: number
}

/** Settings of a device as a bridge's port. */
export interface BridgePortInfo {
  readonly learning?: boolean
  readonly neighSuppress?: boolean
  /** Its VLANs have tunnel keys. */
  readonly vlanTunnel?: boolean
}

export interface LinkRow {
  readonly ifindex: number
  readonly name: string
  /** IFF_* bitmask. */
  readonly flags: number
  readonly mtu: number
  /** Absent for devices whose hardware address is no MAC. */
  readonly address?: Mac
  /** ifindex of the bridge (or bond, vrf) the device belongs to. */
  readonly master?: number
  /** ifindex of the lower device, or of a veth's peer (which may be in another namespace). */
  readonly link?: number
  /** `link` counts in the network namespace of this id; absent = in the device's own. */
  readonly linkNetnsid?: number
  /** IFLA_INFO_KIND: bridge, vxlan, veth, ...; absent for plain devices. */
  readonly kind?: string
  /** For kind vxlan. */
  readonly vxlan?: VxlanInfo
  /** For kind bridge. */
  readonly vlanFiltering?: boolean
  /** For kind bridge: the VID that new ports get, 0 = none. */
  readonly vlanDefaultPvid?: number
  /** For kind veth, in requests only: the name of the other end. */
  readonly peer?: string
  /** For kind vlan: the VID. */
  readonly vlanId?: number
  /** For ports of a bridge. */
  readonly bridgePort?: BridgePortInfo
  readonly alias?: string
  /** IN6_ADDR_GEN_MODE_*: how it gets a link-local address; absent where the device has no IPv6. */
  readonly addrGenMode?: number
}

const HEADER_BYTES = 16

type LinkAttributes = Pick<LinkRow, 'name' | 'mtu' | 'address' | 'master' | 'link' | 'linkNetnsid' | 'alias'>

const ATTRIBUTES = attributeTable<LinkAttributes>([
  [IFLA.IFNAME, 'name', text],
  [IFLA.MTU, 'mtu', hostU32],
  [IFLA.LINK, 'link', hostU32],
  [IFLA.LINK_NETNSID, 'linkNetnsid', hostU32],
  [IFLA.MASTER, 'master', hostU32],
  [IFLA.ADDRESS, 'address', mac],
  [IFLA.IFALIAS, 'alias', text]
])

type LinkInfo = { kind?: string, slaveKind?: string }

const INFO_ATTRIBUTES = attributeTable<LinkInfo>([
  [IFLA_INFO.KIND, 'kind', text],
  [IFLA_INFO.SLAVE_KIND, 'slaveKind', text]
])

const VXLAN_ATTRIBUTES = attributeTable<VxlanInfo>([
  [IFLA_VXLAN.ID, 'vni', hostU32],
  [IFLA_VXLAN.GROUP, 'group', ip],
  [IFLA_VXLAN.GROUP6, 'group', ip],
  [IFLA_VXLAN.LINK, 'link', hostU32],
  [IFLA_VXLAN.LOCAL, 'local', ip],
  [IFLA_VXLAN.LOCAL6, 'local', ip],
  [IFLA_VXLAN.LEARNING, 'learning', u8Boolean],
  [IFLA_VXLAN.PORT, 'port', netU16],
  [IFLA_VXLAN.COLLECT_METADATA, 'external', u8Boolean],
  [IFLA_VXLAN.VNIFILTER, 'vnifilter', u8Boolean]
])

const BRIDGE_ATTRIBUTES = attributeTable<Pick<LinkRow, 'vlanFiltering' | 'vlanDefaultPvid'>>([
  [IFLA_BR.VLAN_FILTERING, 'vlanFiltering', u8Boolean],
  [IFLA_BR.VLAN_DEFAULT_PVID, 'vlanDefaultPvid', hostU16]
])

const INET6_ATTRIBUTES = attributeTable<Pick<LinkRow, 'addrGenMode'>>([
  [IFLA_INET6.ADDR_GEN_MODE, 'addrGenMode', u8]
])

const VLAN_ATTRIBUTES = attributeTable<{ vlanId: number }>([
  [IFLA_VLAN.ID, 'vlanId', hostU16]
])

const BRIDGE_PORT_ATTRIBUTES = attributeTable<BridgePortInfo>([
  [IFLA_BRPORT.LEARNING, 'learning', u8Boolean],
  [IFLA_BRPORT.NEIGH_SUPPRESS, 'neighSuppress', u8Boolean],
  [IFLA_BRPORT.VLAN_TUNNEL, 'vlanTunnel', u8Boolean]
])

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/** Decodes the payload data[start, end) of RTM_NEWLINK or RTM_DELLINK with family AF_UNSPEC. Throws NetlinkDecodeError. */
export function decodeLink(data: Buffer, start: number, end: number): LinkRow {
  if (end - start < HEADER_BYTES) throw new NetlinkDecodeError('link', `ifinfomsg has ${end - start} bytes, needs ${HEADER_BYTES}`, start)
  const row: Writable<LinkRow> = { ifindex: readHostU32(data, start + 4), name: '', flags: readHostU32(data, start + 8), mtu: 0 }
  const attributes = new AttributeReader(data, start + HEADER_BYTES, end, 'link')
  while (attributes.next()) {
    if (attributes.type === IFLA.LINKINFO) decodeLinkInfo(attributes, row)
    else if (attributes.type === IFLA.AF_SPEC) decodeFamilies(attributes.nested('af_spec'), row)
    else decodeField(ATTRIBUTES, attributes, row)
  }
  return row
}

/** Decodes the bridge driver's RTM_NEWLINK (family AF_BRIDGE) about a port. Throws NetlinkDecodeError. */
export function decodeBridgePortNews(data: Buffer, start: number, end: number): { readonly ifindex: number, readonly info: BridgePortInfo } {
  if (end - start < HEADER_BYTES) throw new NetlinkDecodeError('link', `ifinfomsg has ${end - start} bytes, needs ${HEADER_BYTES}`, start)
  const attributes = new AttributeReader(data, start + HEADER_BYTES, end, 'link')
  let info: BridgePortInfo = {}
  while (attributes.next()) if (attributes.type === IFLA.PROTINFO) info = decodeBridgePort(attributes.nested('protinfo'))
  return { ifindex: readHostU32(data, start + 4), info }
}

/** What the data attributes mean depends on the kind attributes, which may come after them. */
function decodeLinkInfo(linkinfo: AttributeReader, row: Writable<LinkRow>): void {
  const info: LinkInfo = {}
  let kindData: AttributeReader | undefined
  let slaveData: AttributeReader | undefined
  const attributes = linkinfo.nested('linkinfo')
  while (attributes.next()) {
    if (attributes.type === IFLA_INFO.DATA) kindData = attributes.nested('data')
    else if (attributes.type === IFLA_INFO.SLAVE_DATA) slaveData = attributes.nested('slave_data')
    else decodeField(INFO_ATTRIBUTES, attributes, info)
  }
  if (info.kind !== undefined) row.kind = info.kind
  if (info.kind === 'vxlan' && kindData !== undefined) row.vxlan = decodeVxlan(kindData)
  if (info.kind === 'bridge' && kindData !== undefined) while (kindData.next()) decodeField(BRIDGE_ATTRIBUTES, kindData, row)
  if (info.kind === 'vlan' && kindData !== undefined) while (kindData.next()) decodeField(VLAN_ATTRIBUTES, kindData, row)
  if (info.slaveKind === 'bridge' && slaveData !== undefined) row.bridgePort = decodeBridgePort(slaveData)
}

/** IFLA_AF_SPEC holds one attribute for each address family, whose number is its type. */
function decodeFamilies(families: AttributeReader, row: Writable<LinkRow>): void {
  while (families.next()) {
    if (families.type !== AF.INET6) continue
    const attributes = families.nested('inet6')
    while (attributes.next()) decodeField(INET6_ATTRIBUTES, attributes, row)
  }
}

function decodeVxlan(attributes: AttributeReader): VxlanInfo {
  const vxlan: VxlanInfo = { learning: false, external: false, vnifilter: false }
  while (attributes.next()) decodeField(VXLAN_ATTRIBUTES, attributes, vxlan)
  return vxlan
}

function decodeBridgePort(attributes: AttributeReader): BridgePortInfo {
  const port: BridgePortInfo = {}
  while (attributes.next()) decodeField(BRIDGE_PORT_ATTRIBUTES, attributes, port)
  return port
}

/**
 * The payload of RTM_NEWLINK. `change` is the mask of IFF_* flags that a request sets; the kernel's own messages carry 0xffffffff or 0.
 * A field that is undefined is not sent, so the kernel keeps it.
 */
export function encodeLink(row: Partial<LinkRow>, change = 0): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  writeHostU32(header, row.ifindex ?? 0, 4)
  writeHostU32(header, row.flags ?? 0, 8)
  writeHostU32(header, change, 12)
  const info = encodeLinkInfo(row)
  const inet6 = encodeFields(INET6_ATTRIBUTES, row)
  return Buffer.concat([
    header,
    ...encodeFields(ATTRIBUTES, row),
    ...info.length === 0 ? [] : [encodeNested(IFLA.LINKINFO, info)],
    ...inet6.length === 0 ? [] : [encodeNested(IFLA.AF_SPEC, [encodeNested(AF.INET6, inet6)])]
  ])
}

function encodeLinkInfo(row: Partial<LinkRow>): Buffer[] {
  const info: Buffer[] = []
  if (row.kind !== undefined) info.push(encodeAttribute(IFLA_INFO.KIND, text.write(row.kind)))
  if (row.vxlan !== undefined) info.push(encodeNested(IFLA_INFO.DATA, encodeVxlan(row.vxlan)))
  const bridge = encodeFields(BRIDGE_ATTRIBUTES, row)
  if (bridge.length > 0) info.push(encodeNested(IFLA_INFO.DATA, bridge))
  if (row.peer !== undefined) info.push(encodeNested(IFLA_INFO.DATA, [encodeNested(VETH_INFO.PEER, [encodeLink({ name: row.peer })])]))
  if (row.vlanId !== undefined) info.push(encodeNested(IFLA_INFO.DATA, encodeFields(VLAN_ATTRIBUTES, row)))
  if (row.bridgePort !== undefined) {
    info.push(encodeAttribute(IFLA_INFO.SLAVE_KIND, text.write('bridge')))
    info.push(encodeNested(IFLA_INFO.SLAVE_DATA, encodeFields(BRIDGE_PORT_ATTRIBUTES, row.bridgePort)))
  }
  return info
}

/** An address goes to the attribute of its family; `external` and `vnifilter` are sent only when true: older kernels refuse them. */
function encodeVxlan(vxlan: VxlanInfo): Buffer[] {
  const { local, group, external, vnifilter, ...plain } = vxlan
  const attributes = encodeFields(VXLAN_ATTRIBUTES, { ...plain, ...external ? { external } : {}, ...vnifilter ? { vnifilter } : {} })
  if (local !== undefined) attributes.push(encodeAttribute(local.includes(':') ? IFLA_VXLAN.LOCAL6 : IFLA_VXLAN.LOCAL, ip.write(local)))
  if (group !== undefined) attributes.push(encodeAttribute(group.includes(':') ? IFLA_VXLAN.GROUP6 : IFLA_VXLAN.GROUP, ip.write(group)))
  return attributes
}
