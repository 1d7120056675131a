// Operations: the wire form of RFC 7047 section 5.2, and what a reply means. That the server takes them is server.test.ts's business.
import t from 'tap'
import { comment, encodeValue, insert, mutate, namedUuid, remove, update, uuidRef, wait } from '../../lib/ovsdb/index.js'
import { thrown } from './thrown.js'
import { parseResults } from '../../lib/ovsdb/operations.js'

const U = '11111111-1111-1111-1111-111111111111'

await t.test('values', (t) => {
  t.equal(encodeValue('text'), 'text')
  t.strictSame(encodeValue(uuidRef(U)), ['uuid', U])
  t.strictSame(encodeValue(namedUuid('row')), ['named-uuid', 'row'])
  t.strictSame(encodeValue([]), ['set', []])
  t.strictSame(encodeValue(['uuid', U]), ['set', ['uuid', U]], 'two strings are a set of two strings')
  t.strictSame(encodeValue([uuidRef(U), namedUuid('row')]), ['set', [['uuid', U], ['named-uuid', 'row']]])
  t.strictSame(encodeValue(new Map([['k', uuidRef(U)]])), ['map', [['k', ['uuid', U]]]])
  t.end()
})

await t.test('operations', (t) => {
  const where = [['_uuid', '==', ['uuid', U]]]
  t.strictSame(insert('Port', { name: 'p', interfaces: namedUuid('i') }, 'p'),
    { op: 'insert', table: 'Port', row: { name: 'p', interfaces: ['named-uuid', 'i'] }, 'uuid-name': 'p' })
  t.strictSame(insert('Port', { name: 'p' }), { op: 'insert', table: 'Port', row: { name: 'p' } }, 'a row nobody refers to')
  t.strictSame(update('Port', U, { tag: [] }), { op: 'update', table: 'Port', where, row: { tag: ['set', []] } })
  t.strictSame(mutate('Interface', U, [['options', 'delete', ['key']], ['options', 'insert', new Map([['key', 'flow']])]]), {
    op: 'mutate', table: 'Interface', where,
    mutations: [['options', 'delete', ['set', ['key']]], ['options', 'insert', ['map', [['key', 'flow']]]]]
  })
  t.strictSame(remove('Bridge', U), { op: 'delete', table: 'Bridge', where })
  t.strictSame(wait('Bridge', U, { name: 'b' }),
    { op: 'wait', timeout: 0, table: 'Bridge', where, columns: ['name'], until: '==', rows: [{ name: 'b' }] })
  t.strictSame(comment('why'), { op: 'comment', comment: 'why' })
  t.end()
})

await t.test('names that cannot be are refused before anything is sent', (t) => {
  t.match(thrown(() => namedUuid('vx-4789')), { kind: 'argument', message: /"vx-4789" cannot name a row/ })
  t.match(thrown(() => insert('Port', {}, 'a b')), { kind: 'argument' })
  t.match(thrown(() => update('Port', 'p1', {})), { kind: 'argument', message: /"p1" is no uuid/ })
  t.end()
})

const operations = [insert('Port', { name: 'p' }), update('Bridge', U, {})]

await t.test('results', (t) => {
  t.strictSame(parseResults(operations, [{ uuid: ['uuid', U] }, { count: 1 }]), [{ uuid: U }, { count: 1 }])
  const error = { error: 'constraint violation', details: 'why' }
  t.match(thrown(() => parseResults(operations, [error, null])), {
    kind: 'refused', operation: 0, error: 'constraint violation', details: 'why',
    message: 'transaction refused, operation 0 (insert Port): constraint violation: why'
  })
  t.match(thrown(() => parseResults(operations, [{}, {}, error])),
    { operation: 2, message: 'transaction refused, commit: constraint violation: why' })
  for (const reply of [null, {}, [], [{}], [{}, {}, {}], [{}, null]]) {
    t.match(thrown(() => parseResults(operations, reply)), { kind: 'protocol' }, JSON.stringify(reply))
  }
  t.end()
})
