// The switch sink against a small switch: read-back, conflicts, refusals, broken bundles and lost connections.
import t from 'tap'
import { encodeActions, type ApplyResult } from '../../lib/openflow/index.js'
import type { Flow, Group } from '../../lib/pipeline/flow.js'
import { COOKIE, ENTRY_PRIORITY, ENTRY_TABLE, FIRST_GROUP } from '../../lib/pipeline/slots.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { wipeSwitch } from '../../lib/sink/wipe.js'
import { FakeSwitch, foreignFlow } from './switch.js'
import { pass, settle, stopTime } from './time.js'

/** A flow of table 202 that is known by its priority. */
function flow(priority: number, ...ports: readonly number[]): Flow {
  return { table: 202, priority, match: { metadata: 1000 }, actions: ports.map((port) => ({ kind: 'output', port })) }
}

function entry(port: number): Flow {
  return { table: ENTRY_TABLE, priority: ENTRY_PRIORITY, match: { in_port: port }, actions: [{ kind: 'resubmit', table: 200 }] }
}

function group(id: number, ...ports: readonly number[]): Group {
  return { id: FIRST_GROUP + id, type: 'all', buckets: ports.map((port) => ({ id: port, actions: [{ kind: 'set_field', field: 'reg1', value: port }, { kind: 'resubmit', table: 206 }] })) }
}

function world() {
  const told: string[] = []
  const sink = new SwitchSink({ info: (text) => told.push(`info: ${text}`), warn: (text) => told.push(text) })
  return { sink, told, fake: new FakeSwitch() }
}

/** Connects and sends what is wanted. */
async function start(sink: SwitchSink, fake: FakeSwitch): Promise<void> {
  await sink.connect(fake)
  sink.flush()
  await settle()
}

stopTime()

await t.test('nothing is sent before the switch was read', async (t) => {
  const { sink, fake } = world()
  sink.setFlows('o', [flow(1, 1)])
  sink.flush()
  let open = (): void => undefined
  fake.gate = new Promise((resolve) => (open = resolve))
  const connected = sink.connect(fake)
  sink.flush()
  await settle()
  t.notOk(sink.isReady || sink.isSettled)
  t.strictSame(fake.batches, [])
  open()
  await connected
  sink.flush()
  await settle()
  t.strictSame(fake.messages, ['add flow 202 1'])
  t.ok(sink.isSettled)
})

await t.test('a restart on a switch that has everything sends nothing', async (t) => {
  const { sink, fake } = world()
  const wish = (one: SwitchSink) => {
    one.setFlows('o', [flow(1, 1), flow(2), entry(7)])
    one.setGroups('o', [group(1, 1, 2), { ...group(2, 3), type: 'select' }])
  }
  wish(sink)
  await start(sink, fake)
  t.equal(fake.flows.size, 3)
  fake.batches.length = 0
  const again = world().sink
  wish(again)
  await start(again, fake)
  t.strictSame(fake.batches, [])
  t.ok(again.isSettled)
  t.match(again.counters, { flowMods: 0, groupMods: 0, readBacks: 1 })
})

await t.test('a read-back finds what is missing, what is wrong and what is too much', async (t) => {
  const { sink, fake } = world()
  sink.setFlows('o', [flow(1, 1), flow(2, 2), flow(3, 3)])
  sink.setGroups('o', [group(1, 1), group(2, 2)])
  await start(sink, fake)
  for (const [key, one] of fake.flows) if (one.priority === 1) fake.flows.delete(key)
  for (const [, one] of fake.flows) if (one.priority === 2) fake.put({ ...one, instructions: Buffer.alloc(0) })
  fake.put({ ...foreignFlow(203, 9, { metadata: 1 }), cookie: COOKIE | 5n })
  fake.groups.delete(FIRST_GROUP + 1)
  fake.groups.set(FIRST_GROUP + 9, { groupId: FIRST_GROUP + 9, type: 'all', buckets: [] })
  fake.batches.length = 0
  sink.disconnect()
  await start(sink, fake)
  t.strictSame([...fake.messages].sort(), [
    'add flow 202 1', `add group ${FIRST_GROUP + 1}`, `delete group ${FIRST_GROUP + 9}`, 'delete_strict flow 203 9', 'modify_strict flow 202 2'
  ])
  t.strictSame([...fake.flows.values()].map((one) => one.priority).sort(), [1, 2, 3])
  t.strictSame([...fake.groups.keys()].sort(), [FIRST_GROUP + 1, FIRST_GROUP + 2])
})

