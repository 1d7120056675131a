// What is alive of a lab: namespaces, processes, BGP sessions.
import { namespacesOf } from './down.js'
import { namespaces } from './devices.js'
import type { Lab } from './lab.js'
import { plainTable } from './picture.js'
import { isAlive } from './process.js'
import { readProcesses } from './state.js'

export interface LabStatus {
  /** False when something that should be there is missing. */
  readonly healthy: boolean
  readonly text: string
}

/** The state of the lab now. */
export async function labStatus(lab: Lab): Promise<LabStatus> {
  const missing = missingNamespaces(lab)
  const processes = processRows(lab)
  const sessions = lab.plan.frr ? await sessionRows(lab) : []
  const healthy = missing.length === 0 && processes.every(([, , , state]) => state === 'alive') && sessions.every(([, , state]) => state === 'Established')
  const parts = [
    `lab '${lab.id}': ${healthy ? 'all is well' : 'something is missing'}`,
    missing.length === 0 ? `${namespacesOf(lab.id).length} namespaces, all there` : `missing namespaces: ${missing.join(', ')}`,
    plainTable(['host', 'process', 'pid', 'state'], processes),
    ...(sessions.length === 0 ? [] : [plainTable(['VTEP', 'peer', 'BGP session', 'routes'], sessions)])
  ]
  return { healthy, text: parts.join('\n\n') }
}

function missingNamespaces(lab: Lab): string[] {
  const there = new Set(namespacesOf(lab.id))
  return namespaces(lab.plan).filter((name) => !there.has(name))
}

/** The latest process of each name on each host: a daemon that was restarted is one row. */
function processRows(lab: Lab): string[][] {
  const latest = new Map(readProcesses(lab.id).map((record) => [`${record.host} ${record.name}`, record]))
  return [...latest.values()].map((record) => [record.host, record.name, String(record.pid), isAlive(record) ? 'alive' : 'ended'])
}

async function sessionRows(lab: Lab): Promise<string[][]> {
  const rows = await Promise.all(lab.plan.vteps.map(async ({ name }) => {
    const { stdout, stderr, code } = await lab.exec(name, ['vtysh', '-c', 'show bgp l2vpn evpn summary json'], { allowFailure: true })
    if (code !== 0) return [[name, '', (stderr + stdout).trim(), '']]
    const { peers = {} } = JSON.parse(stdout) as { peers?: Record<string, { state: string, pfxRcd?: number }> }
    return Object.entries(peers).map(([peer, { state, pfxRcd }]) => [name, peer, state, String(pfxRcd ?? 0)])
  }))
  return rows.flat()
}
