// The flood of one VNI: its members, in parts, as groups.
import type { Domain } from '../../evpn/domain.js'
import { partition, type FloodMember } from '../../evpn/flood.js'
import type { VtepKey } from '../../evpn/vtep.js'
import { hash32 } from '../../net/hash.js'
import type { Vni } from '../../net/number.js'
import { floodEntries } from '../../pipeline/flood.js'
import type { ReachableVtep, State } from '../state.js'

export function refreshFlood(state: State, vni: Vni): void {
  const domain = state.domains.get(vni)
  const set = domain && partition(vni, floodMembers(state, domain), state.floods.get(vni))
  if (set === undefined) state.floods.delete(vni)
  else state.floods.set(vni, set)
  const entries = set === undefined ? { flows: [], groups: [] } : floodEntries(set, state.floodCache)
  state.switch.setGroups(`flood ${vni}`, entries.groups)
  state.switch.setFlows(`flood ${vni}`, entries.flows)
}

/** The same object as long as the VTEP is what it was: what is made of it is made once. */
function memberOf({ floodMembers: known }: State, key: VtepKey, vtep: ReachableVtep): FloodMember {
  let member = known.get(vtep)
  if (member === undefined) known.set(vtep, member = { kind: 'remote', ip: vtep.ip, udpPort: vtep.udpPort, encapVni: vtep.floodVni, hash: hash32(key) })
  return member
}

function floodMembers(state: State, domain: Domain): FloodMember[] {
  const members: FloodMember[] = []
  for (const [key, vtep] of domain.options.flood === 'none' ? [] : state.vteps.under(domain.vni)) {
    if (vtep.flood && vtep.localIp !== undefined && vtep.ofport !== undefined) members.push(memberOf(state, key, vtep))
  }
  for (const { port, addresses } of state.bindings.under(domain.vni).values()) {
    const ofport = state.mirrors.ports.ofport(port)
    if (ofport === undefined) continue
    members.push({ kind: 'local', port, ofport, hash: hash32(port) })
    if (addresses.unknown) members.push({ kind: 'unknown', port, ofport, hash: hash32(port) })
  }
  return members
}
