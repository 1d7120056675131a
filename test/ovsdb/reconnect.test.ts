// Lost connections: the replica stays, comes up to date with as little as possible, and what differs arrives as ordinary changes.
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { OvsdbClient, OvsdbError, comment, type RowChange } from '../../lib/ovsdb/index.js'
import { catchUp, follow, untilUp } from './follower.js'
import { contentsOf, contentsOfReplica, TABLES } from './oracle.js'
import { startProxy, type Proxy } from './proxy.js'
import { SCHEMA, startServer, temporaryDirectory, until } from './server.js'

/** The last answer to monitor_cond_since: whether the server continued, and the rows it sent, as `Table kind`. */
function lastMonitorReply(proxy: Proxy): { readonly found: unknown, readonly rows: readonly string[] } {
  const request = proxy.messages.filter(({ json }) => json['method'] === 'monitor_cond_since').at(-1)?.json
  const after = proxy.messages.slice(proxy.messages.findIndex(({ json }) => json === request))
  const reply = after.find(({ from, json }) => from === 'server' && json['id'] === request?.['id'])?.json['result'] as readonly unknown[]
  const updates = Object.entries(reply[2] as Record<string, Record<string, object>>)
  const rows = updates.flatMap(([table, changes]) => Object.values(changes).map((change) => `${table} ${Object.keys(change).join()}`))
  return { found: reply[0], rows }
}

const kinds = (batches: readonly (readonly RowChange[])[]): readonly string[] =>
  batches.flat().map((change) => `${change.table} ${change.old ? change.new ? 'changed' : 'gone' : 'new'}`).sort()

await t.test('a clustered server that was killed and restarted sends only what happened meanwhile', async (t) => {
  const server = await startServer(t, { clustered: true })
  await server.fill()
  await server.vsctl('add-br', 'br-int', '--', 'add-br', 'br-ex')
  const proxy = await startProxy(t, server.socket)
  const follower = follow(t, proxy.remote)
  await untilUp(follower)
  await server.vsctl('set', 'Bridge', 'br-int', 'datapath_type=netdev')
  await catchUp(follower)

  proxy.cut()
  await until('the client to notice', () => !follower.client.connected)
  const before = follower.client.table('Bridge')
  t.equal(before.size, 2, 'the replica survives')
  await server.stop()
  await server.start()
  await server.vsctl('set', 'Bridge', 'br-int', 'external_ids:k=v', '--', 'add-port', 'br-ex', 'p1')
  await server.vsctl('set', 'Bridge', 'br-int', 'external_ids:k2=v2')
  follower.batches.length = 0
  proxy.resume()
  await untilUp(follower)

  const { found, rows } = lastMonitorReply(proxy)
  t.equal(found, true, 'the server continues from our last transaction')
  t.strictSame([...rows].sort(), ['Bridge modify', 'Bridge modify', 'Interface insert', 'Port insert'], 'the differences only')
  t.strictSame(kinds(follower.batches), ['Bridge changed', 'Bridge changed', 'Interface new', 'Port new'])
  t.strictSame(contentsOfReplica(follower.client), await contentsOf(server))
  t.equal(follower.ups, 2)
})

await t.test('without changes meanwhile nothing is delivered', async (t) => {
  for (const clustered of [true, false]) {
    const server = await startServer(t, { clustered })
    await server.vsctl('add-br', 'br-int')
    const proxy = await startProxy(t, server.socket)
    const follower = follow(t, proxy.remote)
    await untilUp(follower)
    const rows = [...follower.client.table('Bridge').values()]
    follower.batches.length = 0
    proxy.cut()
    await until('the client to notice', () => !follower.client.connected)
    proxy.resume()
    await untilUp(follower)
    t.strictSame(lastMonitorReply(proxy).found, clustered, 'only a clustered server keeps a history')
    t.strictSame(follower.batches, [], `${clustered ? 'clustered' : 'standalone'}: no changes`)
    t.equal([...follower.client.table('Bridge').values()][0], rows[0], 'the row is the same object')
  }
})

await t.test('a standalone server that was restarted sends everything; only what differs is delivered', async (t) => {
  const server = await startServer(t)
  await server.vsctl('add-br', 'br-int', '--', 'add-port', 'br-int', 'p1', '--', 'add-br', 'br-ex')
  const follower = follow(t, server.remote)
  await untilUp(follower)
  follower.batches.length = 0
  await server.stop()
  await until('the client to notice', () => !follower.client.connected)
  await server.start()
  await server.vsctl('del-br', 'br-ex', '--', 'set', 'Interface', 'p1', 'type=internal')
  await untilUp(follower)
  await catchUp(follower)
  const delivered = kinds(follower.batches).filter((kind) => !kind.startsWith('Open_vSwitch'))
  t.strictSame(delivered, ['Bridge gone', 'Interface changed', 'Interface gone', 'Port gone'])
  t.strictSame(contentsOfReplica(follower.client), await contentsOf(server))
})

await t.test('a database replaced by an empty one delivers the deletion of every row', async (t) => {
  const server = await startServer(t)
  await server.vsctl('add-br', 'br-int')
  const follower = follow(t, server.remote)
  await untilUp(follower)
  follower.batches.length = 0
  await server.stop()
  await server.create()
  await server.start()
  await until('the client to notice', () => follower.downs.length === 1)
  await untilUp(follower)
  t.strictSame(kinds(follower.batches), ['Bridge gone', 'Interface gone', 'Open_vSwitch gone', 'Port gone'])
  t.strictSame(contentsOfReplica(follower.client), await contentsOf(server))
})

