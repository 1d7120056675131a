// Captured kernel messages, both ways: what they say, and what we write for it.
import t, { type Test } from 'tap'
import {
  AF, NTF, NUD, RTM, decodeMessage, decodeNeigh, encodeFrame, encodeMessage, encodeNeigh, frames, neighText
} from '../../lib/netlink/index.js'
import type { Frame, NeighRow, RowMessage, RtMessage } from '../../lib/netlink/index.js'
import { attributesOf, cases } from './support/fixture.js'

const HEADER_BYTES = { link: 16, neigh: 12, nexthop: 8, vlan: 8 } as const

function theFrame(bytes: Buffer): Frame {
  const [frame, ...more] = [...frames(bytes)]
  if (frame === undefined || more.length > 0) throw new Error('a case is one message')
  return frame
}

function decodeAll(bytes: Buffer): RtMessage[] {
  return [...frames(bytes)].map(frame => decodeMessage(frame.type, bytes, frame.start, frame.end))
}

for (const file of ['fdb', 'neighbour', 'nexthop', 'link', 'vlan']) {
  void t.test(`${file}: captured messages`, t => {
    for (const { name, bytes, expected } of cases(file)) {
      const [decoded] = decodeAll(bytes)
      t.strictSame(decoded, expected, `is decoded: ${name}`)
      if (decoded === undefined || decoded.kind === 'other' || decoded.kind === 'bridge_port') continue
      const { type, payload } = encodeMessage(decoded as RowMessage)
      t.equal(type, theFrame(bytes).type, 'is encoded with the same message type')
      t.strictSame(decodeAll(encodeFrame({ type, flags: 0, seq: 0 }, payload)), [expected], 'what we encode is decoded the same')
      checkAgainstCapture(t, payload, bytes, decoded as RowMessage)
    }
    t.end()
  })
}

/** Each attribute we write must stand in the kernel's message byte for byte (LINKINFO, AF_SPEC and a VLAN's entry apart: ours hold fewer of their many). */
function checkAgainstCapture(t: Test, ours: Buffer, bytes: Buffer, message: RowMessage): void {
  const { start, end } = theFrame(bytes)
  const headerBytes = HEADER_BYTES[message.kind]
  const captured = attributesOf(bytes.subarray(start, end), headerBytes)
  const isPartial = (hex: string): boolean => (message.kind === 'link' && /^....(12|1a)/.test(hex)) || message.kind === 'vlan'
  const foreign = attributesOf(ours, headerBytes).filter(attribute => !isPartial(attribute) && !captured.includes(attribute))
  t.strictSame(foreign, [], 'every attribute we encode is one the kernel sent, byte for byte')
  if (message.kind !== 'neigh' && message.kind !== 'vlan') return
  t.strictSame(ours.subarray(0, headerBytes), bytes.subarray(start, start + headerBytes), 'and the header is the same')
}

const ROW: NeighRow = { family: AF.INET, ifindex: 9, state: NUD.NOARP, flags: 0, type: 1, dst: '10.9.0.1' }

void t.test('a hardware address that is no MAC (tunnels: 0, 4 or 16 bytes) is left out, not an error', t => {
  for (const length of [0, 4, 16, 20]) {
    const lladdr = Buffer.concat([Buffer.from([4 + length, 0, 2, 0]), Buffer.alloc(length, 7)])
    const payload = Buffer.concat([encodeNeigh(ROW), lladdr])
    t.strictSame(decodeNeigh(payload, 0, payload.length), ROW, `${length} bytes`)
  }
  t.end()
})

void t.test('unknown attributes are ignored', t => {
  const payload = Buffer.concat([encodeNeigh(ROW), Buffer.from([5, 0, 0xff, 0x3f, 1, 0, 0, 0])])
  t.strictSame(decodeNeigh(payload, 0, payload.length), ROW)
  t.end()
})

void t.test('an attribute too short for its type spoils its message only', t => {
  const bad = Buffer.concat([encodeNeigh(ROW), Buffer.from([5, 0, 7, 0, 1, 0, 0, 0])])
  const good = encodeNeigh(ROW)
  const datagram = Buffer.concat([good, bad, good].map(payload => encodeFrame({ type: RTM.NEWNEIGH, flags: 0, seq: 0 }, payload)))
  t.strictSame(decodeAll(datagram), [
    { kind: 'neigh', op: 'new', row: ROW },
    { kind: 'malformed', type: RTM.NEWNEIGH, error: 'neigh: attribute 7 (vni) has 1 bytes, needs 4 (byte 76)' },
    { kind: 'neigh', op: 'new', row: ROW }
  ])
  t.end()
})

void t.test('an IP address of neither 4 nor 16 bytes is malformed', t => {
  const payload = Buffer.concat([encodeNeigh({ ...ROW, family: AF.BRIDGE }), Buffer.from([9, 0, 1, 0, 1, 2, 3, 4, 5, 0, 0, 0])])
  t.throws(() => decodeNeigh(payload, 0, payload.length), { name: 'NetlinkDecodeError', path: 'neigh', offset: 24 })
  t.end()
})

void t.test('a row in one line, for logs', t => {
  const vtep = { dst: '192.0.2.2', port: 4790, lladdr: '00:00:00:00:00:00' }
  const row = { family: AF.BRIDGE, ifindex: 5, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, type: 1, ...vtep }
  t.equal(neighText(row), '00:00:00:00:00:00 dev 5 dst 192.0.2.2 port 4790 state NOARP,PERMANENT flags SELF')
  t.equal(neighText({ ...ROW, lladdr: '02:00:00:00:00:01', protocol: 85 }),
    '10.9.0.1 dev 9 lladdr 02:00:00:00:00:01 protocol 85 state NOARP flags none')
  t.end()
})
