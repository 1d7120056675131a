// What is alive of a lab: namespaces, processes, BGP sessions.
import { formatTable } from '../../lib/cli/table.js'
import { namespaces } from './devices.js'
import { namespacesOf } from './down.js'
import { parseSummary } from './frr.js'
import type { Lab } from './lab.js'
import { isAlive } from './process.js'
import { readProcesses, type ProcessRecord } from './state.js'

export interface LabStatus {
  /** False when something that should be there is missing. */
  readonly healthy: boolean
  readonly text: string
}

interface Session {
  readonly vtep: string
  readonly peer: string
  readonly state: string
  readonly routes: number
}

/** The state of the lab now. */
export async function labStatus(lab: Lab): Promise<LabStatus> {
  const missing = missingNamespaces(lab)
  const processes = latestProcesses(lab)
  const sessions = lab.plan.frr ? (await Promise.all(lab.plan.vteps.map(({ name }) => sessionsOf(lab, name)))).flat() : []
  const healthy = missing.length === 0 && processes.every(isAlive) && sessions.every(({ state }) => state === 'Established')
  const parts = [
    `lab '${lab.id}': ${healthy ? 'all is well' : 'something is missing'}`,
    missing.length === 0 ? `${namespaces(lab.plan).length} namespaces, all there` : `missing namespaces: ${missing.join(', ')}`,
    ...(processes.length === 0 ? [] : [processTable(processes)]),
    ...(sessions.length === 0 ? [] : [sessionTable(sessions)])
  ]
  return { healthy, text: parts.join('\n\n') }
}

function missingNamespaces(lab: Lab): string[] {
  const there = new Set(namespacesOf(lab.id))
  return namespaces(lab.plan).filter((name) => !there.has(name))
}

/** The latest process of each name on each host: a daemon that was restarted is one row. */
function latestProcesses(lab: Lab): ProcessRecord[] {
  return [...new Map(readProcesses(lab.id).map((record) => [`${record.host} ${record.name}`, record])).values()]
}

async function sessionsOf(lab: Lab, vtep: string): Promise<Session[]> {
  const { stdout, stderr, code } = await lab.exec(vtep, ['vtysh', '-c', 'show bgp l2vpn evpn summary json'], { allowFailure: true })
  if (code !== 0) return [{ vtep, peer: '', state: (stderr + stdout).trim(), routes: 0 }]
  return parseSummary(stdout).map((peer) => ({ vtep, ...peer }))
}

function processTable(processes: readonly ProcessRecord[]): string {
  return formatTable<ProcessRecord>([
    { head: 'host', cell: ({ host }) => host },
    { head: 'process', cell: ({ name }) => name },
    { head: 'pid', cell: ({ pid }) => pid },
    { head: 'state', cell: (record) => isAlive(record) ? 'alive' : 'ended' }
  ], processes).trimEnd()
}

function sessionTable(sessions: readonly Session[]): string {
  return formatTable<Session>([
    { head: 'VTEP', cell: ({ vtep }) => vtep },
    { head: 'peer', cell: ({ peer }) => peer },
    { head: 'BGP session', cell: ({ state }) => state },
    { head: 'routes', cell: ({ routes }) => routes }
  ], sessions).trimEnd()
}
