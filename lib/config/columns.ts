// Reading columns of OVSDB rows: every column may be missing, and a scalar is a set of one (RFC 7047 section 5.1).
import type { Atom, Value } from '../ovsdb/index.js'

/** A set column's atoms; a scalar is a set of one. */
export function atoms(value: Value | undefined): readonly Atom[] {
  if (value === undefined || value instanceof Map) return []
  return typeof value === 'object' ? value as readonly Atom[] : [value]
}

/** A text column; empty when the column, or an optional text, is missing. */
export function text(value: Value | undefined): string {
  return String(atoms(value)[0] ?? '')
}

/** A reference column: the uuids of the rows it names. */
export function uuids(value: Value | undefined): readonly string[] {
  return atoms(value).map(String)
}

/** A map column of strings; empty when the column is missing. */
export function textMap(value: Value | undefined): ReadonlyMap<string, string> {
  return value instanceof Map ? value as ReadonlyMap<string, string> : new Map<string, string>()
}
