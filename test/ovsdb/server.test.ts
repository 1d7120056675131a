// The client against the real ovsdb-server: what it follows is what `ovsdb-client dump` shows, what it writes takes effect.
import fc from 'fast-check'
import t from 'tap'
import { SEED } from '../hostile/input.js'
import { insert, mutate, namedUuid, OvsdbError, remove, update, uuidRef, wait, type OvsdbClient } from '../../lib/ovsdb/index.js'
import { change } from './changes.js'
import { catchUp, follow, untilUp } from './follower.js'
import { contentsOf, contentsOfReplica } from './oracle.js'
import { startProxy } from './proxy.js'
import { startServer } from './server.js'


/** The only row of the root table. */
function root(client: OvsdbClient): string {
  return [...client.table('Open_vSwitch').keys()][0] ?? ''
}

function find(client: OvsdbClient, table: string, name: string): string {
  return [...client.table(table)].find(([, row]) => row['name'] === name)?.[0] ?? `no ${table} ${name}`
}

/** Rejections as text, for comparing with what was expected. */
async function refusal(promise: Promise<unknown>): Promise<OvsdbError> {
  const error = await promise.then(() => new Error('the transaction was granted'), (reason: unknown) => reason)
  if (error instanceof OvsdbError) return error
  throw error
}

await t.test(`replicas stay equal to the database through random changes, whichever monitor the server knows (seed ${SEED})`, async (t) => {
  const server = await startServer(t)
  const older = await startProxy(t, server.socket, ['monitor_cond_since'])
  const oldest = await startProxy(t, server.socket, ['monitor_cond_since', 'monitor_cond'])
  const followers = [server.remote, older.remote, oldest.remote].map((remote) => follow(t, remote))
  for (const follower of followers) await untilUp(follower)
  t.ok(older.messages.some(({ json }) => json['method'] === 'monitor_cond'), 'falls back to monitor_cond')
  t.ok(oldest.messages.some(({ json }) => json['method'] === 'monitor'), 'falls back to monitor')

  const commands = fc.sample(change, { seed: SEED, numRuns: 90 })
  for (const [index, command] of commands.entries()) {
    await server.vsctl(...command)
    if (index % 6 !== 5) continue
    const expected = await contentsOf(server)
    for (const follower of followers) {
      await catchUp(follower)
      t.strictSame(contentsOfReplica(follower.client), expected, `after ${index + 1} changes`)
    }
  }
  const fresh = follow(t, server.remote)
  await untilUp(fresh)
  t.strictSame(contentsOfReplica(fresh.client), contentsOfReplica(followers[0]?.client ?? fresh.client), 'a new replica equals the old one')
  t.strictSame(followers.flatMap(({ downs }) => downs), [], 'no connection was lost')
})

await t.test('the changes delivered, applied in order, are the replica', async (t) => {
  const server = await startServer(t)
  const follower = follow(t, server.remote)
  await untilUp(follower)
  for (const command of fc.sample(change, { seed: SEED, numRuns: 40 })) await server.vsctl(...command)
  await catchUp(follower)
  const rebuilt = new Map<string, unknown>()
  const wrongOld: string[] = []
  for (const { table, uuid, old, new: fresh } of follower.batches.flat()) {
    if (rebuilt.get(`${table} ${uuid}`) !== old) wrongOld.push(`${table} ${uuid}`)
    if (fresh) rebuilt.set(`${table} ${uuid}`, fresh)
    else rebuilt.delete(`${table} ${uuid}`)
  }
  const replica = ['Open_vSwitch', 'Bridge', 'Port', 'Interface']
    .flatMap((table) => [...follower.client.table(table)].map(([uuid, row]) => [`${table} ${uuid}`, row] as const))
  t.strictSame(wrongOld, [], 'old is the row that was delivered before')
  t.strictSame([...rebuilt].sort(), replica.sort())
})

await t.test('values have the shape their column type gives them', async (t) => {
  const server = await startServer(t)
  await server.vsctl('add-br', 'br-int', '--', 'set', 'Port', 'br-int', 'tag=7')
  const follower = follow(t, server.remote)
  await untilUp(follower)
  const port = follower.client.table('Port').get(find(follower.client, 'Port', 'br-int'))
  t.equal(port?.['name'], 'br-int', 'a scalar is an atom')
  t.strictSame(port?.['tag'], [7], 'an optional column is a set of 0..1')
  t.strictSame(port?.['interfaces'], [find(follower.client, 'Interface', 'br-int')], 'a set of one is a set, uuids are strings')
  t.strictSame(port?.['trunks'], [], 'an empty set')
  t.strictSame(port?.['external_ids'], new Map(), 'a map is a Map')
  await server.vsctl('clear', 'Port', 'br-int', 'tag')
  await catchUp(follower)
  t.strictSame(follower.client.table('Port').get(find(follower.client, 'Port', 'br-int'))?.['tag'], [], 'an optional column cleared')
})

