// The whole configuration as one value, read from the OVSDB replica. Reading is a pure function of the tables;
// an Interface row is parsed once, because the replica replaces a row object when, and only when, it changed.
import type { Row } from '../ovsdb/index.js'
import { EMPTY_BRIDGE, parseBridge, type BridgeConfig } from './bridge.js'
import { atoms, text, textMap, uuids } from './columns.js'
import { parsePort, type PortConfig } from './port.js'
import { parseSystem, type SystemConfig } from './system.js'
import { isTunnelPort } from './tunnel-port.js'
import type { Warning } from './warning.js'

/** What the daemon asks ovsdb-server for. */
export const MONITORED = {
  Open_vSwitch: ['external_ids', 'bridges', 'ovs_version'],
  Bridge: ['name', 'ports', 'external_ids', 'fail_mode', 'datapath_type'],
  Port: ['name', 'interfaces', 'external_ids'],
  Interface: ['name', 'type', 'options', 'external_ids', 'ofport', 'error']
} as const

export type TableView = (name: keyof typeof MONITORED) => ReadonlyMap<string, Row>

export interface WorkloadPort extends PortConfig {
  /** Why Open vSwitch cannot use the port; undefined = it can. */
  readonly problem: string | undefined
}

export interface Database {
  readonly system: SystemConfig
  /** Row of the integration bridge; undefined = there is none of that name. */
  readonly bridgeUuid: string | undefined
  readonly bridge: BridgeConfig
  /** Why we keep our hands off this bridge; undefined = it is for us to use. */
  readonly standOff: string | undefined
  readonly failMode: string
  /** Ports of the integration bridge that name a VNI, by Interface name. */
  readonly ports: ReadonlyMap<string, WorkloadPort>
  /** Names of the tunnel ports of ours on the integration bridge. */
  readonly tunnels: ReadonlySet<string>
  readonly warnings: readonly Warning[]
}

interface ParsedInterface { readonly port: WorkloadPort | undefined; readonly warnings: readonly Warning[]; readonly isOvn: boolean }

/** Parsed Interface rows by row object. */
export type InterfaceCache = WeakMap<Row, ParsedInterface>

/** Reads everything. Cost: a few map look-ups per port of the bridge, parsing only for what is new. */
export function readDatabase(table: TableView, cache: InterfaceCache): Database {
  const [root] = table('Open_vSwitch').values()
  const { config: system, warnings } = parseSystem(textMap(root?.['external_ids']))
  const [bridgeUuid, row] = [...table('Bridge')].find(([, bridge]) => bridge['name'] === system.bridge) ?? []
  if (row === undefined) {
    return { system, bridgeUuid: undefined, bridge: EMPTY_BRIDGE, standOff: undefined, failMode: '', ports: new Map(), tunnels: new Set(), warnings }
  }
  const parsedBridge = parseBridge(system.bridge, textMap(row['external_ids']))
  const parsed = interfacesOf(row, table).map((iface) => parseInterface(iface, cache))
  const ports = parsed.flatMap(({ port }) => (port === undefined ? [] : [port])).sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    system,
    bridgeUuid,
    bridge: parsedBridge.config,
    standOff: whyStandOff(system.bridge, row, parsed, table),
    failMode: text(row['fail_mode']),
    ports: new Map(ports.map((port) => [port.name, port])),
    tunnels: new Set(portsOf(row, table).filter(isTunnelPort).map((port) => text(port['name']))),
    warnings: [...warnings, ...parsedBridge.warnings, ...parsed.flatMap((one) => one.warnings)]
  }
}

function portsOf(bridge: Row, table: TableView): Row[] {
  return uuids(bridge['ports']).map((uuid) => table('Port').get(uuid)).filter((row) => row !== undefined)
}

function interfacesOf(bridge: Row, table: TableView): Row[] {
  return portsOf(bridge, table).flatMap((port) => uuids(port['interfaces']))
    .map((uuid) => table('Interface').get(uuid)).filter((row) => row !== undefined)
}

function parseInterface(row: Row, cache: InterfaceCache): ParsedInterface {
  const cached = cache.get(row)
  if (cached !== undefined) return cached
  const externalIds = textMap(row['external_ids'])
  const { config, warnings } = parsePort(text(row['name']), externalIds)
  const parsed = { port: config && { ...config, problem: portProblem(row) }, warnings, isOvn: externalIds.has('ovn-installed') }
  cache.set(row, parsed)
  return parsed
}

/** ofport is empty until ovs-vswitchd looked at the port, -1 when it could not make it (ovs-vswitchd.conf.db(5)). */
function portProblem(row: Row): string | undefined {
  const [ofport] = atoms(row['ofport'])
  const [error] = atoms(row['error'])
  if (error !== undefined) return `Open vSwitch reports: ${error}`
  if (ofport === undefined) return 'Open vSwitch has not made the port yet'
  return Number(ofport) < 0 ? 'Open vSwitch could not make the port' : undefined
}

/** ovn-controller deletes every flow it does not know: two owners of one bridge cannot live together. */
function whyStandOff(name: string, bridge: Row, interfaces: readonly ParsedInterface[], table: TableView): string | undefined {
  const mark = ovnMark(bridge)
  if (mark !== undefined) return `bridge ${name} belongs to ovn-controller (external_ids:${mark})`
  const port = ovnTunnel(bridge, table)
  if (port !== undefined) return `bridge ${name} belongs to ovn-controller (port ${text(port['name'])} has external_ids:ovn-chassis-id)`
  return interfaces.some((one) => one.isOvn) ? `bridge ${name} belongs to ovn-controller (an interface has external_ids:ovn-installed)` : undefined
}

/** True for any bridge that carries a mark of ovn-controller, whoever else has ports there. */
export function isOvnBridge(bridge: Row, table: TableView): boolean {
  return ovnMark(bridge) !== undefined || ovnTunnel(bridge, table) !== undefined
}

function ovnMark(bridge: Row): string | undefined {
  return [...textMap(bridge['external_ids']).keys()].find(isOvnKey)
}

/** True for a key of a bridge's external_ids by which ovn-controller gives itself away. */
export function isOvnKey(key: string): boolean {
  return key === 'ovn-startup-ts' || key === 'ovn-nb-cfg' || key.startsWith('ct-zone-')
}

function ovnTunnel(bridge: Row, table: TableView): Row | undefined {
  return portsOf(bridge, table).find((port) => textMap(port['external_ids']).has('ovn-chassis-id'))
}
