// Datagrams whole, cut, with something behind, and hostile: decoded, or refused with the one error type. Never a hang.
import fc from 'fast-check'
import t from 'tap'
import { NetlinkDecodeError, NetlinkSession, decodeMessage, frames } from '../../lib/netlink/index.js'
import type { RtMessage } from '../../lib/netlink/index.js'
import { SEED, soon } from '../hostile/input.js'
import { cases } from './support/fixture.js'

const CASES = ['fdb', 'neighbour', 'nexthop', 'link', 'vlan'].flatMap(cases)
const SMALL = CASES.filter(({ bytes }) => bytes.length < 200)

/** The messages before the framing breaks, and whether it does. */
function decode(datagram: Buffer): { messages: RtMessage[], broken: boolean } {
  const messages: RtMessage[] = []
  try {
    for (const { type, start, end } of frames(datagram)) messages.push(decodeMessage(type, datagram, start, end))
    return { messages, broken: false }
  } catch (error) {
    if (error instanceof NetlinkDecodeError) return { messages, broken: true }
    throw error
  }
}

void t.test('a datagram with all captured messages gives them in order', t => {
  const { messages, broken } = decode(Buffer.concat(CASES.map(({ bytes }) => bytes)))
  t.equal(broken, false)
  t.strictSame(messages, CASES.map(({ expected }) => expected))
  t.end()
})

void t.test('cut at any byte, the messages before the cut are decoded and the rest is refused', t => {
  const parts = SMALL.slice(0, 4)
  const datagram = Buffer.concat(parts.map(({ bytes }) => bytes))
  const ends = parts.map((_, index) => parts.slice(0, index + 1).reduce((sum, { bytes }) => sum + bytes.length, 0))
  for (let length = 0; length < datagram.length; length++) {
    const whole = ends.filter(end => end <= length).length
    const { messages, broken } = decode(datagram.subarray(0, length))
    t.strictSame(messages, parts.slice(0, whole).map(({ expected }) => expected), `the whole messages in ${length} bytes`)
    t.equal(broken, length !== 0 && !ends.includes(length), 'broken unless cut between messages')
  }
  t.end()
})

void t.test('a message whose own end is cut is malformed or loses trailing attributes, and raises nothing else', t => {
  for (const { name, bytes } of SMALL) {
    for (let length = 16; length < bytes.length; length++) {
      const cut = Buffer.from(bytes.subarray(0, length))
      cut.writeUInt32LE(length, 0)
      t.doesNotThrow(() => decode(cut), `${name}, ${length} bytes`)
    }
  }
  t.end()
})

void t.test('bytes behind the last message are refused, after the message is given', t => {
  const [first] = SMALL
  if (first === undefined) throw new Error('no fixture')
  for (const extra of [1, 4, 15]) {
    const datagram = Buffer.concat([first.bytes, Buffer.alloc(extra)])
    t.strictSame(decode(datagram), { messages: [first.expected], broken: true }, `${extra} bytes more`)
  }
  t.end()
})

void t.test('hostile lengths, of messages and attributes, are refused', t => {
  const [first] = SMALL
  if (first === undefined) throw new Error('no fixture')
  for (const length of [0, 1, 15, first.bytes.length + 1, 0x7fffffff, 0xffffffff]) {
    const bytes = Buffer.from(first.bytes)
    bytes.writeUInt32LE(length, 0)
    t.strictSame(decode(bytes), { messages: [], broken: true }, `message of ${length} bytes`)
  }
  for (const length of [0, 1, 3, 0x7fff, 0xffff]) {
    const bytes = Buffer.from(first.bytes)
    bytes.writeUInt16LE(length, 16 + 12)
    t.match(decode(bytes).messages, [{ kind: 'malformed', error: new RegExp(`claims ${length} bytes`) }], `attribute of ${length} bytes`)
  }
  t.end()
})

void t.test(`any bytes at all, and any damage to captured ones, leave the session working (seed ${SEED})`, t => {
  const damaged = fc.record({
    bytes: fc.constantFrom(...CASES.map(({ bytes }) => bytes)),
    damage: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 })
  }).map(({ bytes, damage }) => {
    const copy = Buffer.from(bytes)
    for (const [at, value] of damage) copy[at % copy.length] = value
    return copy
  })
  const anything = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
  fc.assert(fc.property(fc.oneof(anything, damaged), datagram => {
    const received = { messages: [], outcomes: [] }
    soon(() => new NetlinkSession().receive(datagram, received))
    return received.messages.length <= 1 + datagram.length / 16
  }), { numRuns: 2000, seed: SEED })
  t.pass('no exception, no endless message list')
  t.end()
})
