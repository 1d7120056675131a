// Our tunnel ports, as Open vSwitch has them or refuses them.
import { atoms } from '../../config/columns.js'
import { tunnelName } from '../../config/tunnel-port.js'
import type { Agent } from '../agent.js'
import { tunnelOfport } from '../refresh/index.js'
import type { State } from '../state.js'
import type { TunnelReport } from './report.js'

export function tunnelReports(agent: Agent): TunnelReport[] {
  return agent.state.database.system.vxlanPorts.map((udpPort) => tunnelReport(agent, udpPort))
}

function tunnelReport(agent: Agent, udpPort: number): TunnelReport {
  const { state } = agent
  const name = tunnelName(udpPort)
  const ofport = tunnelOfport(state, udpPort)
  const base = { name, udp_port: udpPort }
  if (ofport !== undefined) return { ...base, ofport, state: 'up' }
  const refusal = interfaceError(state, name) ?? agent.tunnels.problem(name)
  return refusal === undefined ? { ...base, state: 'waiting', reason: 'Open vSwitch has not made the port yet' } : { ...base, state: 'refused', reason: refusal }
}

/** OVS's own words, from the Interface row's error column. */
function interfaceError(state: State, name: string): string | undefined {
  for (const row of state.table('Interface').values()) {
    const [error] = atoms(row['error'])
    if (row['name'] === name && error !== undefined) return String(error)
  }
  return undefined
}
