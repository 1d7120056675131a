// Everything the daemon knows: the mirrors (what the outside says), the derived values (what it means),
// the sinks (what we want outside), and what is dirty. Plain data; the tick moves it along.
import { LRUCache } from 'lru-cache'
import { EMPTY_BRIDGE } from '../config/bridge.js'
import { BridgePorts } from '../config/bridge-ports.js'
import type { Database } from '../config/database.js'
import type { Binding } from '../config/port.js'
import { parseSystem } from '../config/system.js'
import type { Warning } from '../config/warning.js'
import type { Claim, ClaimState } from '../evpn/claim.js'
import type { Domain } from '../evpn/domain.js'
import type { FloodMember, FloodSet } from '../evpn/flood.js'
import type { AddressBook, LocalMac } from '../evpn/local.js'
import type { LeftOut } from '../evpn/nexthop.js'
import type { RemoteIp } from '../evpn/remote-ip.js'
import type { RemoteMac } from '../evpn/remote-mac.js'
import type { Vtep, VtepKey } from '../evpn/vtep.js'
import { FdbMirror, type FdbTable } from '../mirror/fdb.js'
import { LearnedMirror } from '../mirror/learned.js'
import { LinkMirror } from '../mirror/links.js'
import { NeighbourMirror } from '../mirror/neighbours.js'
import { NestedMap } from '../mirror/nested.js'
import { NexthopMirror } from '../mirror/nexthops.js'
import { PortMirror } from '../mirror/ports.js'
import { SnoopedMirror } from '../mirror/snooped.js'
import { VlanMirror } from '../mirror/vlans.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Action } from '../openflow/index.js'
import type { Row } from '../ovsdb/index.js'
import { floodCache, type FloodCache } from '../pipeline/flood.js'
import type { KernelSink } from '../sink/kernel.js'
import type { SwitchSink } from '../sink/switch.js'
import { markBridgeRow, markDeviceRow, markLearned, markLink, markNeighbour, markNexthopPaths, markNexthopUse, markPort, markVlan } from './affected.js'
import { Dirty } from './dirty.js'
import { Evidence } from './evidence.js'
import { History } from './history.js'
import { homesOf, longestStaleTime, type Homes } from './stale/homes.js'
import { Stale } from './stale/stale.js'

export interface Mirrors {
  readonly links: LinkMirror
  readonly vlans: VlanMirror
  readonly fdb: FdbMirror
  readonly neighbours: NeighbourMirror
  readonly nexthops: NexthopMirror
  /** MACs that the switch learned. */
  readonly learned: LearnedMirror
  /** Their IPs, from what they say. */
  readonly snooped: SnoopedMirror
  /** OpenFlow ports of the integration bridge. */
  readonly ports: PortMirror
}

/** A VTEP with the tunnel port that leads to it, if the switch has one. */
export interface ReachableVtep extends Vtep {
  readonly ofport: number | undefined
  /** Its packets are let in VNI by VNI; with evpn-decap member, by one flow for all. */
  readonly hasOwnDecap: boolean
  /** Seconds that MACs learned from its packets live (evpn-learn); undefined = none are learned. */
  readonly learnAge: number | undefined
}

export interface Derived {
  database: Database
  /** By VNI and port name. */
  readonly bindings: NestedMap<Vni, string, Binding>
  /** Who names which address in a VNI. */
  readonly books: Map<Vni, AddressBook>
  readonly domains: Map<Vni, Domain>
  readonly vteps: NestedMap<Vni, VtepKey, ReachableVtep>
  /** Which VNIs know a VTEP. */
  readonly vnisOfVtep: NestedMap<VtepKey, Vni, true>
  /** Flows that let in one VTEP in one VNI, whether their tunnel port is there yet or not. */
  decapFlows: number
  /** VNIs with evpn-decap member. */
  readonly memberVnis: Set<Vni>
  /** VNIs with a source address for VTEPs over IPv6. */
  readonly ipv6Vnis: Set<Vni>
  readonly macs: NestedMap<Vni, Mac, RemoteMac>
  /** How many MACs of which VNI are behind a VTEP, those behind a nexthop not counted: see nexthopMacs. */
  readonly macsBehind: NestedMap<VtepKey, Vni, number>
  readonly ips: NestedMap<Vni, Ip, RemoteIp>
  readonly locals: NestedMap<Vni, Mac, LocalMac>
  /** Addresses of a VNI that are named twice, by the MAC they concern. */
  readonly duplicates: NestedMap<Vni, Mac, readonly Warning[]>
  /** How many remote MACs of a VNI are behind a nexthop. */
  readonly nexthopMacs: NestedMap<number, Vni, number>
  /** What a VNI leaves out of a nexthop that MACs are behind. */
  readonly nexthopUses: NestedMap<Vni, number, LeftOut>
  /** How many VNIs leave that out of a nexthop. */
  readonly nexthopUsers: NestedMap<number, LeftOut, number>
  /** What is used of nexthops, by the group id that its hash makes. */
  readonly nexthopSlots: NestedMap<number, string, number>
  readonly claims: NestedMap<Vni, Mac, Claim>
  /** How many of a VNI's claims are in which state. */
  readonly claimCounts: NestedMap<Vni, ClaimState, number>
  readonly floods: Map<Vni, FloodSet>
  readonly floodMembers: WeakMap<ReachableVtep, FloodMember>
  readonly floodCache: FloodCache
  /** Which VNIs read a vxlan device's rows of one VNI. */
  readonly vnisOfTable: NestedMap<FdbTable, Vni, true>
  /** Multicast groups in zero-MAC rows, which are no VTEPs. */
  readonly multicastGroups: NestedMap<Vni, VtepKey, true>
  /** Which VNIs a VLAN of a bridge serves: see vlanKey. */
  readonly vnisOfVlan: NestedMap<string, Vni, true>
  /** Which VNIs have their neighbours on a device. */
  readonly vnisOfSvi: NestedMap<number, Vni, true>
  /** Which VNIs wait for or use a device of this name. */
  readonly vnisOfName: NestedMap<string, Vni, true>
}

