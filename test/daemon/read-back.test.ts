// Reading back a switch that holds more flows in one table than a function call can have arguments.
import t from 'tap'
import { encodeMatch, type FlowDesc } from '../../lib/openflow/index.js'
import { COOKIE } from '../../lib/pipeline/slots.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { FakeSwitch } from '../sink/switch.js'

const TABLE = 202
const FLOWS = 150_000

/** A flow of ours for each value of reg1: the last four bytes of its match. */
function heldFlow(_: unknown, reg1: number): FlowDesc {
  const match = Buffer.from(TEMPLATE)
  match.writeUInt32BE(reg1, match.length - 4)
  return { tableId: TABLE, priority: 300, match, instructions: Buffer.alloc(0), cookie: COOKIE, idleTimeout: 0, hardTimeout: 0, flags: 0, importance: 0 }
}

const TEMPLATE = encodeMatch({ reg1: 0 })

await t.test('a switch with 150,000 flows in one table can be read back', async (t) => {
  const fake = new FakeSwitch()
  const held = Array.from({ length: FLOWS }, heldFlow)
  fake.flowDescs = ({ tableId }) => Promise.resolve(tableId === TABLE ? held : [])
  const sink = new SwitchSink({ info: () => undefined, warn: (text) => t.fail(text) })
  await sink.connect(fake)
  t.ok(sink.isReady)
  t.equal(sink.flows.realizedCount, FLOWS)
})
