// RFC 7047 section 5.1: how atoms, sets, maps and uuids look on the wire, and the plain JavaScript values they become.
// The wire form alone is ambiguous (a set of one may be sent as a bare atom), so the column type of the schema decides.
import { excerpt, protocolError } from './error.js'

/** One atom. Uuids are strings; integers beyond 2^53 lose precision (JSON.parse), which no configuration column has. */
export type Atom = string | number | boolean

/** A scalar, a set (sorted, no duplicates; an optional column is a set of 0..1), or a map. */
export type Value = Atom | readonly Atom[] | ReadonlyMap<Atom, Atom>

/** Column name to value, only the columns that are monitored. The uuid is not in it: it is the key of the table. */
export type Row = Readonly<Record<string, Value>>

export type AtomicType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid'

/** RFC 7047 section 3.2 `<type>`; `max` is Infinity for `unlimited`. */
export type ColumnType =
  | { readonly kind: 'scalar', readonly key: AtomicType }
  | { readonly kind: 'set', readonly key: AtomicType, readonly min: number, readonly max: number }
  | { readonly kind: 'map', readonly key: AtomicType, readonly value: AtomicType, readonly min: number, readonly max: number }

/** Uuid of "no row", and the transaction id of "nothing yet" (ovsdb-server(7) section 4.1.15). */
export const ZERO_UUID = '00000000-0000-0000-0000-000000000000'

const UUID_TEXT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** True for the canonical text form of a uuid. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID_TEXT.test(value)
}

/** True for a JSON object, neither array nor null. */
export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

const ATOM_CHECKS: Readonly<Record<Exclude<AtomicType, 'uuid'>, (json: unknown) => boolean>> = {
  integer: Number.isInteger,
  real: (json) => typeof json === 'number',
  boolean: (json) => typeof json === 'boolean',
  string: (json) => typeof json === 'string'
}

function decodeAtom(type: AtomicType, json: unknown): Atom {
  if (type === 'uuid') {
    if (Array.isArray(json) && json.length === 2 && json[0] === 'uuid' && isUuid(json[1])) return json[1]
  } else if (ATOM_CHECKS[type](json)) {
    return json as Atom
  }
  throw protocolError(`expected ${type}, got ${excerpt(json)}`)
}

function compareAtoms(a: Atom, b: Atom): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function decodeSet(key: AtomicType, json: unknown): readonly Atom[] {
  if (!Array.isArray(json) || json[0] !== 'set') return [decodeAtom(key, json)]
  if (json.length !== 2 || !Array.isArray(json[1])) throw protocolError(`expected a set, got ${excerpt(json)}`)
  const atoms = json[1].map((atom) => decodeAtom(key, atom)).sort(compareAtoms)
  if (atoms.some((atom, index) => index > 0 && atom === atoms[index - 1])) throw protocolError(`a set with duplicates: ${excerpt(json)}`)
  return atoms
}

function decodeMap(key: AtomicType, value: AtomicType, json: unknown): ReadonlyMap<Atom, Atom> {
  if (!Array.isArray(json) || json.length !== 2 || json[0] !== 'map' || !Array.isArray(json[1])) {
    throw protocolError(`expected a map, got ${excerpt(json)}`)
  }
  const map = new Map<Atom, Atom>()
  for (const pair of json[1] as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) throw protocolError(`expected a pair in a map, got ${excerpt(pair)}`)
    map.set(decodeAtom(key, pair[0]), decodeAtom(value, pair[1]))
  }
  if (map.size !== json[1].length) throw protocolError(`a map with duplicate keys: ${excerpt(json)}`)
  return map
}

/** A value of that type from its wire form, whatever its size (a difference may hold more than the column does). */
export function decodeValue(type: ColumnType, json: unknown): Value {
  switch (type.kind) {
    case 'scalar': return decodeAtom(type.key, json)
    case 'set': return decodeSet(type.key, json)
    case 'map': return decodeMap(type.key, type.value, json)
  }
}

/** The value itself when its number of elements is what the type allows; throws OvsdbError otherwise. */
export function checkSize(type: ColumnType, value: Value): Value {
  if (type.kind === 'scalar') return value
  const size = value instanceof Map ? value.size : (value as readonly Atom[]).length
  if (size < type.min || size > type.max) throw protocolError(`${size} elements, the schema allows ${type.min} to ${type.max}`)
  return value
}

const DEFAULT_ATOMS: Readonly<Record<AtomicType, Atom>> = { integer: 0, real: 0, boolean: false, string: '', uuid: ZERO_UUID }

/** What a column holds that nobody set; `initial` and `insert` updates leave such columns out (ovsdb-server(7) section 4.1.14). */
export function defaultValue(type: ColumnType): Value {
  const atom = DEFAULT_ATOMS[type.key]
  switch (type.kind) {
    case 'scalar': return atom
    case 'set': return type.min === 0 ? [] : [atom]
    case 'map': return type.min === 0 ? new Map() : new Map([[atom, DEFAULT_ATOMS[type.value]]])
  }
}
