// The whole configuration as one value, read from the OVSDB replica. Reading is a pure function of the tables; the ports, which
// may be very many, are kept from one reading to the next.
import type { Row } from '../ovsdb/index.js'
import { EMPTY_BRIDGE, parseBridge, type BridgeConfig } from './bridge.js'
import { isOvnTunnel, type BridgePorts, type PortChange, type WorkloadPort } from './bridge-ports.js'
import { atoms, text, textMap } from './columns.js'
import { parseSystem, type SystemConfig } from './system.js'
import type { Warning } from './warning.js'

/** What the daemon asks ovsdb-server for. */
export const MONITORED = {
  Open_vSwitch: ['external_ids', 'bridges', 'ovs_version'],
  Bridge: ['name', 'ports', 'external_ids', 'fail_mode', 'datapath_type'],
  Port: ['name', 'interfaces', 'external_ids'],
  Interface: ['name', 'type', 'options', 'external_ids', 'ofport', 'error']
} as const

export type TableView = (name: keyof typeof MONITORED) => ReadonlyMap<string, Row>

export interface Database {
  readonly system: SystemConfig
  /** Row of the integration bridge; undefined = there is none of that name. */
  readonly bridgeUuid: string | undefined
  readonly bridge: BridgeConfig
  /** Why we keep our hands off this bridge; undefined = it is for us to use. */
  readonly standOff: string | undefined
  readonly failMode: string
  /** Ports of the integration bridge that name a VNI, by Interface name: those of now, also in a value that was read before. */
  readonly ports: ReadonlyMap<string, WorkloadPort>
  /** Which of them are not what they were in the reading before. */
  readonly portChanges: readonly PortChange[]
  /** Names of the tunnel ports of ours on the integration bridge. */
  readonly tunnels: ReadonlySet<string>
  readonly warnings: readonly Warning[]
}

/**
 * Reads everything, and brings `ports` up to date: all of them, or only those whose rows are among the `changed` uuids. Cost: that of
 * what changed, and one pass over Bridge.ports.
 */
export function readDatabase(table: TableView, ports: BridgePorts, changed?: ReadonlySet<string>): Database {
  const [root] = table('Open_vSwitch').values()
  const { config: system, warnings } = parseSystem(textMap(root?.['external_ids']))
  const [bridgeUuid, row] = [...table('Bridge')].find(([, bridge]) => bridge['name'] === system.bridge) ?? []
  const portChanges = ports.update(row === undefined ? [] : portUuids(row), table, changed)
  const common = { system, bridgeUuid, ports: ports.workloads, portChanges, tunnels: ports.tunnels }
  if (row === undefined) return { ...common, bridge: EMPTY_BRIDGE, standOff: undefined, failMode: '', warnings }
  const parsedBridge = parseBridge(system.bridge, textMap(row['external_ids']))
  return {
    ...common,
    bridge: parsedBridge.config,
    standOff: whyStandOff(system.bridge, row, ports),
    failMode: text(row['fail_mode']),
    warnings: [...warnings, ...parsedBridge.warnings, ...ports.warnings]
  }
}

/** The uuids of a bridge's ports, as the row has them: the same strings as in the row before. */
function portUuids(bridge: Row): readonly string[] {
  return atoms(bridge['ports']) as readonly string[]
}

/** ovn-controller deletes every flow it does not know: two owners of one bridge cannot live together. */
function whyStandOff(name: string, bridge: Row, ports: BridgePorts): string | undefined {
  const mark = ovnMark(bridge)
  if (mark !== undefined) return `bridge ${name} belongs to ovn-controller (external_ids:${mark})`
  if (ports.ovnTunnel !== undefined) return `bridge ${name} belongs to ovn-controller (port ${ports.ovnTunnel} has external_ids:ovn-chassis-id)`
  return ports.isOvn ? `bridge ${name} belongs to ovn-controller (an interface has external_ids:ovn-installed)` : undefined
}

/** True for any bridge that carries a mark of ovn-controller, whoever else has ports there. */
export function isOvnBridge(bridge: Row, table: TableView): boolean {
  return ovnMark(bridge) !== undefined || portUuids(bridge).some((uuid) => isOvnTunnel(table('Port').get(uuid) ?? {}))
}

function ovnMark(bridge: Row): string | undefined {
  return [...textMap(bridge['external_ids']).keys()].find(isOvnKey)
}

/** True for a key of a bridge's external_ids by which ovn-controller gives itself away. */
export function isOvnKey(key: string): boolean {
  return key === 'ovn-startup-ts' || key === 'ovn-nb-cfg' || key.startsWith('ct-zone-')
}
