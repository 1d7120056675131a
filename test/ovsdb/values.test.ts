// Values: wire form to JavaScript by column type, and the difference form of modify.
import { deepStrictEqual, ok } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { applyDiff, rowEquals, valueEquals } from '../../lib/ovsdb/diff.js'
import { OvsdbError } from '../../lib/ovsdb/index.js'
import { SEED } from '../hostile/input.js'
import { thrown } from './thrown.js'
import { checkSize, decodeValue, defaultValue, type Atom, type ColumnType, type Value } from '../../lib/ovsdb/notation.js'

const A = '11111111-1111-1111-1111-111111111111'
const B = '22222222-2222-2222-2222-222222222222'

const scalar = { kind: 'scalar', key: 'string' } as const
const optional = { kind: 'set', key: 'integer', min: 0, max: 1 } as const
const uuids = { kind: 'set', key: 'uuid', min: 0, max: Infinity } as const
const atLeastOne = { kind: 'set', key: 'uuid', min: 1, max: Infinity } as const
const numbers = { kind: 'set', key: 'integer', min: 0, max: Infinity } as const
const map = { kind: 'map', key: 'string', value: 'string', min: 0, max: Infinity } as const
const mapOfOne = { kind: 'map', key: 'string', value: 'string', min: 0, max: 1 } as const

const decoded: readonly { readonly rule: string, readonly type: ColumnType, readonly wire: unknown, readonly value: Value }[] = [
  { rule: 'string', type: scalar, wire: 'br-int', value: 'br-int' },
  { rule: 'integer', type: { kind: 'scalar', key: 'integer' }, wire: -1, value: -1 },
  { rule: 'real', type: { kind: 'scalar', key: 'real' }, wire: 0.5, value: 0.5 },
  { rule: 'boolean', type: { kind: 'scalar', key: 'boolean' }, wire: false, value: false },
  { rule: 'uuid', type: { kind: 'scalar', key: 'uuid' }, wire: ['uuid', A], value: A },
  { rule: 'an optional column that is there', type: optional, wire: 5, value: [5] },
  { rule: 'an optional column that is not', type: optional, wire: ['set', []], value: [] },
  { rule: 'a set of one may be a bare atom', type: uuids, wire: ['uuid', B], value: [B] },
  { rule: 'a set of one may be a set', type: uuids, wire: ['set', [['uuid', B]]], value: [B] },
  { rule: 'a set is sorted', type: uuids, wire: ['set', [['uuid', B], ['uuid', A]]], value: [A, B] },
  { rule: 'numbers are sorted as numbers', type: numbers, wire: ['set', [10, 9, -1]], value: [-1, 9, 10] },
  { rule: 'a map', type: map, wire: ['map', [['k', 'v'], ['l', '']]], value: new Map([['k', 'v'], ['l', '']]) },
  { rule: 'an empty map', type: map, wire: ['map', []], value: new Map() },
  { rule: 'a map to uuids', type: { kind: 'map', key: 'integer', value: 'uuid', min: 0, max: Infinity },
    wire: ['map', [[1, ['uuid', A]]]], value: new Map([[1, A]]) }
]

await t.test('the column type decides the shape', (t) => {
  for (const { rule, type, wire, value } of decoded) t.strictSame(decodeValue(type, wire), value, rule)
  t.end()
})

const rejected: readonly { readonly rule: string, readonly type: ColumnType, readonly wire: unknown }[] = [
  { rule: 'a number is no string', type: scalar, wire: 1 },
  { rule: 'nothing is no string', type: scalar, wire: null },
  { rule: 'a set is no string', type: scalar, wire: ['set', ['a']] },
  { rule: 'half is no integer', type: optional, wire: 0.5 },
  { rule: 'a string is no uuid', type: uuids, wire: A },
  { rule: 'a uuid has 36 characters', type: uuids, wire: ['uuid', 'abc'] },
  { rule: 'a named uuid never comes from a server', type: uuids, wire: ['named-uuid', 'row'] },
  { rule: 'a set has one body', type: numbers, wire: ['set', [1], [2]] },
  { rule: 'the body of a set is an array', type: numbers, wire: ['set', 1] },
  { rule: 'a set has no duplicates', type: numbers, wire: ['set', [1, 2, 1]] },
  { rule: 'a map is no set', type: map, wire: ['set', []] },
  { rule: 'an object is no map', type: map, wire: { k: 'v' } },
  { rule: 'a map has pairs', type: map, wire: ['map', [['k']]] },
  { rule: 'a map has each key once', type: map, wire: ['map', [['k', 'v'], ['k', 'w']]] }
]

await t.test('what the type does not allow is an OvsdbError', (t) => {
  for (const { rule, type, wire } of rejected) {
    t.match(thrown(() => decodeValue(type, wire)), { name: 'OvsdbError', kind: 'protocol' }, rule)
  }
  t.throws(() => checkSize(optional, [1, 2]), { message: /2 elements, the schema allows 0 to 1/ })
  t.throws(() => checkSize(atLeastOne, []), { message: /0 elements, the schema allows 1 to Infinity/ })
  t.end()
})