await t.test('a schema conversion brings a column that was missing', async (t) => {
  const server = await startServer(t)
  await server.vsctl('add-br', 'br-int')
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as { version: string, tables: { Bridge: { columns: Record<string, unknown> } } }
  schema.version = '99.0.0'
  schema.tables.Bridge.columns['color'] = { type: { key: 'string', min: 0, max: 1 } }
  const newer = join(server.directory, 'newer.ovsschema')
  writeFileSync(newer, JSON.stringify(schema))

  const follower = follow(t, server.remote, { tables: { Bridge: ['name', 'color'] } })
  await untilUp(follower)
  t.strictSame(follower.client.missing, ['Bridge.color'])
  await server.tool('ovsdb-client', 'convert', server.remote, newer)
  await until('the client to start again', () => follower.ups === 2 || (follower.client.retryNow(), false))
  t.strictSame(follower.client.missing, [])
  t.strictSame([...follower.client.table('Bridge').values()], [{ name: 'br-int', color: [] }])
})

await t.test('transactions: not sent without a connection, outcome unknown when it is lost', async (t) => {
  const server = await startServer(t)
  const proxy = await startProxy(t, server.socket)
  const follower = follow(t, proxy.remote)
  await untilUp(follower)
  proxy.freeze()
  const lost = follower.client.transact([comment('never answered')])
  await until('the request to pass', () => proxy.messages.some(({ json }) => json['method'] === 'transact'))
  proxy.cut()
  await t.rejects(lost, { kind: 'lost', message: /outcome of the transaction unknown/ })
  await t.rejects(follower.client.transact([comment('nobody there')]), { kind: 'offline', message: /not sent/ })
})

await t.test('the inactivity probe keeps an idle connection and drops a dead one', async (t) => {
  const server = await startServer(t)
  const proxy = await startProxy(t, server.socket)
  const follower = follow(t, proxy.remote, { probeMs: 100 })
  await untilUp(follower)
  const probes = (): number => proxy.messages.filter(({ from, json }) => from === 'client' && json['method'] === 'echo').length
  await until('three probes to be answered', () => probes() > 3)
  t.strictSame(follower.downs, [], 'answered probes keep the connection')
  proxy.freeze()
  await until('the client to notice', () => follower.downs.length > 0)
  t.match(follower.downs[0], /no answer/)
  t.notOk(follower.client.connected)
})

await t.test('no server: the reason is told once, and the client comes up by itself when there is one', async (t) => {
  const server = await startServer(t)
  await server.stop()
  const follower = follow(t, server.remote)
  await until('the first failure', () => follower.downs.length === 1)
  follower.client.retryNow()
  await server.start()
  await until('the client to be up without being asked', () => follower.client.connected)
  t.match(follower.downs, [/ENOENT/])
  t.equal(follower.ups, 1)
})

await t.test('a server that talks nonsense, or has no such database, is named and left', async (t) => {
  const path = join(temporaryDirectory(t), 'nonsense.sock')
  let attempts = 0
  const listener = createServer((socket) => {
    attempts++
    socket.on('error', () => undefined).write('HTTP/1.1 400 Bad Request\r\n')
  })
  await new Promise<void>((resolve) => listener.listen(path, resolve))
  t.teardown(() => { listener.close() })
  const nonsense = follow(t, `unix:${path}`)
  await until('some attempts', () => {
    nonsense.client.retryNow()
    return attempts > 3
  })
  t.match(nonsense.downs[0], /expected a JSON object/)
  t.equal(nonsense.downs.length, 1, 'the same reason is told once')

  const server = await startServer(t)
  const other = follow(t, server.remote, { database: 'No_Such' })
  await until('the client to notice', () => other.downs.length > 0)
  t.match(other.downs[0], /no usable database No_Such: unknown database/)
})

await t.test('a closed client calls no handler and rejects what is under way', async (t) => {
  const server = await startServer(t)
  const proxy = await startProxy(t, server.socket)
  const follower = follow(t, proxy.remote)
  await untilUp(follower)
  proxy.freeze()
  const pending = follower.client.transact([comment('unanswered')])
  follower.batches.length = 0
  follower.client.close()
  await t.rejects(pending, { kind: 'lost', message: /closed/ })
  await server.vsctl('add-br', 'br0')
  t.strictSame([follower.batches.length, follower.downs.length, follower.client.connected], [0, 0, false])
  t.equal(follower.client.table('Open_vSwitch').size, 1, 'the replica stays readable')
})

await t.test('a handler may close the client', async (t) => {
  const server = await startServer(t)
  let calls = 0
  const client = new OvsdbClient({
    remote: server.remote,
    database: 'Open_vSwitch',
    tables: TABLES,
    handlers: { up: () => { calls++ }, down: () => { calls++ }, changes: () => client.close() }
  })
  client.start()
  await until('the first changes', () => client.table('Open_vSwitch').size > 0)
  const probe = follow(t, server.remote)
  await untilUp(probe)
  t.equal(calls, 0, 'neither up nor down after close')
})

await t.test('what cannot work is refused at once', (t) => {
  const handlers = { up: () => undefined, down: () => undefined, changes: () => undefined }
  t.throws(() => new OvsdbClient({ remote: 'db.sock', database: 'x', tables: {}, handlers }), OvsdbError)
  t.throws(() => new OvsdbClient({ remote: 'ssl:127.0.0.1:6640', database: 'x', tables: {}, handlers }), { message: /private key/ })
  t.end()
})
