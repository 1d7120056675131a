// The control socket, with any bytes: every client is answered or hung up on, and the next one is served as ever.
import net from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { readRequest } from '../../lib/daemon/control/request.js'
import { JsonSplitter, OvsdbError } from '../../lib/ovsdb/index.js'
import { exchange, startChassis } from '../control/chassis.js'
import { SEED } from './input.js'

const VERSION = '{"id":7,"method":"version","params":[]}'

const METHODS = ['version', 'list-commands', 'evpn/report', 'evpn/remote-vtep-list', 'vlog/set', 'vlog/list', 'memory/show', 'coverage/show', 'set-options', '', 'no/such']
const argument = fc.oneof(fc.constantFrom('macs', 'show', 'drops', '1000', '-1', '__proto__', 'console:off', '--format', 'json'), fc.string({ unit: 'binary' }))
const params = fc.oneof({ weight: 5, arbitrary: fc.array(fc.oneof({ weight: 8, arbitrary: argument }, { weight: 1, arbitrary: fc.jsonValue() }), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.jsonValue() })
const request = fc.record({
  id: fc.oneof({ weight: 5, arbitrary: fc.nat() }, { weight: 1, arbitrary: fc.jsonValue() }),
  method: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...METHODS) }, { weight: 1, arbitrary: fc.jsonValue() }),
  params,
  extra: fc.jsonValue()
}, { requiredKeys: [] }).map((value) => JSON.stringify(value))
const garbage = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))
const pieces = fc.array(fc.oneof({ weight: 6, arbitrary: request }, { weight: 1, arbitrary: garbage }), { maxLength: 6 })

await t.test(`any message is a request or a reason in words (seed ${SEED})`, (t) => {
  fc.assert(fc.property(fc.oneof(request.map((text) => JSON.parse(text) as unknown), fc.jsonValue(), fc.anything()), (message) => {
    const read = readRequest(message)
    if (typeof read === 'string' ? read === '' : typeof read.method !== 'string') throw new Error('neither')
  }), { numRuns: 3000, seed: SEED })
  t.pass('3,000 messages')
  t.end()
})

await t.test(`the splitter raises OvsdbError and nothing else, and holds no more than its limit (seed ${SEED})`, (t) => {
  fc.assert(fc.property(fc.array(fc.oneof(request, garbage, fc.constantFrom('{', '[', '"', '\\', '}', ' ', '{"a":')), { maxLength: 40 }), (parts) => {
    const splitter = new JsonSplitter(500)
    try {
      for (const part of parts) for (const message of splitter.push(Buffer.from(part))) void message
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
    }
  }), { numRuns: 2000, seed: SEED })
  t.pass('2,000 streams')
  t.end()
})

await t.test(`real clients, one after the other: each is answered or left, and the server goes on (seed ${SEED})`, async (t) => {
  const { socket, lines } = await startChassis(t)
  for (const client of fc.sample(pieces, { numRuns: 150, seed: SEED })) await converse(socket, client)
  t.match(await exchange(t, socket, [VERSION], /}$/), /ovs-evpnd \(ovs-evpn\) 1\.2\.3/)
  t.ok(lines.length < 100, `${lines.length} lines logged`)
  t.same(lines.filter((line) => /\|(ERR|EMER)\|/.test(line)), [], 'no command failed by a fault of ours')
})

await t.test('more clients at once than are served: the rest is turned away, and when they leave, others are served', async (t) => {
  const { socket } = await startChassis(t)
  const clients = Array.from({ length: 100 }, () => net.connect({ path: socket }).on('error', () => undefined))
  await Promise.all(clients.map(async (client) => new Promise((resolve) => client.once('connect', resolve).once('close', resolve))))
  for (const client of clients) client.write('{"id":1,"meth')
  for (const client of clients) client.destroy()
  await t.resolves(served(socket), 'the next client is answered')
})

/** Sends the pieces, ends, and waits until the server has ended too. */
async function converse(socket: string, parts: readonly (string | Buffer<ArrayBuffer>)[]): Promise<void> {
  const client = net.connect({ path: socket }).on('error', () => undefined)
  const closed = new Promise((resolve) => client.once('close', resolve))
  client.resume()
  for (const part of parts) client.write(part)
  client.end()
  await closed
}

/** Done when a client gets its answer; the places of those that left are free a moment later. */
async function served(socket: string): Promise<void> {
  for (let text = ''; !text.includes('1.2.3');) {
    text = await new Promise((resolve) => {
      const client = net.connect({ path: socket }).on('error', () => resolve('')).on('close', () => resolve('')).on('data', (bytes) => resolve(bytes.toString()))
      client.end(VERSION)
    })
  }
}
