// Issue 4, rule 11, evpn-snoop: IPs of hosts behind `unknown` ports, from what they say. One chassis; workloads that send
// single frames; another chassis' rows written as FRR writes them.
import t from 'tap'
import type { IpReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually } from '../system/util/eventually.js'
import { BROADCAST } from '../system/util/frame.js'
import { encodeArp, isArp } from '../system/util/neighbour-frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Wire } from '../system/util/wire.js'
import { advertisement, arp, dhcp } from './util/packet.js'

const VTEP = '192.0.2.11'
const [BOUND, HOST, SECOND, CLIENT, STRANGER] = ['02:00:00:00:00:01', '02:bb:00:00:00:01', '02:bb:00:00:00:02', '02:bb:00:00:00:03', '02:bb:00:00:00:04'] as const

const workload = (name: string, n: number, evpnAddresses: string) => ({
  name, vtep: 'c1', vni: 1000, mac: `02:00:00:00:00:0${n}`, addresses: [],
  externalIds: { 'dynamic-routing-vni': '1000', 'evpn-addresses': evpnAddresses }
})
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [1000], workloads: [
  workload('a', 1, `${BOUND} 10.0.0.1`), workload('b', 2, 'unknown'), workload('c', 3, 'unknown')
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await lab.startDaemon('c1')
await speaker.vtep(1000, VTEP)
const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => Wire.open(lab, name)))
if (a === undefined || b === undefined || c === undefined) throw new Error('no wires')
const copying = await eventually('the flows that copy', () => c1.ourFlows('table=216'), (flows) => flows.length === 5)

await t.test('rule 11: what is copied is metered', (t) => {
  t.same(copying.filter((flow) => flow.includes('controller(') && !flow.includes('meter_id=')), [])
  t.ok(copying.some((flow) => flow.includes('controller(')), 'and something is copied')
  t.end()
})

/** MACs of the neighbours that announce an IP. */
async function announced(ip: string): Promise<string> {
  return (await c1.neighbours('br-1000')).filter((row) => row.dst === ip && row.extern_learn === undefined).map(({ lladdr }) => lladdr).join()
}
const has = (ip: string, mac: string) => eventually(`${ip} to be announced for ${mac || 'nobody'}`, () => announced(ip), (seen) => seen === mac)

await t.test('rule 11: evpn-snoop: the IP in ARP is published with the MAC that was learned from the same packet', async (t) => {
  b.send(arp(HOST, HOST, '10.0.0.21'))
  await has('10.0.0.21', HOST)
  t.ok((await c1.fdb('lo-1000')).some(({ mac }) => mac === HOST), 'beside the row of its MAC')
  const ips = await c1.report<readonly IpReport[]>('ips', 1000)
  t.match(ips.find(({ ip }) => ip === '10.0.0.21'), { mac: HOST, from: 'local', answers: true }, 'ovs-evpnctl ips shows it')
})

await t.test('rule 11: evpn-snoop: GARP, NA and DHCP ACK say it, too', async () => {
  b.send(encodeArp({ src: HOST, op: 2, spa: '10.0.0.22', tpa: '10.0.0.22', tha: BROADCAST }))
  await has('10.0.0.22', HOST)
  b.send(advertisement(HOST, 'fd00::21', 'fd00::21', HOST))
  await has('fd00::21', HOST)
  b.send({ src: CLIENT, dst: BROADCAST, name: 'discover' })
  await a.waitFor('discover')
  await eventually('the client to be learned', () => c1.flows('table=209'), (flows) => flows.some((flow) => flow.includes(CLIENT)))
  await waitFor('the client to be announced', async () => (await c1.fdb('lo-1000')).some(({ mac }) => mac === CLIENT))
  a.send(dhcp(BOUND, '10.0.0.1', { type: 5, chaddr: CLIENT, yiaddr: '10.0.0.23' }))
  await has('10.0.0.23', CLIENT)
})