export interface Sinks {
  readonly switch: SwitchSink
  /** FDB rows and neighbours. */
  readonly kernel: KernelSink
  /** The kernel devices that we make. */
  readonly devices: KernelSink
}

export interface State extends Derived, Sinks {
  readonly mirrors: Mirrors
  readonly dirty: Dirty
  readonly evidence: Evidence
  /** Rows in the mirrors that the kernel has no longer. */
  readonly stale: Stale
  readonly homes: Homes
  /** What changed of late. */
  readonly history: History
  /** What the OVSDB rows of the integration bridge's ports say. */
  readonly bridgePorts: BridgePorts
  /** What all MACs behind a VTEP have in common, by its address, UDP port and the VNI on the wire; behind a nexthop, by its id. */
  readonly actionsToVtep: LRUCache<string, readonly Action[]>
  /** The OVSDB replica; the daemon's fourth mirror, kept by its client. */
  readonly table: (name: string) => ReadonlyMap<string, Row>
}

const MAX_CACHED_VTEPS = 10_000

/** What is in force before a configuration was ever seen. */
export const EMPTY_DATABASE: Database = {
  system: parseSystem(new Map()).config,
  bridgeUuid: undefined,
  bridge: EMPTY_BRIDGE,
  standOff: undefined,
  failMode: '',
  ports: new Map(),
  portChanges: [],
  tunnels: new Set(),
  warnings: []
}

/** True when somebody listens on all of these sockets; undefined = nobody knows. */
export type AreListening = (paths: readonly string[]) => boolean | undefined

/** An empty state around the given sinks and replica. `wake`: something became dirty by itself. */
export function createState(sinks: Sinks, table: State['table'], wake: (eventAt?: number) => void, areListening: AreListening = () => undefined): State {
  const homes = homesOf(() => state)
  const stale = new Stale({
    isAlive: () => {
      const { speaker } = state.database.bridge
      return speaker.length === 0 ? undefined : areListening(speaker)
    },
    longest: () => longestStaleTime(state),
    wake,
    now: () => performance.now()
  })
  const state: State = {
    ...sinks,
    table,
    bridgePorts: new BridgePorts(),
    actionsToVtep: new LRUCache({ maxSize: MAX_CACHED_VTEPS, sizeCalculation: () => 1 }),
    dirty: new Dirty(),
    stale,
    homes,
    history: new History(),
    evidence: new Evidence((vni, mac) => {
      state.dirty.macs.add(vni, mac)
      wake()
    }),
    mirrors: {
      links: new LinkMirror((old, current) => markLink(state, old, current)),
      vlans: new VlanMirror((ifindex, vid, tunnelIds, hasOtherPvid) => markVlan(state, ifindex, vid, tunnelIds, hasOtherPvid)),
      fdb: new FdbMirror({
        bridgeRow: (bridge, mac, old, current) => markBridgeRow(state, bridge, mac, old, current),
        deviceRow: (table, mac, old, current) => markDeviceRow(state, table, mac, old, current),
        nexthopUse: (table, ip) => markNexthopUse(state, table, ip)
      }, stale.keeper(homes.fdb), (ifindex) => state.mirrors.links.byIndex(ifindex)?.kind === 'vxlan'),
      neighbours: new NeighbourMirror((ifindex, ip, _old, current) => markNeighbour(state, ifindex, ip, current), stale.keeper(homes.neighbours)),
      nexthops: new NexthopMirror({
        paths: (id) => markNexthopPaths(state, id),
        gone: (id) => {
          for (const row of state.mirrors.fdb.rowsOfNexthop(id)) stale.goesAlong(row, homes.fdb)
          state.mirrors.fdb.deleteNexthop(id)
        },
        again: (id) => {
          for (const row of [...state.mirrors.fdb.rowsOfNexthop(id)]) state.mirrors.fdb.delete(row)
        }
      }, stale.keeper(homes.nexthops)),
      learned: new LearnedMirror((vni, mac) => markLearned(state, vni, mac)),
      snooped: new SnoopedMirror((vni, mac, ip) => {
        state.dirty.macs.add(vni, mac)
        state.dirty.ips.add(vni, ip)
      }),
      ports: new PortMirror((name) => markPort(state, name))
    },
    database: EMPTY_DATABASE,
    bindings: new NestedMap(),
    books: new Map(),
    domains: new Map(),
    vteps: new NestedMap(),
    vnisOfVtep: new NestedMap(),
    decapFlows: 0,
    memberVnis: new Set(),
    ipv6Vnis: new Set(),
    macs: new NestedMap(),
    macsBehind: new NestedMap(),
    ips: new NestedMap(),
    locals: new NestedMap(),
    duplicates: new NestedMap(),
    nexthopMacs: new NestedMap(),
    nexthopUses: new NestedMap(),
    nexthopUsers: new NestedMap(),
    nexthopSlots: new NestedMap(),
    claims: new NestedMap(),
    claimCounts: new NestedMap(),
    floods: new Map(),
    floodMembers: new WeakMap(),
    floodCache: floodCache(),
    vnisOfTable: new NestedMap(),
    multicastGroups: new NestedMap(),
    vnisOfVlan: new NestedMap(),
    vnisOfSvi: new NestedMap(),
    vnisOfName: new NestedMap()
  }
  return state
}
