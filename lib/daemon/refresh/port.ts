// One workload port: the flows that are its own, whatever the VNIs it is in have besides.
import { deliverFlow } from '../../pipeline/forward.js'
import { workloadFlows } from '../../pipeline/classify.js'
import type { State } from '../state.js'

export function refreshPort(state: State, name: string): void {
  const ofport = state.mirrors.ports.ofport(name)
  const bindings = ofport === undefined ? [] : state.database.ports.get(name)?.bindings ?? []
  state.switch.setFlows(`port ${name}`, ofport === undefined ? [] : bindings.flatMap(({ vni }) => [...workloadFlows(vni, ofport), deliverFlow(vni, ofport)]))
}
