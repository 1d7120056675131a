// The session without a switch and without a clock: what it says when, and what it makes of the answers.
import t from 'tap'
import { BUNDLE, encodeBundleControl } from '../../lib/openflow/bundle.js'
import { encodeHello } from '../../lib/openflow/handshake.js'
import {
  decodeFlowDescs, encodeFlowDesc, encodeFlowMod, encodeMatch, encodePortDesc, OpenFlowSession, type FlowDesc, type SessionEvent
} from '../../lib/openflow/index.js'
import { encodeMessage, Framer, OFPT, type Message } from '../../lib/openflow/message.js'
import { encodeMultipart, OFPMP } from '../../lib/openflow/multipart.js'
import { BUSY_MS, PROBE_MS } from '../../lib/openflow/session.js'

const FEATURES = Buffer.from('0000000000000042' + '00000000' + 'fe000000' + '0000024f' + '00000000', 'hex')
const EMPTY = Buffer.alloc(0)
const MOD = encodeFlowMod({
  command: 'add', tableId: 0, priority: 1, cookie: 0n, cookieMask: 0n, match: encodeMatch({ metadata: 1 }), instructions: EMPTY
})

/** Everything the session wants to send now, as messages. */
function sent(session: OpenFlowSession): Message[] {
  const framer = new Framer()
  const messages: Message[] = []
  for (let bytes = session.output(65_536); bytes; bytes = session.output(65_536)) messages.push(...framer.receive(bytes))
  return messages
}

function typesOf(messages: readonly Message[]): number[] {
  return messages.map(({ type }) => type)
}

function error(xid: number, type: number, code: number): Buffer {
  return encodeMessage(OFPT.error, xid, Buffer.from([0, type, 0, code]))
}

/** A session that is up at time 0 with nothing left to send. */
function upSession(): OpenFlowSession {
  const session = new OpenFlowSession(0)
  session.receive(encodeHello(1), 0)
  session.receive(encodeMessage(OFPT.get_config_reply, 1, Buffer.alloc(4)), 0)
  session.receive(encodeMessage(OFPT.features_reply, 1, FEATURES), 0)
  sent(session)
  return session
}

await t.test('the handshake: hello, ask the configuration, say what is wanted unasked, ask features, up', (t) => {
  const session = new OpenFlowSession(0)
  t.equal(sent(session)[0]?.bytes.toString('hex'), '0600001000000001' + '0001000800000040', 'a hello for OpenFlow 1.5 alone')
  t.strictSame(session.receive(encodeHello(9), 0), [])
  t.strictSame(typesOf(sent(session)), [OFPT.get_config_request])
  session.receive(encodeMessage(OFPT.get_config_reply, 2, Buffer.from([0, 1, 0, 0])), 0)
  const [async, format, id, config, features] = sent(session)
  const masks = ['0001000800000002', '0003000800000007', '0005000800000000', '0007000800000000', '0009000800000000', '000b000800000003']
  t.equal(async?.body.toString('hex'), masks.join(''))
  t.equal(format?.body.toString('hex'), '000023200000001000000002', 'packets come as NXT_PACKET_IN2')
  t.equal(id?.body.toString('hex'), '00002320000000140000000000000000', 'and those that name no controller')
  t.equal(config?.body.toString('hex'), '0001ffff', 'the flags are kept, the length is not zero')
  t.equal(features?.type, OFPT.features_request)
  t.notOk(session.isUp)
  const events = session.receive(encodeMessage(OFPT.features_reply, 4, FEATURES), 0)
  t.strictSame(events, [{ kind: 'up', features: { datapathId: 0x42n, tables: 254 } }])
  t.ok(session.isUp)
  t.end()
})

await t.test('a switch without OpenFlow 1.5 is refused in words, whoever notices first', (t) => {
  const answers = [
    ['a hello with a bitmap', Buffer.from('0400001000000001' + '0001000800000012', 'hex')],
    ['a hello without', Buffer.from('0400000800000001', 'hex')],
    ['an error', encodeMessage(OFPT.error, 1, Buffer.concat([Buffer.alloc(4), Buffer.from('no common version')]))]
  ] as const
  for (const [what, bytes] of answers) {
    const [event] = new OpenFlowSession(0).receive(bytes, 0)
    t.match(event, { kind: 'down', reason: /the bridge does not speak OpenFlow 1\.5; add OpenFlow15 to its protocols column/ }, what)
  }
  t.end()
})

