// Bytes no switch should send: every decoder decodes them or raises OpenFlowDecodeError, and the session survives or says why not.
import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { encodeHello } from '../../lib/openflow/handshake.js'
import { canonicalOxms, decodeMatch, encodeMatch, OpenFlowDecodeError, OpenFlowSession } from '../../lib/openflow/index.js'
import { OFPT } from '../../lib/openflow/message.js'
import { SEED, soon } from '../hostile/input.js'
import { DECODERS } from './decoders.js'
import { readPairs } from './fixture.js'

/** Decodes, or raises the one error; anything else is a failure. */
function tryDecode(name: string, decode: (bytes: Buffer) => unknown, bytes: Buffer): void {
  try {
    decode(bytes)
  } catch (error) {
    if (error instanceof OpenFlowDecodeError) return
    throw new Error(`${name} of ${bytes.toString('hex')} raised ${String(error)}`, { cause: error })
  }
}

const CAPTURED = [
  ...readPairs('messages').flatMap(({ bytes }) => [bytes, bytes.subarray(8), bytes.subarray(bytes[1] === OFPT.multipart_reply ? 16 : 8)]),
  ...readPairs('matches').map(({ bytes }) => bytes),
  ...readPairs('actions').map(({ bytes }) => bytes)
]

/** Captured bytes with a few changed, and sometimes the end missing. */
const changed = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 })
const damaged = fc.tuple(fc.constantFrom(...CAPTURED), changed, fc.nat(200)).map(([body, changes, cut]) => {
  const bytes = Buffer.from(body)
  for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
  return cut % 3 === 0 ? bytes.subarray(0, cut) : bytes
})

const hostile = fc.oneof(damaged, fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)))

await t.test(`any bytes decode or raise the one error (seed ${SEED})`, (t) => {
  fc.assert(fc.property(hostile, (bytes) => soon(() => {
    for (const [name, decode] of Object.entries(DECODERS)) tryDecode(name, decode, bytes)
  })), { numRuns: 3000, seed: SEED })
  t.pass('3,000 of them')
  t.end()
})

await t.test(`canonical is canonical: once more changes nothing (seed ${SEED})`, (t) => {
  const matches = readPairs('matches').map(({ bytes }) => bytes)
  fc.assert(fc.property(fc.oneof(fc.constantFrom(...matches), damaged), (bytes) => {
    let once: Buffer
    try {
      once = canonicalOxms(bytes)
    } catch (error) {
      if (error instanceof OpenFlowDecodeError) return
      throw error
    }
    if (!canonicalOxms(once).equals(once)) throw new Error(`${once.toString('hex')} becomes ${canonicalOxms(once).toString('hex')}`)
  }), { numRuns: 1000, seed: SEED })
  t.pass('1,000 matches')
  t.end()
})

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('hex').replace(/(..)(?=.)/g, '$1:'))
const masked = fc.tuple(fc.nat(0xffffffff), fc.integer({ min: 1, max: 0xfffffffe }))
  .map(([value, mask]) => [(value & mask) >>> 0, mask] as const)

await t.test(`a match survives encoding, whatever the order of its fields (seed ${SEED})`, (t) => {
  const fields = fc.record({
    in_port: fc.integer({ min: 1, max: 0xfeff }), metadata: fc.bigInt(0n, 0xffffffffffffffffn), eth_dst: mac, eth_src: mac,
    reg0: fc.oneof(masked, fc.nat(0xffffffff)), reg1: masked, reg9: fc.nat(0xffffffff), tun_id: fc.bigInt(0n, 0xffffffn),
    tun_src: fc.ipV4(), tun_dst: fc.ipV4(), vlan_vid: fc.integer({ min: 0x1000, max: 0x1fff })
  }, { requiredKeys: [] })
  fc.assert(fc.property(fields, fc.infiniteStream(fc.nat()), (match, order) => {
    const shuffled = Object.entries(match).map((entry) => [order.next().value, entry] as const).sort(([a], [b]) => a - b)
    const bytes = encodeMatch(Object.fromEntries(shuffled.map(([, entry]) => entry)))
    if (!bytes.equals(encodeMatch(match))) throw new Error('the order of the fields shows')
    if (!isDeepStrictEqual(decodeMatch(bytes), { ...match })) throw new Error(`became ${inspect(decodeMatch(bytes))}`)
  }), { numRuns: 500, seed: SEED })
  t.pass('500 matches')
  t.end()
})

await t.test(`a session takes any bytes, and stays down once it is down (seed ${SEED})`, (t) => {
  const streams = fc.array(fc.oneof(hostile, fc.constant(encodeHello(1))), { maxLength: 8 })
  fc.assert(fc.property(streams, (chunks) => {
    const session = new OpenFlowSession(0)
    let isDown = false
    for (const chunk of chunks) {
      const events = session.receive(chunk, 1)
      if (isDown && events.length > 0) throw new Error('an event after the end')
      isDown ||= events.some(({ kind }) => kind === 'down')
    }
  }), { numRuns: 1000, seed: SEED })
  t.pass('1,000 streams')
  t.end()
})
