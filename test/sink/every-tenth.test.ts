// A switch that refuses every tenth flow: the others are there at once, the refused ones are tried again alone and ever more seldom,
// and nothing of one that nobody wants any more is kept.
import t from 'tap'
import type { Flow } from '../../lib/pipeline/flow.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { FakeSwitch } from './switch.js'
import { pass, settle, stopTime } from './time.js'

const FLOWS = 1000
const flow = (priority: number): Flow => ({ table: 202, priority, match: { metadata: 1000 }, actions: [] })
const isTenth = (words: string): boolean => Number(/ (\d+)$/.exec(words)?.[1]) % 10 === 0

stopTime()

await t.test('every tenth flow is refused', async (t) => {
  const told: string[] = []
  const refused: string[] = []
  const sink = new SwitchSink({ info: (text) => told.push(text), warn: (text) => told.push(text), refused: (text) => refused.push(text) })
  const fake = new FakeSwitch()
  fake.refuse = (words) => (isTenth(words) ? 'OFPFMFC_TABLE_FULL' : undefined)
  for (let i = 1; i <= FLOWS; i++) sink.setFlows(`flow ${i}`, [flow(i)])
  await sink.connect(fake)
  sink.flush()
  await settle()
  t.equal(fake.flows.size, FLOWS * 0.9, 'nine of ten are there at once')
  t.equal(sink.flows.blocked().size, FLOWS / 10, 'the others are set aside')
  t.ok(fake.messages.length <= 2 * FLOWS, `${fake.messages.length} messages for ${FLOWS} flows`)
  const first = fake.messages.length
  for (let second = 0; second < 120; second++) await pass(1000)
  const again = fake.messages.slice(first)
  t.same(again.filter((words) => !isTenth(words)), [], 'only the refused ones are tried again')
  // After 1, 3, 7, 15, 31 and 63 seconds, and then once a minute; a bundle that fails is sent again without its culprits.
  t.ok(again.length <= 3 * 7 * FLOWS / 10, `${again.length} messages in two minutes`)
  t.strictSame(told, [], 'what may be said a thousand times goes where it is limited')
  t.ok(refused.length >= FLOWS / 10)

  for (let i = 10; i <= FLOWS; i += 20) sink.setFlows(`flow ${i}`, [])
  fake.refuse = () => undefined
  for (let second = 0; second < 61; second++) await pass(1000)
  t.equal(fake.flows.size, FLOWS * 0.95, 'once there is room, those still wanted are there')
  t.equal(sink.flows.blocked().size, 0, 'and nothing is set aside any more')
  t.ok(sink.isSettled)
})
