// What a packet between its two translations may still need stands for a moment more.
import t from 'tap'
import type { Flow, Group } from '../../lib/pipeline/flow.js'
import { FIRST_GROUP } from '../../lib/pipeline/slots.js'
import { TABLE } from '../../lib/pipeline/tables.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { FakeSwitch } from './switch.js'
import { pass, settle, stopTime } from './time.js'

function group(part: number): Group {
  return { id: FIRST_GROUP + part, type: 'all', buckets: [{ id: 1, actions: [{ kind: 'output', port: 1 }] }] }
}

stopTime()

await t.test('a part of a flood outlives its last use by fifteen seconds, and its group with it: packets on their way may need both', async (t) => {
  const sink = new SwitchSink({ info: (text) => t.comment(text), warn: (text) => t.comment(text) })
  const fake = new FakeSwitch()
  const part = (reg1: number): Flow => ({ table: TABLE.PART, priority: 100, match: { metadata: 1000, reg1 }, actions: [{ kind: 'group', group: FIRST_GROUP + reg1 }] })
  const want = (...parts: readonly number[]) => {
    sink.setGroups('o', parts.map(group))
    sink.setFlows('o', parts.map(part))
    sink.flush()
  }
  want(4)
  await sink.connect(fake)
  sink.flush()
  await settle()
  // A switch that is slow to take the new parts keeps the old one as long: until then packets still use it.
  let open = (): void => undefined
  fake.gate = new Promise((resolve) => { open = resolve })
  want(8, 9)
  await pass(20_000)
  fake.gate = undefined
  open()
  await settle()
  t.strictSame([fake.flows.size, [...fake.groups.keys()]], [3, [4, 9, 8].map((id) => FIRST_GROUP + id)], 'the old part stands beside the new ones')
  await pass(1000)
  want(4)
  await pass(500)
  want(8, 9)
  await pass(14_999)
  t.equal(fake.flows.size, 3, 'wanted again meanwhile, it stays for fifteen seconds from the last use')
  await pass(1)
  t.strictSame([fake.flows.size, [...fake.groups.keys()].sort()], [2, [8, 9].map((id) => FIRST_GROUP + id)])
  t.ok(sink.isSettled)
})
