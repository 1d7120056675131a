// Issue 4, rule 12: remote MACs from packets. One chassis; on the underlay a host that has the addresses of VTEPs and writes and
// reads VXLAN by hand; the kernel's rows say which VTEPs are known.
import t from 'tap'
import type { DropReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually } from '../system/util/eventually.js'
import { BROADCAST, encodeFrame, encodeVxlan, type Frame } from '../system/util/frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Wire } from '../system/util/wire.js'

const LOCAL = '192.0.2.1'
const [A, B] = ['192.0.2.11', '192.0.2.12']
const BOUND = '02:00:00:00:00:01'
const STRANGER = '192.0.2.13'
const [MAC, KNOWN, OTHER] = ['02:bb:00:00:00:01', '02:aa:00:00:00:01', '02:bb:00:00:00:03']

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads: [
  { name: 'a', vtep: 'c1', vni: 1000, mac: BOUND, addresses: ['10.0.0.1/24'], externalIds: { 'dynamic-routing-vni': '1000', 'evpn-addresses': BOUND } },
  { name: 'b', vtep: 'c1', vni: 1000, mac: '02:00:00:00:00:02', addresses: [], externalIds: { 'dynamic-routing-vni': '1000', 'evpn-addresses': '02:00:00:00:00:02' } }
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await lab.addVniDevices('c1', 1000)
await lab.exec('l1', ['ip', '-batch', '-'], { input: [A, B, STRANGER].map((ip) => `addr add ${ip}/24 dev eth0\n`).join('') })
await c1.set('Bridge br-int', { 'evpn-learn': 'true', fdb_age_threshold: '4' })
await lab.startDaemon('c1')
for (const ip of [A, B]) await speaker.vtep(1000, ip)
await speaker.mac(1000, KNOWN, A)
const underlay = await Wire.open(lab, 'l1')
const [a, b] = [await Wire.open(lab, 'a'), await Wire.open(lab, 'b')]
for (const ip of [A, B]) {
  await waitFor(`the underlay to ${ip}`, async () => (await lab.exec('c1', ['ping', '-c', '1', '-W', '1', ip], { allowFailure: true })).code === 0)
}
const mac = async (host: string, device: string) => (await lab.exec(host, ['cat', `/sys/class/net/${device}/address`])).stdout.trim()
const path = [await mac('l1', 'eth0'), await mac('c1', 'br-phy')] as const
await eventually('a flow that learns for each VTEP', () => c1.ourFlows('table=207'), (flows) => flows.filter((flow) => flow.includes('hard_timeout=4')).length === 2)

const learned = async () => (await c1.flows('table=215')).filter((flow) => flow.includes('dl_dst='))
const fromVtep = (ip: string, frame: Frame) => underlay.send(encodeVxlan({ from: ip, to: LOCAL, udpPort: 4789, vni: 1000, inner: encodeFrame(frame) }, path))

await t.test('rule 12: a remote MAC is learned from a packet of a known VTEP, and moves with the next one', async (t) => {
  for (const [ip, name] of [[A, 'from-a'], [B, 'from-b']] as const) {
    fromVtep(ip, { src: MAC, dst: BROADCAST, name })
    await a.waitFor(name)
    await eventually(`the MAC to be learned behind ${ip}`, learned, (flows) => flows.some((flow) => flow.includes(`dl_dst=${MAC}`) && flow.includes(`${ip}->tun_dst`)))
    a.send({ src: BOUND, dst: MAC, name: `to ${ip}` })
    const [arrival] = await underlay.waitFor(`to ${ip}`)
    t.match(arrival?.vxlan, { from: LOCAL, to: ip, vni: 1000 })
    t.equal(underlay.arrivals(`to ${ip}`).length, 1, 'once, to that VTEP')
  }
})

await t.test('rule 12: hard timeout: packets to a dead MAC do not keep it', async (t) => {
  fromVtep(B, { src: MAC, dst: BROADCAST, name: 'last words' })
  await a.waitFor('last words')
  let sent = 0
  await waitFor('the silent MAC to be forgotten while packets go to it', async () => {
    a.send({ src: BOUND, dst: MAC, name: `dead ${sent++}` })
    return (await learned()).length === 0
  }, 20_000)
  t.ok(sent > 1, `${sent} packets went to it`)
})

await t.test('rule 12: only known VTEPs teach: a stranger that evpn-decap=off lets in does not', async (t) => {
  await c1.set('Bridge br-int', { 'evpn-decap': 'off' })
  await eventually('everybody to be let in', () => c1.ourFlows('table=200'), (flows) => flows.some((flow) => flow.includes('priority=199')))
  fromVtep(STRANGER, { src: MAC, dst: BROADCAST, name: 'from a stranger' })
  await a.waitFor('from a stranger')
  fromVtep(A, { src: OTHER, dst: BROADCAST, name: 'from A after it' })
  await a.waitFor('from A after it')
  await eventually('the MAC behind A to be learned', learned, (flows) => flows.some((flow) => flow.includes(OTHER)))
  t.notOk((await learned()).some((flow) => flow.includes(MAC)), 'nothing is learned from the stranger')
  await c1.unset('Bridge br-int', 'evpn-decap')
})

await t.test('rule 10, 12: what the control plane says is above what is learned', async (t) => {
  fromVtep(B, { src: KNOWN, dst: BROADCAST, name: 'impostor' })
  await eventually('the MAC to be learned', learned, (flows) => flows.some((flow) => flow.includes(KNOWN)))
  a.send({ src: BOUND, dst: KNOWN, name: 'to-known' })
  const [arrival] = await underlay.waitFor('to-known')
  t.equal(arrival?.vxlan?.to, A)
})

await t.test('rule 10: a bound local MAC and a learned local one come before a learned remote one', async (t) => {
  const [BOUND_LATER, HEARD_LATER] = ['02:bb:00:00:00:11', '02:bb:00:00:00:12']
  await c1.set('Bridge br-int', { fdb_age_threshold: '0' })
  await eventually('no timeout to be left', () => c1.ourFlows('table=207'), (flows) => flows.every((flow) => !flow.includes('hard_timeout')))
  for (const mac of [BOUND_LATER, HEARD_LATER]) {
    fromVtep(A, { src: mac, dst: BROADCAST, name: `${mac} behind A` })
    await eventually('the MAC to be learned behind A', learned, (flows) => flows.some((flow) => flow.includes(mac)))
    a.send({ src: BOUND, dst: mac, name: `${mac} at first` })
    await underlay.waitFor(`${mac} at first`)
    t.equal(b.arrivals(`${mac} at first`).length, 0, 'it is behind A at first')
  }
  await c1.set('Interface b', { 'evpn-addresses': `${BOUND_LATER}, unknown` })
  await eventually('the flow of the bound MAC and one that learns', () => c1.ourFlows(), (flows) =>
    flows.some((flow) => flow.includes(`table=202, priority=400,metadata=0x3e8,dl_dst=${BOUND_LATER}`)) && flows.some((flow) => flow.includes('learn(table=209')))
  b.send({ src: HEARD_LATER, dst: BROADCAST, name: 'heard' })
  await eventually('the MAC to be learned at port b', () => c1.flows('table=209'), (flows) => flows.some((flow) => flow.includes(HEARD_LATER)))
  for (const [mac, what] of [[BOUND_LATER, 'bound'], [HEARD_LATER, 'learned']] as const) {
    a.send({ src: BOUND, dst: mac, name: `to ${what}` })
    await b.waitFor(`to ${what}`)
    t.ok((await learned()).some((flow) => flow.includes(mac)), 'it is still learned behind A')
    t.equal(underlay.arrivals(`to ${what}`).length, 0, `${what} here comes first`)
  }
  await c1.set('Interface b', { 'evpn-addresses': '02:00:00:00:00:02' })
  await eventually('no port to teach', () => c1.flows('table=209'), (flows) => flows.length === 0)
  a.send({ src: BOUND, dst: HEARD_LATER, name: 'behind A again' })
  t.equal((await underlay.waitFor('behind A again'))[0]?.vxlan?.to, A, 'and without it the learned remote one')
})

await t.test('rule 4: a frame out of a tunnel for a MAC that was learned behind another VTEP goes nowhere, and is counted', async (t) => {
  fromVtep(A, { src: MAC, dst: BROADCAST, name: 'MAC is behind A' })
  await eventually('the MAC to be learned', learned, (flows) => flows.some((flow) => flow.includes(MAC)))
  const drops = async (): Promise<number> => {
    await c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'revalidator/purge'])
    return (await c1.report<readonly DropReport[]>('drops', 1000)).find(({ reason }) => reason === 'tunnel to tunnel')?.packets ?? 0
  }
  const before = await drops()
  const names = ['first', 'second', 'third'].map((which) => `B to A, the ${which}`)
  for (const name of names) fromVtep(B, { src: OTHER, dst: MAC, name })
  await eventually('three packets counted as tunnel to tunnel', drops, (count) => count === before + names.length)
  fromVtep(B, { src: OTHER, dst: BROADCAST, name: 'after them' })
  await a.waitFor('after them')
  a.send({ src: BOUND, dst: MAC, name: 'out after them' })
  t.equal((await underlay.waitFor('out after them'))[0]?.vxlan?.to, A, 'from a workload it gets there')
  for (const name of names) {
    // The underlay sees what it sends itself.
    t.same(underlay.arrivals(name).filter(({ vxlan }) => vxlan?.from === LOCAL), [], `${name}: nothing on the underlay`)
    t.same([...a.arrivals(name), ...b.arrivals(name)], [], `${name}: nothing at the workloads`)
  }
})

