// What was dropped and why, read from the switch's counters when somebody asks.
import { decodeMatch, encodeMatch, type FlowStats } from '../../openflow/index.js'
import type { Vni } from '../../net/number.js'
import { counterOf } from '../../pipeline/drops.js'
import { isOurCookie } from '../../pipeline/slots.js'
import { TABLE } from '../../pipeline/tables.js'
import { tunnelOfport } from '../refresh/index.js'
import { tunnelName } from '../../config/tunnel-port.js'
import type { DropReport } from './report.js'
import type { State } from '../state.js'

/** Reads the counters of one VNI, or those of all that counted something. Rejects when the switch cannot be asked. */
export async function dropReports(state: State, vni: Vni | undefined): Promise<DropReport[]> {
  const match = vni === undefined ? {} : { match: encodeMatch({ metadata: vni }) }
  const counters = await state.switch.flowStats({ tableId: TABLE.DROP, ...match })
  return counters.filter(({ cookie, packets }) => isOurCookie(cookie) && (vni !== undefined || packets > 0n)).flatMap((stats) => dropReport(state, stats))
}

function dropReport(state: State, { match, packets, bytes }: FlowStats): DropReport[] {
  const counter = counterOf(decodeMatch(match))
  if (counter === undefined) return []
  const counted = { reason: counter.reason.name, packets: Number(packets), bytes: Number(bytes) }
  return [{ ...('vni' in counter ? { vni: counter.vni } : { vni: null, port: portAt(state, counter.ofport) }), ...counted }]
}

/** The name of a tunnel port or of a workload's. */
function portAt(state: State, ofport: number): string {
  const udpPort = state.database.system.vxlanPorts.find((candidate) => tunnelOfport(state, candidate) === ofport)
  if (udpPort !== undefined) return tunnelName(udpPort)
  const name = [...state.database.ports.keys()].find((candidate) => state.mirrors.ports.ofport(candidate) === ofport)
  return name ?? `port ${ofport}`
}
