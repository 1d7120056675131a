// One VTEP: who points at it, the tunnel port that leads to it, and the flow that lets its packets in.
import { isDeepStrictEqual } from 'node:util'
import { tunnelName } from '../../config/tunnel-port.js'
import { deriveVtep, type VtepKey } from '../../evpn/vtep.js'
import type { Vni } from '../../net/number.js'
import { decapFlow } from '../../pipeline/classify.js'
import type { Flow } from '../../pipeline/flow.js'
import type { ReachableVtep, State } from '../state.js'

/** One VTEP. Every MAC that comes or goes behind it asks, so an unchanged one must cost next to nothing. */
export function refreshVtep(state: State, vni: Vni, key: VtepKey): void {
  const domain = state.domains.get(vni)
  const old = state.vteps.get(vni, key)
  const derived = domain && deriveVtep(domain, key, state.mirrors.fdb)
  const vtep = derived && { ...derived, ofport: tunnelOfport(state, derived.udpPort), hasOwnDecap: domain?.options.decap !== 'member' }
  if (isDeepStrictEqual(old, vtep)) return
  if (vtep === undefined) state.vteps.delete(vni, key)
  else state.vteps.set(vni, key, vtep)
  if (vtep === undefined) state.vnisOfVtep.delete(key, vni)
  else state.vnisOfVtep.set(key, vni, true)
  state.dirty.members.add(key)
  state.switch.setFlows(`vtep ${vni} ${key}`, vtep === undefined ? [] : vtepFlows(vtep))
  if (old?.flood === true || vtep?.flood === true) state.dirty.floods.add(vni)
}

function vtepFlows(vtep: ReachableVtep): Flow[] {
  return !vtep.hasOwnDecap || vtep.localIp === undefined || vtep.ofport === undefined ? [] : [decapFlow(vtep, vtep.localIp, vtep.ofport)]
}

/** The tunnel port for a UDP port; undefined when it is not configured, not ours, or the switch has not made it. */
export function tunnelOfport(state: State, udpPort: number): number | undefined {
  const { system, tunnels } = state.database
  const name = tunnelName(udpPort)
  return system.vxlanPorts.includes(udpPort) && tunnels.has(name) ? state.mirrors.ports.ofport(name) : undefined
}
