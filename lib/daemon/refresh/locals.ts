// The port bindings of one VNI: who owns which address, and the ports' own flows.
import { deriveLocals } from '../../evpn/local.js'
import type { Vni } from '../../net/number.js'
import { workloadFlows } from '../../pipeline/classify.js'
import { deliverFlow } from '../../pipeline/forward.js'
import type { State } from '../state.js'

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
