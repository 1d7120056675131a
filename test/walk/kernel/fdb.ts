// Two forwarding databases as the kernel keeps them: the bridge driver's (net/bridge/br_fdb.c) and a vxlan device's
// (drivers/net/vxlan). Requests return the errno's name, or undefined; what changed is told to `notify`.
import { NTF, NUD, type NeighRow } from '../../../lib/netlink/index.js'
import { isMulticastMac, ZERO_MAC, type Mac } from '../../../lib/net/mac.js'
import type { Nexthops } from './nexthops.js'
import { rowNews, type BridgeRow, type Device, type DeviceRow, type News, type Writer } from './rows.js'

export type Notify = (news: News) => void

export class BridgeFdb {
  readonly #tables = new Map<number, Map<string, BridgeRow>>()

  rows(bridge: number): BridgeRow[] {
    return [...this.#tables.get(bridge)?.values() ?? []]
  }

  get(bridge: number, mac: Mac, vlan = 0): BridgeRow | undefined {
    return this.#tables.get(bridge)?.get(`${mac} ${vlan}`)
  }

  all(): BridgeRow[] {
    return [...this.#tables.values()].flatMap((table) => [...table.values()])
  }

  /** RTM_NEWNEIGH with NTF_MASTER. Without a VLAN, it is for VLAN 0 and for each that the port is in. */
  add(port: Device & { master: number }, request: NeighRow, writer: Writer, notify: Notify): string | undefined {
    const vlans = vlansOf(port, request)
    for (const vlan of vlans) this.#addIn(vlan, port, request, writer, notify)
    return vlans.length === 0 ? 'EINVAL' : undefined
  }

  /** A row that exists moves to this port, and no deletion tells of where it was. */
  #addIn(vlan: number, port: Device & { master: number }, request: NeighRow, writer: Writer, notify: Notify): void {
    const mac = request.lladdr ?? ''
    const old = this.get(port.master, mac, vlan)
    const isExternal = (request.flags & NTF.EXT_LEARNED) !== 0
    const sticky = request.flags & NTF.STICKY
    // An external claim keeps the flags of the row it takes over; a plain write keeps EXT_LEARNED but sets the state.
    const flags = isExternal ? (old?.flags ?? 0) | NTF.EXT_LEARNED : ((old?.flags ?? 0) & NTF.EXT_LEARNED) | sticky
    const plain = (request.state & NUD.PERMANENT) !== 0 ? NUD.PERMANENT : (request.state & NUD.NOARP) !== 0 ? NUD.NOARP : NUD.REACHABLE
    const state = isExternal ? old?.state ?? NUD.REACHABLE : plain
    const row: BridgeRow = { table: 'bridge', bridge: port.master, mac, vlan, port: port.ifindex, state, flags, writer }
    // A plain write of a state the bridge shows otherwise (a sticky one is REACHABLE too) is told each time.
    const isSameState = isExternal || old?.state === request.state
    if (old !== undefined && old.port === row.port && isSameState && old.state === state && old.flags === flags) return
    this.#put(row)
    notify(rowNews('new', row))
  }

  /** RTM_DELNEIGH with NTF_MASTER: only on the port where the row is. */
  remove(port: Device & { master: number }, request: NeighRow, notify: Notify): string | undefined {
    const vlans = vlansOf(port, request)
    if (vlans.length === 0) return 'EINVAL'
    const rows = vlans.flatMap((vlan) => this.get(port.master, request.lladdr ?? '', vlan) ?? []).filter((row) => row.port === port.ifindex)
    for (const row of rows) this.drop(row, notify)
    return rows.length === 0 ? 'ENOENT' : undefined
  }

  /** An address of the bridge's own or of a port: it drives out what was learned, and is kept when two have it. */
  addLocal(bridge: number, port: number, mac: Mac, notify: Notify, vlan = 0): void {
    const old = this.get(bridge, mac, vlan)
    if (old?.state === NUD.PERMANENT) return
    if (old !== undefined) this.drop(old, notify)
    const row: BridgeRow = { table: 'bridge', bridge, mac, vlan, port, state: NUD.PERMANENT, flags: 0, writer: 'kernel' }
    this.#put(row)
    notify(rowNews('new', row))
  }

  /** Removes a row; `reportedPort` is what the notification names as its port. */
  drop(row: BridgeRow, notify: Notify, reportedPort = row.port): void {
    this.#tables.get(row.bridge)?.delete(`${row.mac} ${row.vlan}`)
    notify(rowNews('del', { ...row, port: reportedPort }))
  }

  /** Newest first, as in the kernel's list; a row that changes keeps its place. */
  #put(row: BridgeRow): void {
    const table = this.#tables.get(row.bridge) ?? new Map<string, BridgeRow>()
    const key = `${row.mac} ${row.vlan}`
    if (table.has(key)) table.set(key, row)
    else this.#tables.set(row.bridge, new Map([[key, row], ...table]))
  }
}

/** A request names a VLAN, in which the port must be (6.1, 6.18: EINVAL), or means all. */
function vlansOf({ vlans }: Device, { vlan }: NeighRow): readonly number[] {
  if (vlan === undefined) return [0, ...vlans.keys()]
  return vlans.has(vlan) ? [vlan] : []
}

export class VxlanFdb {
  readonly #tables = new Map<number, Map<string, DeviceRow>>()
  readonly #nexthops: Nexthops

  constructor(nexthops: Nexthops) {
    this.#nexthops = nexthops
  }