await t.test('a silent switch is asked after 5 s and given up 5 s later', (t) => {
  const session = upSession()
  t.strictSame(session.tick(PROBE_MS - 1), [])
  t.strictSame(sent(session), [], 'not yet')
  session.tick(PROBE_MS)
  t.strictSame(typesOf(sent(session)), [OFPT.echo_request])
  t.strictSame(session.tick(2 * PROBE_MS - 1), [])
  session.receive(encodeMessage(OFPT.echo_reply, 1), 2 * PROBE_MS - 1)
  t.strictSame(session.tick(2 * PROBE_MS), [], 'it answered')
  session.tick(3 * PROBE_MS)
  t.match(session.tick(4 * PROBE_MS), [{ kind: 'down', reason: 'no answer to an echo request for 5 s' }])
  t.notOk(session.isUp)
  t.strictSame(session.tick(9 * PROBE_MS), [], 'said once')
  t.end()
})

await t.test('a switch at work for us may take longer', (t) => {
  const session = upSession()
  session.apply([MOD], true)
  session.tick(PROBE_MS)
  t.strictSame(session.tick(PROBE_MS + BUSY_MS - 1), [])
  t.match(session.tick(PROBE_MS + BUSY_MS), [{ kind: 'down' }])
  t.end()
})

await t.test('its echo requests are answered, before what is queued', (t) => {
  const session = upSession()
  session.apply([MOD, MOD], false)
  session.receive(encodeMessage(OFPT.echo_request, 77, Buffer.from('hello')), 1)
  const [reply, ...rest] = sent(session)
  t.match(reply, { type: OFPT.echo_reply, xid: 77, body: Buffer.from('hello') })
  t.strictSame(typesOf(rest), [OFPT.flow_mod, OFPT.flow_mod, OFPT.barrier_request])
  t.end()
})

await t.test('a bundle: open, add, close; commit only when everything was taken', (t) => {
  const session = upSession()
  const id = session.apply([MOD, MOD, MOD], true)
  const out = sent(session)
  t.strictSame(typesOf(out), [OFPT.bundle_control, ...Array<number>(3).fill(OFPT.bundle_add_message), OFPT.bundle_control])
  t.strictSame(out.map(({ xid }) => xid - id), [0, 1, 2, 3, 4])
  for (const { xid, body } of out.slice(1, 4)) t.equal(body.readUInt32BE(12), xid, 'the inner transaction id is the outer one')
  t.equal(MOD.readUInt32BE(4), 0, 'the messages given are left as they were')
  session.receive(encodeBundleControl(id, 1, BUNDLE.open_reply), 1)
  t.strictSame(sent(session), [], 'nothing is committed before the close is answered')
  session.receive(encodeBundleControl(id + 4, 1, BUNDLE.close_reply), 1)
  t.strictSame(sent(session).map(({ xid, body }) => [xid - id, body.readUInt16BE(4)]), [[5, BUNDLE.commit_request]])
  const events = session.receive(encodeBundleControl(id + 5, 1, BUNDLE.commit_reply), 1)
  t.strictSame(events, [{ kind: 'applied', id, result: { applied: true, errors: [] } }])
  t.end()
})

await t.test('a bundle that fails names the message that made it fail', (t) => {
  type Answer = readonly [offset: number, type: number, code: number]
  const answers: readonly (readonly [what: string, messages: readonly Answer[], conclusion: number, errors: unknown])[] = [
    ['when added', [[2, 4, 9], [3, 2, 0]], BUNDLE.discard_request, [
      { index: 1, type: 4, code: 9, name: 'OFPBMC_BAD_PREREQ' }, { index: 2, type: 2, code: 0, name: 'OFPBAC_BAD_TYPE' }
    ]],
    ['when committed', [[4, -1, 0], [1, 6, 0], [5, 17, 13]], BUNDLE.commit_request, [
      { index: 0, type: 6, code: 0, name: 'OFPGMFC_GROUP_EXISTS' }
    ]],
    ['as a whole', [[0, 17, 5]], BUNDLE.discard_request, [{ index: -1, type: 17, code: 5, name: 'OFPBFC_OUT_OF_BUNDLES' }]]
  ]
  for (const [what, messages, conclusion, errors] of answers) {
    const session = upSession()
    const id = session.apply([MOD, MOD, MOD], true)
    sent(session)
    const events: SessionEvent[] = []
    for (const [offset, type, code] of messages) {
      const answer = type < 0 ? encodeBundleControl(id + offset, 1, BUNDLE.close_reply) : error(id + offset, type, code)
      events.push(...session.receive(answer, 1))
    }
    if (conclusion === BUNDLE.discard_request) session.receive(encodeBundleControl(id + 4, 1, BUNDLE.close_reply), 1)
    t.strictSame(sent(session).map(({ body }) => body.readUInt16BE(4)), [conclusion], `${what}: the conclusion`)
    if (conclusion === BUNDLE.discard_request) events.push(...session.receive(encodeBundleControl(id + 5, 1, BUNDLE.discard_reply), 1))
    t.strictSame(events, [{ kind: 'applied', id, result: { applied: false, errors } }], what)
  }
  t.end()
})

