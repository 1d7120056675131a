// A chassis with 10,000 interfaces: the first reply of several megabytes, then changes that cost what they change.
import t from 'tap'
import { insert, mutate, namedUuid, update } from '../../lib/ovsdb/index.js'
import { catchUp, follow, untilUp } from './follower.js'
import { startServer } from './server.js'

const INTERFACES = 10_000

function addPort(index: number): ReturnType<typeof insert>[] {
  const id = `b0a2f1a4-0000-4000-8000-${String(index).padStart(12, '0')}`
  const ids = new Map([['iface-id', id], ['attached-mac', '02:00:00:00:00:01'], ['dynamic-routing-vni', '1000']])
  return [
    insert('Interface', { name: `vm${index}`, type: 'internal', external_ids: ids }, `i${index}`),
    insert('Port', { name: `vm${index}`, interfaces: namedUuid(`i${index}`) }, `p${index}`)
  ]
}

await t.test(`${INTERFACES} interfaces`, async (t) => {
  const server = await startServer(t)
  await server.vsctl('add-br', 'br-int')
  const writer = follow(t, server.remote)
  await untilUp(writer)
  const bridge = [...writer.client.table('Bridge').keys()][0] ?? ''
  const indexes = Array.from({ length: INTERFACES }, (_, index) => index)
  const ports = indexes.map((index) => namedUuid(`p${index}`))
  await writer.client.transact([...indexes.flatMap(addPort), mutate('Bridge', bridge, [['ports', 'insert', ports]])])

  const reader = follow(t, server.remote)
  const started = performance.now()
  await untilUp(reader)
  const initial = performance.now() - started
  t.equal(reader.client.table('Interface').size, INTERFACES + 1)
  t.equal(reader.batches.length, 1, 'the initial rows are one batch')
  t.ok(initial < 5000, `the replica is complete after ${initial.toFixed()} ms`)

  const iface = [...reader.client.table('Interface').keys()][0] ?? ''
  const before = reader.batches.length
  const changing = performance.now()
  for (let ofport = 1; ofport <= 200; ofport++) await writer.client.transact([update('Interface', iface, { ofport })])
  await catchUp(reader)
  const perChange = (performance.now() - changing) / 200
  t.strictSame(reader.client.table('Interface').get(iface)?.['ofport'], [200])
  t.ok(reader.batches.slice(before).every((batch) => batch.length === 1), 'a change delivers the row that changed, nothing else')
  t.ok(perChange < 20, `one change, there and back, takes ${perChange.toFixed(2)} ms`)
  t.comment(`initial ${initial.toFixed()} ms, per change ${perChange.toFixed(2)} ms`)
})
