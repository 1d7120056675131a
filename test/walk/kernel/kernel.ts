// A kernel with bridges, vxlan devices and veths: what requests do to it, and what it tells about that. The rules and
// the order of the messages are those of Linux 6.18, seen with `ip monitor` and from the answers to requests.
import { AF, NTF, NUD, type NeighRow, type NexthopRow, type VxlanInfo, type WriteRequest } from '../../../lib/netlink/index.js'
import type { Ip } from '../../../lib/net/ip.js'
import type { Mac } from '../../../lib/net/mac.js'
import { BridgeFdb, VxlanFdb } from './fdb.js'
import { Neighbours } from './neighbours.js'
import { Nexthops } from './nexthops.js'
import { linkNews, rowNews, vlanNews, type Device, type News, type Row, type Writer } from './rows.js'

export interface NewDevice {
  readonly name: string
  readonly kind: Device['kind']
  readonly mac: Mac
  readonly vxlan?: VxlanInfo
  readonly lendsAddress?: boolean
  readonly vlanFiltering?: boolean
  readonly svi?: Device['svi']
}

type Port = Device & { master: number }

export class FakeKernel {
  readonly devices = new Map<number, Device>()
  readonly bridges = new BridgeFdb()
  readonly nexthops = new Nexthops()
  readonly vxlans = new VxlanFdb(this.nexthops)
  readonly neighbours = new Neighbours()
  /** Grows when a device comes, goes or changes: a dump of links under way notices. */
  linkGeneration = 0
  #lastIfindex = 1
  readonly #tell: (news: readonly News[]) => void

  constructor(tell: (news: readonly News[]) => void) {
    this.#tell = tell
  }

  byName(name: string): Device | undefined {
    return [...this.devices.values()].find((device) => device.name === name)
  }

  /** The VLAN device on a bridge. */
  svi(bridge: number, vlan: number): Device | undefined {
    return [...this.devices.values()].find(({ svi }) => svi?.bridge === bridge && svi.vlan === vlan)
  }

  ports(bridge: number): Port[] {
    return [...this.devices.values()].filter((device): device is Port => device.master === bridge)
  }

  rows(): Row[] {
    return [...this.bridges.all(), ...this.vxlans.all(), ...this.neighbours.all()]
  }

  // --- devices

