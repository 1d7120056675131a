// The kernel sink: which rows mean what, which requests bring them about, and that nothing is written twice in the dark.
import t from 'tap'
import { AF, NetlinkError, NTF, NUD, type NeighRow, type WriteRequest } from '../../lib/netlink/index.js'
import { KernelSink, rowTable, type KernelWriter } from '../../lib/sink/kernel.js'
import { fdbEntry, fdbKey, kernelOrder, kernelRequest, neighbourEntry, neighbourKey, realizedFdb, realizedNeighbour } from '../../lib/sink/kernel-row.js'
import { neighbour, onPort } from '../mirror/rows.js'
import { pass, settle, stopTime } from './time.js'

const [BRIDGE, ADVERTISE] = [10, 12]
const [MAC, OTHER] = ['02:00:00:00:00:01', '02:00:00:00:00:02']

await t.test('an FDB row on the advertise device is ours when static, whatever flags linger', (t) => {
  const cases: readonly (readonly [what: string, row: NeighRow | undefined, value: string | undefined])[] = [
    ['none', undefined, undefined],
    ['ours', onPort(BRIDGE, ADVERTISE, MAC, { state: NUD.NOARP }), 'static'],
    ['ours, with EXT_LEARNED lingering', onPort(BRIDGE, ADVERTISE, MAC, { state: NUD.NOARP, flags: NTF.EXT_LEARNED }), 'static'],
    ['learned: to be written again', onPort(BRIDGE, ADVERTISE, MAC), `state ${NUD.REACHABLE}`],
    ["the device's own address", onPort(BRIDGE, ADVERTISE, MAC, { state: NUD.PERMANENT }), undefined]
  ]
  for (const [what, row, value] of cases) t.equal(realizedFdb(row), value, what)
  t.end()
})

await t.test('a neighbour is ours by its protocol, and right when static with our MAC', (t) => {
  const cases: readonly (readonly [what: string, row: NeighRow | undefined, value: string | undefined])[] = [
    ['none', undefined, undefined],
    ['ours', neighbour(BRIDGE, '10.0.0.1', MAC, { protocol: 85, flags: 0, state: NUD.NOARP | NUD.PERMANENT }), MAC],
    ['ours, but the garbage collector may take it', neighbour(BRIDGE, '10.0.0.1', MAC, { protocol: 85, flags: 0, state: NUD.NOARP }), `state ${NUD.NOARP}`],
    ['ours, no longer static', neighbour(BRIDGE, '10.0.0.1', MAC, { protocol: 85, flags: 0, state: NUD.STALE }), `state ${NUD.STALE}`],
    ["zebra's", neighbour(BRIDGE, '10.0.0.1', MAC), undefined],
    ["the kernel's own", neighbour(BRIDGE, '10.0.0.1', MAC, { protocol: 0, flags: 0, state: NUD.REACHABLE }), undefined]
  ]
  for (const [what, row, value] of cases) t.equal(realizedNeighbour(row), value, what)
  t.end()
})

await t.test('requests: replace, never EXT_LEARNED or STICKY, no PERMANENT FDB row; delete by what identifies alone', (t) => {
  const [fdb, isStatic] = fdbEntry(ADVERTISE, 0, MAC)
  const [ip4, mac] = neighbourEntry(BRIDGE, '10.0.0.1', MAC)
  const [ip6] = neighbourEntry(BRIDGE, '2001:db8::1', MAC)
  t.strictSame(kernelRequest({ key: fdb, desired: isStatic, realized: undefined }),
    { op: 'replace', row: { family: AF.BRIDGE, ifindex: ADVERTISE, state: NUD.NOARP, flags: NTF.MASTER, type: 0, lladdr: MAC } })
  for (const [desired, op] of [['static', 'replace'], [undefined, 'delete']] as const) {
    t.match(kernelRequest({ key: fdbKey(ADVERTISE, 10, MAC), desired, realized: undefined }), { op, row: { ifindex: ADVERTISE, lladdr: MAC, vlan: 10 } }, 'in a VLAN')
  }
  t.notOk('vlan' in kernelRequest({ key: fdb, desired: undefined, realized: isStatic }).row, 'a bridge without VLAN filtering takes none')
  t.match(kernelRequest({ key: fdb, desired: undefined, realized: isStatic }), { op: 'delete', row: { ifindex: ADVERTISE, lladdr: MAC } })
  t.strictSame(kernelRequest({ key: ip4, desired: mac, realized: OTHER }),
    { op: 'replace', row: { family: AF.INET, ifindex: BRIDGE, state: NUD.NOARP | NUD.PERMANENT, flags: 0, type: 0, dst: '10.0.0.1', protocol: 85, lladdr: MAC } })
  t.match(kernelRequest({ key: ip6, desired: mac, realized: undefined }), { op: 'replace', row: { family: AF.INET6, dst: '2001:db8::1', lladdr: MAC } })
  const { op, row } = kernelRequest({ key: ip6, desired: undefined, realized: mac })
  t.equal(op, 'delete')
  t.notOk('lladdr' in row)
  t.end()
})