await t.test('what is not ours is never touched: other tables, other groups, other priorities of the entry table', async (t) => {
  const { sink, fake, told } = world()
  const others = [foreignFlow(0, 0, {}), foreignFlow(0, ENTRY_PRIORITY - 1, { in_port: 7 }), foreignFlow(10, 5, {}), foreignFlow(224, 5, {}), foreignFlow(199, 5, {}),
    { ...foreignFlow(0, 5, { in_port: 7 }), cookie: COOKIE }]
  for (const one of others) fake.put(one)
  fake.groups.set(1, { groupId: 1, type: 'all', buckets: [] })
  sink.setFlows('o', [entry(7)])
  await start(sink, fake)
  t.strictSame(fake.messages, [`add flow 0 ${ENTRY_PRIORITY}`])
  t.strictSame(sink.conflicts, [])
  t.strictSame(told, [])
})

await t.test('small changes go alone and unbundled, larger ones in one bundle', async (t) => {
  const { sink, fake } = world()
  sink.setFlows('o', [flow(1, 1)])
  await start(sink, fake)
  sink.setFlows('o', [flow(1, 2), flow(2)])
  sink.flush()
  await settle()
  t.strictSame(fake.batches, [{ bundle: false, messages: ['add flow 202 1'] }, { bundle: true, messages: ['modify_strict flow 202 1', 'add flow 202 2'] }])
})

await t.test('a foreign flow in one of our places blocks that place alone, is told once, and is never overwritten', async (t) => {
  const { sink, fake, told } = world()
  fake.put(foreignFlow(202, 1, { metadata: 1000 }))
  sink.setFlows('o', [flow(1, 1), flow(2, 2)])
  await start(sink, fake)
  const text = 'foreign flow in our place: table=202, priority=1,metadata=0x3e8'
  t.strictSame(fake.messages, ['add flow 202 2'])
  t.strictSame(sink.conflicts, [text])
  t.strictSame(told, [`${text}; it is left alone, and what we would put there is missing`])
  for (const pause of [10_000, 20_000, 40_000]) await pass(pause)
  t.equal(told.length, 1, 'told once, though looked at again, after longer and longer pauses')
  t.strictSame(fake.messages, ['add flow 202 2'])

  for (const [key, one] of fake.flows) if (one.cookie === 0xabcn) fake.flows.delete(key)
  await pass(80_000)
  t.strictSame(fake.messages, ['add flow 202 2', 'add flow 202 1'], 'its place is taken when it is gone')
  t.strictSame(sink.conflicts, [])
  t.equal(told.at(-1), 'info: nothing foreign is left in our places')
  t.ok(sink.isSettled)
})

await t.test('a foreign flow in our tables is a conflict even where we want nothing', async (t) => {
  const { sink, fake } = world()
  fake.put(foreignFlow(215, 1, {}))
  await start(sink, fake)
  t.strictSame(sink.conflicts, ['foreign flow in our place: table=215, priority=1,'])
})

