// `ovs-evpnctl trace PORT PACKET`: asks ovs-vswitchd what it would do with a packet, and shows its answer with names. The packet is a
// description in the syntax of ovs-ofctl, never bytes: for those ofproto/trace does everything but send them, learning included,
// and what the switch learns we announce.
import { nearestKey } from '../../config/nearest.js'
import { oneLine } from '../../daemon/log/line.js'
import { EXIT_UNREACHABLE, EXIT_USAGE, Failure } from '../failure.js'
import type { Paint } from '../colour.js'
import type { VswitchdAnswer } from '../vswitchd.js'
import { nameTrace, type TraceResult } from './names.js'

export interface TraceParts {
  readonly bridge: string
  /** Sends ovs-vswitchd one command. Never rejects. */
  readonly ask: (method: string, ...params: readonly string[]) => Promise<VswitchdAnswer>
}

export interface Trace extends TraceResult {
  readonly bridge: string
  readonly port: string
  readonly packet: string
  /** Where a hash decides, the one that was taken. */
  readonly hash?: string
}

/** Fields that packets are described with most; for typing errors. */
const FIELDS = [
  'dl_src', 'dl_dst', 'dl_type', 'dl_vlan', 'dl_vlan_pcp', 'vlan_tci', 'eth_src', 'eth_dst', 'eth_type', 'ip', 'ipv6', 'arp', 'icmp', 'icmp6', 'tcp', 'udp', 'tcp6', 'udp6',
  'nw_src', 'nw_dst', 'ipv6_src', 'ipv6_dst', 'nw_proto', 'nw_ttl', 'tp_src', 'tp_dst', 'icmp_type', 'icmp_code', 'icmpv6_type', 'nd_target', 'nd_sll', 'nd_tll',
  'arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha', 'tun_id', 'tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst', 'dp_hash'
]
/** Where the datapath would hash the packet, one value of many. */
const SOME_HASH = '0x1'

/** Rejects with Failure. */
export async function trace({ bridge, ask }: TraceParts, port: string, packet: string): Promise<Trace> {
  if (/^(0x)?[0-9a-f]{28,}$/i.test(packet)) throw new Failure(EXIT_USAGE, 'describe the packet in fields, not bytes (Open vSwitch would learn from them): dl_src=MAC,dl_dst=MAC')
  if (/(^|,)\s*in_port\s*=/.test(packet)) throw new Failure(EXIT_USAGE, `the packet says in_port itself; its port is the word before it: ${port}`)
  const ports = parsePorts(answerOf(await ask('dpif/show')), bridge)
  const ofport = readPort(port, ports, bridge)
  const run = async (more: string): Promise<TraceResult> => nameTrace(answerOf(await ask('ofproto/trace', bridge, `in_port=${ofport}${more},${packet}`)), bridge, ports)
  const result = await run('')
  const base = { bridge, port: ports.get(ofport) ?? port, packet }
  if (!result.isHashed) return { ...base, ...result }
  return { ...base, ...await run(`,dp_hash=${SOME_HASH}`), isHashed: true, hash: SOME_HASH }
}

/** Port names of a bridge by OpenFlow number, from dpif/show: lines of "NAME OFPORT/DPPORT: (TYPE)". */
export function parsePorts(text: string, bridge: string): Map<number, string> {
  const ports = new Map<number, string>()
  let isBridge = false
  for (const line of text.split('\n')) {
    const header = /^ {2}(\S.*):$/.exec(line)?.[1]
    if (header !== undefined) isBridge = header === bridge
    const [, name, number] = /^ {4}(.+) (\d+)\/[^ ]+: \(/.exec(line) ?? []
    if (isBridge && name !== undefined) ports.set(Number(number), name)
  }
  return ports
}

function readPort(text: string, ports: ReadonlyMap<number, string>, bridge: string): number {
  for (const [number, name] of ports) if (name === text) return number
  if (/^\d+$/.test(text) && ports.has(Number(text))) return Number(text)
  const names = [...ports.values()]
  if (names.length === 0) throw new Failure(EXIT_USAGE, `bridge ${bridge} has no ports`)
  throw new Failure(EXIT_USAGE, `bridge ${bridge} has no port "${text}", did you mean "${nearestKey(text, names)}"?`)
}

function answerOf(answer: VswitchdAnswer): string {
  if (answer.kind === 'answered') return answer.text
  if (answer.kind === 'refused') throw new Failure(EXIT_USAGE, refusal(answer.text))
  throw new Failure(EXIT_UNREACHABLE, answer.text)
}

/** Open vSwitch's words, without the flow as it was put together here. */
function refusal(text: string): string {
  const [, why = text] = /^Bad openflow flow syntax: .*?: (.*)/s.exec(text) ?? []
  const field = /^unknown field (\S+)/.exec(why)?.[1]
  const hint = field === undefined ? '' : `, did you mean "${nearestKey(field, FIELDS)}"?`
  return `Open vSwitch does not take the packet: ${oneLine(why)}${hint} (fields are those of ovs-fields(7))`
}

export function formatTrace(trace: Trace, paint: Paint): string {
  const { lines, hash } = trace
  const note = hash === undefined ? [] : [`(the datapath hashes the packet here: this is the way of the hash ${hash}, others may take another)`, '']
  const { text, isGood } = verdict(trace)
  return [...lines.map(oneLine), '', ...note, paint(text, isGood ? 'green' : 'red')].map((line) => line + '\n').join('')
}

function verdict({ outputs, drops, port }: Trace): { readonly text: string, readonly isGood: boolean } {
  const to = outputs.length === 0 ? '' : `${port} -> ${outputs.join(', ')}`
  const dropped = drops.length === 0 ? '' : `${outputs.length === 0 ? `${port} -> ` : '; '}dropped: ${drops.join(', ')}`
  return { text: to + dropped === '' ? `${port} -> nowhere` : to + dropped, isGood: outputs.length > 0 }
}
