// Meters: there before the flows that name them, gone after them; and flows that do without where there are none.
import t from 'tap'
import { decodeInstructions, type Action, type Meter } from '../../lib/openflow/index.js'
import type { Flow } from '../../lib/pipeline/flow.js'
import { FIRST_METER, learnedCookie } from '../../lib/pipeline/slots.js'
import { toUs } from '../../lib/pipeline/userdata.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { wipeSwitch } from '../../lib/sink/wipe.js'
import { FakeSwitch, foreignFlow } from './switch.js'
import { pass, settle, stopTime } from './time.js'

const ID = FIRST_METER + 5
const SLOW: Meter = { meterId: ID, unit: 'pktps', rate: 10, burst: 20 }
const COPY: Flow = { table: 207, priority: 7, match: { metadata: 1000 }, actions: [toUs('SNOOP', ID), { kind: 'resubmit', table: 202 }] }
const SLOW_PATH: Flow = { table: 208, priority: 8, match: {}, actions: [{ kind: 'meter', meter: ID }, { kind: 'clone', actions: [{ kind: 'meter', meter: ID }] }] }

function world() {
  const told: string[] = []
  const sink = new SwitchSink({ info: (text) => told.push(`info: ${text}`), warn: (text) => told.push(text) })
  return { sink, told, fake: new FakeSwitch() }
}

async function start(sink: SwitchSink, fake: FakeSwitch): Promise<void> {
  await sink.connect(fake)
  sink.flush()
  await settle()
}

/** The actions of the flow of a table, as the switch has them. */
function actionsIn(fake: FakeSwitch, table: number): readonly Action[] {
  const flow = [...fake.flows.values()].find(({ tableId }) => tableId === table)
  return flow === undefined ? [] : decodeInstructions(flow.instructions).flatMap((one) => (one.kind === 'apply_actions' ? one.actions : []))
}

function isMetered(fake: FakeSwitch, table: number): boolean {
  return JSON.stringify(actionsIn(fake, table)).includes('"meter"')
}

stopTime()

await t.test('a meter comes before the flow that names it, by itself, and goes after it', async (t) => {
  const { sink, fake } = world()
  sink.setFlows('o', [COPY])
  sink.setMeters('o', [SLOW])
  await start(sink, fake)
  t.strictSame(fake.batches, [
    { bundle: false, messages: [`add meter ${ID}`] }, { bundle: false, messages: ['add flow 207 7'] }
  ], 'one meter, then the flow')
  t.strictSame([...fake.meterTable.values()], [SLOW])
  t.ok(isMetered(fake, 207), 'the flow names the meter')
  fake.batches.length = 0
  sink.setMeters('o', [{ ...SLOW, rate: 11 }])
  sink.flush()
  await settle()
  t.strictSame(fake.messages, [`modify meter ${ID}`], 'another rate is one message, and no flow is touched')
  fake.batches.length = 0
  sink.setMeters('o', [])
  sink.setFlows('o', [])
  sink.flush()
  await settle()
  t.strictSame(fake.messages, ['delete_strict flow 207 7', `delete meter ${ID}`])
  t.ok(sink.isSettled)
})

await t.test('a restart on a switch that has meters and flows sends nothing; what differs is put right', async (t) => {
  const { sink, fake } = world()
  const wish = (one: SwitchSink) => {
    one.setMeters('o', [SLOW])
    one.setFlows('o', [COPY, SLOW_PATH])
  }
  wish(sink)
  await start(sink, fake)
  const again = world().sink
  wish(again)
  fake.batches.length = 0
  await start(again, fake)
  t.strictSame(fake.messages, [])
  t.ok(again.isSettled)

  fake.meterTable.set(ID, { ...SLOW, burst: 1 })
  fake.meterTable.set(ID + 1, { ...SLOW, meterId: ID + 1 })
  fake.meterTable.set(7, { ...SLOW, meterId: 7 })
  const third = world().sink
  wish(third)
  await start(third, fake)
  t.strictSame(fake.messages, [`modify meter ${ID}`, `delete meter ${ID + 1}`], 'one outside our range is another\'s')
})

await t.test('on a switch without meters flows go without them', async (t) => {
  const { sink, fake, told } = world()
  fake.maxMeters = 0
  sink.setMeters('o', [SLOW])
  sink.setFlows('o', [COPY, SLOW_PATH])
  await start(sink, fake)
  t.strictSame(fake.messages, ['add flow 207 7', 'add flow 208 8'])
  t.notOk(isMetered(fake, 207) || isMetered(fake, 208))
  t.equal(actionsIn(fake, 207)[0]?.kind, 'controller', 'the packet is sent all the same')
  t.strictSame(told, [])
  t.ok(sink.isSettled)

  fake.maxMeters = 10
  fake.batches.length = 0
  await start(sink, fake)
  t.strictSame(fake.messages, [`add meter ${ID}`, 'modify_strict flow 207 7', 'modify_strict flow 208 8'], 'once it has some, they are used')
  t.ok(isMetered(fake, 207) && isMetered(fake, 208))
})

await t.test('a refused meter is tried again, and its flows do without until then', async (t) => {
  const { sink, fake, told } = world()
  fake.refuse = (words) => (words.includes('meter') ? 'OFPMMFC_OUT_OF_METERS' : undefined)
  sink.setMeters('o', [SLOW])
  sink.setFlows('o', [COPY])
  await start(sink, fake)
  t.strictSame(fake.messages, [`add meter ${ID}`, 'add flow 207 7'])
  t.notOk(isMetered(fake, 207))
  t.match(told, [/refused meter \d+: OFPMMFC_OUT_OF_METERS; flows do without it/])
  fake.refuse = () => undefined
  await pass(1_100)
  t.ok(isMetered(fake, 207), 'once it is there, the flow names it')
  t.ok(sink.isSettled)
})

await t.test('flows that the switch learned are neither ours to change nor foreign; a wipe takes them and our meters along', async (t) => {
  const { sink, fake, told } = world()
  fake.put({ ...foreignFlow(209, 1, { metadata: 1 }), cookie: learnedCookie(0) })
  fake.put({ ...foreignFlow(209, 1, { metadata: 2 }), cookie: learnedCookie(0xffffffff) })
  fake.meterTable.set(7, { ...SLOW, meterId: 7 })
  sink.setMeters('o', [SLOW])
  await start(sink, fake)
  t.strictSame(fake.messages, [`add meter ${ID}`])
  t.strictSame(told, [])
  await wipeSwitch(fake)
  t.strictSame([[...fake.flows], [...fake.meterTable.keys()]], [[], [7]])
})
