// One VNI: its devices and options joined, what is found under it by device and by name, and the flows it needs whatever its members are.
import { isDeepStrictEqual } from 'node:util'
import { deriveDomain, type Domain } from '../../evpn/domain.js'
import { vlanKey } from '../../evpn/vlan.js'
import { ipFamily } from '../../net/ip.js'
import type { Vni } from '../../net/number.js'
import { decapAnyFlows, decapMemberFlows, unacceptedFlows } from '../../pipeline/classify.js'
import { vniDropFlows } from '../../pipeline/drops.js'
import type { Flow } from '../../pipeline/flow.js'
import { encapFlows, floodedFlows, taggedFlows } from '../../pipeline/forward.js'
import { learnedFlows, learnedRemoteFlows, unlearnedFlows } from '../../pipeline/learned.js'
import { secureFlows } from '../../pipeline/secure.js'
import { snoopServerFlow } from '../../pipeline/snoop.js'
import { markDomain, observeRows } from '../affected.js'
import type { State } from '../state.js'
import { deviceEntry, deviceKey } from '../../sink/device.js'
import { groupProblems, tunnelOfport } from './vtep.js'

/** A VNI exists while a port or evpn-addresses-<vni> names it. */
export function refreshDomain(state: State, vni: Vni): void {
  const { database, bindings, mirrors } = state
  const exists = bindings.under(vni).size > 0 || database.bridge.addresses.has(vni)
  const old = state.domains.get(vni)
  const domain = exists ? deriveDomain(vni, database.system, database.bridge, mirrors.links, mirrors.vlans) : undefined
  if (!isDeepStrictEqual(old, domain)) {
    state.dirty.notices = true
    state.history.renewed(vni)
    if (old !== undefined) indexDomain(state, old, false)
    // Once for what hangs on the old devices, once for what hangs on the new ones.
    markDomain(state, vni)
    if (domain === undefined) state.domains.delete(vni)
    else state.domains.set(vni, domain)
    if (domain !== undefined) indexDomain(state, domain, true)
    if (domain?.options.snoop !== true) for (const mac of [...state.mirrors.snooped.under(vni).keys()]) state.mirrors.snooped.forget(vni, mac)
    countMember(state, vni, domain?.options.decap === 'member')
    if (domain?.localIps[6] === undefined) state.ipv6Vnis.delete(vni)
    else state.ipv6Vnis.add(vni)
    markDomain(state, vni)
    const advertise = domain && mirrors.links.byName(domain.options.advertiseIfname)
    if (advertise !== undefined) observeRows(state, advertise)
    state.devices.setOwned(`devices ${vni}`, domain?.devices.map(deviceEntry) ?? [])
  }
  state.switch.setFlows(`domain ${vni}`, domain === undefined ? [] : domainFlows(state, domain))
}

/** What is wrong with a VNI. Of devices that we are just making, nothing is said: what they lack comes within milliseconds. */
export function domainProblems(state: State, { vni, devices, problems }: Domain): string[] {
  const { rows } = state.devices
  const isMaking = devices.some(({ name }) => rows.isPending(deviceKey(name)) && !/^(refused|somebody)/.test(rows.blocked().get(deviceKey(name)) ?? ''))
  return [...isMaking ? [] : problems, ...groupProblems(state, vni)]
}

function indexDomain(state: State, domain: Domain, present: boolean): void {
  const { vni, options } = domain
  for (const name of [options.bridgeIfname, options.advertiseIfname, ...options.vxlanIfnames]) {
    if (present) state.vnisOfName.set(name, vni, true)
    else state.vnisOfName.delete(name, vni)
  }
  for (const table of domain.tables) {
    if (present) state.vnisOfTable.set(table, vni, true)
    else state.vnisOfTable.delete(table, vni)
  }
  if (domain.bridge !== undefined && domain.vlan !== undefined) {
    const key = vlanKey(domain.bridge, domain.vlan)
    if (present) state.vnisOfVlan.set(key, vni, true)
    else state.vnisOfVlan.delete(key, vni)
  }
  if (domain.svi !== undefined) {
    if (present) state.vnisOfSvi.set(domain.svi, vni, true)
    else state.vnisOfSvi.delete(domain.svi, vni)
  }
}

/** The first VNI with evpn-decap member needs a flow for every VTEP there is; the last one takes them away. */
function countMember({ memberVnis, vnisOfVtep, dirty }: State, vni: Vni, isMember: boolean): void {
  const hadAny = memberVnis.size > 0
  if (isMember) memberVnis.add(vni)
  else memberVnis.delete(vni)
  if (hadAny === memberVnis.size > 0) return
  for (const key of vnisOfVtep.outers()) dirty.members.add(key)
}

/** What a VNI needs whatever its members are. */
function domainFlows(state: State, domain: Domain): Flow[] {
  const { vni, localIps, options } = domain
  const floodUnknown = [...state.bindings.under(vni).values()].some(({ addresses }) => addresses.unknown)
  const flows = [...floodedFlows(vni, floodUnknown, options.learn), ...vniDropFlows(vni)]
  const dropsTags = options.innerVlan === 'drop'
  if (dropsTags) flows.push(...taggedFlows(vni))
  if (dropsTags && (floodUnknown || options.learn)) flows.push(...unlearnedFlows(vni))
  if (floodUnknown) flows.push(...learnedFlows(vni, options.fdbPreferLocal), ...(options.snoop ? [snoopServerFlow(vni)] : []))
  if (options.learn) flows.push(...learnedRemoteFlows(vni, floodUnknown))
  if (options.portSecurity) flows.push(...secureFlows(vni))
  for (const udpPort of state.database.system.vxlanPorts) {
    const ofport = tunnelOfport(state, udpPort)
    if (ofport === undefined) continue
    flows.push(...unacceptedFlows(vni, localIps, ofport))
    if (options.decap === 'off') flows.push(...decapAnyFlows(vni, localIps, ofport))
    if (options.decap === 'member') flows.push(...decapMemberFlows(vni, localIps, ofport))
    for (const ip of Object.values(localIps)) flows.push(...encapFlows(vni, ipFamily(ip), udpPort, ip, ofport))
  }
  return flows
}