await t.test('rule 12: what a VTEP taught is removed with the VTEP', async (t) => {
  await c1.set('Bridge br-int', { fdb_age_threshold: '0' })
  await eventually('no timeout to be left', () => c1.ourFlows('table=207'), (flows) => flows.every((flow) => !flow.includes('hard_timeout')))
  for (const [ip, src] of [[A, MAC], [B, '02:bb:00:00:00:02']] as const) fromVtep(ip, { src, dst: BROADCAST, name: `teach ${ip}` })
  await eventually('both MACs to be learned', learned, (flows) => flows.some((flow) => flow.includes(MAC)) && flows.some((flow) => flow.includes('02:bb:00:00:00:02')))
  await speaker.noVtep(1000, B)
  await eventually('the MAC behind the VTEP that went to be gone', learned, (flows) => !flows.some((flow) => flow.includes('02:bb:00:00:00:02')))
  t.ok((await learned()).some((flow) => flow.includes(MAC)), 'the other one stays')
})

await t.test('rule 12: without evpn-learn nothing is learned, and what was is forgotten', async (t) => {
  await c1.unset('Bridge br-int', 'evpn-learn')
  await eventually('nothing to be learned any more', learned, (flows) => flows.length === 0)
  fromVtep(A, { src: MAC, dst: BROADCAST, name: 'teaches nobody' })
  await a.waitFor('teaches nobody')
  t.same((await c1.ourFlows()).filter((flow) => flow.includes('learn(')), [], 'no flow learns')
  t.same(await learned(), [])
})
