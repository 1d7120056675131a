// More notifications than fit: a burst that must fit is taken whole, a buffer that overflows is reported, and a fresh dump is right.
import t from 'tap'
import { AF, NTF, NUD, NetlinkClient, type NeighRow, type RtMessage } from '../../lib/netlink/index.js'
import { batch, enterNewNamespace, json, numberedMac, run } from './support/namespace.js'
import { openRecorder } from './support/recorder.js'

enterNewNamespace()
run('ip link add vx0 type vxlan id 100 dstport 61000 local 192.0.2.1 nolearning')

const ROWS = 20_000

function isOurs(message: RtMessage): boolean {
  return message.kind === 'neigh' && message.op === 'new' && message.row.lladdr?.startsWith('06:') === true
}

/** Runs while this process reads nothing: the tool blocks the event loop until it has written all rows. */
function writeRows(count: number, dst: string): void {
  batch('bridge', Array.from({ length: count }, (_, index) => `fdb replace ${numberedMac(index)} dev vx0 dst ${dst} self static`))
}

void t.test('a burst of 50,000 notifications is taken without a loss', async t => {
  const recorder = openRecorder({ groups: ['neigh'] })
  t.teardown(() => recorder.client.close())
  writeRows(50_000, '192.0.2.2')
  await recorder.client.dump('nexthop')
  t.equal(recorder.take().filter(isOurs).length, 50_000)
  t.equal(recorder.client.overruns, 0)
  run('bridge fdb flush dev vx0')
})

void t.test('a buffer that overflows is reported once and counted, and a dump afterwards has the whole table', async t => {
  let overruns = 0
  const recorder = openRecorder({ groups: ['neigh'], receiveBufferBytes: 64 * 1024, overrun: () => { overruns++ } })
  t.teardown(() => recorder.client.close())
  writeRows(ROWS, '192.0.2.3')
  await recorder.client.dump('nexthop')
  t.equal(overruns, 1, 'the handler was told')
  t.equal(recorder.client.overruns, 1, 'and it was counted')
  t.ok(recorder.take().filter(isOurs).length < ROWS, 'notifications were lost indeed')

  t.strictSame(await recorder.client.dump('fdb'), { interrupted: false })
  const rows = recorder.take().filter(isOurs).map(message => message.kind === 'neigh' ? `${message.row.lladdr} ${message.row.dst}` : '')
  const shown = json('bridge -j fdb show dev vx0').map(({ mac, dst }) => `${String(mac)} ${String(dst)}`)
    .filter(line => line.startsWith('06:'))
  t.equal(rows.length, ROWS)
  t.strictSame(rows.sort(), shown.sort())
})

void t.test('a dump during which the buffer overflows says interrupted', async t => {
  let flooded = false
  const client = NetlinkClient.open({
    groups: ['neigh'],
    receiveBufferBytes: 64 * 1024,
    handlers: {
      messages() {
        // The first part of the dump has come: now its buffer is flooded, before the rest is read.
        if (!flooded) writeRows(ROWS, '192.0.2.4')
        flooded = true
      },
      overrun: () => undefined
    }
  })
  t.teardown(() => client.close())
  t.strictSame(await client.dump('fdb'), { interrupted: true })
  t.strictSame(await client.dump('fdb'), { interrupted: false }, 'the next one is whole')
})

void t.test('acknowledgements that were lost in an overrun end their requests with ENOBUFS', async t => {
  const handlers = { messages: (): void => undefined, overrun: (): void => undefined }
  const client = NetlinkClient.open({ groups: ['neigh'], receiveBufferBytes: 4096, handlers })
  t.teardown(() => client.close())
  const ifindex = Number(json('ip -j link show vx0')[0]?.['ifindex'])
  const row: NeighRow = { family: AF.BRIDGE, ifindex, state: NUD.REACHABLE, flags: NTF.SELF, type: 0, dst: '192.0.2.5' }
  const rows = Array.from({ length: 200 }, (_, index) => ({ ...row, lladdr: numberedMac(index) }))
  const outcomes = await client.write(rows.map(row => ({ op: 'replace', row })))
  t.ok(outcomes.some(error => error?.code === 'ENOBUFS'), 'some are unknown')
  t.ok(outcomes.every(error => error === undefined || error.code === 'ENOBUFS'), 'none is anything else')
  t.ok(client.overruns > 0, 'and the overrun is reported')
})
