// One VTEP: who points at it, the tunnel port that leads to it, and the flow that lets its packets in.
import { isDeepStrictEqual } from 'node:util'
import { tunnelName } from '../../config/tunnel-port.js'
import { deriveVtep, namesMulticastGroup, type VtepKey } from '../../evpn/vtep.js'
import type { Vni } from '../../net/number.js'
import { decapFlow } from '../../pipeline/classify.js'
import { learnRemoteFlow } from '../../pipeline/learned.js'
import type { Flow } from '../../pipeline/flow.js'
import type { ReachableVtep, State } from '../state.js'
import { countDecap } from './decap.js'
import { markNexthopsTo } from './nexthop.js'
import { noteVtep } from './note.js'

/** One VTEP. Every MAC that comes or goes behind it asks, so an unchanged one must cost next to nothing. */
export function refreshVtep(state: State, vni: Vni, key: VtepKey): void {
  const domain = state.domains.get(vni)
  const old = state.vteps.get(vni, key)
  const derived = domain && deriveVtep(domain, key, state.mirrors.fdb)
  const vtep = derived && { ...derived, ofport: tunnelOfport(state, derived.udpPort), hasOwnDecap: domain?.options.decap !== 'member', learnAge: domain?.options.learn === true ? domain.options.fdbAgeThreshold : undefined }
  noteGroup(state, vni, key, domain !== undefined && namesMulticastGroup(domain, key, state.mirrors.fdb))
  if (isDeepStrictEqual(old, vtep)) return
  countDecap(state, old, vtep)
  if (vtep === undefined) state.vteps.delete(vni, key)
  else state.vteps.set(vni, key, vtep)
  if (vtep === undefined) state.vnisOfVtep.delete(key, vni)
  else state.vnisOfVtep.set(key, vni, true)
  state.dirty.members.add(key)
  const owner = `vtep ${vni} ${key}`
  const before = state.switch.flows.keysOf(owner)
  state.switch.setFlows(owner, vtep === undefined ? [] : vtepFlows(vtep))
  noteVtep(state, vni, old, vtep, [...state.switch.flows.keysOf(owner), ...before])
  if (old?.flood === true || vtep?.flood === true) state.dirty.floods.add(vni)
  const one = vtep ?? old
  if (one !== undefined && (old?.flood !== vtep?.flood || old?.own !== vtep?.own)) markNexthopsTo(state, vni, one.ip)
}

function noteGroup({ multicastGroups, dirty }: State, vni: Vni, key: VtepKey, isGroup: boolean): void {
  if (isGroup === (multicastGroups.get(vni, key) === true)) return
  if (isGroup) multicastGroups.set(vni, key, true)
  else multicastGroups.delete(vni, key)
  dirty.notices = true
}

/** What is said of the multicast groups of a VNI's devices. */
export function groupProblems(state: State, vni: Vni): string[] {
  return [...state.multicastGroups.under(vni).keys()].map((key) =>
    `a zero-MAC entry names the multicast group ${key.split(' ')[0]}: broadcast goes to VTEPs one by one only, nothing is sent there`)
}

function vtepFlows(vtep: ReachableVtep): Flow[] {
  const { localIp, ofport, hasOwnDecap, learnAge } = vtep
  if (localIp === undefined || ofport === undefined) return []
  return [
    ...(hasOwnDecap ? [decapFlow(vtep, localIp, ofport)] : []),
    ...(learnAge === undefined ? [] : [learnRemoteFlow(vtep, ofport, learnAge)])
  ]
}

/** The tunnel port for a UDP port; undefined when it is not configured, not ours, or the switch has not made it. */
export function tunnelOfport(state: State, udpPort: number): number | undefined {
  const { system, tunnels } = state.database
  const name = tunnelName(udpPort)
  return system.vxlanPorts.includes(udpPort) && tunnels.has(name) ? state.mirrors.ports.ofport(name) : undefined
}
