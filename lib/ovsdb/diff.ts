// Equality of values and rows, and the difference form of `modify` in update2/update3 notifications
// (ovsdb-server(7) section 4.1.14).
import type { Atom, ColumnType, Row, Value } from './notation.js'

/** Elements in exactly one of two sorted sets, sorted. Its own inverse: old xor diff = new. */
function symmetricDifference(a: readonly Atom[], b: readonly Atom[]): readonly Atom[] {
  const result: Atom[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = a[i]
    const right = b[j]
    if (right === undefined || (left !== undefined && left < right)) {
      result.push(left as Atom)
      i++
    } else if (left === undefined || right < left) {
      result.push(right)
      j++
    } else {
      i++
      j++
    }
  }
  return result
}

/** A pair found unchanged in the old map was removed; any other pair is the new one for its key. */
function applyMapDiff(old: ReadonlyMap<Atom, Atom>, diff: ReadonlyMap<Atom, Atom>): ReadonlyMap<Atom, Atom> {
  const result = new Map(old)
  for (const [key, value] of diff) {
    if (old.get(key) === value) result.delete(key)
    else result.set(key, value)
  }
  return result
}

/**
 * The new value of a column from its old one and the difference the server sent. Columns that hold at most one element are sent
 * whole, also the optional ones and maps of one: ovsdb_datum_diff() makes differences only of types whose maximum is above 1.
 */
export function applyDiff(type: ColumnType, old: Value, diff: Value): Value {
  if (type.kind === 'scalar' || type.max <= 1) return diff
  return type.kind === 'set'
    ? symmetricDifference(old as readonly Atom[], diff as readonly Atom[])
    : applyMapDiff(old as ReadonlyMap<Atom, Atom>, diff as ReadonlyMap<Atom, Atom>)
}

function mapEquals(a: ReadonlyMap<Atom, Atom>, b: ReadonlyMap<Atom, Atom>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (b.get(key) !== value) return false
  return true
}

/** True when two decoded values are the same (sets are sorted, so by position). */
export function valueEquals(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a instanceof Map) return b instanceof Map && mapEquals(a, b)
  if (!Array.isArray(a) || !Array.isArray(b)) return false
  return a.length === b.length && a.every((atom, index) => atom === b[index])
}

/** True when two rows have the same columns with the same values. */
export function rowEquals(a: Row, b: Row): boolean {
  const columns = Object.keys(a)
  if (columns.length !== Object.keys(b).length) return false
  return columns.every((column) => {
    const left = a[column]
    const right = b[column]
    return left !== undefined && right !== undefined && valueEquals(left, right)
  })
}
