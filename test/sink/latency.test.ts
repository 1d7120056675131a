// How long events take, as the switch sink tells: from when the kernel's message was read to the switch's answer.
import t from 'tap'
import type { Flow, Group } from '../../lib/pipeline/flow.js'
import { FIRST_GROUP } from '../../lib/pipeline/slots.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { FakeSwitch } from './switch.js'
import { pass, settle, stopTime } from './time.js'

function flow(priority: number, port: number): Flow {
  return { table: 202, priority, match: { metadata: 1000 }, actions: [{ kind: 'output', port }] }
}

const GROUP: Group = { id: FIRST_GROUP + 1, type: 'all', buckets: [{ id: 1, actions: [{ kind: 'resubmit', table: 206 }] }] }

async function started(): Promise<{ readonly sink: SwitchSink, readonly fake: FakeSwitch }> {
  const [sink, fake] = [new SwitchSink({ info: () => undefined, warn: () => undefined }), new FakeSwitch()]
  sink.setFlows('uncounted', [flow(9, 9)])
  await sink.connect(fake)
  sink.flush()
  await settle()
  return { sink, fake }
}

stopTime()

await t.test('how long events take: from when they came to the switch\'s answer, by kind; what nobody counts is not', async (t) => {
  const { sink } = await started()
  const events = () => sink.latency.report().map(({ change, events: count }) => `${change} ${count}`)
  const happens = async (flows: readonly Flow[], groups: readonly Group[]) => {
    sink.because(performance.now() - 50)
    sink.setFlows('o', flows)
    sink.setGroups('o', groups)
    sink.because(undefined)
    sink.flush()
    await settle()
  }
  t.strictSame(events(), ['learn 0', 'move 0', 'withdraw 0', 'group 0'])
  await happens([flow(1, 1), flow(2, 1)], [GROUP])
  t.strictSame(events(), ['learn 2', 'move 0', 'withdraw 0', 'group 1'])
  await happens([flow(1, 2), flow(2, 1)], [GROUP])
  t.strictSame(events(), ['learn 2', 'move 1', 'withdraw 0', 'group 1'])
  await happens([], [])
  t.strictSame(events(), ['learn 2', 'move 1', 'withdraw 2', 'group 2'])
  for (const { change, p50, p95, p99, max } of sink.latency.report()) {
    t.ok(p50 >= 49 && p50 <= p95 && p95 <= p99 && p99 <= max, `${change}: ${p50} ${p95} ${p99} ${max}`)
  }
})

await t.test('an event that the switch refuses counts when it is there, with all the time since it came', async (t) => {
  const { sink, fake } = await started()
  fake.refuse = () => 'OFPFMFC_TABLE_FULL'
  const cameAt = performance.now() - 50
  sink.because(cameAt)
  sink.setFlows('o', [flow(1, 1)])
  sink.because(undefined)
  sink.flush()
  await settle()
  const learned = () => sink.latency.report().find(({ change }) => change === 'learn')
  t.equal(learned()?.events, 0, 'it is not there')
  fake.refuse = () => undefined
  await pass(1_000)
  sink.flush()
  await settle()
  t.equal(learned()?.events, 1)
  t.ok((learned()?.max ?? 0) >= 49, `${learned()?.max} ms`)
})
