// A database as the replica holds it: a bridge with ports of one interface each, written down in one line a port.
import { createHash } from 'node:crypto'
import type { Row, Value } from '../../lib/ovsdb/index.js'
import type { TableView } from '../../lib/config/database.js'

export type Ids = Readonly<Record<string, string>>

export interface PortSpec {
  readonly ids?: Ids
  readonly portIds?: Ids
  readonly type?: string
  readonly options?: Ids
  /** Empty = ovs-vswitchd has not looked at it. */
  readonly ofport?: readonly number[]
  readonly error?: string
}

export interface BridgeSpec {
  readonly ids?: Ids
  readonly failMode?: string
  readonly ports?: Readonly<Record<string, PortSpec>>
}

export type Tables = Record<'Open_vSwitch' | 'Bridge' | 'Port' | 'Interface', Map<string, Row>>

/** Uuids are made of a letter for the table and a hash of the row's name, so that a test can name them. */
export function uuid(table: 'bridge' | 'port' | 'iface', name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  const letter = { bridge: 'b', port: 'c', iface: 'd' }[table]
  return `${letter.repeat(8)}-0000-0000-${hex.slice(0, 4)}-${hex.slice(4, 16)}`
}

export function database(bridges: Readonly<Record<string, BridgeSpec>>, ids: Ids = {}): Tables {
  const tables: Tables = { Open_vSwitch: new Map(), Bridge: new Map(), Port: new Map(), Interface: new Map() }
  tables.Open_vSwitch.set('aaaaaaaa-0000-0000-0000-000000000000', { external_ids: map(ids), bridges: Object.keys(bridges).map((name) => uuid('bridge', name)) })
  for (const [name, bridge] of Object.entries(bridges)) {
    const ports = Object.keys(bridge.ports ?? {}).map((port) => uuid('port', port))
    tables.Bridge.set(uuid('bridge', name), { name, ports, external_ids: map(bridge.ids), fail_mode: bridge.failMode === undefined ? [] : [bridge.failMode] })
    for (const [port, spec] of Object.entries(bridge.ports ?? {})) addPort(tables, port, spec)
  }
  return tables
}

function addPort(tables: Tables, name: string, spec: PortSpec): void {
  tables.Port.set(uuid('port', name), { name, interfaces: [uuid('iface', name)], external_ids: map(spec.portIds) })
  tables.Interface.set(uuid('iface', name), {
    name, type: spec.type ?? '', options: map(spec.options), external_ids: map(spec.ids),
    ofport: spec.ofport ?? [1], error: spec.error === undefined ? [] : [spec.error]
  })
}

export function view(tables: Tables): TableView {
  return (name) => tables[name]
}

function map(pairs: Ids = {}): Value {
  return new Map(Object.entries(pairs))
}
