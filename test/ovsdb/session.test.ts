// The session without a server: captured conversations in any pieces, and what no server should send.
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { Replica, Session, ZERO_UUID, type Row, type RowChange, type SessionEvent } from '../../lib/ovsdb/index.js'
import { parseConversation, type Line } from './conversation.js'
import { SEED } from '../hostile/input.js'
import { contentsOfDump, contentsOfReplica, TABLES, type Contents } from './oracle.js'

const FIXTURES = readdirSync('fixtures/ovsdb').filter((name) => name.endsWith('.txt'))
const read = (name: string): readonly Line[] => parseConversation(readFileSync(`fixtures/ovsdb/${name}`, 'utf8'))

type Feed = (session: Session, bytes: Buffer) => readonly SessionEvent[]

const whole: Feed = (session, bytes) => [...session.receive(bytes)]
const byteByByte: Feed = (session, bytes) => [...bytes].flatMap((byte) => [...session.receive(Buffer.of(byte))])
const inPieces = (size: number): Feed => (session, bytes) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
    .flatMap((piece) => [...session.receive(piece)])

interface Outcome { readonly sent: readonly unknown[], readonly contents: Contents, readonly events: readonly SessionEvent[] }

/** Consecutive bytes from the server on one connection, up to where the client had to say something. */
function replay(lines: readonly Line[], feed: Feed, between: string): Outcome {
  const replica = new Replica()
  const events: SessionEvent[] = []
  let session = new Session(replica, { database: 'Open_vSwitch', tables: TABLES })
  events.push(...session.start())
  let pending = ''
  const flush = (): void => {
    events.push(...feed(session, Buffer.from(pending)))
    pending = ''
  }
  for (const line of lines) {
    if (line.kind === 'message' && line.from === 'server') pending += JSON.stringify(line.json) + between
    else flush()
    if (line.kind === 'message' && line.from === 'client' && isTransact(line.json)) session.request('transact', [])
    if (line.kind === 'reconnect') {
      session = new Session(replica, { database: 'Open_vSwitch', tables: TABLES })
      events.push(...session.start())
    }
  }
  flush()
  const sent = events.flatMap((event) => event.kind === 'send' ? [JSON.parse(event.text) as unknown] : [])
  return { sent, contents: contentsOfReplica(replica), events }
}

/** The capture ended each step with a transaction of its own, to know that all had arrived. */
function isTransact(json: unknown): boolean {
  return (json as { method?: string }).method === 'transact'
}

await t.test('captured conversations: we say what was said and end with what ovsdb-client dump shows', (t) => {
  const feeds = [
    ['whole', whole], ['byte by byte', byteByByte], ['in pieces of 7 bytes', inPieces(7)], ['in pieces of 1000 bytes', inPieces(1000)]
  ] as const
  t.ok(FIXTURES.length >= 4, 'there are conversations')
  for (const name of FIXTURES) {
    const lines = read(name)
    const said = lines.flatMap((line) => line.kind === 'message' && line.from === 'client' && !isTransact(line.json) ? [line.json] : [])
    const expected = Object.assign({}, ...lines.flatMap((line) => line.kind === 'dump' ? [contentsOfDump(line.text)] : [])) as Contents
    for (const [how, feed] of feeds) {
      for (const between of ['', '\n']) {
        const { sent, contents, events } = replay(lines, feed, between)
        t.strictSame(sent, said, `${name} ${how}: what we send`)
        t.strictSame(contents, expected, `${name} ${how}: the replica`)
        t.notOk(events.some(({ kind }) => kind === 'failed'), `${name} ${how}: no failure`)
      }
    }
  }
  t.end()
})

await t.test('captured conversations: trailing bytes of the next message change nothing', (t) => {
  for (const name of FIXTURES) {
    const [head, tail] = [Buffer.from('{"id":'), Buffer.from('null,"method":"x","params":[]}')]
    const withTail: Feed = (session, bytes) => [...session.receive(Buffer.concat([bytes, head])), ...session.receive(tail)]
    t.strictSame(replay(read(name), withTail, '').contents, replay(read(name), whole, '').contents, name)
  }
  t.end()
})

