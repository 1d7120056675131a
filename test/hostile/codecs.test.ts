// The decoders of netlink and OVSDB with messages that are nearly right, and all decoders with the inputs that once broke one.
import fc from 'fast-check'
import t from 'tap'
import { encodeFrame, NetlinkSession, type RtMessage } from '../../lib/netlink/index.js'
import { decodeReply } from '../../lib/netlink/reply.js'
import { frames } from '../../lib/netlink/message.js'
import { OpenFlowDecodeError, OpenFlowSession } from '../../lib/openflow/index.js'
import { encodeHello } from '../../lib/openflow/handshake.js'
import { encodeMessage, OFPT } from '../../lib/openflow/message.js'
import { decodeRequestForward } from '../../lib/openflow/request-forward.js'
import { NetlinkDecodeError } from '../../lib/netlink/index.js'
import { Replica } from '../../lib/ovsdb/replica.js'
import { Session } from '../../lib/ovsdb/session.js'
import { crashers, SEED, soon } from './input.js'

// --- netlink: attributes in attributes, with the types that mean something and lengths that may lie

const RTM_TYPES = [16, 17, 24, 28, 29, 104, 105, 112, 113]
const FIXED: Readonly<Record<number, number>> = { 16: 16, 17: 16, 24: 12, 28: 12, 29: 12, 104: 8, 105: 8, 112: 8, 113: 8 }

function attribute(type: number, payload: Uint8Array, lie: number): Buffer {
  const bytes = Buffer.alloc((4 + payload.length + 3) & ~3)
  bytes.writeUInt16LE(Math.max(0, 4 + payload.length + lie) & 0xffff, 0)
  bytes.writeUInt16LE(type, 2)
  bytes.set(payload, 4)
  return bytes
}

const lie = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-4, -1, 1, 4, 100, 60000) })
const leaf = fc.tuple(fc.nat(60), fc.uint8Array({ maxLength: 24 }), lie).map(([type, payload, off]) => attribute(type, payload, off))
const branch = (depth: number): fc.Arbitrary<Buffer> => depth === 0
  ? leaf
  : fc.oneof({ weight: 4, arbitrary: leaf }, {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(18, 18 | 0x8000, 2, 2 | 0x8000, 3), fc.array(branch(depth - 1), { maxLength: 4 }), lie)
        .map(([type, inner, off]) => attribute(type, Buffer.concat(inner), off))
    })
const rtMessage = fc.tuple(fc.constantFrom(...RTM_TYPES), fc.constantFrom(0, 0x10, 0x300), fc.nat(2), fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.array(branch(3), { maxLength: 8 }))
  .map(([type, flags, seq, fixed, attributes]) => encodeFrame({ type, flags, seq }, Buffer.concat([Buffer.from(fixed.subarray(0, FIXED[type])), ...attributes])))
const answer = fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(0, 0x10, 0x100, 0x200, 0x300), fc.nat(2), fc.uint8Array({ maxLength: 60 }))
  .map(([type, flags, seq, payload]) => encodeFrame({ type, flags, seq }, payload))

function takeNetlink(datagram: Buffer): void {
  const session = new NetlinkSession()
  session.request({ type: 30, flags: 0x300, payload: Buffer.alloc(12), text: 'a dump' })
  session.request({ type: 28, flags: 0, payload: Buffer.alloc(12), text: 'a write' })
  const received: { messages: RtMessage[], outcomes: [] } = { messages: [], outcomes: [] }
  session.receive(datagram, received)
  session.overrun()
  session.drained(received)
  if (received.messages.length > 1 + datagram.length / 16) throw new Error(`${received.messages.length} messages of ${datagram.length} bytes`)
}

await t.test(`netlink: messages that are nearly right (seed ${SEED})`, (t) => {
  const datagram = fc.array(fc.oneof({ weight: 4, arbitrary: rtMessage }, { weight: 1, arbitrary: answer }), { maxLength: 4 }).map((parts) => Buffer.concat(parts))
  fc.assert(fc.property(datagram, (bytes) => soon(() => takeNetlink(bytes))), { numRuns: 3000, seed: SEED })
  t.pass('3,000 datagrams')
  t.end()
})

await t.test(`netlink: replies decode or raise NetlinkDecodeError (seed ${SEED})`, (t) => {
  fc.assert(fc.property(answer, (datagram) => {
    for (const frame of frames(datagram)) {
      try {
        decodeReply(datagram, frame, 'x')
      } catch (error) {
        if (!(error instanceof NetlinkDecodeError)) throw error
      }
    }
  }), { numRuns: 2000, seed: SEED })
  t.pass('2,000 replies')
  t.end()
})

// --- OpenFlow: what others ask of the switch, told to us (all other decoders: test/openflow/hostile.test.ts)

