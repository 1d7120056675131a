// The keys of the Open_vSwitch table take effect while the daemon runs: addresses, UDP ports, the bridge, the system-id suffix.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import type { VtepReport } from '../../lib/daemon/report/report.js'
import { Chassis } from './util/chassis.js'
import { eventually, eventuallyHas, eventuallyLacks, hasLine } from './util/eventually.js'
import { Speaker } from './util/speaker.js'
import { workload } from './util/workload.js'

const lab = await Lab.up({
  chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [workload('w10', 10, 1), workload('w20', 20, 2)]
})
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const speaker = new Speaker(chassis)
const daemon = await lab.startDaemon('c1')
const SYSTEM = 'Open_vSwitch .'
await speaker.vtep(10, '192.0.2.9')
await speaker.vtep(20, '192.0.2.9')

/** Source addresses of the VNI's tunnels, as the flows of ENCAP set them, sorted; of the given bridge. */
async function sources(vni: number, bridge?: string): Promise<string[]> {
  const flows = await chassis.ourFlows(`table=205,metadata=${vni}`, bridge)
  return [...new Set(flows.map((flow) => /set_field:([0-9a-f.:]+)->tun_(?:ipv6_)?src/.exec(flow)?.[1] ?? `no source in ${flow}`))].sort()
}

async function usesSources(why: string, ofVni: Readonly<Record<number, readonly string[]>>): Promise<void> {
  for (const [vni, wanted] of Object.entries(ofVni)) {
    await eventually(`VNI ${vni} to send from ${wanted.join(' and ')} (${why})`, () => sources(Number(vni)), (seen) => seen.join() === wanted.join())
  }
}

/** Packets of the VNI from this VTEP to this address are let in. */
const decap = (vni: number, from: string, to: string) =>
  eventuallyHas(`VNI ${vni} to accept packets of ${from} sent to ${to}`, () => chassis.ourFlows(`table=200,tun_id=${vni}`), `tun_src=${from}`, `tun_dst=${to}`)

async function tunnelPorts(bridge = 'br-int'): Promise<string[]> {
  return (await chassis.ports(bridge)).filter((name) => name.startsWith('ovn-evpn-'))
}

const hasTunnels = (bridge: string, ...names: readonly string[]) =>
  eventually(`${bridge} to have the tunnel ports ${names.join(', ') || '(none)'}`, () => tunnelPorts(bridge), (seen) => seen.join() === names.join())

/** A bridge that was ours has nothing of ours any more. */
async function isClean(bridge: string): Promise<void> {
  await hasTunnels(bridge)
  await eventually(`no flow of ours on ${bridge}`, () => chassis.ourFlows('', bridge), (flows) => flows.length === 0)
  await eventually(`no group on ${bridge}`, () => chassis.groups(bridge), (groups) => groups.length === 0)
}

await t.test('without ovn-evpn-local-ip, the local address of the vxlan device is used, and followed when it changes', async () => {
  await usesSources('local of vxlan-10 and vxlan-20', { 10: ['192.0.2.1'], 20: ['192.0.2.1'] })
  await decap(10, '192.0.2.9', '192.0.2.1')
  await chassis.run(['ip', 'link', 'set', 'vxlan-10', 'type', 'vxlan', 'local', '192.0.2.11'])
  await usesSources('vxlan-10 got another local address', { 10: ['192.0.2.11'], 20: ['192.0.2.1'] })
  await decap(10, '192.0.2.9', '192.0.2.11')
  await chassis.run(['ip', 'link', 'set', 'vxlan-10', 'type', 'vxlan', 'local', '192.0.2.1'])
  await usesSources('and its old one', { 10: ['192.0.2.1'] })
})

await t.test('ovn-evpn-local-ip gives a default for each family, VNI-IP wins for its VNI; set, changed, removed', async (t) => {
  t.teardown(() => chassis.unset(SYSTEM, 'ovn-evpn-local-ip'))
  await chassis.set(SYSTEM, { 'ovn-evpn-local-ip': '192.0.2.100, 2001:db8::100,20-192.0.2.120' })
  await usesSources('ovn-evpn-local-ip set', { 10: ['192.0.2.100', '2001:db8::100'], 20: ['192.0.2.120', '2001:db8::100'] })
  await decap(10, '192.0.2.9', '192.0.2.100')
  await decap(20, '192.0.2.9', '192.0.2.120')
  await chassis.set(SYSTEM, { 'ovn-evpn-local-ip': '192.0.2.101,10-2001:db8::10' })
  await usesSources('ovn-evpn-local-ip changed', { 10: ['192.0.2.101', '2001:db8::10'], 20: ['192.0.2.101'] })
  await decap(20, '192.0.2.9', '192.0.2.101')
  t.notOk(hasLine(await chassis.ourFlows('table=200'), 'tun_dst=192.0.2.100'), 'no packets are accepted at the old address')
  await chassis.unset(SYSTEM, 'ovn-evpn-local-ip')
  await usesSources('ovn-evpn-local-ip removed: local of the device', { 10: ['192.0.2.1'], 20: ['192.0.2.1'] })
  await decap(10, '192.0.2.9', '192.0.2.1')
})

