// What a chassis writes into the kernel for the speaker to announce, in which form, when it takes it back, and whose rows
// it never touches. The speaker's part is played by hand.
import t from 'tap'
import type { LocalReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { announces } from './util/announced.js'
import { Chassis } from './util/chassis.js'
import { eventually, eventuallyHas } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { Speaker } from './util/speaker.js'
import { rowsOf, workload } from './util/workload.js'

const [w10, w20] = [workload('w10', 10, 1), workload('w20', 20, 2)]
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [w10, w20] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const speaker = new Speaker(chassis)
const W10 = 'Interface w10'
const both = [...rowsOf(w10), ...rowsOf(w20)]

/** Rows of other programs, on a bridge port of their own and on our bridges, of every kind that could be mistaken for ours. */
await chassis.run(['ip', 'link', 'add', 'name', 'theirs', 'type', 'veth', 'peer', 'name', 'theirs-peer'])
await chassis.run(['ip', 'link', 'set', 'theirs', 'master', 'br-10', 'up'])
await chassis.run(['ip', '-batch', '-'], {
  input: ['nud permanent', 'nud noarp extern_learn protocol zebra', 'nud noarp protocol static', 'nud noarp protocol 84'].map((form, i) =>
    `neigh add 10.0.0.6${i} lladdr 02:00:00:00:06:0${i} dev br-10 ${form}`).join('\n')
})
await chassis.run(['bridge', '-batch', '-'], {
  input: ['dev theirs master static', 'dev theirs master dynamic extern_learn', 'dev vxlan-10 dst 192.0.2.66 self master dynamic extern_learn'].map((form, i) =>
    `fdb add 02:00:00:00:06:1${i} ${form}`).join('\n')
})

/** Every row that somebody else wrote. */
async function foreignRows(): Promise<string[]> {
  const fdb = (await chassis.fdb()).filter(({ mac }) => mac.startsWith('02:00:00:00:06'))
  const neighbours = (await chassis.neighbours()).filter(({ dst }) => dst.startsWith('10.0.0.6'))
  return [...fdb, ...neighbours].map((row) => JSON.stringify(row)).sort()
}
const foreignBefore = await foreignRows()

const stateOf = async (mac: string) => {
  const row = (await chassis.report<LocalReport[]>('local')).find((local) => local.mac === mac)
  return row === undefined ? 'none' : `${row.state}: ${row.reason ?? ''}`
}

/** The bridge port that has a MAC. */
async function inBridge(mac: string): Promise<string[]> {
  return (await chassis.fdb()).filter((row) => row.mac === mac && row.master !== undefined).map(({ ifname }) => ifname)
}

// A router solicitation of a workload's kernel is a sign of life, and ends another chassis' claim: nothing is sent here.
for (const { name } of [w10, w20]) await lab.exec(name, ['ip', 'addr', 'flush', 'dev', 'eth0'])
let daemon = await lab.startDaemon('c1')

await t.test('a local MAC is a static FDB row on the advertise device, a local IP a NOARP neighbour of protocol 85 on the bridge', async (t) => {
  await announces(chassis, 'at start', both)
  t.same((await chassis.fdb('lo-10')).filter(({ mac }) => mac === w10.mac),
    [{ mac: w10.mac, ifname: 'lo-10', flags: [], master: 'br-10', state: 'static' }], 'neither extern_learn nor sticky nor permanent')
  t.same((await chassis.neighbours('br-10')).filter(({ protocol }) => protocol === '85'), ['10.0.0.1', 'fd00::1'].map((dst) =>
    ({ dst, dev: 'br-10', lladdr: w10.mac, state: ['NOARP', 'PERMANENT'], protocol: '85' })), 'no extern_learn; permanent, or the garbage collector takes it')
  t.equal(await stateOf(w10.mac), 'advertised: ')
})

await t.test('withdrawn when an address goes, when the port goes, when the VNI goes', async (t) => {
  t.teardown(async () => {
    await chassis.vsctl('--may-exist', 'add-port', 'br-int', 'w10')
    await chassis.set(W10, { 'dynamic-routing-vni': '10', 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` })
    await announces(chassis, 'everything is back', both)
  })
  await chassis.set(W10, { 'evpn-addresses': `${w10.mac} fd00::1` })
  await announces(chassis, '10.0.0.1 is gone', both.filter((row) => !row.startsWith('10.0.0.1')))
  await chassis.unset(W10, 'dynamic-routing-vni')
  await announces(chassis, 'VNI 10 is gone', rowsOf(w20))
  await chassis.set(W10, { 'dynamic-routing-vni': '10', 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` })
  await announces(chassis, 'VNI 10 is back', both)
  await chassis.vsctl('del-port', 'br-int', 'w10')
  await announces(chassis, 'port w10 is gone', rowsOf(w20))
})

await t.test('link-local IPv6 addresses are never announced', async (t) => {
  t.teardown(() => chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` }))
  await chassis.set(W10, { 'evpn-addresses': `${w10.mac} fe80::1 10.0.0.1 fd00::1 febf::2 fd00::3` })
  await announces(chassis, 'all but fe80::1 and febf::2', [...both, `fd00::3 ${w10.mac} br-10`])
})

await t.test('a row of ours that somebody deletes comes back', async () => {
  await announces(chassis, 'at first', both)
  await chassis.run(['bridge', 'fdb', 'del', w10.mac, 'dev', 'lo-10', 'master'])
  await chassis.run(['ip', 'neigh', 'del', '10.0.0.1', 'dev', 'br-10'])
  await announces(chassis, 'all rows again', both)
})

await t.test('neighbours vanish when the bridge goes down, and come back when it is up', async () => {
  await chassis.run(['ip', 'link', 'set', 'br-20', 'down'])
  await announces(chassis, 'br-20 is down', [...rowsOf(w10), `${w20.mac} lo-20`])
  await chassis.run(['ip', 'link', 'set', 'br-20', 'up'])
  await announces(chassis, 'br-20 is up', both)
})

await t.test('a MAC that another program has on another bridge port is left there; ours is written when it goes', async (t) => {
  t.teardown(() => chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` }))
  const taken = '02:00:00:00:00:0c'
  await chassis.run(['bridge', 'fdb', 'add', taken, 'dev', 'theirs', 'master', 'static'])
  await chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1, ${taken} 10.0.0.12` })
  await eventually('the MAC to be reported as not announced, with the reason', () => stateOf(taken), (state) => /^local: .*on another port/.test(state))
  t.same(await inBridge(taken), ['theirs'], 'their row stands where it was')
  await chassis.run(['bridge', 'fdb', 'del', taken, 'dev', 'theirs', 'master'])
  await announces(chassis, 'ours, now that theirs is gone', [...both, `${taken} lo-10`, `10.0.0.12 ${taken} br-10`])
})

await t.test('an IP that another program has as neighbour is left to it; ours is written when it goes', async (t) => {
  t.teardown(() => chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` }))
  for (const form of [['nud', 'permanent'], ['nud', 'noarp', 'extern_learn', 'protocol', 'zebra']]) {
    await chassis.run(['ip', 'neigh', 'add', '10.0.0.13', 'lladdr', '02:00:00:00:07:77', 'dev', 'br-10', ...form])
    await chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1 10.0.0.13` })
    await eventually(`the reason to be reported (${form.join(' ')})`, () => stateOf(w10.mac), (state) => state === "advertised: another owner's neighbour stands for 10.0.0.13")
    const theirs = (await chassis.neighbours('br-10')).filter(({ dst }) => dst === '10.0.0.13').map(({ lladdr }) => lladdr)
    t.same(theirs, ['02:00:00:00:07:77'], 'their neighbour stands')
    await chassis.run(['ip', 'neigh', 'del', '10.0.0.13', 'dev', 'br-10'])
    await announces(chassis, 'ours, now that theirs is gone', [...both, `10.0.0.13 ${w10.mac} br-10`])
    await chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` })
    await announces(chassis, 'without it', both)
  }
})