await t.test('a group with an id of ours that we did not make is left alone and told; ours are known by where their buckets lead', async (t) => {
  const { sink, fake, told } = world()
  const id = FIRST_GROUP + 5
  fake.groups.set(id, { groupId: id, type: 'all', buckets: [{ id: 1, actions: encodeActions([{ kind: 'output', port: 1 }]) }] })
  await start(sink, fake)
  t.strictSame(fake.messages, [], 'not deleted')
  t.strictSame(sink.conflicts, [`foreign group in our place: group_id=${id}`])
  t.equal(told.length, 1)
  await wipeSwitch(fake)
  t.ok(fake.groups.has(id), 'nor when everything of ours goes')
})

await t.test('in the entry table a foreign flow is a conflict only once we want its place, and is told then', async (t) => {
  const { sink, fake, told } = world()
  fake.put(foreignFlow(ENTRY_TABLE, ENTRY_PRIORITY, { in_port: 7 }))
  sink.setFlows('o', [entry(8)])
  await start(sink, fake)
  t.strictSame(sink.conflicts, [])
  sink.setFlows('o', [entry(7), entry(8)])
  sink.flush()
  await settle()
  t.strictSame(sink.conflicts, [`foreign flow in our place: table=0, priority=${ENTRY_PRIORITY},in_port=7`])
  t.equal(told.length, 1)
  t.equal(fake.messages.length, 1, 'not overwritten')
  fake.flows.clear()
  await pass(10_000)
  t.equal(fake.flows.size, 2, 'both stand once it is gone')
})

await t.test('a refused bundle: the named culprit is set aside, the rest goes on at once', async (t) => {
  const { sink, fake, told } = world()
  fake.refuse = (words) => (words === 'add flow 202 2' ? 'OFPBAC_BAD_OUT_PORT' : undefined)
  sink.setFlows('o', [flow(1, 1), flow(2, 2), flow(3, 3)])
  await start(sink, fake)
  t.strictSame(fake.batches.map((batch) => batch.messages.length), [3, 2])
  t.strictSame([...fake.flows.values()].map((one) => one.priority), [1, 3])
  t.strictSame(told, ['the switch refused table=202, priority=2,metadata=0x3e8: OFPBAC_BAD_OUT_PORT'])
  t.strictSame([...sink.flows.blocked().values()], ['refused by the switch: OFPBAC_BAD_OUT_PORT'])
  t.ok(sink.isSettled, 'nothing more can be done now')
})

await t.test('what was refused is tried again with growing pauses, alone, until it works', async (t) => {
  const { sink, fake } = world()
  fake.refuse = (words) => (words.endsWith('202 2') ? 'OFPBAC_BAD_OUT_PORT' : undefined)
  sink.setFlows('o', [flow(1, 1), flow(2, 2)])
  await start(sink, fake)
  fake.batches.length = 0
  const attempts: number[] = []
  for (let second = 1; second <= 31; second++) {
    const before = fake.batches.length
    await pass(1000)
    if (fake.batches.length > before) attempts.push(second)
  }
  t.strictSame(attempts, [1, 3, 7, 15, 31])
  t.ok(fake.messages.every((message) => message === 'add flow 202 2'))
  fake.refuse = () => undefined
  await pass(32_000)
  t.equal(fake.flows.size, 2)
  t.strictSame([...sink.flows.blocked()], [])
  t.equal(sink.counters.refused, 6)
})

const BROKEN: ApplyResult = { applied: false, errors: [{ index: -1, type: 17, code: 13, name: 'OFPBFC_MSG_FAILED' }] }

await t.test('bundles that fail without a culprit: after three the batch goes unbundled, and then bundles again', async (t) => {
  const { sink, fake } = world()
  fake.nextAnswers.push(() => BROKEN, () => BROKEN, () => BROKEN)
  sink.setFlows('o', [flow(1, 1), flow(2, 2)])
  await start(sink, fake)
  t.strictSame(fake.batches.map((batch) => batch.bundle), [true, true, true, false])
  t.equal(fake.flows.size, 2)
  t.ok(sink.isSettled)
  sink.setFlows('o', [flow(3, 3), flow(4, 4)])
  sink.flush()
  await settle()
  t.equal(fake.batches.at(-1)?.bundle, true)
})

