// The Open_vSwitch database: the tables the agent monitors, transactions as ovsdb-server runs them (RFC 7047: all or
// nothing, named uuids, unreferenced rows collected, names unique), and a replica that lags behind as a client's does.
import type { Atom, Operation, OperationResult, Row, Value } from './types.js'

export type TableName = 'Open_vSwitch' | 'Bridge' | 'Port' | 'Interface'

const EMPTY: Readonly<Record<TableName, Row>> = {
  Open_vSwitch: { external_ids: new Map(), bridges: [], ovs_version: ['3.1.0'] },
  Bridge: { name: '', ports: [], external_ids: new Map(), fail_mode: ['secure'], datapath_type: '' },
  Port: { name: '', interfaces: [], external_ids: new Map() },
  Interface: { name: '', type: '', options: new Map(), external_ids: new Map(), ofport: [], error: [] }
}

type Tables = Map<TableName, Map<string, Row>>

/** Bridges with their interfaces. */
export type Layout = readonly (readonly [bridge: string, interfaces: readonly (readonly [uuid: string, row: Row])[]])[]

export class FakeDatabase {
  #tables: Tables
  #lastUuid = 0
  readonly root: string
  /** Transactions of the agent. */
  transactions = 0
  /** Grows with every change. */
  version = 0
  /** The layout of one version: it is asked for much more often than anything changes. */
  #layout: { readonly version: number, readonly bridges: Layout } | undefined

  constructor() {
    this.#tables = new Map((Object.keys(EMPTY) as TableName[]).map((name) => [name, new Map<string, Row>()]))
    this.root = this.#insert(this.#tables, 'Open_vSwitch', {})
  }

  table(name: TableName): ReadonlyMap<string, Row> {
    return this.#tables.get(name) as Map<string, Row>
  }