await t.test('a remote claim on a local MAC is not fought: contested, traffic follows it; when it goes, ours comes back', async (t) => {
  const deliver = () => chassis.ourFlows(`table=202,metadata=10,dl_dst=${w10.mac}`)
  await speaker.vtep(10, '192.0.2.9')
  await speaker.mac(10, w10.mac, '192.0.2.9')
  await speaker.ip(10, '10.0.0.1', w10.mac)
  const contested = 'contested: another chassis announces this MAC; waiting for a frame from the port'
  await eventually('the MAC to be contested', () => stateOf(w10.mac), (state) => state === contested)
  t.match((await evpnctl(lab, 'c1', ['local'])).stdout.split('\n').find((line) => line.includes(w10.mac)), contested, 'ovs-evpnctl local says so')
  await eventually('traffic to follow the claim', deliver, (flows) => flows.length === 1 && flows[0]?.includes('set_field:192.0.2.9->tun_dst') === true)
  // Something else to announce, so that it is known to have worked on its rows since.
  await chassis.set('Interface w20', { 'evpn-addresses': `${w20.mac} 10.0.0.2 fd00::2, 02:00:00:00:00:0d` })
  await announces(chassis, 'nothing of w10 but the IP nobody claims', [...rowsOf(w20), '02:00:00:00:00:0d lo-20'])
  t.same(await inBridge(w10.mac), ['vxlan-10'], 'the claim stands in the bridge')
  await speaker.noIp(10, '10.0.0.1')
  await speaker.noMac(10, w10.mac)
  await announces(chassis, 'the claim is gone', [...both, '02:00:00:00:00:0d lo-20'])
  await eventually('frames to be delivered here again', deliver, (flows) => flows.length === 1 && flows[0]?.includes('resubmit(,206)') === true)
  await eventually('the MAC to be announced', () => stateOf(w10.mac), (state) => state === 'advertised: ')
  await chassis.set('Interface w20', { 'evpn-addresses': `${w20.mac} 10.0.0.2 fd00::2` })
  await announces(chassis, 'as at first', both)
})