  create({ name, kind, mac, vxlan, lendsAddress = false, vlanFiltering = false, svi }: NewDevice): Device | undefined {
    if (this.byName(name) !== undefined || (svi !== undefined && this.svi(svi.bridge, svi.vlan) !== undefined)) return undefined
    const device: Device = { ifindex: ++this.#lastIfindex, name, kind, mac, up: false, master: undefined, vxlan, lendsAddress, vlanFiltering, vlans: new Map(), pvid: undefined, svi }
    this.devices.set(device.ifindex, device)
    this.linkGeneration++
    this.#record((news) => {
      if (kind === 'bridge') this.bridges.addLocal(device.ifindex, device.ifindex, mac, push(news))
      news.push(linkNews('new', device))
    })
    return device
  }

  /**
   * The device and everything that is on it; ports of a bridge stay, without a master. `isMoved`: it goes to another network
   * namespace, and a vxlan device takes its rows along unannounced.
   */
  destroy(device: Device, isMoved = false): void {
    for (const upper of [...this.devices.values()]) if (upper.svi?.bridge === device.ifindex) this.destroy(upper)
    this.#record((news) => {
      for (const row of this.vxlans.rows(device.ifindex)) this.vxlans.drop(row, isMoved ? () => undefined : push(news))
      device.up = false
      if (device.kind === 'bridge') {
        for (const port of this.ports(device.ifindex)) this.#release(port, news)
        for (const row of this.bridges.rows(device.ifindex)) this.bridges.drop(row, push(news))
      }
      news.push(linkNews('new', device))
      if (isPort(device)) this.#release(device, news, true)
      for (const row of this.neighbours.on(device.ifindex)) this.neighbours.drop(row, push(news))
      this.devices.delete(device.ifindex)
      news.push(linkNews('del', device))
    })
    this.linkGeneration++
  }

  /** False when the name is taken. */
  rename(device: Device, name: string): boolean {
    if (this.byName(name) !== undefined) return false
    this.change(device, () => {
      device.name = name
    })
    return true
  }

  /** Any change that a device's own message tells. */
  change(device: Device, apply: () => void): void {
    apply()
    this.linkGeneration++
    this.#tell([linkNews('new', device)])
  }

  /** Neighbours go when their device goes down, static ones too; a vxlan device forgets rows that are not static. */
  setUp(device: Device, up: boolean): void {
    if (device.up === up) return
    this.linkGeneration++
    this.#record((news) => {
      if (!up) {
        for (const row of this.vxlans.rows(device.ifindex)) {
          if ((row.state & (NUD.NOARP | NUD.PERMANENT)) === 0) this.vxlans.drop(row, push(news))
        }
      }
      device.up = up
      news.push(linkNews('new', device))
      if (!up) for (const row of this.neighbours.on(device.ifindex)) this.neighbours.drop(row, push(news))
    })
  }

  /** Moves a device into a bridge, to another, or (undefined) out of any. */
  enslave(device: Device, bridge: Device | undefined): void {
    this.linkGeneration++
    this.#record((news) => {
      if (isPort(device)) this.#release(device, news)
      if (bridge === undefined) return
      device.master = bridge.ifindex
      news.push(linkNews('new', device), linkNews('new', device), linkNews('new', bridge))
      this.bridges.addLocal(bridge.ifindex, device.ifindex, device.mac, push(news))
      if (device.lendsAddress) this.#addressChanged(bridge, news)
    })
  }

  /** `bridge vlan add`: with another tunnel key, as PVID or not; nothing tells that the old PVID is none any more. */
  setVlan(port: Device, vid: number, tunnelId: number | undefined, isPvid: boolean): void {
    const { master } = port
    if (master === undefined || this.devices.get(master)?.vlanFiltering !== true) return
    // A port has a key once (vlan_tunnel_hash).
    if (tunnelId !== undefined && [...port.vlans].some(([other, id]) => other !== vid && id === tunnelId)) return
    this.#record((news) => {
      port.vlans.set(vid, tunnelId)
      if (isPvid) port.pvid = vid
      else if (port.pvid === vid) port.pvid = undefined
      this.bridges.addLocal(master, port.ifindex, port.mac, push(news), vid)
      news.push(vlanNews('new', port, [vid]))
    })
  }

  /** `bridge vlan del`: static rows stay, and cannot be deleted any more. */
  deleteVlan(port: Device, vid: number): void {
    const { master } = port
    if (master === undefined || !port.vlans.has(vid)) return
    this.#record((news) => {
      for (const row of this.bridges.rows(master)) {
        const isFixed = row.mac !== port.mac && ((row.state & NUD.NOARP) !== 0 || (row.flags & NTF.EXT_LEARNED) !== 0)
        if (row.port === port.ifindex && row.vlan === vid && !isFixed) this.bridges.drop(row, push(news))
      }
      this.#forgetVlan(port, vid)
      news.push(vlanNews('del', port, [vid]))
    })
  }

  #forgetVlan(port: Device, vid: number): void {
    port.vlans.delete(vid)
    if (port.pvid === vid) port.pvid = undefined
  }

  /** The bridge gets another address: all its neighbours go. */
  changeAddress(bridge: Device): void {
    this.linkGeneration++
    this.#record((news) => {
      this.#addressChanged(bridge, news)
    })
  }

  /** Its last running port is gone: neighbours go that are not PERMANENT, NOARP ones too (neigh_carrier_down). */
  loseCarrier(bridge: Device): void {
    this.#record((news) => {
      for (const row of this.neighbours.on(bridge.ifindex)) if ((row.state & NUD.PERMANENT) === 0) this.neighbours.drop(row, push(news))
    })
  }

  /** `bridge fdb flush`: every row, whoever wrote it. */
  flush(bridge: Device): void {
    this.#record((news) => {
      for (const row of this.bridges.rows(bridge.ifindex)) if (row.port !== bridge.ifindex) this.bridges.drop(row, push(news))
    })
  }

  // --- rows

  /** One request of a program; the errno's name when it is refused. `swap`: the two drivers' news come in the other order. */
  write({ op, row }: WriteRequest, writer: Writer, swap = false): string | undefined {
    return row.family === AF.BRIDGE ? this.#writeFdb(op, row, writer, swap) : this.#writeNeighbour(op, row, writer)
  }

  /** Creates or replaces a nexthop or a group; the errno's name when it is refused. */
  writeNexthop(row: NexthopRow): string | undefined {
    let error: string | undefined
    this.#record((news) => {
      error = this.nexthops.add(row, push(news))
    })
    return error
  }

  deleteNexthop(id: number): string | undefined {
    let gone: readonly number[] | string = []
    this.#record((news) => {
      gone = this.nexthops.remove(id, push(news))
      if (typeof gone !== 'string') for (const one of gone) this.vxlans.flushNexthop(one)
    })
    return typeof gone === 'string' ? gone : undefined
  }

  /** What ARP or ND found out. */
  resolve(bridge: Device, ip: Ip, mac: Mac, state: number): boolean {
    let done = false
    this.#record((news) => {
      done = this.neighbours.resolve(bridge.ifindex, ip, mac, state, push(news))
    })
    return done
  }

  /** The row is told again, unchanged. */
  repeat(row: Row): void {
    this.#tell([rowNews('new', row)])
  }

  /** Bridge first, then the device; a refusal by the bridge ends it (net/core/rtnetlink.c). */
  #writeFdb(op: WriteRequest['op'], row: NeighRow, writer: Writer, swap: boolean): string | undefined {
    const device = this.devices.get(row.ifindex)
    if (device === undefined) return 'ENODEV'
    const bridgeNews: News[] = []
    const deviceNews: News[] = []
    let error: string | undefined
    const isForBridge = (row.flags & NTF.SELF) === 0 || ((row.flags & NTF.MASTER) !== 0 && isPort(device))
    if (isForBridge) error = this.#writeMaster(device, op, row, writer, bridgeNews)
    if ((row.flags & NTF.SELF) !== 0 && error === undefined) error = this.#writeSelf(device, op, row, writer, deviceNews)
    this.#tell(swap ? [...deviceNews, ...bridgeNews] : [...bridgeNews, ...deviceNews])
    return error
  }

  #writeMaster(device: Device, op: WriteRequest['op'], row: NeighRow, writer: Writer, news: News[]): string | undefined {
    if (!isPort(device)) return 'EOPNOTSUPP'
    if (op === 'delete') return this.bridges.remove(device, row, push(news))
    // A port that cannot learn takes static rows only, and what a speaker learned.
    const isForwarding = device.up && this.devices.get(device.master)?.up === true
    if (!isForwarding && (row.state & (NUD.NOARP | NUD.PERMANENT)) === 0 && (row.flags & NTF.EXT_LEARNED) === 0) return 'EPERM'
    return this.bridges.add(device, row, writer, push(news))
  }

  #writeSelf(device: Device, op: WriteRequest['op'], row: NeighRow, writer: Writer, news: News[]): string | undefined {
    if (device.kind !== 'vxlan') return 'EOPNOTSUPP'
    return op === 'delete' ? this.vxlans.remove(device, row, push(news)) : this.vxlans.add(device, op, row, writer, push(news))
  }

  #writeNeighbour(op: WriteRequest['op'], row: NeighRow, writer: Writer): string | undefined {
    if (!this.devices.has(row.ifindex)) return 'ENODEV'
    let error: string | undefined
    this.#record((news) => {
      if (op === 'delete') error = this.neighbours.remove(row.ifindex, row.dst ?? '', push(news))
      else this.neighbours.add(row, writer, push(news))
    })
    return error
  }

  // --- inside

  /** A port leaves its bridge. A device that is deleted keeps its master in its own messages to the end. */
  #release(port: Port, news: News[], isDying = false): void {
    const bridge = this.devices.get(port.master)
    for (const row of this.bridges.rows(port.master)) {
      if (row.port === port.ifindex && (row.mac !== port.mac || row.vlan !== 0)) this.bridges.drop(row, push(news))
    }
    for (const vid of [...port.vlans.keys()]) {
      this.#forgetVlan(port, vid)
      news.push(vlanNews('del', port, [vid]))
    }
    const local = this.bridges.get(port.master, port.mac)
    if (local?.port === port.ifindex && !port.lendsAddress) this.bridges.drop(local, push(news))
    if (!isDying) {
      port.master = undefined as never
      news.push(linkNews('new', port))
    }
    if (port.lendsAddress) {
      // The address was the bridge's too, so it first stayed with the bridge, which was told to nobody.
      if (local?.port === port.ifindex) this.bridges.drop(local, push(news), local.bridge)
      if (bridge !== undefined) this.#addressChanged(bridge, news)
    }
    if (isDying) port.master = undefined as never
  }

  #addressChanged(bridge: Device, news: News[]): void {
    news.push(linkNews('new', bridge))
    for (const row of this.neighbours.on(bridge.ifindex)) this.neighbours.drop(row, push(news))
  }

  #record(act: (news: News[]) => void): void {
    const news: News[] = []
    act(news)
    this.#tell(news)
  }
}

function push(news: News[]): (one: News) => void {
  return (one) => {
    news.push(one)
  }
}

function isPort(device: Device): device is Port {
  return device.master !== undefined
}