await t.test('a port is added, its options changed, and removed, in transactions', async (t) => {
  const server = await startServer(t)
  await server.vsctl('add-br', 'br-int')
  const follower = follow(t, server.remote)
  const { client } = follower
  await untilUp(follower)
  const bridge = find(client, 'Bridge', 'br-int')

  const results = await client.transact([
    insert('Interface', { name: 'vx0', type: 'vxlan', options: new Map([['remote_ip', 'flow'], ['key', 'flow']]) }, 'iface'),
    insert('Port', { name: 'vx0', interfaces: namedUuid('iface'), external_ids: new Map([['owner', 'test']]) }, 'port'),
    mutate('Bridge', bridge, [['ports', 'insert', namedUuid('port')]])
  ])
  t.strictSame(results.map(({ count }) => count), [undefined, undefined, 1], 'mutate counts its row')
  t.equal(results[1]?.uuid, find(client, 'Port', 'vx0'), 'the change is in the replica before the promise resolves')
  t.equal((await server.vsctl('list-ports', 'br-int')).trim(), 'vx0')

  const iface = results[0]?.uuid ?? ''
  const replaceKey = mutate('Interface', iface, [['options', 'delete', ['key', 'unknown']], ['options', 'insert', new Map([['key', '7']])]])
  await client.transact([replaceKey])
  t.equal((await server.vsctl('get', 'Interface', 'vx0', 'options')).trim(), '{key="7", remote_ip=flow}')
  await client.transact([update('Interface', iface, { options: new Map([['local_ip', 'flow']]), external_ids: new Map() })])
  t.equal((await server.vsctl('get', 'Interface', 'vx0', 'options')).trim(), '{local_ip=flow}')

  await client.transact([mutate('Bridge', bridge, [['ports', 'delete', [uuidRef(results[1]?.uuid ?? '')]]])])
  t.equal((await server.vsctl('list-ports', 'br-int')).trim(), '', 'the port left the bridge')
  t.notOk(client.table('Interface').has(iface), 'rows without a reference go by themselves')
  t.strictSame(contentsOfReplica(client), await contentsOf(server))
})

await t.test('a refused transaction names the operation and the reason, and changes nothing', async (t) => {
  const server = await startServer(t)
  await server.vsctl('add-br', 'br-int')
  const follower = follow(t, server.remote)
  const { client } = follower
  await untilUp(follower)
  const bridge = find(client, 'Bridge', 'br-int')
  const before = await contentsOf(server)

  const unknown = await refusal(client.transact([
    update('Bridge', bridge, { datapath_type: 'netdev' }),
    update('Bridge', bridge, { no_such_column: 'x' })
  ]))
  t.match(unknown, { kind: 'refused', operation: 1, error: 'unknown column' })
  t.match(unknown.message, /^transaction refused, operation 1 \(update Bridge\): unknown column/)

  const immutable = await refusal(client.transact([update('Bridge', bridge, { name: 'other' })]))
  t.match(immutable, { kind: 'refused', operation: 0 })

  const duplicate = await refusal(client.transact([
    insert('Bridge', { name: 'br-int' }, 'second'),
    mutate('Open_vSwitch', root(client), [['bridges', 'insert', namedUuid('second')]])
  ]))
  t.match(duplicate, { kind: 'refused', operation: 2, error: 'constraint violation' }, 'the commit comes after the last operation')
  t.match(duplicate.message, /commit: constraint violation/)

  const stale = await refusal(client.transact([wait('Bridge', bridge, { datapath_type: 'netdev' }), remove('Bridge', bridge)]))
  t.match(stale, { kind: 'refused', operation: 0, error: 'timed out' }, 'wait guards the rest')
  t.strictSame(await client.transact([wait('Bridge', bridge, { datapath_type: '' })]), [{}], 'wait lets pass what is true')
  t.strictSame(await contentsOf(server), before)
})

await t.test('an operation the server cannot parse is refused, the connection stays', async (t) => {
  const server = await startServer(t)
  const follower = follow(t, server.remote)
  await untilUp(follower)
  const error = await refusal(follower.client.transact([{ op: 'no_such_operation' }]))
  t.match(error, { kind: 'refused', operation: 0 })
  const gone = update('Bridge', '00000000-0000-0000-0000-000000000001', { datapath_type: '' })
  t.strictSame(await follower.client.transact([gone]), [{ count: 0 }], 'a row that is gone is no error')
  t.equal(follower.downs.length, 0)
})

await t.test('tables and columns the server does not have are left out and named', async (t) => {
  const server = await startServer(t)
  const tables = { Open_vSwitch: ['external_ids', 'from_the_future'], Future: ['name'], Bridge: ['gone'] }
  const follower = follow(t, server.remote, { tables })
  await untilUp(follower)
  t.strictSame(follower.client.missing, ['Open_vSwitch.from_the_future', 'Future', 'Bridge.gone'])
  t.strictSame([...follower.client.table('Open_vSwitch').values()].map((row) => Object.keys(row)), [['external_ids']])
  t.equal(follower.client.table('Future').size, 0)
  await server.vsctl('add-br', 'br0')
  await catchUp(follower)
  t.strictSame([...follower.client.table('Bridge').values()], [{}], 'rows of a table without known columns are still seen')
})

await t.test('over TCP all is the same', async (t) => {
  const server = await startServer(t, { arguments: ['--remote=ptcp:0:127.0.0.1'] })
  const follower = follow(t, `tcp:127.0.0.1:${server.port}`)
  await untilUp(follower)
  await server.vsctl('add-br', 'br-int')
  await catchUp(follower)
  t.strictSame(contentsOfReplica(follower.client), await contentsOf(server))
})
