// Peers that never come to an end: what is held for them has a limit, and what they announce costs nothing before it is there.
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { encodeFrame, NetlinkSession, type RtMessage } from '../../lib/netlink/index.js'
import { encodeHello } from '../../lib/openflow/handshake.js'
import { OpenFlowSession } from '../../lib/openflow/index.js'
import { encodeMessage, Framer, OFPT } from '../../lib/openflow/message.js'
import { encodeMultipart, OFPMP } from '../../lib/openflow/multipart.js'
import { MAX_REPLY_BYTES, MAX_URGENT_BYTES, type SessionEvent } from '../../lib/openflow/session.js'
import { JsonSplitter, OvsdbClient, OvsdbError } from '../../lib/ovsdb/index.js'
import { temporaryFolder } from '../control/chassis.js'
import { growth } from './input.js'

const MIB = 1 << 20

/** A session of which the switch has said everything up to its features. */
function openSession(): OpenFlowSession {
  const session = new OpenFlowSession(0)
  for (const [type, body] of [[OFPT.hello, encodeHello(1).subarray(8)], [OFPT.get_config_reply, Buffer.alloc(4)], [OFPT.features_reply, Buffer.alloc(24)]] as const) {
    session.receive(encodeMessage(type, 1, body), 1)
    session.output(MIB)
  }
  if (!session.isUp) throw new Error('the session is not up')
  return session
}

await t.test('a length is only a claim: nothing is allocated before the bytes are there', (t) => {
  // A claim is 64 kB at most here: of 64 of them, 4 MiB. What the runtime itself takes is some kB.
  const framers = Array.from({ length: 64 }, () => new Framer())
  const header = encodeMessage(OFPT.echo_request, 1)
  header.writeUInt16BE(0xffff, 2)
  t.ok(growth(() => { for (const framer of framers) framer.receive(header); return framers }) < MIB, 'OpenFlow')
  const netlink = encodeFrame({ type: 28, flags: 0, seq: 0 }, Buffer.alloc(12))
  netlink.writeUInt32LE(0xffffffff, 0)
  const received: { messages: RtMessage[], outcomes: [] } = { messages: [], outcomes: [] }
  const session = new NetlinkSession()
  t.ok(growth(() => { session.receive(netlink, received); return received }) < MIB, 'netlink')
  t.match(received.messages, [{ kind: 'malformed' }])
  const splitter = new JsonSplitter()
  t.ok(growth(() => { for (const message of splitter.push(Buffer.from('{"a":['))) void message; return splitter }) < MIB, 'JSON')
  t.end()
})

await t.test('a message that comes byte by byte costs no more than its bytes, in time and in memory', (t) => {
  const message = encodeMessage(OFPT.echo_request, 1, Buffer.alloc(65_000))
  const framer = new Framer()
  const start = performance.now()
  const whole = [...message].flatMap((byte) => framer.receive(Buffer.of(byte)))
  t.equal(whole.length, 1)
  t.ok(whole[0]?.bytes.equals(message), 'it is whole')
  const text = Buffer.from(`{"a":"${'x'.repeat(200_000)}"}`)
  const splitter = new JsonSplitter()
  t.equal([...text].flatMap((byte) => [...splitter.push(Buffer.of(byte))]).length, 1)
  const elapsed = performance.now() - start
  t.ok(elapsed < 3000, `${Math.round(elapsed)} ms`)
  t.end()
})

await t.test('a switch that asks on and on, and does not read our answers, is given up', (t) => {
  const session = openSession()
  const echo = encodeMessage(OFPT.echo_request, 1, Buffer.alloc(60_000))
  let sent = 0
  let events: SessionEvent[] = []
  while (events.length === 0 && sent < 4 * MAX_URGENT_BYTES) {
    events = session.receive(echo, 2)
    sent += echo.length
  }
  t.match(events, [{ kind: 'down', reason: /does not read/ }])
  t.ok(sent < MAX_URGENT_BYTES + 2 * echo.length, `after ${sent} bytes`)
  t.end()
})

await t.test('a reply without end is cut off, and the session goes on', (t) => {
  const session = openSession()
  const id = session.request(OFPMP.port_desc, Buffer.alloc(0), () => [])
  const more = encodeMessage(OFPT.multipart_reply, id, encodeMultipart(OFPMP.port_desc, Buffer.alloc(65_000), true))
  let events: SessionEvent[] = []
  for (let received = 0; events.length === 0 && received < 2 * MAX_REPLY_BYTES; received += 65_000) events = session.receive(more, 2)
  t.match(events, [{ kind: 'failed', id, error: /more than/ }])
  t.ok(session.isUp)
  t.end()
})

await t.test('a database that asks on and on, and does not read our answers, is given up', async (t) => {
  const socket = path.join(temporaryFolder(t), 'db.sock')
  const echo = JSON.stringify({ method: 'echo', id: 1, params: ['x'.repeat(MIB)] })
  const server = net.createServer((peer) => {
    peer.on('error', () => undefined)
    peer.pause()
    const ask = (): void => { while (!peer.destroyed && peer.write(echo)); }
    peer.on('drain', ask)
    ask()
  })
  server.listen(socket)
  await once(server, 'listening')
  let client: OvsdbClient | undefined
  const reason = await new Promise<string>((resolve) => {
    client = new OvsdbClient({ remote: `unix:${socket}`, database: 'x', tables: {}, handlers: { up: () => undefined, changes: () => undefined, down: resolve } })
    client.start()
  })
  t.match(reason, /does not read/)
  client?.close()
  server.close()
})

await t.test('a database message without end is refused at the limit', (t) => {
  const splitter = new JsonSplitter(MIB)
  const chunk = Buffer.alloc(64 * 1024, 0x20)
  const feed = (): void => {
    for (const message of splitter.push(Buffer.from('{"a":'))) void message
    for (let i = 0; i < 32; i++) for (const message of splitter.push(chunk)) void message
  }
  t.throws(feed, OvsdbError)
  t.end()
})
