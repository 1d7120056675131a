// Which keys a change can affect. One function for each kind of change, each linear in what really hangs on it;
// and what the kernel says of rows we wrote goes to the kernel sink's realized side.
import type { PortConfig } from '../config/port.js'
import { tunnelName } from '../config/tunnel-port.js'
import { remoteKey, type FdbRow, type FdbTable } from '../mirror/fdb.js'
import { lowerOf } from '../mirror/links.js'
import { MAX_PORT_NAME } from '../mirror/ports.js'
import type { NeighbourRow } from '../mirror/neighbours.js'
import { NUD, type LinkRow } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import { parseVni, type Vni } from '../net/number.js'
import { isOurDevice } from '../evpn/device.js'
import { canAdvertise } from '../evpn/domain.js'
import { NO_VLAN, vlanKey } from '../evpn/vlan.js'
import { vtepKeyOfRemote } from '../evpn/vtep.js'
import { deviceKey, realizedDevice } from '../sink/device.js'
import { fdbKey, neighbourKey, realizedFdb, realizedNeighbour } from '../sink/kernel-row.js'
import type { State } from './state.js'

/** A device came, went or changed: the domains that name it are derived again. */
export function markLink(state: State, old: LinkRow | undefined, current: LinkRow | undefined): void {
  for (const name of new Set([old?.name, current?.name])) {
    if (name === undefined) continue
    for (const vni of state.vnisOfName.under(name).keys()) state.dirty.domains.add(vni)
  }
  for (const lower of [old, current].map((link) => link && lowerOf(link))) {
    for (const vni of lower === undefined ? [] : state.vnisOfVlan.under(vlanKey(...lower)).keys()) state.dirty.domains.add(vni)
  }
  if (old !== undefined && old.name !== current?.name) state.devices.observe(deviceKey(old.name), undefined)
  if (current !== undefined) observeDevice(state, current)
  const changed = current ?? old
  if (changed !== undefined) state.kernel.deviceChanged(changed.ifindex)
  if (current === undefined && old?.kind === 'vxlan') state.mirrors.fdb.deleteDevice(old.ifindex)
  if (current === undefined && old !== undefined) state.mirrors.vlans.deleteDevice(old.ifindex)
  if (current?.bridgePort?.vlanTunnel === false) state.mirrors.vlans.forgetTunnels(current.ifindex)
  if (old === undefined && current?.kind === 'vxlan') markRowsOn(state, current)
  // Rows may have been mirrored before the device had the name that makes it ours to write on.
  if (current === undefined || old?.name === current.name) return
  for (const link of current.kind === 'bridge' ? state.mirrors.links.rows() : [current]) observeRows(state, link)
}

/** Rows may have been mirrored before the device was: until then nobody knew that it is a vxlan device. */
function markRowsOn(state: State, { master, ifindex }: LinkRow): void {
  if (master === undefined) return
  for (const row of state.mirrors.fdb.bridgeRows(master)) if (row.ifindex === ifindex) markBridgeRow(state, master, row.lladdr, row, row)
}

/**
 * A VLAN of a port came, went or changed. Of the VNIs that name the device, it concerns those whose tunnel key it was or is, those
 * that are in that VLAN, and, when it is the PVID of a vxlan device, the one that the device is for.
 */
export function markVlan(state: State, ifindex: number, vid: number, tunnelIds: readonly number[], hasOtherPvid: boolean): void {
  const link = state.mirrors.links.byIndex(ifindex)
  const vnis = link && state.vnisOfName.under(link.name)
  if (vnis === undefined || vnis.size === 0) return
  for (const vni of tunnelIds) if (vnis.has(vni)) state.dirty.domains.add(vni)
  if (hasOtherPvid && link?.vxlan?.external === false) for (const vni of vnis.keys()) state.dirty.domains.add(vni)
  for (const vni of link?.master === undefined ? [] : state.vnisOfVlan.under(vlanKey(link.master, vid)).keys()) {
    if (vnis.has(vni)) state.dirty.domains.add(vni)
  }
}

