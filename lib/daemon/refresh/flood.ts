// The flood of one VNI: its members, in parts, as groups.
import type { Domain } from '../../evpn/domain.js'
import { partition, type FloodMember } from '../../evpn/flood.js'
import { hash32 } from '../../net/hash.js'
import type { Vni } from '../../net/number.js'
import { floodEntries } from '../../pipeline/flood.js'
import type { State } from '../state.js'

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
    if (vtep.flood && isUsable) members.push({ kind: 'remote', ip: vtep.ip, udpPort: vtep.udpPort, encapVni: vtep.floodVni, hash: hash32(key) })
  }
  for (const { port, addresses } of state.bindings.under(domain.vni).values()) {
    const ofport = state.mirrors.ports.ofport(port)
    if (ofport === undefined) continue
    members.push({ kind: 'local', port, ofport, hash: hash32(port) })
    if (addresses.unknown) members.push({ kind: 'unknown', port, ofport, hash: hash32(port) })
  }
  return members
}
