// Issue 4, rule 15: who answers for an IP that is bound here and announced by another chassis too.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually } from '../system/util/eventually.js'
import { evpnctl } from '../system/util/evpnctl.js'
import { encodeArp, encodeNd, encodeNs, isArp, isNd, linkLayerOption } from '../system/util/neighbour-frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Wire } from '../system/util/wire.js'
import type { IpReport } from '../../lib/daemon/report/report.js'

const MAC = { a: '02:00:00:00:00:01', b: '02:00:00:00:00:02', remote: '02:aa:00:00:00:01' } as const
const [IP, IP6, VTEP] = ['10.0.0.2', 'fd00::2', '192.0.2.11'] as const

const workload = (name: 'a' | 'b', addresses: readonly string[], bound: string) =>
  ({ name, vtep: 'c1', vni: 1000, mac: MAC[name], addresses, externalIds: { 'dynamic-routing-vni': '1000', 'evpn-addresses': bound } })
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [1000], workloads: [
  workload('a', ['10.0.0.1/16', 'fd00::1/64'], `${MAC.a} 10.0.0.1 fd00::1`), workload('b', [`${IP}/16`, `${IP6}/64`], `${MAC.b} ${IP} ${IP6}`)
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
// A frame of b would end another chassis' claim on its MAC: its kernel has nothing to say.
await lab.exec('b', ['ip', 'addr', 'flush', 'dev', 'eth0'])
await lab.startDaemon('c1')
const wire = await Wire.open(lab, 'a')

/** Asks from new addresses until the answer names this MAC: what is asked twice may be answered from before a change. */
let serial = 1
async function answers(mac: string, flags: number): Promise<readonly string[]> {
  const n = ++serial
  const [spa, from] = [`10.0.7.${n}`, `fd00::7:${n}`]
  wire.send(encodeArp({ src: MAC.a, op: 1, spa, tpa: IP }))
  wire.send(encodeNs({ src: MAC.a, from, target: IP6 }))
  const to = (bytes: Buffer) => isArp(bytes) ? bytes.subarray(38, 42).equals(Buffer.from([10, 0, 7, n])) : isNd(bytes, 136) && bytes.readUInt16BE(52) === parseInt(String(n), 16)
  const got = await wire.waitForCapture('two answers', to, 2)
  const wanted = [
    encodeArp({ src: mac, dst: MAC.a, op: 2, sha: mac, spa: IP, tha: MAC.a, tpa: spa }),
    encodeNd({ src: mac, dst: MAC.a, from: IP6, to: from, type: 136, flags, target: IP6, options: linkLayerOption(2, mac) })
  ]
  return [...got.map(({ bytes }) => bytes.toString('hex')), ...wanted.map((bytes) => bytes.toString('hex'))].sort()
}

/** Every answer that came is one that was wanted, byte by byte, and the other way round. */
function isPaired(lines: readonly string[]): boolean {
  return lines.length === 4 && lines[0] === lines[1] && lines[2] === lines[3]
}

async function answering(mac: string, by: 'remote' | 'local'): Promise<void> {
  await eventually(`${by} to answer for ${IP} and ${IP6}`, async () => (await c1.report<IpReport[]>('ips', 1000))
    .filter(({ ip, answers }) => answers && (ip === IP || ip === IP6)).map(({ mac, from }) => `${from} ${mac}`), (rows) => rows.length === 2 && rows.every((row) => row === `${by} ${mac}`))
  await eventually('the responders', async () => (await c1.ourFlows('table=201')).filter((flow) => flow.includes(`set_field:0x${mac.replaceAll(':', '').replace(/^0+/, '')}->xreg4`)).length,
    (count) => count === 2)
}

const S_O = 0x60
const R_S_O = 0xe0

await t.test('rule 15: bound here alone, the binding answers', async (t) => {
  await answering(MAC.b, 'local')
  t.ok(isPaired(await answers(MAC.b, S_O)))
})

await t.test('rule 15: announced by another chassis too, EVPN answers', async (t) => {
  await speaker.vtep(1000, VTEP)
  await speaker.mac(1000, MAC.remote, VTEP)
  for (const ip of [IP, IP6]) await speaker.ip(1000, ip, MAC.remote, 'br-1000', 'router')
  await answering(MAC.remote, 'remote')
  t.ok(isPaired(await answers(MAC.remote, R_S_O)))
})

await t.test('rule 15: dynamic-routing-arp-prefer-local=true, the binding answers', async (t) => {
  await c1.set('Bridge br-int', { 'dynamic-routing-arp-prefer-local-1000': 'true' })
  await answering(MAC.b, 'local')
  t.ok(isPaired(await answers(MAC.b, S_O)))
})

await t.test('rule 15: ovs-evpnctl ips shows both, and who answers', async (t) => {
  const { stdout } = await evpnctl(lab, 'c1', ['ips', '--vni', '1000'])
  const rows = stdout.split('\n').map((line) => line.trim().split(/ +/)).filter(([, ip]) => ip === IP)
  t.same(rows.map(([, , mac, from, , answers]) => [mac, from, answers]).sort(), [[MAC.b, 'local', 'yes'], [MAC.remote, 'remote', 'no']].sort())
})

await t.test('rule 15: the same for an address whose MAC another chassis announces: contested, the option decides', async (t) => {
  await speaker.mac(1000, MAC.b, VTEP)
  await eventually('the claim to wait', async () => (await c1.report<{ mac: string, state: string }[]>('local', 1000)).find(({ mac }) => mac === MAC.b)?.state, (state) => state !== 'advertised')
  await answering(MAC.b, 'local')
  t.ok(isPaired(await answers(MAC.b, S_O)), 'prefer-local: the binding')
  await c1.unset('Bridge br-int', 'dynamic-routing-arp-prefer-local-1000')
  await answering(MAC.remote, 'remote')
  t.ok(isPaired(await answers(MAC.remote, R_S_O)), 'else EVPN')
})

await t.test('rule 15: the announcement withdrawn, the binding answers', async (t) => {
  for (const ip of [IP, IP6]) await speaker.noIp(1000, ip)
  await answering(MAC.b, 'local')
  t.ok(isPaired(await answers(MAC.b, S_O)))
})

await t.test('rule 15: a binding whose port is missing has no word', async (t) => {
  await c1.set('Bridge br-int', { 'dynamic-routing-arp-prefer-local-1000': 'true' })
  await c1.vsctl('--no-wait', 'add-port', 'br-int', 'ghost', '--', 'set', 'Interface', 'ghost', 'external_ids:dynamic-routing-vni=1000',
    'external_ids:evpn-addresses="02:00:00:00:00:03 10.0.0.3"')
  const ofGhost = async () => (await c1.report<IpReport[]>('ips', 1000)).filter(({ ip }) => ip === '10.0.0.3').map(({ from, answers }) => `${from} ${answers}`).sort()
  await eventually('nobody to answer for 10.0.0.3', ofGhost, (rows) => rows.join() === 'local false')
  await speaker.ip(1000, '10.0.0.3', MAC.remote)
  await eventually('EVPN to answer for it', ofGhost, (rows) => rows.join() === 'local false,remote true')
  t.pass('nobody, then EVPN')
})
