// Issue 4, rules 10, 11 and 13: MACs that br-int learns itself from `unknown` ports. One chassis; on the underlay a host that
// reads VXLAN; workloads that send and see single frames; rows of the kernel written as FRR writes them.
import t from 'tap'
import { FlowMonitor } from '../demo/flow-monitor.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import type { LocalReport } from '../../lib/daemon/report/report.js'
import { Chassis } from '../system/util/chassis.js'
import { memory } from '../system/util/daemon-numbers.js'
import { eventually } from '../system/util/eventually.js'
import { Speaker } from '../system/util/speaker.js'
import { BROADCAST } from '../system/util/frame.js'
import { Wire } from '../system/util/wire.js'

const VTEP = '192.0.2.11'
const BOUND = '02:00:00:00:00:01'
/** Behind the ports b and c, bound nowhere. */
const [MAC, SHORT, STEADY, TAKEN, NOBODY] = ['02:bb:00:00:00:01', '02:bb:00:00:00:02', '02:bb:00:00:00:03', '02:aa:00:00:00:01', '02:ff:00:00:00:01']

const workload = (name: string, n: number, evpnAddresses: string) => ({
  name, vtep: 'c1', vni: 1000, mac: `02:00:00:00:00:0${n}`, addresses: [`10.0.0.${n}/24`],
  externalIds: { 'dynamic-routing-vni': '1000', 'evpn-addresses': evpnAddresses }
})

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads: [
  workload('a', 1, `${BOUND} 10.0.0.1`), workload('b', 2, 'unknown'), workload('c', 3, 'unknown'), workload('d', 4, '02:00:00:00:00:04')
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await lab.addVniDevices('c1', 1000)
await lab.exec('l1', ['ip', 'addr', 'add', `${VTEP}/24`, 'dev', 'eth0'])
// What the hosts' own kernels say of their IPs is for snoop.test.ts.
await c1.set('Bridge br-int', { 'evpn-snoop': 'false' })
const daemon = await lab.startDaemon('c1')
await speaker.vtep(1000, VTEP)
await speaker.mac(1000, TAKEN, VTEP)
const underlay = await Wire.open(lab, 'l1')
const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map((name) => Wire.open(lab, name)))
if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no wires')
await waitFor('the underlay', async () => (await lab.exec('c1', ['ping', '-c', '1', '-W', '1', VTEP], { allowFailure: true })).code === 0)
await eventually('the flows of the VTEP and its MAC', () => c1.ourFlows(), (flows) =>
  flows.some((flow) => flow.includes('table=202, priority=300')) && flows.filter((flow) => flow.includes('learn(')).length === 2)

const learned = () => c1.flows('table=209')
const isLearned = (mac: string) => async () => (await learned()).some((flow) => flow.includes(`dl_dst=${mac}`))
const announced = async (mac: string) => (await c1.fdb('lo-1000')).some((row) => row.mac === mac && row.master === 'br-1000')
const localOf = async (mac: string) => (await c1.report<readonly LocalReport[]>('local', 1000)).find((row) => row.mac === mac)

await t.test('rule 11: ports with `unknown`: a local MAC is learned in the switch itself and advertised like a configured one', async (t) => {
  b.send({ src: MAC, dst: BROADCAST, name: 'hello' })
  await a.waitFor('hello')
  await waitFor('the MAC to be learned', isLearned(MAC))
  await waitFor('its row on the advertise device', () => announced(MAC))
  const row = await localOf(MAC)
  t.match(row, { port: 'b', state: 'advertised' }, 'ovs-evpnctl local shows it at its port')
  a.send({ src: BOUND, dst: MAC, name: 'to-learned' })
  await b.waitFor('to-learned')
  a.send({ src: BOUND, dst: BROADCAST, name: 'after' })
  await Promise.all([c.waitFor('after'), d.waitFor('after'), underlay.waitFor('after')])
  t.strictSame([c, d, underlay].map((wire) => wire.arrivals('to-learned').length), [0, 0, 0], 'a frame to it goes to its port alone')
})

await t.test('rule 11: a learned MAC is moved between ports', async (t) => {
  c.send({ src: MAC, dst: BROADCAST, name: 'moved' })
  await eventually('the MAC to be at port c', () => localOf(MAC), (row) => row?.port === 'c')
  t.ok(await announced(MAC), 'it stays advertised')
  // A datapath flow from before the move holds until ovs-vswitchd has looked at it again.
  await eventually('packets to it to go to port c', () => {
    a.send({ src: BOUND, dst: MAC, name: 'to-moved' })
    return Promise.resolve(c.arrivals('to-moved').length)
  }, (count) => count > 0)
  a.send({ src: BOUND, dst: MAC, name: 'after the move' })
  await c.waitFor('after the move')
  t.equal(b.arrivals('after the move').length, 0)
})