  /** A copy for a replica; rows are never changed in place, so they are shared. */
  snapshot(): ReadonlyMap<string, ReadonlyMap<string, Row>> {
    return new Map([...this.#tables].map(([name, rows]) => [name, new Map(rows)]))
  }

  find(name: TableName, rowName: string): string | undefined {
    return [...this.table(name)].find(([, row]) => row['name'] === rowName)?.[0]
  }

  // --- what users and ovs-vswitchd do

  set(name: TableName, uuid: string, columns: Row): void {
    const row = this.table(name).get(uuid)
    if (row !== undefined) this.#put(this.#tables, name, uuid, { ...row, ...columns })
  }

  /** `ovs-vsctl set TABLE RECORD external_ids:KEY=VALUE`; undefined removes the key. */
  setKey(name: TableName, uuid: string, key: string, value: string | undefined, column = 'external_ids'): void {
    const map = new Map((this.table(name).get(uuid)?.[column] ?? new Map()) as ReadonlyMap<string, string>)
    if (value === undefined) map.delete(key)
    else map.set(key, value)
    this.set(name, uuid, { [column]: map })
  }

  addBridge(name: string): void {
    if (this.find('Bridge', name) !== undefined) return
    const uuid = this.#insert(this.#tables, 'Bridge', { name })
    this.#changeSet('Open_vSwitch', this.root, 'bridges', (uuids) => [...uuids, uuid])
  }

  removeBridge(name: string): void {
    const uuid = this.find('Bridge', name)
    if (uuid === undefined) return
    this.#changeSet('Open_vSwitch', this.root, 'bridges', (uuids) => uuids.filter((one) => one !== uuid))
    this.#tables.get('Bridge')?.delete(uuid)
    collectGarbage(this.#tables)
    this.version++
  }

  addPort(bridge: string, name: string, columns: Row, portColumns: Row = {}): boolean {
    const bridgeUuid = this.find('Bridge', bridge)
    if (bridgeUuid === undefined || this.find('Port', name) !== undefined) return false
    const iface = this.#insert(this.#tables, 'Interface', { name, ...columns })
    const port = this.#insert(this.#tables, 'Port', { name, interfaces: [iface], ...portColumns })
    this.#changeSet('Bridge', bridgeUuid, 'ports', (uuids) => [...uuids, port])
    return true
  }

  removePort(name: string): void {
    const port = this.find('Port', name)
    if (port === undefined) return
    for (const uuid of this.table('Bridge').keys()) this.#changeSet('Bridge', uuid, 'ports', (uuids) => uuids.filter((one) => one !== port))
    collectGarbage(this.#tables)
    this.version++
  }

  layout(): Layout {
    if (this.#layout?.version !== this.version) this.#layout = { version: this.version, bridges: this.#layOut() }
    return this.#layout.bridges
  }

  #layOut(): Layout {
    return [...this.table('Bridge').values()].map((bridge) => [textOf(bridge['name']), texts(bridge['ports'])
      .flatMap((port) => texts(this.table('Port').get(port)?.['interfaces']))
      .flatMap((uuid): (readonly [string, Row])[] => {
        const row = this.table('Interface').get(uuid)
        return row === undefined ? [] : [[uuid, row]]
      })])
  }

  // --- what the agent does

  /** One transaction. Throws what the server would refuse it with. */
  transact(operations: readonly Operation[]): OperationResult[] {
    const next: Tables = new Map([...this.#tables].map(([name, rows]) => [name, new Map(rows)]))
    const named = new Map<string, string>()
    for (const operation of operations) if (operation.op === 'insert') named.set(String(operation['uuid-name']), this.#newUuid())
    const results = operations.map((operation) => this.#execute(next, operation, named))
    collectGarbage(next)
    checkNames(next)
    this.#tables = next
    this.version++
    this.transactions++
    return results
  }

  #execute(tables: Tables, operation: Operation, named: ReadonlyMap<string, string>): OperationResult {
    const name = operation['table'] as TableName
    if (operation.op === 'insert') {
      const columns = Object.entries(operation['row'] as Record<string, unknown>).map(([column, json]) => [column, decode(json, named)])
      const uuid = named.get(String(operation['uuid-name'])) ?? this.#newUuid()
      this.#put(tables, name, uuid, { ...EMPTY[name], ...Object.fromEntries(columns) as Row })
      return { uuid }
    }
    if (operation.op !== 'mutate') throw new Error(`the fake ovsdb-server does not know ${operation.op}`)
    const uuid = whereUuid(operation['where'])
    const row = tables.get(name)?.get(uuid)
    if (row === undefined) return { count: 0 }
    let changed = row
    for (const [column, mutator, json] of operation['mutations'] as [string, string, unknown][]) {
      const old = changed[column]
      if (old === undefined) throw new Error(`${name} has no column ${column}`)
      changed = { ...changed, [column]: mutate(old, mutator, decode(json, named)) }
    }
    this.#put(tables, name, uuid, changed)
    return { count: 1 }
  }

  #insert(tables: Tables, name: TableName, columns: Row): string {
    const uuid = this.#newUuid()
    this.#put(tables, name, uuid, { ...EMPTY[name], ...columns })
    return uuid
  }

  #put(tables: Tables, name: TableName, uuid: string, row: Row): void {
    this.version++
    tables.get(name)?.set(uuid, row)
  }

  #changeSet(name: TableName, uuid: string, column: string, change: (uuids: readonly string[]) => readonly string[]): void {
    const old = texts(this.table(name).get(uuid)?.[column])
    const next = [...change(old)].sort()
    if (next.length !== old.length) this.set(name, uuid, { [column]: next })
  }

  #newUuid(): string {
    return `00000000-0000-4000-8000-${(++this.#lastUuid).toString(16).padStart(12, '0')}`
  }
}

/** A text column. */
export function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : ''
}

export function texts(value: Value | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** The wire form of a value (RFC 7047 section 5.1) as a replica holds it. */
function decode(json: unknown, named: ReadonlyMap<string, string>): Value {
  if (!Array.isArray(json)) return json as Atom
  const [kind, content] = json as [string, unknown]
  switch (kind) {
    case 'uuid': return String(content)
    case 'named-uuid': return named.get(String(content)) ?? ''
    case 'set': return (content as unknown[]).map((atom) => decode(atom, named) as Atom).sort()
    case 'map': return new Map((content as [Atom, Atom][]).map(([key, value]) => [key, value]))
    default: throw new Error(`no value: ${JSON.stringify(json)}`)
  }
}

function mutate(old: Value, mutator: string, value: Value): Value {
  const atoms: readonly Atom[] = Array.isArray(value) ? value as readonly Atom[] : value instanceof Map ? [] : [value as Atom]
  if (old instanceof Map) {
    const map = new Map(old as ReadonlyMap<Atom, Atom>)
    if (mutator === 'delete') for (const key of atoms) map.delete(key)
    else for (const [key, item] of value as ReadonlyMap<Atom, Atom>) if (!map.has(key)) map.set(key, item)
    return map
  }
  const set = new Set(old as readonly Atom[])
  for (const atom of atoms) {
    if (mutator === 'delete') set.delete(atom)
    else set.add(atom)
  }
  return [...set].sort()
}

function whereUuid(where: unknown): string {
  const [[, , [, uuid]]] = where as [[string, string, [string, string]]]
  return uuid
}

/** Port and Interface rows live only while something refers to them. */
function collectGarbage(tables: Tables): void {
  for (const [owner, column, owned] of [['Bridge', 'ports', 'Port'], ['Port', 'interfaces', 'Interface']] as const) {
    const referred = new Set([...(tables.get(owner) ?? new Map<string, Row>()).values()].flatMap((row) => texts(row[column])))
    for (const uuid of [...tables.get(owned)?.keys() ?? []]) if (!referred.has(uuid)) tables.get(owned)?.delete(uuid)
  }
}

function checkNames(tables: Tables): void {
  for (const name of ['Bridge', 'Port', 'Interface'] as const) {
    const names = [...tables.get(name)?.values() ?? []].map((row) => row['name'])
    if (new Set(names).size !== names.length) throw new Error(`constraint violation: two rows of ${name} with one name`)
  }
}