await t.test('any JSON: a value or an OvsdbError', (t) => {
  const tagged = fc.tuple(fc.constantFrom('set', 'map', 'uuid'), fc.jsonValue())
  const wire = fc.oneof(fc.jsonValue(), tagged, fc.array(fc.jsonValue()).map((items) => ['set', items]))
  fc.assert(fc.property(wire, fc.constantFrom<ColumnType>(scalar, optional, uuids, map), (json, type) => {
    try {
      decodeValue(type, json)
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
    }
  }), { numRuns: 2000, seed: SEED })
  t.pass('only OvsdbError was thrown')
  t.end()
})

await t.test('the default of a column that nobody set', (t) => {
  t.equal(defaultValue(scalar), '')
  t.equal(defaultValue({ kind: 'scalar', key: 'integer' }), 0)
  t.equal(defaultValue({ kind: 'scalar', key: 'boolean' }), false)
  t.strictSame(defaultValue(optional), [])
  t.strictSame(defaultValue(map), new Map())
  t.strictSame(defaultValue({ ...numbers, min: 1 }), [0], 'a set that must not be empty has the default atom')
  t.strictSame(defaultValue({ ...map, min: 1 }), new Map([['', '']]))
  t.end()
})

interface DiffCase { readonly rule: string, readonly type: ColumnType, readonly old: Value, readonly diff: Value, readonly result: Value }

const diffs: readonly DiffCase[] = [
  { rule: 'a scalar is sent whole', type: scalar, old: 'a', diff: 'b', result: 'b' },
  { rule: 'an optional column is sent whole: set', type: optional, old: [], diff: [5], result: [5] },
  { rule: 'an optional column is sent whole: changed', type: optional, old: [5], diff: [6], result: [6] },
  { rule: 'an optional column is sent whole: cleared', type: optional, old: [5], diff: [], result: [] },
  { rule: 'a set: elements of the difference change sides', type: numbers, old: [1, 2, 3], diff: [2, 4], result: [1, 3, 4] },
  { rule: 'a set: all removed', type: numbers, old: [1, 2], diff: [1, 2], result: [] },
  { rule: 'a map: a new key', type: map, old: new Map([['k', 'v']]), diff: new Map([['l', 'w']]),
    result: new Map([['k', 'v'], ['l', 'w']]) },
  { rule: 'a map: another value', type: map, old: new Map([['k', 'v']]), diff: new Map([['k', 'w']]), result: new Map([['k', 'w']]) },
  { rule: 'a map: an unchanged pair is removed', type: map, old: new Map([['k', 'v'], ['l', 'w']]),
    diff: new Map([['k', 'v']]), result: new Map([['l', 'w']]) },
  { rule: 'a map of one is sent whole', type: mapOfOne, old: new Map([['k', 'v']]),
    diff: new Map([['l', 'w']]), result: new Map([['l', 'w']]) }
]

await t.test('modify: what a difference means', (t) => {
  for (const { rule, type, old, diff, result } of diffs) t.ok(valueEquals(applyDiff(type, old, diff), result), rule)
  t.end()
})

const sortedSet = fc.uniqueArray(fc.integer({ min: 0, max: 12 })).map((atoms) => atoms.sort((a, b) => a - b))
const anyMap = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'))).map((pairs) => new Map<Atom, Atom>(pairs))

await t.test('old and difference always give new: sets', (t) => {
  fc.assert(fc.property(sortedSet, sortedSet, (old, fresh) => {
    const diff = [...old.filter((atom) => !fresh.includes(atom)), ...fresh.filter((atom) => !old.includes(atom))].sort((a, b) => a - b)
    deepStrictEqual(applyDiff(numbers, old, diff), fresh)
  }), { seed: SEED })
  t.pass('for all')
  t.end()
})

await t.test('old and difference always give new: maps', (t) => {
  fc.assert(fc.property(anyMap, anyMap, (old, fresh) => {
    const diff = new Map([...[...old].filter(([key]) => !fresh.has(key)), ...[...fresh].filter(([key, value]) => old.get(key) !== value)])
    const before = new Map(old)
    ok(valueEquals(applyDiff(map, old, diff), fresh), 'new')
    deepStrictEqual(old, before, 'the old value is not touched')
  }), { seed: SEED })
  t.pass('for all')
  t.end()
})

await t.test('equality', (t) => {
  t.ok(valueEquals(new Map([['a', '1'], ['b', '2']]), new Map([['b', '2'], ['a', '1']])), 'maps have no order')
  t.notOk(valueEquals(new Map([['a', '1']]), new Map([['a', '2']])))
  t.notOk(valueEquals(new Map([['a', '1']]), new Map([['b', '1']])))
  t.notOk(valueEquals(new Map(), []), 'an empty map is no empty set')
  t.notOk(valueEquals([], new Map()))
  t.notOk(valueEquals([1], 1))
  t.notOk(valueEquals([1], [1, 2]))
  t.ok(rowEquals({ a: 1, b: ['x'] }, { b: ['x'], a: 1 }))
  t.notOk(rowEquals({ a: 1 }, { a: 1, b: 2 }))
  t.notOk(rowEquals({ a: 1, b: 2 }, { a: 1, c: 2 }))
  t.end()
})