await t.test('captured conversations: the delivered changes are the replica', (t) => {
  for (const name of FIXTURES) {
    const { events, contents } = replay(read(name), whole, '')
    const tables = new Map(Object.keys(TABLES).map((table) => [table, new Map<string, Row>()]))
    for (const change of events.flatMap((event): readonly RowChange[] => event.kind === 'changes' ? event.batch : [])) {
      if (change.new) tables.get(change.table)?.set(change.uuid, change.new)
      else tables.get(change.table)?.delete(change.uuid)
    }
    t.strictSame(contentsOfReplica({ table: (table) => tables.get(table) ?? new Map<string, Row>() }), contents, name)
  }
  t.end()
})

const U = '11111111-1111-1111-1111-111111111111'
const TXN = '99999999-9999-9999-9999-999999999999'
const SCHEMA = { tables: { Bridge: { columns: {
  name: { type: 'string' },
  ports: { type: { key: { type: 'uuid', refTable: 'Port' }, min: 0, max: 'unlimited' } },
  tag: { type: { key: 'integer', min: 0, max: 1 } }
} } } }

const bytesOf = (json: unknown): Buffer => Buffer.from(JSON.stringify(json))

interface Following { readonly session: Session, readonly replica: Replica, readonly first: readonly SessionEvent[] }

/** A session for the small schema, and its replica; after the monitor reply unless told otherwise. */
function follower(rows: unknown = { Bridge: { [U]: { initial: { name: 'br0' } } } }): Following {
  const replica = new Replica()
  const session = new Session(replica, { database: 'db', tables: { Bridge: ['name', 'ports', 'tag'] } })
  session.start()
  const first = [bytesOf({ id: 0, result: SCHEMA, error: null }), bytesOf({ id: 1, result: [false, TXN, rows], error: null })]
    .flatMap((bytes) => [...session.receive(bytes)])
  return { session, replica, first }
}

const update3 = (updates: unknown): unknown => ({ id: null, method: 'update3', params: ['replica', TXN, updates] })

const hostile: readonly { readonly what: string, readonly json: unknown, readonly message: RegExp }[] = [
  { what: 'neither request nor reply', json: { hello: 1 }, message: /neither request nor reply/ },
  { what: 'a method without params', json: { id: 1, method: 'echo' }, message: /echo without params/ },
  { what: 'an update of a table nobody asked for', json: update3({ Port: {} }), message: /Port, which is not monitored/ },
  { what: 'an update of prototypes', json: update3({ constructor: { [U]: { delete: null } } }), message: /not monitored/ },
  { what: 'updates that are none', json: update3(null), message: /expected table updates/ },
  { what: 'rows that are none', json: update3({ Bridge: [] }), message: /has no rows/ },
  { what: 'a row without a uuid', json: update3({ Bridge: { br0: { delete: null } } }), message: /"br0", which is no uuid/ },
  { what: 'a row update of two kinds', json: update3({ Bridge: { [U]: { delete: null, insert: {} } } }),
    message: /expected initial, insert, delete or modify/ },
  { what: 'a row update of no kind', json: update3({ Bridge: { [U]: {} } }), message: /expected initial, insert, delete or modify/ },
  { what: 'a modify of an unknown row', json: update3({ Bridge: { [TXN]: { modify: {} } } }),
    message: /modify of a row that is not in the replica/ },
  { what: 'a delete of an unknown row', json: update3({ Bridge: { [TXN]: { delete: null } } }),
    message: /delete of a row that is not in the replica/ },
  { what: 'a value of another type', json: update3({ Bridge: { [U]: { modify: { name: 7 } } } }),
    message: /Bridge row 1{8}-.* column name: expected string, got 7/ },
  { what: 'more values than allowed', json: update3({ Bridge: { [U]: { modify: { tag: ['set', [1, 2]] } } } }),
    message: /column tag: 2 elements/ },
  { what: 'an update of another form', json: { id: null, method: 'update2', params: ['replica', {}] },
    message: /update2 that nobody asked for/ },
  { what: 'no transaction id', json: { id: null, method: 'update3', params: ['replica', 'x', {}] }, message: /expected a transaction id/ },
  { what: 'a cancelled monitor', json: { id: null, method: 'monitor_canceled', params: ['replica'] }, message: /cancelled the monitor/ }
]