/** A bridge-level row: where a MAC is in the bridge. A row that moved away from an advertise device is no longer there. */
export function markBridgeRow(state: State, bridge: number, mac: Mac, old: FdbRow | undefined, current: FdbRow | undefined): void {
  const vlan = (current ?? old)?.vlan ?? NO_VLAN
  for (const vni of state.vnisOfVlan.under(vlanKey(bridge, vlan)).keys()) state.dirty.macs.add(vni, mac)
  if (old !== undefined && old.ifindex !== current?.ifindex) state.kernel.observe(fdbKey(old.ifindex, vlan, mac), undefined, current !== undefined)
  if (current !== undefined) observeFdb(state, current)
}

/** A vxlan device's row: the MAC, and the VTEPs it pointed at and points at now. */
export function markDeviceRow(state: State, table: FdbTable, mac: Mac, old: FdbRow | undefined, current: FdbRow | undefined): void {
  for (const vni of state.vnisOfTable.under(table).keys()) {
    state.dirty.macs.add(vni, mac)
    for (const row of [old, current]) {
      if (row?.dst !== undefined) markRemote(state, vni, remoteKey(row))
    }
  }
}

/** A nexthop leads elsewhere: its group changes, however many MACs are behind it, and no flow of theirs. */
export function markNexthopPaths(state: State, id: number): void {
  state.dirty.nexthops.add(id)
  for (const vni of state.nexthopMacs.under(id).keys()) state.dirty.nexthopUses.add(vni, id)
  state.mirrors.fdb.setNexthop(id, state.mirrors.nexthops.paths(id).map(({ ip }) => ip))
}

/** Rows of a vxlan device lead to a VTEP by way of nexthops, or no longer do. */
export function markNexthopUse(state: State, table: FdbTable, ip: Ip): void {
  for (const vni of state.vnisOfTable.under(table).keys()) markRemote(state, vni, remoteKey({ dst: ip }))
}

export function markNeighbour(state: State, ifindex: number, ip: Ip, current: NeighbourRow | undefined): void {
  for (const vni of state.vnisOfSvi.under(ifindex).keys()) state.dirty.ips.add(vni, ip)
  const ours = realizedNeighbour(current)
  state.kernel.observe(neighbourKey(ifindex, ip), ours, current !== undefined && ours === undefined)
}

/** An OpenFlow port came, went or got another number. */
export function markPort(state: State, name: string): void {
  const port = state.database.ports.get(name)
  if (port !== undefined) markBindings(state, port)
  // OpenFlow cuts names: a full one may be the beginning of longer ones.
  for (const long of name.length < MAX_PORT_NAME ? [] : state.database.ports.values()) {
    if (long.name !== name && long.name.startsWith(name)) markBindings(state, long)
  }
  if (!state.database.system.vxlanPorts.some((udpPort) => tunnelName(udpPort) === name)) return
  state.dirty.tunnels = true
  for (const vni of state.domains.keys()) markDomain(state, vni)
}

/** A workload port got another number: its own flows, its addresses' and its places in floods. */
function markBindings({ dirty }: State, port: PortConfig): void {
  dirty.ports.add(port.name)
  for (const { vni, addresses } of port.bindings) {
    dirty.floods.add(vni)
    for (const { mac, ips } of addresses.bound) {
      dirty.macs.add(vni, mac)
      for (const ip of ips) dirty.ips.add(vni, ip)
    }
  }
}

/** A MAC that the switch learned, and the IPs it was heard to have: those go with it. */
export function markLearned({ dirty, mirrors: { learned, snooped } }: State, vni: Vni, mac: Mac): void {
  if (learned.get(vni, mac) === undefined) snooped.forget(vni, mac)
  dirty.macs.add(vni, mac)
  for (const ip of snooped.ipsOf(vni, mac)) dirty.ips.add(vni, ip)
}

