// Kernel rows as rtnetlink delivers them, in the shapes measured: what FRR, `bridge fdb` and the drivers write.
import { AF, NTF, NUD, type LinkRow, type NeighRow, type NexthopRow } from '../../lib/netlink/index.js'

/** A vxlan device's own row for a remote MAC, as FRR writes it. */
export function remoteMac(ifindex: number, lladdr: string, dst: string, more: Partial<NeighRow> = {}): NeighRow {
  return { family: AF.BRIDGE, ifindex, state: NUD.NOARP, flags: NTF.SELF | NTF.EXT_LEARNED, type: 0, lladdr, dst, ...more }
}

/** A vxlan device's zero-MAC row: a VTEP to replicate to. */
export function replica(ifindex: number, dst: string, more: Partial<NeighRow> = {}): NeighRow {
  return {
    family: AF.BRIDGE, ifindex, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, type: 0, lladdr: '00:00:00:00:00:00', dst, ...more
  }
}

/** A vxlan device's own row for a remote MAC behind a nexthop group. */
export function multihomedMac(ifindex: number, lladdr: string, nhId: number, more: Partial<NeighRow> = {}): NeighRow {
  return { family: AF.BRIDGE, ifindex, state: NUD.NOARP, flags: NTF.SELF | NTF.EXT_LEARNED, type: 0, lladdr, nhId, ...more }
}

/** A nexthop for FDB rows: a VTEP. */
export function nexthop(id: number, gateway: string, more: Partial<NexthopRow> = {}): NexthopRow {
  return { id, family: gateway.includes(':') ? AF.INET6 : AF.INET, fdb: true, blackhole: false, protocol: 11, gateway, ...more }
}

/** A nexthop group for FDB rows: ids and weights. */
export function nexthopGroup(id: number, members: readonly (readonly [id: number, weight: number])[]): NexthopRow {
  return { id, family: AF.UNSPEC, fdb: true, blackhole: false, protocol: 11, group: members.map(([member, weight]) => ({ id: member, weight })), groupType: 0 }
}

/** A bridge-level row: the bridge `master` has the MAC on the port `ifindex`. */
export function onPort(master: number, ifindex: number, lladdr: string, more: Partial<NeighRow> = {}): NeighRow {
  return { family: AF.BRIDGE, ifindex, master, state: NUD.REACHABLE, flags: 0, type: 0, lladdr, ...more }
}

/** A neighbour of a bridge device, as FRR writes remote ones. */
export function neighbour(ifindex: number, dst: string, lladdr: string, more: Partial<NeighRow> = {}): NeighRow {
  return {
    family: dst.includes(':') ? AF.INET6 : AF.INET, ifindex, state: NUD.NOARP, flags: NTF.EXT_LEARNED, type: 1, lladdr, dst, protocol: 11, ...more
  }
}

export function link(ifindex: number, name: string, more: Partial<LinkRow> = {}): LinkRow {
  return { ifindex, name, flags: 1, mtu: 1500, ...more }
}
