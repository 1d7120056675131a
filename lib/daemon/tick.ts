// The tick: everything dirty is derived again, level by level, and the sinks are told to send what differs.
// configuration -> domains -> ports, VTEPs, IPs, MACs -> nexthops, floods -> sinks.
import { isDeepStrictEqual } from 'node:util'
import { optionsOf, type BridgeConfig } from '../config/bridge.js'
import { readDatabase, type Database } from '../config/database.js'
import type { Vni } from '../net/number.js'
import type { LinkRow } from '../netlink/index.js'
import { tunnelPortFlows } from '../pipeline/classify.js'
import { ANSWER_FLOWS, REPLY_FLOWS } from '../pipeline/answer.js'
import { TRAMPOLINE } from '../pipeline/flood.js'
import { METERS } from '../pipeline/meters.js'
import { SPLIT_HORIZON } from '../pipeline/forward.js'
import { SOURCE_FLOWS } from '../pipeline/source.js'
import { SUPPRESS_DEFAULT } from '../pipeline/suppress.js'
import { markDomain, observeDevice, observeRows } from './affected.js'
import { rebind } from './bindings.js'
import { takeFrom } from './dirty.js'
import { refreshDomain, refreshFlood, refreshIp, refreshMac, refreshMember, refreshNexthop, refreshNexthopUse, refreshPort, refreshVtep, tunnelOfport } from './refresh/index.js'
import type { State } from './state.js'

/** What one VNI, and one flood, weigh when work is sliced, against one VTEP, MAC or IP. */
const [DOMAIN, FLOOD] = [25, 50]

/** Derives everything dirty. A level may mark the levels below it, and a new VNI marks itself once more. */
export function derive(state: State): void {
  while (!state.dirty.isEmpty) deriveSome(state, Infinity)
  state.history.ticked()
}

/** Derives about so many VTEPs, MACs and IPs, whatever is left then. A level comes when those above it are done. */
export function deriveSome(state: State, slice: number): void {
  const { dirty } = state
  if (dirty.database) refreshDatabase(state)
  for (const vni of takeFrom(dirty.domains, Math.ceil(slice / DOMAIN))) refreshDomain(state, vni)
  if (dirty.domains.size > 0) return
  if (dirty.tunnels) refreshTunnels(state)
  for (const name of takeFrom(dirty.ports, slice)) refreshPort(state, name)
  for (const [vni, keys] of dirty.vteps.take(slice)) for (const key of keys) refreshVtep(state, vni, key)
  for (const key of takeFrom(dirty.members, slice)) refreshMember(state, key)
  if (!dirty.vteps.isEmpty || dirty.members.size > 0) return
  for (const [vni, ips] of dirty.ips.take(slice)) for (const ip of ips) refreshIp(state, vni, ip)
  for (const [vni, macs] of dirty.macs.take(slice)) for (const mac of macs) refreshMac(state, vni, mac)
  if (!dirty.ips.isEmpty || !dirty.macs.isEmpty) return
  for (const [vni, ids] of dirty.nexthopUses.take()) for (const id of ids) refreshNexthopUse(state, vni, id)
  for (const id of takeFrom(dirty.nexthops)) refreshNexthop(state, id)
  for (const vni of takeFrom(dirty.floods, Math.ceil(slice / FLOOD))) refreshFlood(state, vni)
}

/** Marks everything there is: after it, derive computes the whole anew through the functions that serve one change. */
export function markAll(state: State): void {
  state.dirty.database = true
  state.dirty.rows = undefined
  state.dirty.tunnels = true
  for (const vni of vnis(state)) markDomain(state, vni)
  for (const id of state.nexthopUsers.outers()) state.dirty.nexthops.add(id)
}

/** What the pipeline needs before the first VNI exists. */
export function setConstants(state: State): void {
  state.switch.setMeters('constant', METERS)
  state.switch.setGroups('constant', [TRAMPOLINE])
  state.switch.setFlows('constant', [...SOURCE_FLOWS, SUPPRESS_DEFAULT, ...ANSWER_FLOWS, ...REPLY_FLOWS, SPLIT_HORIZON])
}

function refreshDatabase(state: State): void {
  const { dirty } = state
  dirty.database = false
  dirty.notices = true
  // The first thing anybody writes into a new database: one without it is no configuration that says "nothing", but none at all.
  if (state.table('Open_vSwitch').size === 0) return
  const old = state.database
  const database = readDatabase((name) => state.table(name), state.bridgePorts, dirty.rows)
  dirty.rows = new Set()
  state.database = database
  state.history.reconfigured()
  for (const udpPort of old.system.vxlanPorts) {
    if (!database.system.vxlanPorts.includes(udpPort)) state.switch.setFlows(`tunnel ${udpPort}`, [])
  }
  rebind(state, old, database)
  const isSame = isSameForAll(old, database)
  const changed = isSame ? changedVnis(old.bridge, database.bridge) : vnis(state)
  if (isSame && changed.size === 0) return
  state.switch.reviewDrift()
  state.kernel.reviewDrift()
  state.devices.reviewDrift()
  if (!isSame) dirty.tunnels = true
  for (const vni of changed) markDomain(state, vni)
  for (const link of isSame ? advertiseDevices(state, [old.bridge, database.bridge], changed) : state.mirrors.links.rows()) {
    observeDevice(state, link)
    observeRows(state, link)
  }
}

/** True when what is said for every VNI reads as before. */
function isSameForAll(old: Database, current: Database): boolean {
  const forAll = ({ system, tunnels, bridge: { all, speaker } }: Database) => ({ system, tunnels, all, speaker })
  return isDeepStrictEqual(forAll(old), forAll(current))
}

/** The VNIs whose own options read otherwise: one option of one VNI costs what hangs on that VNI. */
function changedVnis({ ofVni: old }: BridgeConfig, { ofVni: current }: BridgeConfig): Set<Vni> {
  return new Set([...old.keys(), ...current.keys()].filter((vni) => !isDeepStrictEqual(old.get(vni), current.get(vni))))
}

/** The devices these VNIs advertised by and advertise by: ours to write on or no longer. */
function advertiseDevices({ mirrors: { links } }: State, bridges: readonly BridgeConfig[], vnis: ReadonlySet<Vni>): LinkRow[] {
  const names = new Set([...vnis].flatMap((vni) => bridges.map((bridge) => optionsOf(bridge, vni).advertiseIfname)))
  return [...names].map((name) => links.byName(name)).filter((link) => link !== undefined)
}

function vnis(state: State): Set<Vni> {
  return new Set([...state.domains.keys(), ...state.bindings.outers(), ...state.books.keys(), ...state.database.bridge.addresses.keys()])
}

function refreshTunnels(state: State): void {
  state.dirty.tunnels = false
  for (const udpPort of state.database.system.vxlanPorts) {
    const ofport = tunnelOfport(state, udpPort)
    state.switch.setFlows(`tunnel ${udpPort}`, ofport === undefined ? [] : tunnelPortFlows(ofport))
  }
}