await t.test('unbundled, each refusal is of its own entry and the others stand', async (t) => {
  const { sink, fake } = world()
  fake.nextAnswers.push(() => BROKEN, () => BROKEN, () => BROKEN)
  fake.refuse = (words) => (words === 'add flow 202 1' ? 'OFPFMFC_TABLE_FULL' : undefined)
  sink.setFlows('o', [flow(1, 1), flow(2, 2)])
  await start(sink, fake)
  t.strictSame([...fake.flows.values()].map((one) => one.priority), [2])
  t.equal(sink.flows.pendingCount, 1)
})

await t.test('a group half changed by bucket commands is written whole on the next attempt', async (t) => {
  const { sink, fake } = world()
  const id = FIRST_GROUP + 1
  sink.setGroups('o', [group(1, 1, 2)])
  await start(sink, fake)
  fake.nextAnswers.push(() => BROKEN, () => BROKEN, () => BROKEN)
  fake.refuse = (words) => (words === `insert_bucket group ${id}` ? 'OFPGMFC_BUCKET_EXISTS' : undefined)
  sink.setGroups('o', [group(1, 1, 3)])
  sink.flush()
  await settle()
  t.strictSame(fake.groups.get(id)?.buckets.map((bucket) => bucket.id), [1], 'unbundled, the removal was carried out')
  await pass(1000)
  t.equal(fake.messages.at(-1), `modify group ${id}`)
  t.strictSame(fake.groups.get(id)?.buckets.map((bucket) => bucket.id), [1, 3])
  t.ok(sink.isSettled)
})

await t.test('a group that would be too large is not sent: it is told, and the rest goes on', async (t) => {
  const { sink, fake, told } = world()
  sink.setGroups('o', [{ id: FIRST_GROUP + 1, type: 'all', buckets: Array.from({ length: 2500 }, (_, i) => ({ id: i, actions: [{ kind: 'output', port: i + 1 }] })) }, group(2, 1)])
  await start(sink, fake)
  const bytes = 16 + 2500 * (8 + encodeActions([{ kind: 'output', port: 1 }]).length)
  t.strictSame(told, [`group ${FIRST_GROUP + 1} would have ${bytes} bytes, more than 60000: not installed`])
  t.strictSame([...fake.groups.keys()], [FIRST_GROUP + 2])
})

await t.test('a connection lost while a batch is under way: its outcome is read back on the next one', async (t) => {
  for (const arrived of [true, false]) {
    const { sink, fake } = world()
    await start(sink, fake)
    let fail = (_: Error): void => undefined
    fake.gate = new Promise((_, reject) => (fail = reject))
    sink.setFlows('o', [flow(1, 1), flow(2, 2)])
    sink.flush()
    await settle()
    t.equal(fake.batches.length, 1)
    const other = new FakeSwitch()
    if (arrived) await sendTo(other, [flow(1, 1), flow(2, 2)])
    other.batches.length = 0
    sink.disconnect()
    fail(new Error('the connection is lost'))
    await settle()
    t.notOk(sink.isReady)
    await start(sink, other)
    t.strictSame(other.messages, arrived ? [] : ['add flow 202 1', 'add flow 202 2'], arrived ? 'it had arrived: nothing to do' : 'it had not: sent again')
    t.ok(sink.isSettled)
  }
})

/** Brings flows about on a switch, through a sink of their own. */
async function sendTo(fake: FakeSwitch, flows: readonly Flow[]): Promise<void> {
  const { sink } = world()
  sink.setFlows('o', flows)
  await start(sink, fake)
}

await t.test('a new connection takes over from one that never answered', async (t) => {
  const { sink, fake } = world()
  await start(sink, fake)
  fake.gate = new Promise(() => undefined)
  sink.setFlows('o', [flow(1, 1)])
  sink.flush()
  await settle()
  const other = new FakeSwitch()
  await start(sink, other)
  t.strictSame(other.messages, ['add flow 202 1'])
  t.ok(sink.isSettled)
})

