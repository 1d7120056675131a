// Table updates: what the server says changed, as row changes against the rows we have. Three forms exist: <table-updates> of
// RFC 7047 section 4.1.5 (whole new rows) and <table-updates2> of ovsdb-server(7) section 4.1.14 (defaults left out, differences).
// Pure: nothing is applied here, so that a message with one bad row changes nothing at all.
import { applyDiff, rowEquals } from './diff.js'
import { excerpt, OvsdbError, protocolError } from './error.js'
import { checkSize, decodeValue, defaultValue, isObject, isUuid, type ColumnType, type Row, type Value } from './notation.js'
import type { Columns } from './schema.js'

/** One row that appeared (no `old`), changed, or went (no `new`). Values that did not change are the same objects in both. */
export interface RowChange { readonly table: string, readonly uuid: string, readonly old?: Row, readonly new?: Row }

/** Table name to uuid to row. */
export type Tables = ReadonlyMap<string, ReadonlyMap<string, Row>>

type ColumnTypes = ReadonlyMap<string, ColumnType>

/** The row that replaces `old`, or undefined when the row is gone. */
type RowDecoder = (types: ColumnTypes, old: Row | undefined, json: unknown) => Row | undefined

function decodeCell(type: ColumnType, column: string, json: unknown, old?: Value): Value {
  try {
    const value = decodeValue(type, json)
    return checkSize(type, old === undefined ? value : applyDiff(type, old, value))
  } catch (error) {
    throw error instanceof OvsdbError ? protocolError(`column ${column}: ${error.message}`) : error
  }
}

function rowObject(json: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(json)) throw protocolError(`expected a row, got ${excerpt(json)}`)
  return json
}

/** A row of which columns that hold their default are left out. */
function decodeRow(types: ColumnTypes, json: unknown): Row {
  const cells = rowObject(json)
  const row: Record<string, Value> = {}
  for (const [column, type] of types) {
    row[column] = Object.hasOwn(cells, column) ? decodeCell(type, column, cells[column]) : defaultValue(type)
  }
  return row
}

/** A row of which only the changed columns are given, as differences. */
function decodeModify(types: ColumnTypes, old: Row, json: unknown): Row {
  const row: Record<string, Value> = { ...old }
  for (const [column, diff] of Object.entries(rowObject(json))) {
    const type = types.get(column)
    if (type) row[column] = decodeCell(type, column, diff, old[column])
  }
  return row
}

/** `<row-update>`: `{old, new}`, `new` is the whole row and missing when the row was deleted. */
const decodeRowUpdate: RowDecoder = (types, _old, json) => {
  const fresh = rowObject(json)['new']
  return fresh === undefined || fresh === null ? undefined : decodeRow(types, fresh)
}

/** `<row-update2>`: exactly one of `initial`, `insert`, `delete`, `modify`. */
const decodeRowUpdate2: RowDecoder = (types, old, json) => {
  const entries = Object.entries(rowObject(json))
  const [kind, row] = entries.length === 1 ? entries[0] ?? [] : []
  switch (kind) {
    case 'initial':
    case 'insert': return decodeRow(types, row)
    case 'delete':
    case 'modify':
      if (!old) throw protocolError(`${kind} of a row that is not in the replica`)
      return kind === 'modify' ? decodeModify(types, old, row) : undefined
    default: throw protocolError(`expected initial, insert, delete or modify, got ${excerpt(json)}`)
  }
}

/** The change from `old` to `fresh`, or undefined when there is none. */
function rowChange(table: string, uuid: string, old: Row | undefined, fresh: Row | undefined): RowChange | undefined {
  if (old === fresh || (old && fresh && rowEquals(old, fresh))) return undefined
  return { table, uuid, ...(old ? { old } : {}), ...(fresh ? { new: fresh } : {}) }
}

function decodeAt<T>(where: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw error instanceof OvsdbError ? protocolError(`${where}: ${error.message}`) : error
  }
}

function decodeUpdates(decode: RowDecoder, columns: Columns, tables: Tables, json: unknown): RowChange[] {
  if (!isObject(json)) throw protocolError(`expected table updates, got ${excerpt(json)}`)
  const changes: RowChange[] = []
  for (const [table, rows] of Object.entries(json)) {
    const types = columns.get(table)
    if (!types || !isObject(rows)) throw protocolError(`updates of table ${table}, which is not monitored or has no rows`)
    for (const [uuid, update] of Object.entries(rows)) {
      if (!isUuid(uuid)) throw protocolError(`${table} has a row named ${excerpt(uuid)}, which is no uuid`)
      const old = tables.get(table)?.get(uuid)
      const change = rowChange(table, uuid, old, decodeAt(`${table} row ${uuid}`, () => decode(types, old, update)))
      if (change) changes.push(change)
    }
  }
  return changes
}

/** Changes from `<table-updates>` (the `monitor` method). Throws OvsdbError. */
export function decodeTableUpdates(columns: Columns, tables: Tables, json: unknown): readonly RowChange[] {
  return decodeUpdates(decodeRowUpdate, columns, tables, json)
}

/** Changes from `<table-updates2>` (`monitor_cond`, `monitor_cond_since`). Throws OvsdbError. */
export function decodeTableUpdates2(columns: Columns, tables: Tables, json: unknown): readonly RowChange[] {
  return decodeUpdates(decodeRowUpdate2, columns, tables, json)
}

/** The changes that turn `tables` into the rows that `complete` inserts: what a full initial reply means for an existing replica. */
export function replacement(tables: Tables, complete: readonly RowChange[]): readonly RowChange[] {
  const kept = new Set<string>()
  const changes: RowChange[] = []
  for (const { table, uuid, new: fresh } of complete) {
    kept.add(`${table} ${uuid}`)
    const change = rowChange(table, uuid, tables.get(table)?.get(uuid), fresh)
    if (change) changes.push(change)
  }
  for (const [table, rows] of tables) {
    for (const [uuid, old] of rows) if (!kept.has(`${table} ${uuid}`)) changes.push({ table, uuid, old })
  }
  return changes
}