/** Everything of one VNI: what is derived now, and what the mirrors hold for its devices. */
export function markDomain(state: State, vni: Vni): void {
  const { dirty, mirrors } = state
  dirty.domains.add(vni)
  for (const port of state.bindings.under(vni).keys()) dirty.ports.add(port)
  dirty.floods.add(vni)
  dirty.macs.addAll(vni, state.macs.under(vni).keys())
  dirty.macs.addAll(vni, state.books.get(vni)?.macs() ?? [])
  dirty.macs.addAll(vni, state.claims.under(vni).keys())
  for (const mac of mirrors.learned.under(vni).keys()) markLearned(state, vni, mac)
  for (const key of state.vteps.under(vni).keys()) {
    dirty.vteps.add(vni, key)
    dirty.members.add(key)
  }
  for (const id of state.nexthopUses.under(vni).keys()) dirty.nexthopUses.add(vni, id)
  dirty.ips.addAll(vni, state.ips.under(vni).keys())
  dirty.ips.addAll(vni, state.books.get(vni)?.ips() ?? [])
  const domain = state.domains.get(vni)
  if (domain === undefined) return
  for (const table of domain.tables) {
    dirty.macs.addAll(vni, macsOf(mirrors.fdb.deviceRows(table)))
    for (const remote of mirrors.fdb.remotes(table)) markRemote(state, vni, remote)
  }
  if (domain.svi === undefined) return
  dirty.ips.addAll(vni, mirrors.neighbours.onDevice(domain.svi).keys())
}

function * macsOf(rows: Iterable<FdbRow>): IterableIterator<Mac> {
  for (const { lladdr } of rows) yield lladdr
}

function markRemote(state: State, vni: Vni, remote: string): void {
  const domain = state.domains.get(vni)
  if (domain !== undefined) state.dirty.vteps.add(vni, vtepKeyOfRemote(domain, remote))
}

/** A device given to us exclusively: that of a VNI, or one that any advertise option names. */
function isAdvertiseDevice(state: State, link: LinkRow): boolean {
  const { name } = link
  if (!canAdvertise(link)) return false
  for (const vni of state.vnisOfName.under(name).keys()) {
    if (state.domains.get(vni)?.options.advertiseIfname === name) return true
  }
  const { all, ofVni } = state.database.bridge
  if (all.advertiseIfname === name) return true
  for (const options of ofVni.values()) {
    if (options.advertiseIfname === name) return true
  }
  return false
}

/**
 * A static row on the default advertise device of a VNI nobody names any more, in that VNI's default bridge: we left it when
 * the VNI went away while we were down. Anything less certain is another's.
 */
function isLeftover(state: State, row: FdbRow, link: LinkRow): boolean {
  const vni = link.name.startsWith('lo-') ? parseVni(link.name.slice(3)) : undefined
  if (vni === undefined || link.master === undefined || !canAdvertise(link)) return false
  return state.mirrors.links.byIndex(link.master)?.name === `br-${vni}` && (row.state & NUD.NOARP) !== 0
}

function observeFdb(state: State, row: FdbRow): void {
  const link = state.mirrors.links.byIndex(row.ifindex)
  if (link === undefined || !(isAdvertiseDevice(state, link) || isLeftover(state, row, link))) return
  const { vlan = NO_VLAN } = row
  const key = fdbKey(row.ifindex, vlan, row.lladdr)
  // A bridge that does not filter by VLAN gives a row without one to each VLAN of the port besides, and takes them away together.
  const isShadow = vlan !== NO_VLAN && state.mirrors.links.byIndex(row.master ?? 0)?.vlanFiltering !== true
  if (!isShadow || state.kernel.rows.realized(key) !== undefined) state.kernel.observe(key, realizedFdb(row))
}

/** What the kernel says of a device that may be of our making. */
export function observeDevice({ devices, database, dirty }: State, link: LinkRow): void {
  const isOurs = isOurDevice(link, database.system)
  devices.observe(deviceKey(link.name), isOurs ? realizedDevice(link) : undefined)
  // Until they are complete, nothing is said of them.
  if (isOurs) dirty.notices = true
}

/** Looks at a device's rows again, after its name or the configuration made it an advertise device. */
export function observeRows(state: State, link: LinkRow): void {
  if (link.master === undefined) return
  for (const row of state.mirrors.fdb.bridgeRows(link.master)) {
    if (row.ifindex === link.ifindex) observeFdb(state, row)
  }
}