await t.test('a read-back overtaken by a newer connection changes nothing', async (t) => {
  const { sink, fake } = world()
  let open = (): void => undefined
  fake.gate = new Promise((resolve) => (open = resolve))
  fake.put({ ...foreignFlow(202, 1, { metadata: 1000 }), cookie: COOKIE })
  const old = sink.connect(fake)
  const other = new FakeSwitch()
  await start(sink, other)
  open()
  await old
  sink.flush()
  await settle()
  t.strictSame(other.batches, [], 'what the old switch held is of no interest')
  t.equal(sink.counters.readBacks, 1)
})

await t.test('a send that fails on a connection that stands: told, nothing in a circle, read back after a second', async (t) => {
  const { sink, fake, told } = world()
  fake.nextAnswers.push(() => {
    throw new Error('no memory')
  })
  sink.setFlows('o', [flow(1, 1)])
  await start(sink, fake)
  t.equal(fake.batches.length, 1)
  t.notOk(sink.isReady)
  t.strictSame(told, ['sending to the switch failed: Error: no memory'])
  await pass(1000)
  t.strictSame(fake.messages, ['add flow 202 1', 'add flow 202 1'])
  t.ok(sink.isSettled)
})

await t.test('a later read-back that fails is tried again', async (t) => {
  const { sink, fake, told } = world()
  fake.put(foreignFlow(202, 1, { metadata: 1000 }))
  sink.setFlows('o', [flow(1, 1)])
  await start(sink, fake)
  fake.flows.clear()
  const broken = Promise.reject(new Error('no answer'))
  broken.catch(() => undefined)
  fake.gate = broken
  await pass(10_000)
  t.equal(told.at(-1), 'read-back failed: Error: no answer')
  fake.gate = undefined
  await pass(1000)
  t.strictSame(fake.messages, ['add flow 202 1'])
})

await t.test('a reconnect frees what was refused on the connection before, flows and groups', async (t) => {
  const { sink, fake } = world()
  fake.refuse = () => 'OFPGMFC_OUT_OF_GROUPS'
  sink.setFlows('o', [flow(1, 1)])
  sink.setGroups('o', [group(1, 1)])
  await start(sink, fake)
  t.equal(fake.flows.size + fake.groups.size, 0)
  sink.disconnect()
  await start(sink, new FakeSwitch())
  t.ok(sink.isSettled)
  t.equal(sink.flows.pendingCount + sink.groups.pendingCount, 0)
})

await t.test('where somebody derives first, the sink wakes him, and sends nothing by itself', async (t) => {
  const fake = new FakeSwitch()
  let woken = 0
  const sink = new SwitchSink({ info: () => undefined, warn: () => undefined }, () => void woken++)
  fake.refuse = () => 'OFPFMFC_TABLE_FULL'
  sink.setFlows('o', [flow(1, 1)])
  await sink.connect(fake)
  t.strictSame(fake.batches, [])
  sink.flush()
  await settle()
  t.equal(woken, 1, 'when a batch is done')
  await pass(1000)
  t.equal(woken, 2, 'when a pause is over')
  t.equal(fake.batches.length, 1)
})

await t.test('wipe: everything of ours leaves, nothing else', async (t) => {
  const { sink, fake } = world()
  sink.setFlows('o', [flow(1, 1), entry(7)])
  sink.setGroups('o', [group(1, 1)])
  fake.put(foreignFlow(0, 0, {}))
  fake.put(foreignFlow(202, 9, {}))
  fake.groups.set(1, { groupId: 1, type: 'all', buckets: [] })
  await start(sink, fake)
  await wipeSwitch(fake)
  t.strictSame([...fake.flows.values()].map((one) => one.cookie), [0xabcn, 0xabcn])
  t.strictSame([...fake.groups.keys()], [1])
})
