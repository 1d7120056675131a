// One VTEP as all VNIs see it: with evpn-decap member, its packets are let in by one flow, whichever VNIs know it.
import type { VtepKey } from '../../evpn/vtep.js'
import { memberFlow } from '../../pipeline/classify.js'
import type { State } from '../state.js'
import { tunnelOfport } from './vtep.js'

export function refreshMember(state: State, key: VtepKey): void {
  const [ip = '', udpPort = ''] = key.split(' ')
  const isKnown = state.memberVnis.size > 0 && state.vnisOfVtep.under(key).size > 0
  const ofport = isKnown ? tunnelOfport(state, Number(udpPort)) : undefined
  state.switch.setFlows(`member ${key}`, ofport === undefined ? [] : [memberFlow(ip, ofport)])
}
