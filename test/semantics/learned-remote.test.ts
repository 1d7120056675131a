// Issue 4, rule 12: remote MACs from packets. One chassis; on the underlay a host that has the addresses of VTEPs and writes and
// reads VXLAN by hand; the kernel's rows say which VTEPs are known.
import t from 'tap'
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
  { name: 'a', vtep: 'c1', vni: 1000, mac: BOUND, addresses: ['10.0.0.1/24'], externalIds: { 'dynamic-routing-vni': '1000', 'evpn-addresses': BOUND } }
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
const a = await Wire.open(lab, 'a')
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
