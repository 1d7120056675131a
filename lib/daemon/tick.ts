// The tick: everything dirty is derived again, level by level, and the sinks are told to send what differs.
// configuration -> domains -> local addresses -> VTEPs, MACs, IPs -> floods -> sinks. Nothing flows back up.
import { isDeepStrictEqual } from 'node:util'
import { readDatabase, type Database, type WorkloadPort } from '../config/database.js'
import type { Vni } from '../net/number.js'
import { tunnelPortFlows } from '../pipeline/classify.js'
import { TRAMPOLINE } from '../pipeline/flood.js'
import { SPLIT_HORIZON } from '../pipeline/forward.js'
import { SOURCE_FLOWS } from '../pipeline/source.js'
import { markDomain, observeDevice } from './affected.js'
import { takeAll } from './dirty.js'
import { refreshDomain, refreshFlood, refreshIp, refreshLocals, refreshMac, refreshVtep, tunnelOfport } from './refresh/index.js'
import type { State } from './state.js'

/** Derives everything dirty. A level may mark the levels below it, and a new VNI marks itself once more. */
export function derive(state: State): void {
  const { dirty } = state
  while (!dirty.isEmpty) {
    if (dirty.database) refreshDatabase(state)
    for (const vni of takeAll(dirty.domains)) refreshDomain(state, vni)
    for (const vni of takeAll(dirty.locals)) refreshLocals(state, vni)
    if (dirty.domains.size > 0) continue
    if (dirty.tunnels) refreshTunnels(state)
    for (const [vni, keys] of dirty.vteps.take()) for (const key of keys) refreshVtep(state, vni, key)
    for (const [vni, ips] of dirty.ips.take()) for (const ip of ips) refreshIp(state, vni, ip)
    for (const [vni, macs] of dirty.macs.take()) for (const mac of macs) refreshMac(state, vni, mac)
    for (const vni of takeAll(dirty.floods)) refreshFlood(state, vni)
  }
}

/** Marks everything there is: after it, derive computes the whole anew through the functions that serve one change. */
export function markAll(state: State): void {
  state.dirty.database = true
  state.dirty.tunnels = true
  for (const vni of vnis(state.database, state)) markDomain(state, vni)
}

/** What the pipeline needs before the first VNI exists. */
export function setConstants(state: State): void {
  state.switch.setGroups('constant', [TRAMPOLINE])
  state.switch.setFlows('constant', [...SOURCE_FLOWS, SPLIT_HORIZON])
}

function refreshDatabase(state: State): void {
  const { dirty } = state
  dirty.database = false
  dirty.notices = true
  const old = state.database
  const database = readDatabase((name) => state.table(name), state.interfaceCache)
  state.database = database
  for (const udpPort of old.system.vxlanPorts) {
    if (!database.system.vxlanPorts.includes(udpPort)) state.switch.setFlows(`tunnel ${udpPort}`, [])
  }
  const isSame = isDeepStrictEqual(old.system, database.system) && isDeepStrictEqual(old.bridge, database.bridge) && isDeepStrictEqual(old.tunnels, database.tunnels)
  if (isSame) {
    markChangedPorts(state, old, database)
  } else {
    dirty.tunnels = true
    for (const vni of [...vnis(old, state), ...vnis(database, state)]) markDomain(state, vni)
    for (const link of state.mirrors.links.rows()) observeDevice(state, link)
  }
  state.portsOfVni = groupByVni(database)
}

function vnis(database: Database, state: State): Set<Vni> {
  return new Set([...state.domains.keys(), ...groupByVni(database).keys(), ...database.bridge.addresses.keys()])
}

/** An unchanged Interface row is the same parsed object, so most ports cost one comparison. */
function markChangedPorts(state: State, old: Database, current: Database): void {
  for (const name of new Set([...old.ports.keys(), ...current.ports.keys()])) {
    const [before, after] = [old.ports.get(name), current.ports.get(name)]
    if (before === after || isDeepStrictEqual(before, after)) continue
    for (const port of [before, after]) {
      if (port === undefined) continue
      state.dirty.domains.add(port.vni)
      state.dirty.locals.add(port.vni)
    }
  }
}

function groupByVni(database: Database): Map<Vni, WorkloadPort[]> {
  const groups = new Map<Vni, WorkloadPort[]>()
  for (const port of database.ports.values()) push(groups, port)
  return groups
}

function refreshTunnels(state: State): void {
  state.dirty.tunnels = false
  for (const udpPort of state.database.system.vxlanPorts) {
    const ofport = tunnelOfport(state, udpPort)
    state.switch.setFlows(`tunnel ${udpPort}`, ofport === undefined ? [] : tunnelPortFlows(ofport))
  }
}

function push(groups: Map<Vni, WorkloadPort[]>, port: WorkloadPort): void {
  const group = groups.get(port.vni)
  if (group === undefined) groups.set(port.vni, [port])
  else group.push(port)
}
