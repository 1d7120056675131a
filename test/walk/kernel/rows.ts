// What the fake kernel holds, and how each row looks in a netlink message. Measured on Linux 6.18 with `ip monitor`.
import { AF, BRIDGE_VLAN_INFO, IFF, NTF, NUD, type LinkRow, type NeighRow, type RtMessage, type VxlanInfo } from '../../../lib/netlink/index.js'
import type { Ip } from '../../../lib/net/ip.js'
import type { Mac } from '../../../lib/net/mac.js'

/** Who wrote a row last. `kernel`: addresses of devices, resolved neighbours. */
export type Writer = 'agent' | 'speaker' | 'foreign' | 'kernel'

export interface Device {
  readonly ifindex: number
  name: string
  readonly kind: 'bridge' | 'vxlan' | 'veth' | 'vlan'
  up: boolean
  master: number | undefined
  readonly mac: Mac
  vxlan: VxlanInfo | undefined
  /** Its address is its bridge's too: when it comes or goes the bridge's address changes, which flushes the bridge's neighbours. */
  readonly lendsAddress: boolean
  /** Of a bridge. */
  readonly vlanFiltering: boolean
  /** Of a port of a bridge that filters by VLAN: its VLANs, with their tunnel keys. */
  readonly vlans: Map<number, number | undefined>
  pvid: number | undefined
  /** Of a VLAN device. */
  readonly svi: { readonly bridge: number, readonly vlan: number } | undefined
}

/** The bridge's only row for a MAC in a VLAN; VLAN 0 in a bridge without VLAN filtering. */
export interface BridgeRow {
  readonly table: 'bridge'
  readonly bridge: number
  readonly mac: Mac
  readonly vlan: number
  /** ifindex of the port, or of the bridge itself. */
  readonly port: number
  /** One of NUD.PERMANENT, NOARP, REACHABLE. */
  readonly state: number
  /** EXT_LEARNED and STICKY. */
  readonly flags: number
  readonly writer: Writer
}

/** A vxlan device's row: one for a unicast MAC, one for each remote of the zero MAC. */
export interface DeviceRow {
  readonly table: 'device'
  readonly ifindex: number
  readonly mac: Mac
  /** Absent in a row on a nexthop. */
  readonly dst: Ip | undefined
  readonly nhId: number | undefined
  /** Absent when it is the device's. */
  readonly port: number | undefined
  /** VNI it belongs to, on a device of many; absent for VNI 0. */
  readonly srcVni: number | undefined
  /** VNI to encapsulate with, when it is not the device's. */
  readonly vni: number | undefined
  readonly state: number
  readonly flags: number
  readonly writer: Writer
}

export interface Neighbour {
  readonly table: 'neighbour'
  readonly ifindex: number
  readonly ip: Ip
  readonly mac: Mac | undefined
  readonly state: number
  readonly flags: number
  readonly protocol: number
  readonly writer: Writer
}

export type Row = BridgeRow | DeviceRow | Neighbour

/** A message of the socket; `row` is what it tells of, so that one can ask what a reader has been told. */
export interface News {
  readonly message: RtMessage
  readonly row?: Row
}

const NEVER_CHANGES = { mtu: 1500 } as const

export function linkRow(device: Device): LinkRow {
  return {
    ...NEVER_CHANGES,
    ifindex: device.ifindex,
    name: device.name,
    flags: device.up ? IFF.UP | IFF.BROADCAST : IFF.BROADCAST,
    address: device.mac,
    kind: device.kind,
    ...(device.master === undefined ? {} : { master: device.master }),
    ...(device.vxlan === undefined ? {} : { vxlan: device.vxlan }),
    ...(device.vlanFiltering ? { vlanFiltering: true } : {}),
    ...(device.svi === undefined ? {} : { link: device.svi.bridge, vlanId: device.svi.vlan })
  }
}

export function neighRow(row: Row): NeighRow {
  switch (row.table) {
    case 'bridge':
      return {
        family: AF.BRIDGE, ifindex: row.port, state: row.state, flags: row.flags, type: 0, lladdr: row.mac, master: row.bridge, flagsExt: 0,
        ...(row.vlan === 0 ? {} : { vlan: row.vlan })
      }
    case 'device':
      return {
        family: AF.BRIDGE, ifindex: row.ifindex, state: row.state, flags: row.flags | NTF.SELF, type: 1, lladdr: row.mac,
        ...(row.dst === undefined ? {} : { dst: row.dst }), ...(row.nhId === undefined ? {} : { nhId: row.nhId }),
        ...(row.port === undefined ? {} : { port: row.port }), ...(row.vni === undefined ? {} : { vni: row.vni }),
        ...(row.srcVni === undefined ? {} : { srcVni: row.srcVni })
      }
    case 'neighbour':
      return {
        family: row.ip.includes(':') ? AF.INET6 : AF.INET, ifindex: row.ifindex, state: row.state, flags: row.flags, type: 1, dst: row.ip,
        ...(row.mac === undefined ? {} : { lladdr: row.mac }), ...(row.protocol === 0 ? {} : { protocol: row.protocol })
      }
  }
}

export function linkNews(op: 'new' | 'del', device: Device): News {
  return { message: { kind: 'link', op, row: linkRow(device) } }
}

/** VLANs of a port: that these are there, as they are now, or are gone. */
export function vlanNews(op: 'new' | 'del', { ifindex, vlans, pvid }: Device, vids: readonly number[]): News {
  const ranges = vids.map((vid) => {
    const tunnelId = op === 'del' ? undefined : vlans.get(vid)
    return { vid, flags: op === 'new' && vid === pvid ? BRIDGE_VLAN_INFO.PVID : 0, ...(tunnelId === undefined ? {} : { tunnelId }) }
  })
  return { message: { kind: 'vlan', op, row: { ifindex, vlans: ranges } } }
}

export function rowNews(op: 'new' | 'del', row: Row): News {
  return { message: { kind: 'neigh', op, row: neighRow(row) }, row }
}

/** Every device without a forwarding database of its own shows its multicast filter in a dump, and only there. */
export function filterNews(device: Device): News {
  const row = { family: AF.BRIDGE, ifindex: device.ifindex, state: NUD.PERMANENT, flags: NTF.SELF, type: 0, lladdr: '33:33:00:00:00:01' }
  return { message: { kind: 'neigh', op: 'new', row } }
}

/** A row in words. */
export function rowText(row: Row): string {
  const rest = `state ${row.state} flags ${row.flags} by ${row.writer}`
  switch (row.table) {
    case 'bridge': return `bridge ${row.bridge}: ${row.mac} VLAN ${row.vlan} on port ${row.port} ${rest}`
    case 'device': return `device ${row.ifindex}: ${row.mac} behind ${row.dst ?? `nexthop ${row.nhId}`}${row.port === undefined ? '' : ` port ${row.port}`} ${rest}`
    case 'neighbour': return `neighbour ${row.ip} at ${row.mac} on device ${row.ifindex} proto ${row.protocol} ${rest}`
  }
}