await t.test('a batch waits unencoded and leaves in pieces', (t) => {
  const session = upSession()
  session.apply(Array<Buffer>(200_000).fill(MOD), true)
  const first = session.output(65_536)
  t.ok(first && first.length >= 65_536 && first.length < 65_536 + 200, `${first?.length} bytes of some 14 million`)
  t.end()
})

await t.test('replies in parts are put together, requests do not mix', (t) => {
  const session = upSession()
  const desc = (priority: number): FlowDesc =>
    ({ tableId: 1, priority, cookie: 0n, match: EMPTY, instructions: EMPTY, idleTimeout: 0, hardTimeout: 0, flags: 0, importance: 0 })
  const request = (): number => session.request(OFPMP.flow_desc, EMPTY, decodeFlowDescs)
  const [a, b] = [request(), request()]
  const reply = (xid: number, priorities: readonly number[], more: boolean): Buffer => {
    const entries = Buffer.concat(priorities.map((priority) => encodeFlowDesc(desc(priority))))
    return encodeMessage(OFPT.multipart_reply, xid, encodeMultipart(OFPMP.flow_desc, entries, more))
  }
  const replies = [reply(a, [1, 2], true), reply(b, [7], true), reply(a, [], true), reply(b, [8], false), reply(a, [3], false)]
  const stream = Buffer.concat(replies)
  const events = [...stream].flatMap((byte) => session.receive(Buffer.of(byte), 1))
  t.strictSame(events, [{ kind: 'entries', id: b, entries: [7, 8].map(desc) }, { kind: 'entries', id: a, entries: [1, 2, 3].map(desc) }])
  t.end()
})

await t.test('a request ends however the switch answers', (t) => {
  const answers: readonly (readonly [what: string, answer: (xid: number) => Buffer, reason: RegExp])[] = [
    ['an error', (xid) => error(xid, 1, 2), /OFPBRC_BAD_STAT/],
    ['another type', (xid) => encodeMessage(OFPT.multipart_reply, xid, encodeMultipart(OFPMP.port_desc, EMPTY)), /reply of type 13/],
    ['nonsense', (xid) => encodeMessage(OFPT.multipart_reply, xid, encodeMultipart(OFPMP.flow_desc, Buffer.alloc(5))), /flow_desc/],
    ['nothing, but the barrier behind it', (xid) => encodeMessage(OFPT.barrier_reply, xid + 1), /refused the request without saying why/]
  ]
  for (const [what, answer, reason] of answers) {
    const session = upSession()
    const id = session.request(OFPMP.flow_desc, Buffer.alloc(0), decodeFlowDescs)
    t.strictSame(typesOf(sent(session)), [OFPT.multipart_request, OFPT.barrier_request])
    t.match(session.receive(answer(id), 1), [{ kind: 'failed', id, error: { message: reason } }], what)
    t.strictSame(session.receive(encodeMessage(OFPT.barrier_reply, id + 1), 1), [], 'and only once')
    t.ok(session.isUp, 'the connection holds')
  }
  t.end()
})

await t.test('a message that cannot be decoded spoils itself only', (t) => {
  const session = upSession()
  const port = { port: 5, name: 'p5', hwAddr: '02:00:00:00:00:05', config: 0, state: 4 }
  const status = (reason: number, body: Buffer): Buffer =>
    encodeMessage(OFPT.port_status, 0, Buffer.from([reason, 0, 0, 0, 0, 0, 0, 0]), body)
  const good = status(0, encodePortDesc(port))
  const stream = [status(9, encodePortDesc(port)), status(0, Buffer.alloc(10)), encodeMessage(99, 5), good]
  const events = session.receive(Buffer.concat(stream), 1)
  t.match(events, [
    { kind: 'malformed', error: { name: 'OpenFlowDecodeError' } },
    { kind: 'malformed', error: { name: 'OpenFlowDecodeError' } },
    { kind: 'message', message: { type: 99 } },
    { kind: 'port_status', reason: 'add', port }
  ])
  t.end()
})

await t.test('a stream that cannot be followed ends the connection', (t) => {
  const session = upSession()
  t.match(session.receive(Buffer.from('0602000400000001', 'hex'), 1), [{ kind: 'down', reason: /a length of 4 bytes/ }])
  t.strictSame(session.receive(encodeMessage(OFPT.echo_request, 1), 2), [], 'nothing after that')
  t.end()
})
