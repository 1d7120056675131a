// The codec without a switch: values, bytes captured from Open vSwitch, and ovs-ofctl's text, each to each.
import t from 'tap'
import {
  canonicalOxms, decodeActions, decodeMatch, encodeActions, encodeFlowMod, encodeInstructions, encodeMatch, formatActions, formatMatch,
  type Subfield
} from '../../lib/openflow/index.js'
import { ACTIONS, MATCHES, PREREQUISITES } from './cases.js'
import { bytesOf, readPairs } from './fixture.js'
import { ofpPrint } from './ovs.js'

const MATCH_PAIRS = readPairs('matches')
const ACTION_PAIRS = readPairs('actions')

/** An `add` with this match and these instructions, as ovs-ofctl sees it. */
function addFlow(match: Buffer, instructions: Buffer): Promise<string> {
  return ofpPrint(encodeFlowMod({ command: 'add', tableId: 0, priority: 0x8000, cookie: 0n, cookieMask: 0n, match, instructions }))
}

await t.test('a match is written byte by byte as Open vSwitch describes it', (t) => {
  for (const [text, match] of MATCHES) t.equal(encodeMatch(match).toString('hex'), bytesOf(MATCH_PAIRS, text).toString('hex'), text)
  t.equal(encodeMatch({}).length, 0, 'no field = every packet')
  t.end()
})

await t.test('a match is read, printed as ovs-ofctl prints it, and written again', (t) => {
  t.equal(MATCH_PAIRS.length, MATCHES.length, 'every match has its fixture')
  for (const { text, bytes } of MATCH_PAIRS) {
    t.equal(formatMatch(bytes), text)
    t.equal(encodeMatch(decodeMatch(bytes)).toString('hex'), bytes.toString('hex'), `${text}, decoded and encoded`)
    t.equal(canonicalOxms(bytes).toString('hex'), bytes.toString('hex'), `${text} is canonical already`)
  }
  t.equal(formatMatch({}), '')
  t.end()
})

await t.test('ovs-ofctl reads our matches as what we meant', async (t) => {
  for (const [text, match] of MATCHES) {
    t.equal(await addFlow(encodeMatch(match), Buffer.alloc(0)), `OFPT_FLOW_MOD (OF1.5): ADD ${text} actions=drop`)
  }
})

await t.test('received matches come to the same bytes whatever their order and form', (t) => {
  const canonical = encodeMatch({ in_port: 1, eth_dst: '02:00:00:00:00:01', reg0: [1, 1], reg1: 5, metadata: 7 })
  const [inPort, ethDst, metadata] = ['8000000400000001', '80000606020000000001', '800004080000000000000007']
  const xreg0 = '80010110' + '0000000100000005' + '00000001ffffffff'
  const forms = [
    ['another order', [metadata, xreg0, ethDst, inPort]],
    ['the older names', ['000000020001', '00000206' + '020000000001', xreg0, metadata]],
    ['32-bit registers', ['0001020400000005', inPort, ethDst, '000101080000000100000001', metadata]],
    ['a 128-bit register', [inPort, ethDst, '0001df20', '00000001000000050000000000000000', '00000001ffffffff0000000000000000', metadata]],
    ['all-ones masks', [inPort, '8000070c020000000001ffffffffffff', xreg0, '80000510' + '0000000000000007ffffffffffffffff']],
    ['bits outside the mask', [inPort, ethDst, '8001011000000003' + '00000005' + '00000001ffffffff', metadata]],
    ['a mask of nothing', [inPort, ethDst, xreg0, metadata, '80004d10' + '0000000000000005' + '0000000000000000']]
  ] as const
  for (const [what, parts] of forms) {
    t.equal(canonicalOxms(Buffer.from(parts.join(''), 'hex')).toString('hex'), canonical.toString('hex'), what)
  }
  t.end()
})

