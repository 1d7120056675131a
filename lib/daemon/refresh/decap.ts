// What evpn-decap strict costs: a flow for each VTEP in each VNI. Said before they are sent, in round numbers, so that a VTEP more
// or less is no news.
import { command } from '../../config/shell.js'
import type { ReachableVtep, State } from '../state.js'

/** Flows from which on it is worth a word, and the step in which it is told: rounded up, so that nobody plans with too little. */
const STEP = 50_000
/** Of one such flow in ovs-vswitchd: bytes, and microseconds to load (512,000 of them: 600 MB, 6.5 s on 3.1.0). */
const [FLOW_BYTES, FLOW_US] = [1_200, 12.7]

/** A VTEP of a VNI came, went or changed. */
export function countDecap(state: State, old: ReachableVtep | undefined, current: ReachableVtep | undefined): void {
  const before = roundedUp(state)
  state.decapFlows += Number(current?.hasOwnDecap === true) - Number(old?.hasOwnDecap === true)
  if (roundedUp(state) !== before) state.dirty.notices = true
}

/** What all of them cost; undefined = not worth a word. */
export function decapEstimate({ decapFlows, database: { system } }: Pick<State, 'decapFlows' | 'database'>): string | undefined {
  const flows = roundedUp({ decapFlows })
  if (flows === 0) return undefined
  const [megabytes, seconds] = [Math.round(flows * FLOW_BYTES / 1e6), (flows * FLOW_US / 1e6).toFixed(1)]
  return `evpn-decap=strict needs up to ${flows} flows, one for each VTEP in each VNI: about ${megabytes} MB in ovs-vswitchd, and ${seconds} s to load them; `
    + `member needs one for each VTEP and one for each VNI; set it with: ${command`ovs-vsctl set Bridge ${system.bridge} external_ids:evpn-decap=member`}`
}

function roundedUp({ decapFlows }: Pick<State, 'decapFlows'>): number {
  return decapFlows < STEP ? 0 : Math.ceil(decapFlows / STEP) * STEP
}