await t.test('rule 11: evpn-snoop: requests for such an IP are answered in the switch', async () => {
  await eventually('the responder', () => c1.ourFlows('table=201'), (flows) => flows.some((flow) => flow.includes('arp_tpa=10.0.0.21')))
  a.send(encodeArp({ src: BOUND, op: 1, spa: '10.0.0.1', tpa: '10.0.0.21' }))
  const answer = encodeArp({ src: HOST, dst: BOUND, op: 2, sha: HOST, spa: '10.0.0.21', tha: BOUND, tpa: '10.0.0.1' })
  await a.waitForCapture('the answer', (bytes) => isArp(bytes) && bytes.subarray(0, answer.length).equals(answer))
})

await t.test('rule 11: evpn-snoop: an IP moves to the host that says it last, a bound one to nobody', async (t) => {
  c.send(arp(SECOND, SECOND, '10.0.0.22'))
  await has('10.0.0.22', SECOND)
  b.send(arp(HOST, HOST, '10.0.0.1'))
  b.send(arp(HOST, HOST, '10.0.0.24'))
  await has('10.0.0.24', HOST)
  t.equal(await announced('10.0.0.1'), BOUND)
})

await t.test('rule 11: evpn-snoop: what another chassis announces stays its own', async (t) => {
  await speaker.mac(1000, '02:aa:00:00:00:01', VTEP)
  await speaker.ip(1000, '10.0.0.30', '02:aa:00:00:00:01')
  await eventually('the remote IP', () => c1.report<readonly IpReport[]>('ips', 1000), (rows) => rows.some(({ ip }) => ip === '10.0.0.30'))
  b.send(arp(HOST, HOST, '10.0.0.30'))
  b.send(arp(HOST, HOST, '10.0.0.31'))
  await has('10.0.0.31', HOST)
  const row = (await c1.neighbours('br-1000')).find(({ dst }) => dst === '10.0.0.30')
  t.equal(row?.lladdr, '02:aa:00:00:00:01')
})

await t.test('rule 11: evpn-snoop: a port whose addresses are all known is not listened to, and a server not for strangers', async () => {
  a.send(arp(BOUND, BOUND, '10.0.0.40'))
  a.send(dhcp(BOUND, '10.0.0.1', { type: 5, chaddr: STRANGER, yiaddr: '10.0.0.41' }))
  a.send({ src: BOUND, dst: BROADCAST, name: 'said' })
  await b.waitFor('said')
  b.send(arp(HOST, HOST, '10.0.0.42'))
  await has('10.0.0.42', HOST)
  await has('10.0.0.40', '')
  await has('10.0.0.41', '')
})

await t.test('rule 11: evpn-snoop: published only with `ip` in redistribute', async () => {
  await c1.set('Bridge br-int', { 'dynamic-routing-redistribute-1000': 'fdb' })
  await has('10.0.0.21', '')
  await c1.unset('Bridge br-int', 'dynamic-routing-redistribute-1000')
  await has('10.0.0.21', HOST)
})

await t.test('rule 11: evpn-snoop: IPs are forgotten with their MAC', async (t) => {
  await c1.set('Interface c', { 'evpn-addresses': '02:00:00:00:00:03' })
  await has('10.0.0.22', '')
  t.equal(await announced('10.0.0.21'), HOST, 'those of others stay')
})

await t.test('rule 11: evpn-snoop=false: nothing is copied, and nothing known any more', async () => {
  await c1.set('Bridge br-int', { 'evpn-snoop': 'false' })
  await has('10.0.0.21', '')
  await eventually('no flow that copies', () => c1.ourFlows('table=216'), (flows) => flows.length === 0)
  await eventually('no responder', () => c1.ourFlows('table=201'), (flows) => flows.every((flow) => !flow.includes('arp_tpa=10.0.0.21')))
  await c1.unset('Bridge br-int', 'evpn-snoop')
  await eventually('the flows that copy', () => c1.ourFlows('table=216'), (flows) => flows.length === 3)
  b.send(arp(HOST, HOST, '10.0.0.25'))
  await has('10.0.0.25', HOST)
  await has('10.0.0.21', '')
})