await t.test('a field nobody knows is kept, at the end', (t) => {
  const unknown = '80007e020001'
  const bytes = Buffer.from(unknown + '80000004' + '00000001', 'hex')
  t.equal(canonicalOxms(bytes).toString('hex'), '8000000400000001' + unknown)
  t.throws(() => decodeMatch(bytes), { name: 'OpenFlowDecodeError', message: /unknown field 80007e020001/ })
  t.end()
})

await t.test('actions are written byte by byte as Open vSwitch describes them', (t) => {
  for (const [text, actions] of ACTIONS) t.equal(encodeActions(actions).toString('hex'), bytesOf(ACTION_PAIRS, text).toString('hex'), text)
  t.equal(encodeInstructions([]).length, 0, 'no action = no instruction = drop')
  t.end()
})

await t.test('actions are read, printed as ovs-ofctl prints them, and written again', (t) => {
  t.equal(ACTION_PAIRS.length, ACTIONS.length, 'every action has its fixture')
  for (const { text, bytes } of ACTION_PAIRS) {
    t.equal(formatActions(bytes), text)
    t.equal(encodeActions(decodeActions(bytes)).toString('hex'), bytes.toString('hex'), `${text}, decoded and encoded`)
  }
  t.equal(formatActions([]), 'drop')
  t.end()
})

await t.test('ovs-ofctl reads our actions as what we meant', async (t) => {
  for (const [text, actions, match] of ACTIONS) {
    const given = match === undefined ? Buffer.alloc(0) : PREREQUISITES[match] ?? Buffer.alloc(0)
    const expected = `OFPT_FLOW_MOD (OF1.5): ADD ${match === undefined ? '' : `${match} `}actions=${text}`
    t.equal(await addFlow(given, encodeInstructions(actions)), expected)
  }
})

await t.test('what cannot be written is refused in words', (t) => {
  const move = (src: Subfield): Buffer => encodeActions([{ kind: 'move', src, dst: { field: 'reg0' } }])
  const wrong = [
    [() => encodeMatch({ arp_op: 1 }), /a match on arp_op needs eth_type=/],
    [() => encodeMatch({ eth_type: 0x86dd, nw_proto: 58, icmpv6_type: 135, nd_tll: '02:00:00:00:00:01' }), /nd_tll needs icmpv6_type=136/],
    [() => encodeMatch({ eth_dst: 'no mac' }), /eth_dst cannot be no mac: it takes a MAC address/],
    [() => encodeMatch({ tun_src: '2001:db8::1' }), /tun_src cannot be 2001:db8::1: it takes an IPv4 address/],
    [() => encodeMatch({ reg0: 2 ** 32 }), /reg0 cannot be 4294967296/],
    [() => encodeMatch({ metadata: -1 }), /metadata cannot be -1/],
    [() => encodeMatch({ reg0: 1.5 }), /reg0 cannot be 1.5/],
    [() => encodeMatch({ reg0: '1' }), /reg0 cannot be 1/],
    [() => move({ field: 'eth_src' }), /move: eth_src gives 48 bits, reg0 takes 32/],
    [() => move({ field: 'reg1', offset: 20, bits: 16 }), /reg1 has 32 bits: there are no 16 bits from bit 20/],
    [() => encodeActions([{ kind: 'resubmit', table: 256 }]), /256 does not fit 1 byte/],
    [() => encodeActions([{ kind: 'resubmit', inPort: 70000 }]), /port 70000 cannot be written in 16 bits/]
  ] as const
  for (const [encode, message] of wrong) t.throws(encode, { name: 'RangeError', message }, String(message))
  t.end()
})

await t.test('an action this library does not know is carried as it is', (t) => {
  const note = Buffer.from('ffff0010000023200008010203040506', 'hex')
  t.strictSame(decodeActions(note), [{ kind: 'unknown', bytes: note }])
  t.equal(encodeActions(decodeActions(note)).toString('hex'), note.toString('hex'))
  t.equal(formatActions(note), `unknown(${note.toString('hex')})`)
  t.end()
})