await t.test('ovn-evpn-vxlan-ports: a second port is added, the first one removed, and the default comes back', async (t) => {
  t.teardown(() => chassis.unset(SYSTEM, 'ovn-evpn-vxlan-ports'))
  await speaker.vtep(10, '192.0.2.8', 'vxlan-10', 'port', '4790')
  const vteps = async () => (await chassis.report<VtepReport[]>('vteps', 10)).map(({ ip, port, state, reason }) => `${ip} ${port} ${state} ${reason ?? ''}`)
  await eventuallyHas('VTEP 192.0.2.8 to be unusable without a tunnel port for 4790', vteps, '192.0.2.8 4790 unusable', 'not in ovn-evpn-vxlan-ports')
  await chassis.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4789, 4790' })
  await hasTunnels('br-int', 'ovn-evpn-4789', 'ovn-evpn-4790')
  await eventuallyHas('VTEP 192.0.2.8 to be usable', vteps, '192.0.2.8 4790 ok')
  await eventuallyHas('VTEP 192.0.2.9 to stay on 4789, the first', vteps, '192.0.2.9 4789 ok')
  await eventuallyHas('the second tunnel port to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port="ovn-evpn-4790"')
  await eventuallyHas('packets to leave by the second tunnel port', () => chassis.ourFlows('table=205'), 'output:"ovn-evpn-4790"')
  await eventuallyHas('packets of 192.0.2.8 to come in by it', () => chassis.ourFlows('table=200'), 'tun_src=192.0.2.8', 'in_port="ovn-evpn-4790"')

  await chassis.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4790' })
  await hasTunnels('br-int', 'ovn-evpn-4790')
  await eventuallyLacks('nothing about the removed tunnel port', () => chassis.ourFlows(), 'ovn-evpn-4789')
  await eventuallyHas('VTEP 192.0.2.9 to be reached by 4790, now the first', vteps, '192.0.2.9 4790 ok')

  await chassis.unset(SYSTEM, 'ovn-evpn-vxlan-ports')
  await hasTunnels('br-int', 'ovn-evpn-4789')
  await eventuallyHas('VTEP 192.0.2.9 to be reached by 4789 again', vteps, '192.0.2.9 4789 ok')
  await speaker.noVtep(10, '192.0.2.8', 'vxlan-10', 'port', '4790')
})

await t.test('ovn-bridge names another bridge: tunnel port and flows move, the old bridge keeps nothing of ours', async (t) => {
  t.teardown(async () => {
    await chassis.unset(SYSTEM, 'ovn-bridge')
    await chassis.vsctl('--if-exists', 'del-br', 'br-two')
  })
  await chassis.ofctl('add-flow', 'br-int', 'table=7,cookie=0x77,priority=7,actions=drop')
  await chassis.vsctl('add-br', 'br-two', '--', 'set', 'Bridge', 'br-two', `datapath_type=${lab.plan.datapath}`, 'fail_mode=secure',
    '--', 'add-port', 'br-two', 'p2', '--', 'set', 'Interface', 'p2', 'type=internal', 'external_ids:dynamic-routing-vni=20',
    'external_ids:evpn-addresses=02:00:00:00:20:22')
  await chassis.set(SYSTEM, { 'ovn-bridge': 'br-two' })
  await hasTunnels('br-two', 'ovn-evpn-4789')
  await eventuallyHas('the port of br-two to lead into our tables', () => chassis.ourFlows('table=0', 'br-two'), 'in_port=p2')
  await eventuallyHas('VTEPs to be reached from br-two', () => chassis.ourFlows('table=200', 'br-two'), 'tun_src=192.0.2.9', 'tun_id=0x14')
  await isClean('br-int')
  t.same(await chassis.flows('', 'br-int'), ['cookie=0x77, table=7, priority=7 actions=drop'], 'a flow of somebody else stays')
  const macs = async () => (await chassis.fdb()).filter(({ ifname }) => ifname.startsWith('lo-')).map(({ mac, ifname, state }) => `${mac} ${ifname} ${state}`)
  await eventuallyHas('the MAC of br-two\'s port to be announced', macs, '02:00:00:00:20:22 lo-20 static')
  await eventuallyLacks('the MAC of br-int\'s port to be withdrawn', macs, '02:00:00:00:00:02')

  await chassis.unset(SYSTEM, 'ovn-bridge')
  await hasTunnels('br-int', 'ovn-evpn-4789')
  await eventuallyHas('the port of br-int to lead into our tables again', () => chassis.ourFlows('table=0'), 'in_port=w20')
  await eventuallyHas('VTEPs to be reached from br-int again', () => chassis.ourFlows('table=200'), 'tun_src=192.0.2.9', 'tun_id=0x14')
  await isClean('br-two')
})

