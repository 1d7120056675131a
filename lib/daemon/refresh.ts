// Derives one key again, from scratch, and hands the result to the sinks. The same functions serve one change and
// the whole: a full recompute is "mark everything", so the two cannot disagree. Equal result = nothing happens.
import { isDeepStrictEqual } from 'node:util'
import { tunnelName } from '../config/tunnel-port.js'
import { deriveClaim } from '../evpn/claim.js'
import { deriveDomain, type Domain } from '../evpn/domain.js'
import { partition, type FloodMember } from '../evpn/flood.js'
import { deriveLocals, type LocalMac } from '../evpn/local.js'
import { deriveRemoteIp } from '../evpn/remote-ip.js'
import { deriveRemoteMac } from '../evpn/remote-mac.js'
import { deriveVtep, type VtepKey } from '../evpn/vtep.js'
import { hash32 } from '../net/hash.js'
import { ipFamily, type Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import { decapAnyFlows, decapFlow, unknownVtepFlow, workloadFlows } from '../pipeline/classify.js'
import type { Flow } from '../pipeline/flow.js'
import { floodEntries } from '../pipeline/flood.js'
import { deliverFlow, encapFlow, floodedFlows, localMacFlow, remoteMacFlow, taggedFlow } from '../pipeline/forward.js'
import { fdbEntry, neighbourEntry } from '../sink/kernel-row.js'
import { markDomain, observeDevice } from './affected.js'
import type { ReachableVtep, State } from './state.js'

/** A VNI exists while a port or evpn-addresses-<vni> names it. */
export function refreshDomain(state: State, vni: Vni): void {
  const { database, portsOfVni, mirrors } = state
  const exists = portsOfVni.has(vni) || database.bridge.addresses.has(vni)
  const old = state.domains.get(vni)
  const domain = exists ? deriveDomain(vni, database.system, database.bridge, mirrors.links) : undefined
  if (!isDeepStrictEqual(old, domain)) {
    state.dirty.notices = true
    if (old !== undefined) indexDomain(state, old, false)
    // Once for what hangs on the old devices, once for what hangs on the new ones.
    markDomain(state, vni)
    if (domain === undefined) state.domains.delete(vni)
    else state.domains.set(vni, domain)
    if (domain !== undefined) indexDomain(state, domain, true)
    markDomain(state, vni)
    const advertise = domain && mirrors.links.byName(domain.options.advertiseIfname)
    if (advertise !== undefined) observeDevice(state, advertise)
  }
  state.switch.setFlows(`domain ${vni}`, domain === undefined ? [] : domainFlows(state, domain))
}

function indexDomain(state: State, domain: Domain, present: boolean): void {
  const { vni, options } = domain
  const devices = [domain.bridge, domain.advertise, ...domain.vxlans]
  for (const name of [options.bridgeIfname, options.advertiseIfname, ...options.vxlanIfnames]) {
    if (present) state.vnisOfName.set(name, vni, true)
    else state.vnisOfName.delete(name, vni)
  }
  for (const ifindex of devices) {
    if (ifindex === undefined) continue
    if (present) state.vnisOfDevice.set(ifindex, vni, true)
    else state.vnisOfDevice.delete(ifindex, vni)
  }
}

/** What a VNI needs whatever its members are. */
function domainFlows(state: State, domain: Domain): Flow[] {
  const { vni, localIps, options } = domain
  const floodUnknown = (state.portsOfVni.get(vni) ?? []).some((port) => port.addresses.unknown)
  const flows = floodedFlows(vni, floodUnknown)
  if (options.innerVlan === 'drop') flows.push(taggedFlow(vni))
  for (const udpPort of state.database.system.vxlanPorts) {
    const ofport = tunnelOfport(state, udpPort)
    if (ofport === undefined) continue
    flows.push(unknownVtepFlow(vni, ofport))
    if (options.decap === 'off') flows.push(...decapAnyFlows(vni, localIps, ofport))
    for (const ip of Object.values(localIps)) flows.push(encapFlow(vni, ipFamily(ip), udpPort, ip, ofport))
  }
  return flows
}

/** One VTEP. Every MAC that comes or goes behind it asks, so an unchanged one must cost next to nothing. */
export function refreshVtep(state: State, vni: Vni, key: VtepKey): void {
  const domain = state.domains.get(vni)
  const old = state.vteps.get(vni, key)
  const derived = domain && deriveVtep(domain, key, state.mirrors.fdb)
  const vtep = derived && { ...derived, ofport: tunnelOfport(state, derived.udpPort) }
  if (isDeepStrictEqual(old, vtep)) return
  if (vtep === undefined) state.vteps.delete(vni, key)
  else state.vteps.set(vni, key, vtep)
  state.switch.setFlows(`vtep ${vni} ${key}`, vtep === undefined ? [] : vtepFlows(vtep))
  if (old?.flood === true || vtep?.flood === true) state.dirty.floods.add(vni)
}

function vtepFlows(vtep: ReachableVtep): Flow[] {
  return vtep.localIp === undefined || vtep.ofport === undefined ? [] : [decapFlow(vtep, vtep.localIp, vtep.ofport)]
}

/** The tunnel port for a UDP port; undefined when it is not configured, not ours, or the switch has not made it. */
export function tunnelOfport(state: State, udpPort: number): number | undefined {
  const { system, tunnels } = state.database
  const name = tunnelName(udpPort)
  return system.vxlanPorts.includes(udpPort) && tunnels.has(name) ? state.mirrors.ports.ofport(name) : undefined
}

/** One MAC: as a remote one, and, when it is bound here, its claim. */
export function refreshMac(state: State, vni: Vni, mac: Mac): void {
  const domain = state.domains.get(vni)
  const old = state.macs.get(vni, mac)
  const remote = domain && deriveRemoteMac(domain, mac, state.mirrors.fdb)
  if (!isDeepStrictEqual(old, remote)) {
    if (remote === undefined) state.macs.delete(vni, mac)
    else state.macs.set(vni, mac, remote)
    state.switch.setFlows(`mac ${vni} ${mac}`, remote === undefined ? [] : [remoteMacFlow(remote)])
  }
  const local = state.locals.get(vni)?.macs.get(mac)
  if (local !== undefined || state.claims.get(vni, mac) !== undefined) refreshClaim(state, vni, mac, domain, local)
}

function refreshClaim(state: State, vni: Vni, mac: Mac, domain: Domain | undefined, local: LocalMac | undefined): void {
  const claim = domain && local && deriveClaim(domain, local, {
    fdb: state.mirrors.fdb,
    neighbours: state.mirrors.neighbours,
    portProblem: (port) => state.database.ports.get(port)?.problem
  })
  if (claim === undefined) state.claims.delete(vni, mac)
  else state.claims.set(vni, mac, claim)
  const { fdb, bridge, ips } = claim ?? { fdb: undefined, bridge: undefined, ips: [] }
  state.kernel.setOwned(`claim ${vni} ${mac}`, [
    ...(fdb === undefined ? [] : [fdbEntry(fdb, mac)]),
    ...(bridge === undefined ? [] : ips.map((ip) => neighbourEntry(bridge, ip, mac)))
  ])
  const ofport = local?.port === undefined ? undefined : state.mirrors.ports.ofport(local.port)
  // While another chassis announces the MAC, traffic from here follows its claim.
  const isHere = claim !== undefined && claim.state !== 'waiting' && ofport !== undefined
  state.switch.setFlows(`local ${vni} ${mac}`, isHere ? [localMacFlow(vni, mac, ofport)] : [])
}

/** One IP: as a remote one, and, when it is bound here, the claim of its MAC. */
export function refreshIp(state: State, vni: Vni, ip: Ip): void {
  const domain = state.domains.get(vni)
  const remote = domain && deriveRemoteIp(domain, ip, state.mirrors.neighbours)
  if (remote === undefined) state.ips.delete(vni, ip)
  else state.ips.set(vni, ip, remote)
  const owner = state.locals.get(vni)?.macOfIp.get(ip)
  if (owner !== undefined) state.dirty.macs.add(vni, owner)
}

/** All port bindings of a VNI: who owns which address, and each port's own flows. */
export function refreshLocals(state: State, vni: Vni): void {
  const ports = state.portsOfVni.get(vni) ?? []
  const old = state.locals.get(vni)
  const locals = deriveLocals(vni, ports, state.database.system.bridge, state.database.bridge.addresses.get(vni) ?? [])
  state.dirty.notices = true
  if (state.domains.has(vni)) state.locals.set(vni, locals)
  else state.locals.delete(vni)
  for (const mac of new Set([...(old?.macs.keys() ?? []), ...locals.macs.keys()])) state.dirty.macs.add(vni, mac)
  state.switch.setFlows(`ports ${vni}`, ports.flatMap((port) => {
    const ofport = state.mirrors.ports.ofport(port.name)
    return ofport === undefined ? [] : [...workloadFlows(vni, ofport), deliverFlow(vni, ofport)]
  }))
  state.dirty.floods.add(vni)
  state.dirty.domains.add(vni)
}

export function refreshFlood(state: State, vni: Vni): void {
  const domain = state.domains.get(vni)
  const set = domain && partition(vni, floodMembers(state, domain))
  if (set === undefined) state.floods.delete(vni)
  else state.floods.set(vni, set)
  const entries = set === undefined ? { flows: [], groups: [] } : floodEntries(set)
  state.switch.setGroups(`flood ${vni}`, entries.groups)
  state.switch.setFlows(`flood ${vni}`, entries.flows)
}

function floodMembers(state: State, domain: Domain): FloodMember[] {
  const members: FloodMember[] = []
  for (const [key, vtep] of domain.options.flood === 'none' ? [] : state.vteps.under(domain.vni)) {
    const isUsable = vtep.localIp !== undefined && vtep.ofport !== undefined
    if (vtep.flood && isUsable) members.push({ kind: 'remote', ip: vtep.ip, udpPort: vtep.udpPort, hash: hash32(key) })
  }
  for (const port of state.portsOfVni.get(domain.vni) ?? []) {
    const ofport = state.mirrors.ports.ofport(port.name)
    if (ofport !== undefined) members.push({ kind: 'local', port: port.name, ofport, hash: hash32(port.name) })
  }
  return members
}
