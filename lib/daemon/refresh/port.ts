// One workload port: the flows that are its own, whatever the VNIs it is in have besides.
import type { Binding } from '../../config/port.js'
import type { Vni } from '../../net/number.js'
import { learnFlow } from '../../pipeline/learned.js'
import type { Flow } from '../../pipeline/flow.js'
import { portFlows } from '../../pipeline/port.js'
import { snoopPortFlows } from '../../pipeline/snoop.js'
import type { State } from '../state.js'

export function refreshPort(state: State, name: string): void {
  const ofport = state.mirrors.ports.ofport(name)
  const bindings = state.database.ports.get(name)?.bindings ?? []
  const isHere = ofport !== undefined && bindings.length > 0
  state.switch.setFlows(`port ${name}`, !isHere ? [] : [
    ...portFlows(ofport, bindings.map((binding) => ({
      ...binding,
      isCarrying: state.domains.get(binding.vni)?.options.innerVlan === 'carry',
      isSecured: isSecured(state, binding)
    }))),
    ...bindings.filter(({ addresses }) => addresses.unknown).flatMap(({ vni }) => unknownFlows(state, vni, ofport))
  ])
}

/** A port with the address `unknown`. Until the VNI is derived, which marks its ports once more, nothing is learned. */
function unknownFlows(state: State, vni: Vni, ofport: number): Flow[] {
  const options = state.domains.get(vni)?.options
  return options === undefined ? [] : [learnFlow(vni, ofport, options.fdbAgeThreshold), ...(options.snoop ? snoopPortFlows(vni, ofport) : [])]
}

/** evpn-port-security is on in its VNI; a port of the address `unknown` is one of any address. */
export function isSecured(state: State, { vni, addresses }: Binding): boolean {
  return state.domains.get(vni)?.options.portSecurity === true && !addresses.unknown
}