await t.test('ovn-bridge names a bridge that is made only later: the old bridge keeps nothing of ours', async (t) => {
  t.teardown(async () => {
    await chassis.unset(SYSTEM, 'ovn-bridge')
    await chassis.vsctl('--if-exists', 'del-br', 'br-late')
  })
  await chassis.set(SYSTEM, { 'ovn-bridge': 'br-late' })
  await eventually('a warning that br-late does not exist', daemon.log, (log) => log.includes('bridge br-late does not exist'))
  await isClean('br-int')
  await chassis.vsctl('add-br', 'br-late', '--', 'set', 'Bridge', 'br-late', `datapath_type=${lab.plan.datapath}`, 'fail_mode=secure')
  await hasTunnels('br-late', 'ovn-evpn-4789')
  await eventuallyHas('the tunnel port of br-late to lead into our tables', () => chassis.ourFlows('table=0', 'br-late'), 'in_port="ovn-evpn-4789"')
  await isClean('br-int')
  await chassis.unset(SYSTEM, 'ovn-bridge')
  await eventuallyHas('the port of br-int to lead into our tables again', () => chassis.ourFlows('table=0'), 'in_port=w10')
})

await t.test('ovn-bridge moves there and back at once: nothing of br-int is missing afterwards', async (t) => {
  t.teardown(() => chassis.vsctl('--if-exists', 'del-br', 'br-two'))
  await chassis.vsctl('add-br', 'br-two', '--', 'set', 'Bridge', 'br-two', `datapath_type=${lab.plan.datapath}`, 'fail_mode=secure')
  const before = (await chassis.ourFlows()).sort()
  for (let i = 0; i < 3; i++) {
    await chassis.set(SYSTEM, { 'ovn-bridge': 'br-two' })
    await chassis.unset(SYSTEM, 'ovn-bridge')
  }
  await hasTunnels('br-int', 'ovn-evpn-4789')
  await eventually(`br-int to have the ${before.length} flows it had before`, () => chassis.ourFlows(), (flows) => flows.sort().join('\n') === before.join('\n'))
  await isClean('br-two')
})

await t.test('the suffix -<system-id> wins over the plain key; one for another system-id is none of our business', async (t) => {
  const keys = ['ovn-evpn-local-ip', 'ovn-evpn-local-ip-c1', 'ovn-evpn-local-ip-c9', 'ovn-evpn-vxlan-ports', 'ovn-evpn-vxlan-ports-c1', 'ovn-bridge-c1']
  t.teardown(async () => {
    await chassis.unset(SYSTEM, ...keys)
    await chassis.vsctl('--if-exists', 'del-br', 'br-suf')
  })
  await chassis.set(SYSTEM, { 'ovn-evpn-local-ip': '192.0.2.50', 'ovn-evpn-local-ip-c9': '192.0.2.59' })
  await usesSources('the plain key', { 10: ['192.0.2.50'] })
  await chassis.set(SYSTEM, { 'ovn-evpn-local-ip-c1': '192.0.2.51' })
  await usesSources('the key with our system-id', { 10: ['192.0.2.51'] })
  await chassis.set(SYSTEM, { 'ovn-evpn-local-ip': '192.0.2.52' })
  await chassis.unset(SYSTEM, 'ovn-evpn-local-ip-c1')
  await usesSources('the suffixed key removed', { 10: ['192.0.2.52'] })

  await chassis.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4790', 'ovn-evpn-vxlan-ports-c1': '4791' })
  await hasTunnels('br-int', 'ovn-evpn-4791')
  await chassis.vsctl('add-br', 'br-suf', '--', 'set', 'Bridge', 'br-suf', `datapath_type=${lab.plan.datapath}`, 'fail_mode=secure')
  await chassis.set(SYSTEM, { 'ovn-bridge-c1': 'br-suf' })
  await hasTunnels('br-suf', 'ovn-evpn-4791')
  await chassis.unset(SYSTEM, ...keys)
  await hasTunnels('br-int', 'ovn-evpn-4789')
  await isClean('br-suf')
  t.notMatch(daemon.log(), /192\.0\.2\.59|-c9/, 'no warning about the key of another system-id')
})