await t.test('rule 11: advertised like configured ones when `redistribute` has `fdb`, and not without', async (t) => {
  for (const [redistribute, bound] of [['ip', true], ['none', false]] as const) {
    await c1.set('Bridge br-int', { 'dynamic-routing-redistribute-1000': redistribute })
    await waitFor(`${redistribute}: its row to be withdrawn`, async () => !await announced(MAC))
    await eventually(`${redistribute}: the row of a bound MAC with an IP`, () => announced(BOUND), (seen) => seen === bound)
    t.match(await localOf(MAC), { port: 'c', state: 'local' }, `${redistribute}: it stays learned`)
    a.send({ src: BOUND, dst: MAC, name: `learned with ${redistribute}` })
    await c.waitFor(`learned with ${redistribute}`)
  }
  for (const redistribute of ['fdb', 'fdb,ip']) {
    await c1.set('Bridge br-int', { 'dynamic-routing-redistribute-1000': redistribute })
    await waitFor(`${redistribute}: its row`, () => announced(MAC))
  }
  t.match(await localOf(MAC), { port: 'c', state: 'advertised' })
  await c1.unset('Bridge br-int', 'dynamic-routing-redistribute-1000')
})

await t.test('rule 11: learned MACs survive our restart', async (t) => {
  const before = (await learned()).filter((flow) => flow.includes(MAC))
  await daemon.stop()
  const monitor = lab.spawn('c1', ['ip', '-o', 'monitor', 'neigh'])
  let seen = ''
  monitor.stdout?.setEncoding('utf8').on('data', (text: string) => { seen += text })
  // Another address each time: of what is as it was the kernel says nothing, and the monitor may have missed the first.
  let probes = 10
  const probe = async (ip: string) => eventually('the monitor to see', async () => {
    await c1.run(['ip', 'neigh', 'replace', ip, 'lladdr', `02:00:00:00:99:${probes++}`, 'nud', 'permanent', 'dev', 'br-1000'])
    return seen
  }, (text) => text.includes(ip))
  await probe('10.99.0.1')
  const restarted = await lab.startDaemon('c1')
  await eventually('the learned MAC to be known', () => localOf(MAC), (row) => row?.port === 'c' && row.state === 'advertised')
  t.strictSame((await learned()).filter((flow) => flow.includes(MAC)), before, 'the switch has the same flow')
  await eventually('all kernel rows as desired', () => memory(restarted), (seen) => seen['kernel_rows_desired'] === seen['kernel_rows_realized'])
  await probe('10.99.0.2')
  monitor.kill('SIGTERM')
  t.same(seen.split('\n').filter((line) => line.includes(MAC)), [], 'its row is not touched')
})

await t.test('rule 13: unknown unicast goes to `unknown` ports and VTEPs, and to nobody else', async (t) => {
  a.send({ src: BOUND, dst: NOBODY, name: 'nobody' })
  await Promise.all([b.waitFor('nobody'), c.waitFor('nobody'), underlay.waitFor('nobody')])
  a.send({ src: BOUND, dst: BROADCAST, name: 'behind-nobody' })
  await d.waitFor('behind-nobody')
  t.equal(d.arrivals('nobody').length, 0, 'a port whose addresses are all known does not get it')
  t.strictSame([b, c, underlay].map((wire) => wire.arrivals('nobody').length), [1, 1, 1], 'the others get it once')
})

await t.test('rule 10: a packet can never displace a control-plane entry; fdb-prefer-local lets learned local MACs win', async (t) => {
  b.send({ src: TAKEN, dst: BROADCAST, name: 'impostor' })
  await waitFor('the MAC to be learned', isLearned(TAKEN))
  a.send({ src: BOUND, dst: TAKEN, name: 'to-taken' })
  await underlay.waitFor('to-taken')
  t.equal(b.arrivals('to-taken').length, 0, 'it goes to the VTEP, not to who sent with that address')
  t.match(await localOf(TAKEN), { state: 'waiting' }, 'and it is not advertised')
  t.notOk(await announced(TAKEN))
  await c1.set('Bridge br-int', { 'dynamic-routing-fdb-prefer-local': 'true' })
  await eventually('the flow of learned MACs to come first', () => c1.ourFlows('table=202'), (flows) => flows.some((flow) => flow.includes('priority=350')))
  a.send({ src: BOUND, dst: TAKEN, name: 'prefer-local' })
  await b.waitFor('prefer-local')
  t.equal(underlay.arrivals('prefer-local').length, 0)
  b.send({ src: BOUND, dst: BROADCAST, name: 'bound' })
  await c.waitFor('bound')
  c.send({ src: MAC, dst: BOUND, name: 'to-bound' })
  await a.waitFor('to-bound')
  t.equal(b.arrivals('to-bound').length, 0, 'a bound MAC is where it is bound all the same')
})

