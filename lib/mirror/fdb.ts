// The kernel's forwarding databases, as two tables, because they are two: what the bridge driver holds
// (where in the bridge a MAC is) and what a vxlan device holds (behind which VTEP it is).
// Keys are the kernel's: the bridge has one row per (bridge, vlan, mac), so a row that moves to another
// port replaces the old one without a deletion being sent; a vxlan device has one remote per unicast
// (source VNI, mac) and any number of remotes per zero or multicast mac (drivers/net/vxlan: only these can be appended).
// A device that serves many VNIs (collect metadata) so holds a table for each, and no VNI sees another's: see fdbTable.
// A row may name a nexthop instead of a remote; such rows go with their nexthop group, and the kernel does not tell.
import { NTF, type NeighRow } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import { isMulticastMac, ZERO_MAC, type Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import { KEEP_NOTHING, type Keeper } from './keeper.js'
import { addCount, NestedMap } from './nested.js'
import { NestedRows } from './nested-rows.js'
import { NexthopUsers } from './nexthop-users.js'
import { isRemoteMacRow, isReplicationRow } from './ownership.js'

export type FdbRow = NeighRow & { readonly lladdr: Mac }

export interface FdbChanges {
  /** A bridge-level row: old and new of the same (bridge, vlan, mac). */
  bridgeRow(bridge: number, mac: Mac, old: FdbRow | undefined, current: FdbRow | undefined): void
  /** A vxlan device's row, in the table of one VNI. */
  deviceRow(table: FdbTable, mac: Mac, old: FdbRow | undefined, current: FdbRow | undefined): void
  /** Rows of a table lead to a VTEP by way of nexthops now, or no longer do. */
  nexthopUse(table: FdbTable, ip: Ip): void
}

/** Names what a vxlan device holds for one VNI. */
export type FdbTable = string

/** The rows of one device with this NDA_SRC_VNI. The kernel sends none for devices that have one VNI only, and none for VNI 0. */
export function fdbTable(ifindex: number, srcVni?: number): FdbTable {
  return srcVni === undefined ? `${ifindex}` : `${ifindex} ${srcVni}`
}

/** Stands for "no NDA_VNI" among the VNIs that rows encapsulate with. */
const NO_VNI = -1

export class FdbMirror {
  /** By bridge, then by MAC and VLAN. */
  readonly #bridges = new NestedRows<FdbRow>()
  /** By table, then by MAC. */
  readonly #unicast = new NestedRows<FdbRow>()
  /** By table, then by MAC and remote: MACs that may have many. */
  readonly #appended = new NestedRows<FdbRow>()
  readonly #replicas = new NestedMap<FdbTable, string, ReadonlyMap<number, number>>()
  readonly #users = new NestedMap<FdbTable, string, number>()
  readonly #byNexthop = new NestedMap<number, string, FdbRow>()
  readonly #nexthopUsers: NexthopUsers
  readonly #changes: FdbChanges
  readonly #keeper: Keeper<FdbRow>
  /** True for a port that is a vxlan device, as the links say. */
  readonly isVxlan: (ifindex: number) => boolean

  constructor(changes: FdbChanges, keeper: Keeper<FdbRow> = KEEP_NOTHING, isVxlan: (ifindex: number) => boolean = () => false) {
    this.#changes = changes
    this.#keeper = keeper
    this.isVxlan = isVxlan
    this.#nexthopUsers = new NexthopUsers((table, ip) => changes.nexthopUse(table, ip))
  }

  get size(): number {
    return this.#bridges.size + this.#unicast.size + this.#appended.size
  }

  /** The bridge's row for a MAC in a VLAN; in VLAN 0, where a bridge without VLAN filtering looks. */
  inBridge(bridge: number, vlan: number, mac: Mac): FdbRow | undefined {
    return this.#bridges.get(bridge, bridgeKey(mac, vlan))
  }

  /** All bridge-level rows of one bridge. */
  bridgeRows(bridge: number): Iterable<FdbRow> {
    return this.#bridges.under(bridge).values()
  }

  /** The vxlan device's row for a unicast MAC. */
  onDevice(table: FdbTable, mac: Mac): FdbRow | undefined {
    return this.#unicast.get(table, mac)
  }

  /** The rows of a table for the zero MAC (and for group addresses). */
  appendedRows(table: FdbTable): Iterable<FdbRow> {
    return this.#appended.under(table).values()
  }

  /** All unicast rows of a table. */
  deviceRows(table: FdbTable): Iterable<FdbRow> {
    return this.#unicast.under(table).values()
  }

  /**
   * Whether a zero-MAC row of the table makes this remote (see remoteKey) one to replicate to, and the VNI that it says to
   * encapsulate with, if any. Of several rows, one that names no VNI counts, or the one with the lowest.
   */
  replicates(table: FdbTable, remote: string): { readonly vni: Vni | undefined } | undefined {
    const vnis = this.#replicas.get(table, remote)
    if (vnis === undefined) return undefined
    const lowest = Math.min(...vnis.keys())
    return { vni: lowest === NO_VNI ? undefined : lowest }
  }

  /** True when a unicast row of the table points at this remote itself. */
  names(table: FdbTable, remote: string): boolean {
    return this.#users.get(table, remote) !== undefined
  }

  /** True when a unicast row of the table points at this remote, itself or by way of a nexthop. */
  uses(table: FdbTable, remote: string): boolean {
    return this.names(table, remote) || this.#nexthopUsers.uses(table, remote)
  }

  /** Every remote any row of the table points at. */
  remotes(table: FdbTable): Set<string> {
    return new Set([...this.#replicas.under(table).keys(), ...this.#users.under(table).keys(), ...this.#nexthopUsers.ips(table)])
  }

  /** The rows on a nexthop. */
  rowsOfNexthop(id: number): Iterable<FdbRow> {
    return this.#byNexthop.under(id).values()
  }

  /** The nexthops that lead to a VTEP. */
  nexthopsTo(ip: Ip): Iterable<number> {
    return this.#nexthopUsers.nexthopsTo(ip)
  }

  /** A nexthop leads to these VTEPs from now on. */
  setNexthop(id: number, ips: readonly Ip[]): void {
    this.#nexthopUsers.setPaths(id, ips)
  }

  /** A nexthop is gone: its rows with it. */
  deleteNexthop(id: number): void {
    for (const row of [...this.#byNexthop.under(id).values()]) this.#drop(row)
  }

  put(row: NeighRow): void {
    if (!hasMac(row) || isEcho(row)) return
    const [rows, outer, key] = this.#placeOf(row)
    const held = rows.get(outer, key)
    const isSame = held !== undefined && isSameFdbRow(held, row)
    // A dump brings every row again as a new object: the one that the indexes hold stays, or each row would be kept twice.
    const old = rows.put(outer, key, isSame ? held : row)
    this.#keeper.written(row, held)
    if (!isSame) this.#index(old, row)
  }

  delete(row: NeighRow): void {
    if (!hasMac(row) || isEcho(row)) return
    const [rows, outer, key] = this.#placeOf(row)
    const old = rows.get(outer, key)
    if (old !== undefined && !isOldNews(row, old) && !this.#keeper.keeps(old)) this.#drop(old)
  }

  /** A row that was kept goes, unless another has taken its place. */
  release(row: FdbRow): void {
    const [rows, outer, key] = this.#placeOf(row)
    if (rows.get(outer, key) === row) this.#drop(row)
  }

  /** Puts a row where none is, though the outside does not say so. False when there is one. */
  restore(row: FdbRow): boolean {
    const [rows, outer, key] = this.#placeOf(row)
    if (rows.get(outer, key) !== undefined) return false
    rows.put(outer, key, row)
    this.#index(undefined, row)
    return true
  }

  /** A device is gone: its rows with it. One that moves to another namespace takes them along unannounced (measured on 6.18). */
  deleteDevice(ifindex: number): void {
    for (const rows of this.#stores()) {
      for (const outer of [...rows.outers()]) {
        for (const row of [...rows.under(outer).values()]) if (row.ifindex === ifindex) this.#drop(row)
      }
    }
  }

  beginResync(): void {
    for (const rows of this.#stores()) rows.beginResync()
  }

  finishResync(): void {
    for (const rows of this.#stores()) for (const old of rows.finishResync((row) => this.#keeper.keeps(row))) this.#gone(old)
  }

  #stores(): readonly NestedRows<FdbRow>[] {
    return [this.#bridges, this.#unicast, this.#appended]
  }

  /** Where a row stands: each kind has keys of its own. */
  #placeOf(row: FdbRow): readonly [rows: NestedRows<FdbRow>, outer: FdbTable | number, key: string] {
    if (!isDeviceRow(row)) return [this.#bridges, row.master ?? row.ifindex, bridgeKey(row.lladdr, row.vlan ?? 0)]
    return [isAppendable(row.lladdr) ? this.#appended : this.#unicast, tableOf(row), deviceKey(row)]
  }

  #drop(row: FdbRow): void {
    const [rows, outer, key] = this.#placeOf(row)
    rows.delete(outer, key)
    this.#gone(row)
  }

  #gone(row: FdbRow): void {
    this.#keeper.dropped(row)
    this.#index(row, undefined)
  }

  #index(old: FdbRow | undefined, current: FdbRow | undefined): void {
    const row = current ?? old
    if (row === undefined) return
    if (isDeviceRow(row)) {
      if (old !== undefined) this.#indexDevice(old, -1)
      if (current !== undefined) this.#indexDevice(current, +1)
      this.#changes.deviceRow(tableOf(row), row.lladdr, old, current)
    } else {
      this.#changes.bridgeRow(row.master ?? row.ifindex, row.lladdr, old, current)
    }
  }

  #indexDevice(row: FdbRow, step: 1 | -1): void {
    const appendable = isAppendable(row.lladdr)
    const table = tableOf(row)
    if (row.nhId !== undefined) this.#indexNexthop(table, row, row.nhId, step)
    if (row.dst === undefined) return
    if (row.lladdr === ZERO_MAC && isReplicationRow(row)) countReplica(this.#replicas, table, row, step)
    else if (!appendable && isRemoteMacRow(row)) addCount(this.#users, table, remoteKey(row), step)
  }

  #indexNexthop(table: FdbTable, row: FdbRow, nexthop: number, step: 1 | -1): void {
    const key = `${table} ${deviceKey(row)}`
    if (step > 0) this.#byNexthop.set(nexthop, key, row)
    else this.#byNexthop.delete(nexthop, key)
    if (isRemoteMacRow(row)) this.#nexthopUsers.addRow(table, nexthop, step)
  }
}

function tableOf(row: FdbRow): FdbTable {
  return fdbTable(row.ifindex, row.srcVni)
}

/** Counts by the VNI that the row encapsulates with. */
function countReplica(replicas: NestedMap<FdbTable, string, ReadonlyMap<number, number>>, table: FdbTable, row: FdbRow, step: 1 | -1): void {
  const remote = remoteKey(row)
  const counts = new Map(replicas.get(table, remote))
  const vni = row.vni ?? NO_VNI
  const next = (counts.get(vni) ?? 0) + step
  if (next === 0) counts.delete(vni)
  else counts.set(vni, next)
  if (counts.size === 0) replicas.delete(table, remote)
  else replicas.set(table, remote, counts)
}

/** Names the remote an FDB row points at: address and, when the row brings one, UDP port. */
export function remoteKey(row: Pick<NeighRow, 'dst' | 'port'>): string {
  return row.port === undefined ? `${row.dst}` : `${row.dst} ${row.port}`
}

/** True for a row of a device's own table (NTF_SELF); else it is the bridge driver's. */
export function isDeviceRow(row: NeighRow): boolean {
  return (row.flags & NTF.SELF) !== 0
}

/**
 * The bridge reports a row that left the port it names: when the row stands elsewhere by now, that is old news. A row the
 * bridge made its own address in the meantime is reported with the bridge itself as port.
 */
function isOldNews(deleted: NeighRow, current: FdbRow): boolean {
  return !isDeviceRow(deleted) && deleted.ifindex !== deleted.master && deleted.ifindex !== current.ifindex
}

/** Equal in everything that anything derived depends on; ages and counters are not kept. */
function isSameFdbRow(a: FdbRow, b: FdbRow): boolean {
  return a.ifindex === b.ifindex && a.state === b.state && a.flags === b.flags && a.dst === b.dst && a.port === b.port &&
    a.vni === b.vni && a.srcVni === b.srcVni && a.nhId === b.nhId
}

/**
 * Kernels before 6.13 report every write and deletion of a device's row twice: the vxlan driver tells it in full (RTN_UNICAST),
 * then rtnetlink tells it once more and knows the MAC only. That says nothing, and must not replace or delete the full row.
 */
function isEcho(row: FdbRow): boolean {
  return isDeviceRow(row) && row.type === 0 && row.dst === undefined && row.nhId === undefined
}

function hasMac(row: NeighRow): row is FdbRow {
  return row.lladdr !== undefined
}

function isAppendable(mac: Mac): boolean {
  return mac === ZERO_MAC || isMulticastMac(mac)
}

function bridgeKey(mac: Mac, vlan: number): string {
  return vlan === 0 ? mac : `${mac} ${vlan}`
}

function deviceKey(row: FdbRow): string {
  return isAppendable(row.lladdr) ? `${row.lladdr} ${row.dst} ${row.port ?? ''} ${row.vni ?? ''} ${row.oif ?? ''}` : row.lladdr
}