await t.test('a remote claim that stands when the daemon starts is not fought either', async (t) => {
  await daemon.stop('SIGKILL')
  await speaker.mac(10, w10.mac, '192.0.2.9')
  daemon = await lab.startDaemon('c1')
  await eventually('the MAC to wait', () => stateOf(w10.mac), (state) => state.startsWith('waiting'))
  t.same(await inBridge(w10.mac), ['vxlan-10'], 'the claim stands in the bridge')
  await speaker.noMac(10, w10.mac)
  await announces(chassis, 'the claim is gone', both)
})

await t.test('leftovers after kill -9 and a changed configuration are removed at start', async (t) => {
  t.teardown(async () => {
    await chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` })
    await chassis.set('Interface w20', { 'dynamic-routing-vni': '20' })
  })
  await daemon.stop('SIGKILL')
  await announces(chassis, 'by nobody, the rows still stand', both)
  await chassis.set(W10, { 'evpn-addresses': `${w10.mac} 10.0.0.1, 02:00:00:00:00:0e fd00::1` })
  await chassis.unset('Interface w20', 'dynamic-routing-vni')
  daemon = await lab.startDaemon('c1')
  await announces(chassis, 'what is configured now', [`${w10.mac} lo-10`, '02:00:00:00:00:0e lo-10', `10.0.0.1 ${w10.mac} br-10`, 'fd00::1 02:00:00:00:00:0e br-10'])
  await eventuallyHas('the new MAC to be announced', async () => [await stateOf('02:00:00:00:00:0e')], 'advertised')
})

await t.test('through all of this, no row of another program was touched; exit --cleanup leaves only them', async (t) => {
  await announces(chassis, 'as at first', both)
  t.same(await foreignRows(), foreignBefore, 'before exit --cleanup')
  await daemon.appctl('exit', '--cleanup')
  await daemon.exited
  await announces(chassis, 'nothing after exit --cleanup', [])
  t.same(await foreignRows(), foreignBefore, 'after exit --cleanup')
})