await t.test('what no server should send ends the session, changes nothing, and the next one reads everything', (t) => {
  for (const { what, json, message } of hostile) {
    const { session, replica } = follower()
    const good = { Bridge: { [U]: { modify: { name: 'br1' } } } }
    const events = [...session.receive(Buffer.concat([bytesOf(update3(good)), bytesOf(json), bytesOf(update3(good))]))]
    t.match(events.at(-1), { kind: 'failed', error: { name: 'OvsdbError', message } }, what)
    t.strictSame(events.map(({ kind }) => kind), ['changes', 'failed'], `${what}: what came before is delivered, nothing after`)
    t.equal(replica.table('Bridge').get(U)?.['name'], 'br1')
    t.strictSame([...session.receive(bytesOf(update3(good)))], [], 'a session that failed stays silent')

    const next = new Session(replica, { database: 'db', tables: { Bridge: ['name', 'ports', 'tag'] } })
    next.start()
    const [request] = next.receive(bytesOf({ id: 0, result: SCHEMA, error: null }))
    t.match(request, { kind: 'send', text: new RegExp(ZERO_UUID) }, `${what}: the replica is read afresh`)
  }
  t.end()
})

/** What a session asks for that takes over this replica, and the session after an answer to it. */
function successor(replica: Replica, columns: readonly string[], result?: unknown): { since: unknown, events: readonly SessionEvent[] } {
  const session = new Session(replica, { database: 'db', tables: { Bridge: columns } })
  session.start()
  const [request] = session.receive(bytesOf({ id: 0, result: SCHEMA, error: null }))
  const { params } = JSON.parse(request?.kind === 'send' ? request.text : '{}') as { params?: readonly unknown[] }
  return { since: params?.at(-1), events: [...session.receive(bytesOf({ id: 1, result, error: null }))] }
}

await t.test('the next session continues from the last transaction, but not when other columns are asked for', (t) => {
  const all = ['name', 'ports', 'tag']
  t.equal(successor(follower().replica, all).since, TXN, 'the id of the monitor reply')
  const later = follower()
  const gone = { Bridge: { [U]: { delete: null } } }
  const [event] = later.session.receive(bytesOf({ id: null, method: 'update3', params: ['replica', U, gone] }))
  t.equal(event?.kind, 'changes')
  t.equal(successor(later.replica, all).since, U, 'the id of the last update')
  t.equal(successor(follower().replica, ['name']).since, ZERO_UUID, 'other columns: everything')
  t.end()
})

await t.test('a reply that claims to continue from nothing is taken as everything', (t) => {
  const { replica } = follower()
  replica.distrust()
  const { since, events } = successor(replica, ['name', 'ports', 'tag'], [true, TXN, { Bridge: { [TXN]: { initial: { name: 'br1' } } } }])
  t.equal(since, ZERO_UUID)
  t.match(events, [{ kind: 'changes', batch: [{ uuid: TXN }, { uuid: U, old: { name: 'br0' } }] }, { kind: 'up' }])
  t.strictSame([...replica.table('Bridge').keys()], [TXN], 'the row that was not sent is gone')
  t.end()
})

await t.test('a bad row in an update spoils the whole update, not half of it', (t) => {
  const { session, replica } = follower()
  const before = new Map(replica.table('Bridge'))
  const events = [...session.receive(bytesOf(update3({ Bridge: { [TXN]: { insert: { name: 'good' } }, [U]: { modify: { name: 1 } } } })))]
  t.strictSame(events.map(({ kind }) => kind), ['failed'])
  t.strictSame(replica.table('Bridge'), before)
  t.end()
})

