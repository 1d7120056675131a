// What a transaction is made of (RFC 7047 section 5.2), written with JavaScript values: a Map is a map, an array a set,
// a reference to a row is made by uuidRef() or namedUuid().
import { excerpt, OvsdbError, protocolError, type Refusal } from './error.js'
import { isObject, isUuid, type Atom } from './notation.js'

/** A row of the database, or (named-uuid) one inserted earlier or later in the same transaction. */
export interface RowRef { readonly kind: 'uuid' | 'named-uuid', readonly id: string }

export type OperationAtom = Atom | RowRef

/** A value to write: atom, set or map. */
export type OperationValue = OperationAtom | readonly OperationAtom[] | ReadonlyMap<OperationAtom, OperationAtom>

export type OperationRow = Readonly<Record<string, OperationValue>>

/** RFC 7047 section 5.1 `<mutator>`; on a map, `insert` leaves existing keys as they are: delete them first to replace. */
export type Mutator = '+=' | '-=' | '*=' | '/=' | '%=' | 'insert' | 'delete'

export type Mutation = readonly [column: string, mutator: Mutator, value: OperationValue]

/** One `<operation>` in its wire form. */
export interface Operation { readonly op: string, readonly [member: string]: unknown }

/** What the server answered for one operation: the uuid of an insert, the number of rows of an update, mutate or remove. */
export interface OperationResult { readonly uuid?: string, readonly count?: number, readonly rows?: readonly unknown[] }

/** A reference to an existing row. */
export function uuidRef(uuid: string): RowRef {
  if (!isUuid(uuid)) throw new OvsdbError('argument', `${excerpt(uuid)} is no uuid`)
  return { kind: 'uuid', id: uuid }
}

/** A reference to the row that insert() with this `uuidName` makes in the same transaction; RFC 7047 `<id>`: letters, digits, _. */
export function namedUuid(name: string): RowRef {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new OvsdbError('argument', `"${name}" cannot name a row: letters, digits and _ only`)
  return { kind: 'named-uuid', id: name }
}

function encodeAtom(atom: OperationAtom): unknown {
  return typeof atom === 'object' ? [atom.kind, atom.id] : atom
}

/** The wire form of a value: `["map", ...]`, `["set", ...]`, `["uuid", ...]` or the atom itself. */
export function encodeValue(value: OperationValue): unknown {
  if (value instanceof Map) {
    const pairs: readonly (readonly [OperationAtom, OperationAtom])[] = [...value as ReadonlyMap<OperationAtom, OperationAtom>]
    return ['map', pairs.map(([key, item]) => [encodeAtom(key), encodeAtom(item)])]
  }
  if (Array.isArray(value)) return ['set', (value as readonly OperationAtom[]).map(encodeAtom)]
  return encodeAtom(value as OperationAtom)
}

function encodeRow(row: OperationRow): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encodeValue(value)]))
}

function whereUuid(uuid: string): unknown {
  return [['_uuid', '==', encodeAtom(uuidRef(uuid))]]
}

/** Inserts a row; columns left out get their default. Other operations refer to it as namedUuid(uuidName). */
export function insert(table: string, row: OperationRow, uuidName?: string): Operation {
  const name = uuidName === undefined ? {} : { 'uuid-name': namedUuid(uuidName).id }
  return { op: 'insert', table, row: encodeRow(row), ...name }
}

/** Replaces the given columns of one row. A row that is gone is no error: the result's count is 0. */
export function update(table: string, uuid: string, row: OperationRow): Operation {
  return { op: 'update', table, where: whereUuid(uuid), row: encodeRow(row) }
}

/** Changes parts of columns of one row, in order: `['ports', 'insert', [namedUuid('p')]]`, `['options', 'delete', ['key']]`. */
export function mutate(table: string, uuid: string, mutations: readonly Mutation[]): Operation {
  const encoded = mutations.map(([column, mutator, value]) => [column, mutator, encodeValue(value)])
  return { op: 'mutate', table, where: whereUuid(uuid), mutations: encoded }
}

/** Deletes one row. Rows that are only kept by references (Port, Interface) go by themselves when the last reference goes. */
export function remove(table: string, uuid: string): Operation {
  return { op: 'delete', table, where: whereUuid(uuid) }
}

/** Fails the transaction unless these columns of the row hold these values now: guards against acting on an old replica. */
export function wait(table: string, uuid: string, row: OperationRow): Operation {
  const columns = Object.keys(row)
  return { op: 'wait', timeout: 0, table, where: whereUuid(uuid), columns, until: '==', rows: [encodeRow(row)] }
}

/** A note for the database log (`ovsdb-tool show-log`). */
export function comment(text: string): Operation {
  return { op: 'comment', comment: text }
}

/** The server's `<error>`, which old servers send as a bare string (`unknown method`). */
export function parseError(json: unknown): Refusal {
  if (!isObject(json) || typeof json['error'] !== 'string') return { error: typeof json === 'string' ? json : excerpt(json) }
  return { error: json['error'], ...(typeof json['details'] === 'string' ? { details: json['details'] } : {}) }
}

/** Text of a refusal for a log line. */
export function describeError(refusal: Refusal): string {
  return refusal.details === undefined ? refusal.error : `${refusal.error}: ${refusal.details}`
}

function refusedOperation(operations: readonly Operation[], index: number, json: unknown): OvsdbError {
  const refusal = parseError(json)
  const operation = operations[index]
  const table = typeof operation?.['table'] === 'string' ? ` ${operation['table']}` : ''
  const where = operation ? `operation ${index} (${operation.op}${table})` : 'commit'
  return new OvsdbError('refused', `transaction refused, ${where}: ${describeError(refusal)}`, { operation: index, ...refusal })
}

function parseResult(json: unknown): OperationResult {
  if (!isObject(json)) throw protocolError(`expected the result of an operation, got ${excerpt(json)}`)
  const { uuid, count, rows } = json
  return {
    ...(Array.isArray(uuid) && isUuid(uuid[1]) ? { uuid: uuid[1] } : {}),
    ...(typeof count === 'number' ? { count } : {}),
    ...(Array.isArray(rows) ? { rows } : {})
  }
}

/**
 * One result per operation from the reply to `transact` (RFC 7047 section 4.1.3). Throws OvsdbError of kind `refused` that names the
 * operation; an error after the last operation is the commit's.
 */
export function parseResults(operations: readonly Operation[], json: unknown): readonly OperationResult[] {
  if (!Array.isArray(json)) throw protocolError(`expected the results of a transaction, got ${excerpt(json)}`)
  const failed = json.findIndex((result) => isObject(result) && typeof result['error'] === 'string')
  if (failed >= 0) throw refusedOperation(operations, failed, json[failed])
  if (json.length !== operations.length) throw protocolError(`${json.length} results for ${operations.length} operations`)
  return json.map(parseResult)
}