await t.test(`OpenFlow: forwarded requests decode or raise OpenFlowDecodeError, and say what the bytes say (seed ${SEED})`, (t) => {
  const request = fc.tuple(fc.constantFrom(15, 29, 14, 0, 255), fc.nat(5), fc.nat(0xffffffff), fc.uint8Array({ maxLength: 40 }), fc.nat(24))
  fc.assert(fc.property(request, ([type, command, id, rest, cut]) => {
    const bytes = Buffer.concat([Buffer.from([6, type, 0, 16, 0, 0, 0, 1, 0, command, 0, 0]), Buffer.alloc(4), Buffer.from(rest)])
    bytes.writeUInt32BE(id, 12)
    const isWhole = (type === 15 || type === 29) && cut >= 16
    try {
      const decoded = decodeRequestForward(cut < 16 ? bytes.subarray(0, cut) : bytes)
      const said = { kind: type === 15 ? 'group' : 'meter', id, isDeletion: command === 2 }
      if (!isWhole || JSON.stringify(decoded) !== JSON.stringify(said)) throw new Error(`${bytes.toString('hex')} became ${JSON.stringify(decoded)}`)
    } catch (error) {
      if (!(error instanceof OpenFlowDecodeError) || isWhole) throw error
    }
  }), { numRuns: 2000, seed: SEED })
  t.pass('2,000 requests')
  t.end()
})

// --- OVSDB: whatever a server says, in every phase

const SCHEMA = { tables: { Bridge: { columns: { name: { type: 'string' }, ports: { type: { key: 'uuid', min: 0, max: 'unlimited' } }, ids: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } } } } } }
const UUIDS = ['00000000-0000-0000-0000-000000000000', '11111111-2222-3333-4444-555555555555', 'no-uuid', '__proto__']
const nearly = (good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ weight: 8, arbitrary: good }, { weight: 1, arbitrary: fc.jsonValue() })
const cells = fc.record({
  name: nearly(fc.string()), ports: nearly(fc.array(fc.constantFrom(...UUIDS)).map((uuids) => ['set', uuids.map((uuid) => ['uuid', uuid])])),
  ids: nearly(fc.array(fc.tuple(fc.string(), fc.string())).map((pairs) => ['map', pairs])), no: fc.jsonValue()
}, { requiredKeys: [] })
const updates = nearly(fc.dictionary(fc.constantFrom('Bridge', 'Port', '__proto__'), nearly(fc.dictionary(fc.constantFrom(...UUIDS),
  nearly(fc.dictionary(fc.constantFrom('insert', 'modify', 'delete', 'initial', 'new', 'old'), nearly(cells), { maxKeys: 2 }))))))
const message = fc.oneof(
  fc.record({ id: nearly(fc.nat(4)), result: nearly(fc.oneof(fc.constant(SCHEMA), fc.tuple(fc.boolean(), fc.constantFrom(...UUIDS), updates))), error: fc.constantFrom(null, 'unknown method', { error: 'x' }) }),
  fc.record({ id: fc.constant(null), method: fc.constantFrom('update', 'update2', 'update3', 'monitor_canceled', 'x'), params: nearly(fc.tuple(fc.constantFrom('replica', 'x'), fc.constantFrom(...UUIDS), updates)) }),
  fc.record({ id: fc.jsonValue(), method: fc.constantFrom('echo', 'steal'), params: nearly(fc.array(fc.jsonValue())) }),
  fc.jsonValue()
)

function converse(messages: readonly Buffer[]): void {
  const session = new Session(new Replica(), { database: 'x', tables: { Bridge: ['name', 'ports', 'ids'] } })
  session.start()
  let isOver = false
  for (const bytes of messages) {
    for (const event of session.receive(bytes)) {
      if (isOver) throw new Error('an event after the end')
      isOver = event.kind === 'failed'
    }
  }
}

await t.test(`OVSDB: a session takes anything in any phase, and ends with failed or goes on (seed ${SEED})`, (t) => {
  const good = [{ id: 0, result: SCHEMA, error: null }, { id: 1, result: [true, UUIDS[1], {}], error: null }]
  const conversation = fc.tuple(fc.nat(2), fc.array(message, { maxLength: 6 })).map(([known, rest]) => [...good.slice(0, known), ...rest])
  fc.assert(fc.property(conversation, (messages) => soon(() => converse(messages.map((each) => Buffer.from(JSON.stringify(each)))))), { numRuns: 300, seed: SEED })
  t.pass('300 conversations')
  t.end()
})

// --- what once broke something

await t.test('inputs that once broke a decoder', (t) => {
  for (const bytes of crashers('netlink')) t.doesNotThrow(() => takeNetlink(bytes), `netlink ${bytes.toString('hex')}`)
  for (const bytes of crashers('openflow')) {
    for (const known of [0, 3]) {
      const session = new OpenFlowSession(0)
      const greeting = [[OFPT.hello, encodeHello(1).subarray(8)], [OFPT.get_config_reply, Buffer.alloc(4)], [OFPT.features_reply, Buffer.alloc(24)]] as const
      for (const [type, body] of greeting.slice(0, known)) session.receive(encodeMessage(type, 1, body), 1)
      session.request(1, Buffer.alloc(0), () => [])
      t.doesNotThrow(() => session.receive(bytes, 2), `OpenFlow ${bytes.toString('hex')}`)
    }
  }
  for (const bytes of crashers('json')) t.doesNotThrow(() => converse([bytes]), `JSON ${bytes.toString('latin1')}`)
  t.end()
})