  rows(ifindex: number): DeviceRow[] {
    return [...this.#tables.get(ifindex)?.values() ?? []]
  }

  get(ifindex: number, mac: Mac): DeviceRow | undefined {
    return this.rows(ifindex).find((row) => row.mac === mac)
  }

  all(): DeviceRow[] {
    return [...this.#tables.values()].flatMap((table) => [...table.values()])
  }

  /** RTM_NEWNEIGH with NTF_SELF. */
  add(device: Device, op: 'replace' | 'append', request: NeighRow, writer: Writer, notify: Notify): string | undefined {
    const { lladdr: mac = '', dst, nhId } = request
    if ((dst === undefined) === (nhId === undefined) || (request.state & (NUD.PERMANENT | NUD.REACHABLE)) === 0) return 'EINVAL'
    const port = request.port === device.vxlan?.port ? undefined : request.port
    // The bridge takes MASTER off a request; without a bridge it stays, and is told.
    const kept = NTF.EXT_LEARNED | NTF.STICKY | (device.master === undefined ? NTF.MASTER : 0)
    const flags = request.flags & kept
    const fresh: DeviceRow = { table: 'device', ifindex: device.ifindex, mac, dst, nhId, port, ...vnisOf(device, request), state: request.state, flags, writer }
    const table = this.#tables.get(device.ifindex) ?? new Map<string, DeviceRow>()
    this.#tables.set(device.ifindex, table)
    if (isMany(mac) && op === 'replace' && this.rows(device.ifindex).some((other) => other.mac === mac && other.srcVni === fresh.srcVni)) return 'EOPNOTSUPP'
    const old = table.get(rowKey(fresh))
    const refusal = nhId === undefined ? undefined : this.#refuseNexthop(device, nhId, old)
    if (refusal !== undefined) return refusal
    // A row on a nexthop is asked for a remote: it is granted, and stays on its nexthop.
    if (old?.nhId !== undefined && dst !== undefined) return this.#keepNexthop(old, fresh, table, notify)
    // A speaker's claim on a row that stands changes where it points, and nothing else about it.
    const row = old !== undefined && (request.flags & NTF.EXT_LEARNED) !== 0 ? { ...fresh, state: old.state, flags: old.flags } : fresh
    const isSameRemote = old !== undefined && old.dst === row.dst && old.port === row.port && old.vni === row.vni && old.nhId === row.nhId
    if (isSameRemote && old.state === row.state && old.flags === row.flags) return undefined
    table.set(rowKey(row), row)
    notify(rowNews('new', row))
    return undefined
  }

  #refuseNexthop(device: Device, nhId: number, old: DeviceRow | undefined): string | undefined {
    if (old !== undefined && old.nhId === undefined) return 'EOPNOTSUPP'
    if (old?.nhId === nhId) return undefined
    // A group, of the family of the device's own address.
    if (this.#nexthops.get(nhId)?.group === undefined) return 'EINVAL'
    return this.#nexthops.hasV4(nhId) === (device.vxlan?.local?.includes(':') !== true) ? undefined : 'EAFNOSUPPORT'
  }

  /** All that such a request can change is state and flags, and a speaker's not even that. */
  #keepNexthop(old: DeviceRow, { state, flags, writer }: DeviceRow, table: Map<string, DeviceRow>, notify: Notify): undefined {
    if ((flags & NTF.EXT_LEARNED) !== 0 || (old.state === state && old.flags === flags)) return
    const row = { ...old, state, flags, writer }
    table.set(rowKey(row), row)
    notify(rowNews('new', row))
  }

  /** A nexthop went: its rows with it, untold. */
  flushNexthop(nhId: number): void {
    for (const table of this.#tables.values()) {
      for (const [key, row] of table) if (row.nhId === nhId) table.delete(key)
    }
  }

  /** RTM_DELNEIGH with NTF_SELF. */
  remove(device: Device, request: NeighRow, notify: Notify): string | undefined {
    const { lladdr: mac = '', dst } = request
    const port = request.port === device.vxlan?.port ? undefined : request.port
    const { vni, srcVni } = vnisOf(device, request)
    const rows = this.rows(device.ifindex).filter((one) => one.mac === mac && one.srcVni === srcVni)
    if (rows.length === 0) return 'ENOENT'
    // A remote the row does not have is no error: nothing happens.
    const row = rows.find((one) => dst === undefined || (one.dst === dst && one.port === port && one.vni === vni))
    if (row !== undefined) this.drop(row, notify)
    return undefined
  }

  drop(row: DeviceRow, notify: Notify): void {
    this.#tables.get(row.ifindex)?.delete(rowKey(row))
    notify(rowNews('del', row))
  }
}

/** Only these may have several remotes. */
function isMany(mac: Mac): boolean {
  return mac === ZERO_MAC || isMulticastMac(mac)
}

function rowKey({ mac, srcVni, dst, port, vni }: DeviceRow): string {
  return isMany(mac) ? `${mac} ${srcVni} ${dst} ${port ?? ''} ${vni}` : `${mac} ${srcVni}`
}

/** Only a device of many VNIs asks whose a row is, and VNI 0 stands for none; a row's own VNI is kept when it is not the device's. */
function vnisOf({ vxlan }: Device, request: NeighRow): Pick<DeviceRow, 'srcVni' | 'vni'> {
  const own = vxlan?.external === true ? 0 : vxlan?.vni
  return {
    srcVni: vxlan?.external === true && request.srcVni !== 0 ? request.srcVni : undefined,
    vni: request.vni === own ? undefined : request.vni
  }
}