await t.test('FDB rows are written before neighbours and deleted after them: zebra needs the MAC', (t) => {
  const pending = [
    { key: fdbKey(ADVERTISE, 0, OTHER), desired: undefined, realized: 'static' }, { key: neighbourKey(BRIDGE, '10.0.0.2'), desired: undefined, realized: OTHER },
    { key: neighbourKey(BRIDGE, '10.0.0.1'), desired: MAC, realized: undefined }, { key: fdbKey(ADVERTISE, 0, MAC), desired: 'static', realized: undefined }
  ]
  const texts = [...pending].sort((a, b) => kernelOrder(a) - kernelOrder(b)).map(({ key, desired }) => `${desired === undefined ? 'delete' : 'write'} ${key}`)
  t.strictSame(texts, [
    `write ${fdbKey(ADVERTISE, 0, MAC)}`, `write ${neighbourKey(BRIDGE, '10.0.0.1')}`,
    `delete ${neighbourKey(BRIDGE, '10.0.0.2')}`, `delete ${fdbKey(ADVERTISE, 0, OTHER)}`
  ])
  t.end()
})

/** A kernel that notes what is written; what the mirror sees is the test's business. */
class FakeKernel implements KernelWriter {
  readonly batches: string[][] = []
  answer: (request: WriteRequest) => NetlinkError | undefined = () => undefined
  failure: Error | undefined
  gate: Promise<void> | undefined

  get written(): string[] {
    return this.batches.flat()
  }

  async write(requests: readonly WriteRequest[]): Promise<readonly (NetlinkError | undefined)[]> {
    this.batches.push(requests.map(({ op, row }) => `${op} ${row.dst ?? row.lladdr}`))
    await this.gate
    if (this.failure !== undefined) throw this.failure
    return requests.map(this.answer)
  }
}

function world() {
  const kernel = new FakeKernel()
  const told: string[] = []
  const sink = new KernelSink(rowTable(kernel), (text) => told.push(text))
  return { kernel, sink, told }
}

const FDB = fdbEntry(ADVERTISE, 0, MAC)
const IP = neighbourEntry(BRIDGE, '10.0.0.1', MAC)
const EPERM = new NetlinkError({ request: 'replace FDB row', errno: 1 })

stopTime()

await t.test('what is wanted is written once, and settled when the mirror has seen it', async (t) => {
  const { kernel, sink } = world()
  sink.setOwned('claim', [IP, FDB])
  t.notOk(sink.isSettled)
  sink.flush()
  await settle()
  t.strictSame(kernel.batches, [[`replace ${MAC}`, 'replace 10.0.0.1']])
  for (const [key, value] of [FDB, IP]) sink.observe(key, value)
  t.ok(sink.isSettled)
  sink.flush()
  await pass(100_000)
  t.equal(kernel.batches.length, 1, 'and never again')
  t.equal(sink.counters.writes, 2)
})

await t.test('before all is known nothing is deleted, however much there is of it; the rest is written', async (t) => {
  const kernel = new FakeKernel()
  let knowsAll = false
  const sink = new KernelSink(rowTable(kernel), () => undefined, () => sink.flush(), undefined, () => knowsAll)
  const unknown = Array.from({ length: 2000 }, (_, i) => fdbKey(ADVERTISE, 0, `02:00:00:01:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`))
  for (const key of unknown) sink.observe(key, 'static')
  t.notOk(sink.hasWork)
  sink.setOwned('claim', [FDB])
  t.ok(sink.hasWork)
  sink.flush()
  await settle()
  t.strictSame(kernel.written, [`replace ${MAC}`])
  sink.observe(...FDB)
  t.notOk(sink.isSettled, 'something is left to be done')
  knowsAll = true
  sink.flush()
  await settle()
  t.equal(kernel.written.filter((text) => text.startsWith('delete')).length, unknown.length)
})

await t.test('the same difference is not written twice before the mirror saw the outcome', async (t) => {
  const { kernel, sink } = world()
  sink.setOwned('claim', [FDB])
  sink.flush()
  sink.flush()
  await settle()
  sink.flush()
  await pass(999)
  sink.flush()
  await settle()
  t.strictSame(kernel.written, [`replace ${MAC}`], 'acknowledged, not seen: nothing for a second')
  await pass(1)
  t.strictSame(kernel.written, [`replace ${MAC}`, `replace ${MAC}`], 'never seen: written again after a second')
  await pass(1999)
  t.equal(kernel.written.length, 2)
  await pass(1)
  t.equal(kernel.written.length, 3, 'then after two')
})

await t.test('an acknowledgement alone realizes nothing: somebody may have replaced the row in between', async (t) => {
  const { sink } = world()
  sink.setOwned('claim', [FDB])
  sink.flush()
  await settle()
  t.equal(sink.rows.realized(FDB[0]), undefined)
  t.equal(sink.rows.pendingCount, 1, 'still a difference')
})

await t.test('a row that somebody else removed is written again at once', async (t) => {
  const { kernel, sink } = world()
  sink.setOwned('claim', [FDB])
  sink.flush()
  await settle()
  sink.observe(...FDB)
  sink.observe(FDB[0], undefined)
  sink.flush()
  await settle()
  t.strictSame(kernel.written, [`replace ${MAC}`, `replace ${MAC}`])
})

