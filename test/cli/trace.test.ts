// ovs-evpnctl trace: Open vSwitch's own answers (captured on 3.1.0 with two VTEPs, a nexthop group and two ports), with names.
import fs from 'node:fs'
import t from 'tap'
import { nameTrace } from '../../lib/cli/trace/names.js'
import { formatTrace, parsePorts, trace } from '../../lib/cli/trace/trace.js'
import type { VswitchdAnswer } from '../../lib/cli/vswitchd.js'

const fixture = (name: string): string => fs.readFileSync(`fixtures/cli/${name}.txt`, 'utf8')
const PORTS = parsePorts(fixture('dpif-show'), 'br-int')

await t.test('ports are those of the bridge', (t) => {
  t.strictSame([...PORTS], [[2, 'a'], [1, 'b'], [65534, 'br-int'], [3, 'ovn-evpn-4789']])
  t.strictSame([...parsePorts(fixture('dpif-show'), 'br-phy').values()], ['br-phy', 'eth0'])
  t.strictSame([...parsePorts('', 'br-int')], [])
  t.end()
})

await t.test('a broadcast: to whom copies go, with names for tables, groups, ports and VNIs', (t) => {
  const { lines, outputs, drops } = nameTrace(fixture('trace-flood'), 'br-int', PORTS)
  t.strictSame(outputs, ['VTEP 192.0.2.11 by ovn-evpn-4789', 'VTEP 192.0.2.12 by ovn-evpn-4789', 'b'], 'not to the port that it comes from')
  t.strictSame(drops, [])
  for (const line of [
    'CLASSIFY: in_port=a, priority 200', '    set_field:VNI 10->metadata', '    resubmit(SOURCE)', 'FLOOD: reg0=0/0x41,metadata=VNI 10, priority 100',
    '    group:flood of VNI 10', '            group:flood part 4 of VNI 10', '                    set_field:VTEP 192.0.2.11->tun_dst',
    '                    output:ovn-evpn-4789', '                    set_field:b->reg1', '                DELIVER: reg1=b,metadata=VNI 10, priority 100', '                    output:b'
  ]) t.ok(lines.includes(line), line)
  t.notMatch(lines.join('\n'), /cookie/, 'all of it is ours')
  t.end()
})

await t.test('a packet that is dropped: why', (t) => {
  const { lines, outputs, drops } = nameTrace(fixture('trace-dropped'), 'br-int', PORTS)
  t.strictSame(outputs, [])
  t.strictSame(drops, ['unknown VTEP'])
  t.ok(lines.includes('    set_field:unknown VTEP->reg6'))
  t.ok(lines.includes('DROP: reg6=unknown VTEP,metadata=VNI 10, priority 100'))
  t.end()
})

await t.test('what is not ours keeps its numbers, and so does what happens in another bridge', (t) => {
  const text = [
    'bridge("br-int")', '----------------', ' 0. in_port=2, priority 7, cookie 0x7', '    output:3', '     -> output to native tunnel', '', '    bridge("br-phy")', '    ----------------',
    '     0. in_port=65534, priority 0', '        resubmit(,200)', '    200. in_port=2, priority 0', '        output:1', '    output:1', '', 'Datapath actions: 4,1'
  ].join('\n')
  const { lines, outputs } = nameTrace(text, 'br-int', PORTS)
  t.strictSame(outputs, ['VTEP ? by ovn-evpn-4789'], 'those of the other bridge are none of ours')
  t.strictSame(lines.slice(2, 4), [' 0. in_port=a, priority 7, cookie 0x7, not ours', '    output:ovn-evpn-4789'])
  t.strictSame(lines.slice(6, 12), text.split('\n').slice(6, 12))
  t.end()
})

const answered = (text: string): VswitchdAnswer => ({ kind: 'answered', text })
const asked: string[] = []

function vswitchd(answer: (flow: string) => VswitchdAnswer) {
  return { bridge: 'br-int', ask: (method: string, ...params: readonly string[]) => {
    asked.push([method, ...params].join(' '))
    return Promise.resolve(method === 'dpif/show' ? answered(fixture('dpif-show')) : answer(params[1] ?? ''))
  } }
}

await t.test('where the datapath would hash the packet, the way of one hash is shown', async (t) => {
  const result = await trace(vswitchd((flow) => answered(fixture(flow.includes('dp_hash=0x1') ? 'trace-in' : 'trace-hashed'))), 'a', 'dl_dst=02:aa:00:00:00:09')
  t.match(result, { port: 'a', hash: '0x1', outputs: ['b'] })
  t.strictSame(asked.splice(0), ['dpif/show', 'ofproto/trace br-int in_port=2,dl_dst=02:aa:00:00:00:09', 'ofproto/trace br-int in_port=2,dp_hash=0x1,dl_dst=02:aa:00:00:00:09'])
  t.match(formatTrace(result, (text) => text), /\(the datapath hashes the packet here: .*\n\na -> b\n$/)
})

await t.test('the last line says what becomes of it', async (t) => {
  const last = async (name: string): Promise<string | undefined> => formatTrace(await trace(vswitchd(() => answered(fixture(name))), '2', 'arp'), (text) => text).trimEnd().split('\n').at(-1)
  t.equal(await last('trace-flood'), 'a -> VTEP 192.0.2.11 by ovn-evpn-4789, VTEP 192.0.2.12 by ovn-evpn-4789, b')
  t.equal(await last('trace-dropped'), 'a -> dropped: unknown VTEP')
  t.equal(await last('dpif-show'), 'a -> nowhere')
})

const REFUSED: readonly (readonly [port: string, packet: string, answer: VswitchdAnswer, code: number, sentence: string])[] = [
  ['ab', 'arp', answered(''), 2, 'bridge br-int has no port "ab", did you mean "a"?'],
  ['9', 'arp', answered(''), 2, 'bridge br-int has no port "9", did you mean "a"?'],
  ['a', 'ffffffffffff0200000000010800', answered(''), 2, 'describe the packet in fields, not bytes (Open vSwitch would learn from them): dl_src=MAC,dl_dst=MAC'],
  ['a', 'in_port=b,arp', answered(''), 2, 'the packet says in_port itself; its port is the word before it: a'],
  ['a', 'dl_sr=x', { kind: 'refused', text: 'Bad openflow flow syntax: in_port=2,dl_sr=x: unknown field dl_sr' }, 2,
    'Open vSwitch does not take the packet: unknown field dl_sr, did you mean "dl_src"? (fields are those of ovs-fields(7))'],
  ['a', 'dl_src=zz', { kind: 'refused', text: 'Bad openflow flow syntax: in_port=2,dl_src=zz: bad value for dl_src (zz: invalid Ethernet address)' }, 2,
    'Open vSwitch does not take the packet: bad value for dl_src (zz: invalid Ethernet address) (fields are those of ovs-fields(7))'],
  ['a', 'arp', { kind: 'silent', text: 'ovs-vswitchd is not running' }, 1, 'ovs-vswitchd is not running']
]

await t.test('what cannot be traced is refused in a sentence', async (t) => {
  for (const [port, packet, answer, exitCode, message] of REFUSED) await t.rejects(trace(vswitchd(() => answer), port, packet), { exitCode, message })
})