await t.test('rule 10, 16: with fdb-prefer-local a learned MAC that another chassis announces is claimed on its next frame, and stays learned by it', async (t) => {
  t.match(await localOf(TAKEN), { state: 'waiting', reason: /waiting for a frame from the port/ }, 'not before')
  await eventually('a witness flow that learns, too', () => c1.ourFlows(`table=207,dl_src=${TAKEN}`), ([flow, ...more]) => more.length === 0 && /controller\(.*learn\(/.test(flow ?? ''))
  b.send({ src: TAKEN, dst: BROADCAST, name: 'sign of life' })
  t.equal((await a.waitFor('sign of life')).length, 1, 'the frame goes on, once')
  await eventually('the MAC to be announced', () => localOf(TAKEN), (row) => row?.state === 'advertised')
  t.ok(await announced(TAKEN))
  await c1.unset('Bridge br-int', 'dynamic-routing-fdb-prefer-local')
})

await t.test('rule 11: aged by fdb_age_threshold, and withdrawn when it ages', async (t) => {
  await c1.set('Bridge br-int', { fdb_age_threshold: '2' })
  await eventually('the new age in the learn() actions', () => c1.ourFlows('table=207'), (flows) => flows.filter((flow) => flow.includes('hard_timeout=2,')).length === 2)
  await waitFor('the MAC to be advertised', () => {
    b.send({ src: SHORT, dst: BROADCAST, name: 'short' })
    return announced(SHORT)
  })
  await waitFor('the silent MAC to be forgotten', async () => !await isLearned(SHORT)(), 20_000)
  await waitFor('its row to be withdrawn', async () => !await announced(SHORT))
  t.ok(await announced(MAC), 'one that was learned with the longer age stays')
  await c1.set('Bridge br-int', { fdb_age_threshold: '0' })
  await eventually('learn() actions without an age', () => c1.ourFlows('table=207'), (flows) => flows.some((flow) => flow.includes('learn(')) && flows.every((flow) => !flow.includes('hard_timeout')))
})

await t.test('rule 11: no packet goes to the daemon, nor all of a flow to ovs-vswitchd: a host that only sends stays learned', async (t) => {
  await c1.set('Bridge br-int', { fdb_age_threshold: '3' })
  await eventually('the age in the learn() actions', () => c1.ourFlows('table=207'), (flows) => flows.filter((flow) => flow.includes('hard_timeout=3,')).length === 2)
  const misses = async () => Number(/missed:(\d+)/.exec(await c1.run(['ovs-appctl', 'dpctl/show']))?.[1] ?? NaN)
  const arrived = () => a.arrivals('steady').length
  const talking = setInterval(() => { b.send({ src: STEADY, dst: BOUND, name: 'steady' }) }, 60)
  try {
    await waitFor('the MAC to be learned', isLearned(STEADY))
    const monitor = await FlowMonitor.start(lab, 'c1')
    const [missed, first] = [await misses(), arrived()]
    await eventually('frames for twice its age', arrived, (count) => count >= first + 100, 30_000)
    const [upcalls, packets] = [await misses() - missed, arrived() - first]
    await monitor.probe()
    monitor.stop()
    t.same(monitor.events.filter((event) => event.startsWith('event=DELETED') && event.includes(STEADY)), [], 'learned all the time')
    t.ok(await isLearned(STEADY)(), 'and at the end')
    t.ok(upcalls < packets / 4, `${upcalls} upcalls for ${packets} packets`)
    // A copy for the daemon would be an action of the datapath's flow, and no miss.
    const steady = (await c1.run(['ovs-appctl', 'dpctl/dump-flows'])).split('\n').filter((line) => line.includes(`src=${STEADY}`))
    t.ok(steady.length > 0, 'the datapath has a flow for it')
    t.same(steady.filter((line) => line.includes('userspace(')), [], 'which hands nothing to userspace')
  } finally {
    clearInterval(talking)
  }
})

await t.test('rule 11: what a port taught goes with the port, or when it no longer is `unknown`', async (t) => {
  await c1.set('Interface c', { 'evpn-addresses': '02:00:00:00:00:03' })
  await waitFor('what port c taught to be forgotten', async () => !await isLearned(MAC)())
  await waitFor('its row to be withdrawn', async () => !await announced(MAC))
  t.ok(await isLearned(TAKEN)(), 'what port b taught stays')
  await c1.vsctl('del-port', 'b')
  await eventually('nothing to be learned any more', learned, (flows) => flows.length === 0)
})