await t.test('a row found in the kernel that nobody wants is deleted; one that is right is left alone', async (t) => {
  const { kernel, sink } = world()
  sink.observe(...FDB)
  sink.observe(...IP)
  sink.setOwned('claim', [FDB])
  sink.flush()
  await settle()
  t.strictSame(kernel.written, ['delete 10.0.0.1'])
})

await t.test('what is wanted changes while a write is under way: the next write follows when the mirror spoke', async (t) => {
  const { kernel, sink } = world()
  let open = (): void => undefined
  kernel.gate = new Promise((resolve) => (open = resolve))
  sink.setOwned('claim', [IP])
  sink.flush()
  sink.setOwned('claim', [neighbourEntry(BRIDGE, '10.0.0.1', OTHER)])
  sink.flush()
  t.equal(kernel.batches.length, 1, 'one write at a time')
  open()
  await settle()
  sink.observe(...IP)
  sink.flush()
  await settle()
  t.strictSame(kernel.written, ['replace 10.0.0.1', 'replace 10.0.0.1'])
})

await t.test('what the kernel refuses is told, set aside alone, and tried again with growing pauses', async (t) => {
  const { kernel, sink, told } = world()
  kernel.answer = ({ row }) => (row.lladdr === MAC && row.dst === undefined ? EPERM : undefined)
  sink.setOwned('a', [FDB])
  sink.setOwned('b', [fdbEntry(ADVERTISE, 0, OTHER)])
  sink.flush()
  await settle()
  sink.observe(...fdbEntry(ADVERTISE, 0, OTHER))
  t.strictSame(told, [`the kernel refused ${FDB[0]}: replace FDB row: EPERM; it will be tried again`])
  t.equal(sink.rows.blocked().get(FDB[0]), 'refused by the kernel: replace FDB row: EPERM')
  const attempts: number[] = []
  for (let second = 1; second <= 63; second++) {
    const before = kernel.batches.length
    await pass(1000)
    if (kernel.batches.length > before) attempts.push(second)
  }
  t.strictSame(attempts, [1, 3, 7, 15, 31, 63], '1, 2, 4, 8, 16, 32 seconds')
  t.equal(sink.counters.refused, 7)
  for (let i = 0; i < 3; i++) await pass(60_000)
  t.equal(kernel.batches.length, 1 + 6 + 3, 'at most a minute')
})

await t.test('a refusal of what the mirror has already shown is no news', async (t) => {
  const { kernel, sink, told } = world()
  const [key] = FDB
  let open = (): void => undefined
  kernel.gate = new Promise((resolve) => (open = resolve))
  kernel.answer = () => new NetlinkError({ request: 'delete FDB row', errno: 2 })
  sink.observe(...FDB)
  sink.flush()
  sink.observe(key, undefined)
  open()
  await settle()
  t.strictSame(told, [])
  t.ok(sink.isSettled, 'it was gone before we deleted it')
})

await t.test('a write that fails as a whole is told, and tried again after a pause', async (t) => {
  const { kernel, sink, told } = world()
  kernel.failure = new Error('socket closed')
  sink.setOwned('claim', [FDB])
  sink.flush()
  await settle()
  t.strictSame(told, ['writing to the kernel failed: Error: socket closed'])
  t.equal(kernel.batches.length, 1, 'not in a circle')
  kernel.failure = undefined
  await pass(1000)
  t.equal(kernel.batches.length, 2)
})

await t.test('where somebody derives first, the sink wakes him, and writes nothing by itself', async (t) => {
  const kernel = new FakeKernel()
  let woken = 0
  const sink = new KernelSink(rowTable(kernel), () => undefined, () => void woken++)
  sink.setOwned('claim', [FDB])
  sink.flush()
  await settle()
  t.equal(woken, 1, 'when a batch is done')
  await pass(1000)
  t.equal(woken, 2, 'when a pause is over')
  t.equal(kernel.batches.length, 1)
  sink.flush()
  await settle()
  t.equal(kernel.batches.length, 2)
})

await t.test('many rows go in batches of a thousand', async (t) => {
  const { kernel, sink } = world()
  sink.setOwned('claim', Array.from({ length: 2500 }, (_, i) => fdbEntry(ADVERTISE, 0, `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`)))
  sink.flush()
  await settle()
  t.strictSame(kernel.batches.map((batch) => batch.length), [1000, 1000, 500])
})

await t.test('cleanup: everything of ours the kernel has is deleted, neighbours first; the first refusal is thrown', async (t) => {
  const { kernel, sink } = world()
  sink.observe(...FDB)
  sink.observe(...IP)
  sink.setOwned('claim', [FDB, IP, fdbEntry(ADVERTISE, 0, OTHER)])
  await sink.removeAll()
  t.strictSame(kernel.written, ['delete 10.0.0.1', `delete ${MAC}`], 'what is only wanted is not there to delete')
  kernel.answer = () => EPERM
  await t.rejects(sink.removeAll(), EPERM)
})
