// The reply to get_schema (RFC 7047 sections 3.2 and 4.1.2): table and column types, and which of the tables and columns asked
// for this server has. Older and newer servers lack some; that is no error, it is reported as `missing`.
import { excerpt, OvsdbError, protocolError } from './error.js'
import { isObject, type AtomicType, type ColumnType } from './notation.js'

/** Table name to column name to type. */
export type Columns = ReadonlyMap<string, ReadonlyMap<string, ColumnType>>

/** Table name to the columns wanted of it. */
export type Wanted = Readonly<Record<string, readonly string[]>>

const ATOMIC_TYPES: readonly unknown[] = ['integer', 'real', 'boolean', 'string', 'uuid'] satisfies AtomicType[]

function parseBaseType(json: unknown): AtomicType {
  const name = isObject(json) ? json['type'] : json
  if (!ATOMIC_TYPES.includes(name)) throw protocolError(`unknown type ${excerpt(json)}`)
  return name as AtomicType
}

function parseBound(json: unknown, missing: number): number {
  if (json === undefined) return missing
  if (json === 'unlimited') return Infinity
  if (typeof json === 'number' && Number.isInteger(json) && json >= 0) return json
  throw protocolError(`expected a count, got ${excerpt(json)}`)
}

function parseType(json: unknown): ColumnType {
  if (!isObject(json)) return { kind: 'scalar', key: parseBaseType(json) }
  const key = parseBaseType(json['key'])
  const min = parseBound(json['min'], 1)
  const max = parseBound(json['max'], 1)
  if (json['value'] !== undefined) return { kind: 'map', key, value: parseBaseType(json['value']), min, max }
  return min === 1 && max === 1 ? { kind: 'scalar', key } : { kind: 'set', key, min, max }
}

function member(json: unknown, name: string, where: string): unknown {
  if (isObject(json) && Object.hasOwn(json, name)) return json[name]
  throw protocolError(`the schema has no ${name} in ${where}`)
}

function parseColumn(schema: unknown, table: string, column: string): ColumnType {
  const where = `${table}.${column}`
  try {
    return parseType(member(schema, 'type', where))
  } catch (error) {
    throw error instanceof OvsdbError ? protocolError(`schema of ${where}: ${error.message}`) : error
  }
}

/**
 * The types of the wanted columns from a `<database-schema>`. `missing` names what the server does not have, as `Table` or
 * `Table.column`. Throws OvsdbError when the schema is none.
 */
export function selectColumns(schema: unknown, wanted: Wanted): { readonly columns: Columns, readonly missing: readonly string[] } {
  const tables = member(schema, 'tables', 'the database')
  if (!isObject(tables)) throw protocolError(`the schema's tables are ${excerpt(tables)}`)
  const selected = new Map<string, ReadonlyMap<string, ColumnType>>()
  const missing: string[] = []
  for (const [table, names] of Object.entries(wanted)) {
    if (!Object.hasOwn(tables, table)) {
      missing.push(table)
      continue
    }
    const columns = member(tables[table], 'columns', table)
    if (!isObject(columns)) throw protocolError(`the schema's columns of ${table} are ${excerpt(columns)}`)
    const present = names.filter((name) => Object.hasOwn(columns, name))
    missing.push(...names.filter((name) => !present.includes(name)).map((name) => `${table}.${name}`))
    selected.set(table, new Map(present.map((name) => [name, parseColumn(columns[name], table, name)])))
  }
  return { columns: selected, missing }
}