await t.test(`any updates: changes or a failure, never anything else (seed ${SEED})`, (t) => {
  const mostly = (good: fc.Arbitrary<unknown>, bad: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 20, arbitrary: good }, { weight: 1, arbitrary: bad })
  const uuid = fc.constantFrom(['uuid', U], ['uuid', TXN])
  const row = mostly(fc.record({
    name: mostly(fc.string(), fc.jsonValue()),
    ports: mostly(fc.oneof(uuid, fc.uniqueArray(uuid).map((uuids) => ['set', uuids])), fc.jsonValue()),
    tag: mostly(fc.oneof(fc.integer(), fc.constant(['set', []])), fc.jsonValue())
  }, { requiredKeys: [] }), fc.jsonValue())
  const rowUpdate = fc.tuple(fc.constantFrom('insert', 'modify', 'delete', 'initial'), row).map(([kind, body]) => ({ [kind]: body }))
  const updates = fc.dictionary(fc.constant('Bridge'), mostly(fc.dictionary(fc.constantFrom(U, TXN), rowUpdate), fc.jsonValue()))
  const kinds = new Set<string>()
  fc.assert(fc.property(fc.array(updates), (sequence) => {
    const { session } = follower()
    for (const update of sequence) for (const { kind } of session.receive(bytesOf(update3(update)))) kinds.add(kind)
  }), { numRuns: 500, seed: SEED })
  t.strictSame([...kinds].sort(), ['changes', 'failed'])
  t.end()
})

await t.test('echo is answered in every phase, with what was asked', (t) => {
  const echo = bytesOf({ id: 'echo', method: 'echo', params: [1, 'x'] })
  const answer = [{ kind: 'send', text: '{"result":[1,"x"],"error":null,"id":"echo"}' }]
  const fresh = new Session(new Replica(), { database: 'db', tables: {} })
  fresh.start()
  t.strictSame([...fresh.receive(echo)], answer)
  t.strictSame([...follower().session.receive(echo)], answer)
  const unknown = bytesOf({ id: 7, method: 'steal', params: [] })
  t.strictSame([...follower().session.receive(unknown)], [{ kind: 'send', text: '{"result":null,"error":"unknown method","id":7}' }])
  t.end()
})

await t.test('notifications that are not for our monitor are ignored', (t) => {
  const { session } = follower()
  for (const [method, params] of [['update3', ['other', TXN, {}]], ['locked', ['x']], ['update3', []]] as const) {
    t.strictSame([...session.receive(bytesOf({ id: null, method, params }))], [])
  }
  t.end()
})

await t.test('the initial rows are one batch before up; columns left out hold their default', (t) => {
  const { first, replica } = follower()
  t.strictSame(first.map(({ kind }) => kind), ['send', 'changes', 'up'])
  t.strictSame(replica.table('Bridge').get(U), { name: 'br0', ports: [], tag: [] })
  t.strictSame(follower({}).first.map(({ kind }) => kind), ['send', 'up'], 'an empty database is no batch')
  t.end()
})

await t.test('an insert of a row we have is a change, an equal one is none', (t) => {
  const { session } = follower()
  t.strictSame([...session.receive(bytesOf(update3({ Bridge: { [U]: { insert: { name: 'br0' } } } })))], [])
  const [event] = session.receive(bytesOf(update3({ Bridge: { [U]: { insert: { name: 'br1' } } } })))
  t.match(event, { kind: 'changes', batch: [{ old: { name: 'br0' }, new: { name: 'br1' } }] })
  t.end()
})

await t.test('a schema that is none ends the session', (t) => {
  const columns = [1, { name: {} }, { name: { type: 'blob' } }, { name: { type: { key: 'string', max: -1 } } }]
  const tables = [[], { Bridge: {} }, ...columns.map((each) => ({ Bridge: { columns: each } }))]
  const schemas = [null, [], {}, ...tables.map((each) => ({ tables: each }))]
  for (const schema of schemas) {
    const session = new Session(new Replica(), { database: 'db', tables: { Bridge: ['name'] } })
    session.start()
    const events = [...session.receive(bytesOf({ id: 0, result: schema, error: null }))]
    t.match(events, [{ kind: 'failed', error: { kind: 'protocol' } }], JSON.stringify(schema))
  }
  t.end()
})

await t.test('a server that refuses every monitor is told apart from one that is broken', (t) => {
  const session = new Session(new Replica(), { database: 'db', tables: { Bridge: ['name'] } })
  session.start()
  const error = { error: 'permission error', details: 'RBAC' }
  const replies = [{ id: 0, result: SCHEMA, error: null }, ...[1, 2, 3].map((id) => ({ id, result: null, error }))]
  const events = replies.flatMap((reply) => [...session.receive(bytesOf(reply))])
  const message = /refuses to monitor db: permission error: RBAC/
  t.match(events.at(-1), { kind: 'failed', error: { kind: 'refused', error: 'permission error', message } })
  t.end()
})
