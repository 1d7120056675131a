// A flow monitor that could not keep up pauses: until it goes on, what it tells may be our own doing, and what it does not tell may
// be anything. What happened meanwhile is found by reading everything again.
import t, { type Test } from 'tap'
import type { FlowDesc, FlowUpdate } from '../../lib/openflow/index.js'
import type { Flow } from '../../lib/pipeline/flow.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { FakeSwitch } from './switch.js'
import { pass, settle, stopTime } from './time.js'

function flow(priority: number, port: number): Flow {
  return { table: 202, priority, match: { metadata: 1000 }, actions: [{ kind: 'output', port }] }
}

/** A sink that has brought about two flows; `held`: the one of that priority in the switch. */
async function world(t: Test) {
  const told: string[] = []
  const fake = new FakeSwitch()
  const sink: SwitchSink = new SwitchSink({ info: () => undefined, warn: (text) => told.push(text) }, () => sink.flush())
  t.teardown(() => sink.disconnect())
  sink.setFlows('one', [flow(1, 1)])
  sink.setFlows('two', [flow(2, 2)])
  await sink.connect(fake)
  sink.flush()
  await settle()
  const held = (priority: number): [string, FlowDesc] | undefined => [...fake.flows].find(([, { priority: each }]) => each === priority)
  const remove = (priority: number): void => void fake.flows.delete(held(priority)?.[0] ?? '')
  return { sink, fake, told, held, remove }
}

function news(kind: 'added' | 'modified', { tableId, priority, cookie, match, instructions }: FlowDesc): FlowUpdate {
  return { kind, tableId, priority, cookie, match, instructions, idleTimeout: 0, hardTimeout: 0 } as FlowUpdate
}

/** Somebody removes the first flow, and the switch tells it. */
async function isPutBack(t: Test, { sink, held, remove }: Awaited<ReturnType<typeof world>>, message: string): Promise<void> {
  const desc = held(1)?.[1]
  t.ok(desc)
  remove(1)
  if (desc !== undefined) sink.flowsChanged([{ ...news('added', desc), kind: 'removed' } as FlowUpdate])
  sink.flush()
  await settle()
  t.ok(held(1), message)
}

/** Longer than it takes to read all parts, one after the other, and shorter than the pause before a part is read for no reason. */
const ALL_PARTS = 20_000

stopTime()

await t.test('what somebody did while the monitor paused is found once it goes on, told, and put back', async (t) => {
  const { sink, held, remove, told } = await world(t)
  sink.flowsChanged([{ kind: 'paused' }])
  remove(1)
  await pass(10_000)
  t.equal(held(1), undefined, 'nobody knows of it yet')
  sink.flowsChanged([{ kind: 'resumed' }])
  for (let ms = 0; ms < ALL_PARTS; ms += 300) await pass(300)
  t.ok(held(1), 'the flow is back')
  t.ok(told.some((text) => /flow table=202, priority=1.*somebody else deleted it/.test(text)), 'and that is told')
  t.equal(sink.drift.counters.found, 1)
})

await t.test('our own changes, told in full while it pauses, are nobody else\'s', async (t) => {
  const { sink, held, told } = await world(t)
  sink.flowsChanged([{ kind: 'paused' }])
  sink.setFlows('one', [flow(1, 7)])
  sink.flush()
  await settle()
  const desc = held(1)?.[1]
  t.ok(desc)
  // Late, and in the words of an older state: what is told while it pauses says nothing.
  if (desc !== undefined) sink.flowsChanged([news('modified', { ...desc, instructions: Buffer.alloc(0) }), news('added', desc)])
  sink.flowsChanged([{ kind: 'resumed' }])
  for (let ms = 0; ms < ALL_PARTS; ms += 300) await pass(300)
  t.strictSame(told, [])
  t.equal(sink.drift.counters.found, 0)
})

await t.test('a pause ends with the connection', async (t) => {
  const one = await world(t)
  const { sink, fake } = one
  sink.flowsChanged([{ kind: 'paused' }])
  await sink.connect(fake)
  sink.flush()
  await settle()
  await isPutBack(t, one, 'news count again: the flow is back')
})

await t.test('a connection that is lost with a batch under way leaves none under way: what others do afterwards is put back', async (t) => {
  const one = await world(t)
  const { sink, fake } = one
  let answer: () => void = () => undefined
  fake.gate = new Promise((resolve) => { answer = resolve })
  sink.setFlows('one', [flow(1, 7)])
  sink.flush()
  await settle()
  sink.disconnect()
  fake.gate = undefined
  answer()
  await settle()
  await sink.connect(fake)
  sink.flush()
  await settle()
  await isPutBack(t, one, 'the flow is back')
})
