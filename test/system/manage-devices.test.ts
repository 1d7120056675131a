// evpn-manage-devices: the kernel devices of a VNI are made, kept and removed; what somebody else made is used as it is.
import t from 'tap'
import { parseMacIpRoutes } from '../demo/routes.js'
import { Lab } from '../lab/lab.js'
import { Chassis } from './util/chassis.js'
import { eventually } from './util/eventually.js'
import { workload } from './util/workload.js'

interface Link {
  readonly ifname: string
  readonly address: string
  readonly mtu: number
  readonly flags: readonly string[]
  readonly master?: string
  readonly ifalias?: string
  readonly inet6_addr_gen_mode?: string
  readonly linkinfo?: { readonly info_kind?: string, readonly info_data?: Readonly<Record<string, unknown>>, readonly info_slave_data?: Readonly<Record<string, unknown>> }
}

const [w10, w11] = [workload('w10', 10, 1), workload('w11', 10, 2)]
const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [10], devices: false, workloads: [w10, { ...w11, vtep: 'l1' }] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
await chassis.set('Open_vSwitch .', { 'ovn-evpn-local-ip': '192.0.2.1' })
let daemon = await lab.startDaemon('c1')

const OURS = ['br-10', 'lo-10', 'vxlan-10'] as const

async function links(): Promise<ReadonlyMap<string, Link>> {
  const all = JSON.parse(await chassis.run(['ip', '-j', '-d', 'link', 'show'])) as Link[]
  return new Map(all.map((link) => [link.ifname, link]))
}

/** Those of VNI 10 that exist and are ours. */
async function marked(): Promise<string[]> {
  return [...(await links()).values()].filter(({ ifalias }) => ifalias === 'ovs-evpn VNI 10').map(({ ifname }) => ifname).sort()
}

const problems = async (): Promise<string> => (await chassis.problems()).join('\n')

/** What a device is; its timers and states change by themselves. */
async function settings(name: string): Promise<unknown> {
  const { address, mtu, master, ifalias, linkinfo } = (await links()).get(name) ?? {}
  const { ifindex } = (JSON.parse(await chassis.run(['ip', '-j', 'link', 'show', name])) as readonly { readonly ifindex: number }[])[0] ?? {}
  return { ifindex, address, mtu, master, ifalias, data: linkinfo?.info_data }
}

/** What was made is up and complete: nothing is left to do. */
async function made(): Promise<ReadonlyMap<string, Link>> {
  return await eventually('the three devices of VNI 10 to be up', links, (all) => OURS.every((name) => all.get(name)?.ifalias === 'ovs-evpn VNI 10' && all.get(name)?.flags.includes('UP')))
}

await t.test('without it the devices are missing, and nothing is made', async (t) => {
  await eventually('the missing bridge to be a problem', problems, (text) => text.includes('bridge br-10 does not exist'))
  t.same(await marked(), [])
})

await t.test('one ovs-vsctl command makes bridge, vxlan and advertise device, as the documentation says', async (t) => {
  await chassis.set('Bridge br-int', { 'evpn-manage-devices': 'true' })
  const all = await made()
  for (const name of OURS) t.match(all.get(name), { mtu: 1500, inet6_addr_gen_mode: 'none', address: /^02:65:/ }, name)
  t.match(all.get('vxlan-10'), { master: 'br-10', linkinfo: { info_data: { id: 10, port: 60010, local: '192.0.2.1' }, info_slave_data: { learning: false } } })
  t.notOk(all.get('vxlan-10')?.linkinfo?.info_data?.['learning'], 'the vxlan device does not learn')
  t.match(all.get('lo-10'), { master: 'br-10', linkinfo: { info_slave_data: { learning: false } } })
  const { code } = await lab.exec('c1', ['sh', '-c', 'ip link add probe type dummy && ip link del probe'], { allowFailure: true })
  const peer = all.get('lo-10-p')
  t.equal(all.get('lo-10')?.linkinfo?.info_kind, code === 0 ? 'dummy' : 'veth', 'a dummy where the kernel has it, else a veth')
  t.equal(peer === undefined, code === 0, 'only a veth has another end')
  t.notOk(peer?.flags.includes('UP'), 'which stays down')
  await eventually('nothing to be wrong with VNI 10', problems, (text) => !text.includes('VNI 10'))
})

await t.test('FRR works on them in both directions', async () => {
  await eventually('the peer to have the route of w10', async () => parseMacIpRoutes(await lab.vtysh('l1', 'show bgp l2vpn evpn route type macip json')),
    (routes) => routes.some(({ mac, nextHop }) => mac === w10.mac && nextHop === '192.0.2.1'), 30_000)
  await eventually('the flow for w11', () => chassis.ourFlows(`table=202,dl_dst=${w11.mac}`), (flows) => flows.length === 1, 30_000)
})

await t.test('what somebody changes is put back, and said once', async () => {
  await chassis.run(['ip', 'link', 'set', 'vxlan-10', 'mtu', '9000'])
  await eventually('the MTU to be back', links, (all) => all.get('vxlan-10')?.mtu === 1500)
  await chassis.run(['ip', 'link', 'set', 'lo-10', 'nomaster'])
  await eventually('lo-10 to be in the bridge again', links, (all) => all.get('lo-10')?.master === 'br-10')
  await chassis.run(['ip', 'link', 'set', 'lo-10', 'type', 'bridge_slave', 'learning', 'on'])
  await eventually('learning to be off', links, (all) => all.get('lo-10')?.linkinfo?.info_slave_data?.['learning'] === false)
  await chassis.run(['ip', 'link', 'set', 'br-10', 'down'])
  await eventually('the bridge to be up', links, (all) => all.get('br-10')?.flags.includes('UP') === true)
  await chassis.run(['ip', 'link', 'del', 'vxlan-10'])
  await made()
})

await t.test('evpn-audit=report: it is only said', async (t) => {
  await chassis.set('Bridge br-int', { 'evpn-audit': 'report' })
  await chassis.run(['ip', 'link', 'set', 'vxlan-10', 'mtu', '9000'])
  await eventually('it to be told', problems, (text) => text.includes('set mtu to 9000 (was 1500); evpn-audit=report leaves it so'))
  t.equal((await links()).get('vxlan-10')?.mtu, 9000)
  await chassis.unset('Bridge br-int', 'evpn-audit')
  await eventually('the MTU to be back', links, (all) => all.get('vxlan-10')?.mtu === 1500)
})

await t.test('another local address is set on the device as it is; another UDP port makes it anew', async (t) => {
  const before = (await links()).get('vxlan-10')
  await chassis.set('Open_vSwitch .', { 'ovn-evpn-local-ip': '10-192.0.2.9' })
  await eventually('the local address', links, (all) => all.get('vxlan-10')?.linkinfo?.info_data?.['local'] === '192.0.2.9')
  t.equal((await links()).get('vxlan-10')?.address, before?.address)
  await chassis.set('Open_vSwitch .', { 'ovn-evpn-local-ip': '192.0.2.1', 'ovn-evpn-vxlan-ports': '4789,60010' })
  await eventually('a UDP port that Open vSwitch does not use', links, (all) => all.get('vxlan-10')?.linkinfo?.info_data?.['port'] === 60011)
  await chassis.unset('Open_vSwitch .', 'ovn-evpn-vxlan-ports')
  await eventually('the port from before', links, (all) => all.get('vxlan-10')?.linkinfo?.info_data?.['port'] === 60010)
  await made()
})

await t.test('after kill -9 they are known again: one that was not finished is, one too many goes, nothing else is touched', async (t) => {
  const address = (await links()).get('lo-10')?.address ?? ''
  await daemon.stop('SIGKILL')
  await chassis.run(['ip', 'link', 'del', 'lo-10'])
  await chassis.run(['ip', 'link', 'add', 'lo-10', 'address', address, 'type', 'veth', 'peer', 'name', 'lo-10-p'])
  for (const [name, alias] of [['br-99', 'ovs-evpn VNI 99'], ['br-98', 'mine'], ['br-97', '']] as const) {
    await chassis.run(['ip', 'link', 'add', name, 'type', 'bridge'])
    await chassis.run(['ip', 'link', 'set', name, 'alias', alias])
  }
  const vxlan = await settings('vxlan-10')
  daemon = await lab.startDaemon('c1')
  await made()
  const all = await eventually('br-99 to go', links, (all) => !all.has('br-99'))
  t.ok(all.has('br-98') && all.has('br-97'), 'the others stay')
  t.same(await settings('vxlan-10'), vxlan, 'what was right is as it was, the same device')
  t.match(all.get('lo-10'), { address }, 'the unfinished one was finished')
})

await t.test('a device that exists already is used, never modified, never removed', async (t) => {
  await chassis.unset('Interface w10', 'dynamic-routing-vni')
  await eventually('the devices to go with the VNI', marked, (names) => names.length === 0)
  await chassis.run(['ip', 'link', 'add', 'br-10', 'type', 'bridge'])
  await chassis.run(['ip', 'link', 'set', 'br-10', 'mtu', '1400', 'up'])
  const { address = '' } = (await links()).get('br-10') ?? {}
  await chassis.set('Interface w10', { 'dynamic-routing-vni': '10' })
  await eventually('the other two to be made', marked, (names) => names.join() === 'lo-10,vxlan-10')
  await eventually('them to be in my bridge', links, (all) => all.get('lo-10')?.master === 'br-10' && all.get('vxlan-10')?.master === 'br-10')
  t.match((await links()).get('br-10'), { mtu: 1400 }, 'its MTU is as it was')
  t.notOk((await links()).get('br-10')?.ifalias, 'it has no mark of ours')
  t.notMatch(address, /^02:65:/)
  await chassis.unset('Interface w10', 'dynamic-routing-vni')
  await eventually('ours to go', marked, (names) => names.length === 0)
  t.ok((await links()).has('br-10'), 'mine stays')
  await chassis.run(['ip', 'link', 'del', 'br-10'])
})

await t.test('a name for every VNI is refused, in a sentence', async (t) => {
  await chassis.set('Bridge br-int', { 'dynamic-routing-bridge-ifname': 'br-all' })
  await chassis.set('Interface w10', { 'dynamic-routing-vni': '10' })
  await eventually('it to be told', problems, (text) => text.includes('dynamic-routing-bridge-ifname-10'))
  t.same(await marked(), [])
  await chassis.unset('Bridge br-int', 'dynamic-routing-bridge-ifname')
  await made()
})

await t.test('without a local address there is no vxlan device, and it is said', async () => {
  await chassis.unset('Open_vSwitch .', 'ovn-evpn-local-ip')
  await eventually('it to go', marked, (names) => names.join() === 'br-10,lo-10')
  await eventually('it to be told', problems, (text) => text.includes('set Open_vSwitch . external_ids:ovn-evpn-local-ip'))
  await chassis.set('Open_vSwitch .', { 'ovn-evpn-local-ip': '192.0.2.1,2001:db8::1' })
  await chassis.set('Bridge br-int', { 'dynamic-routing-vxlan-ifname-10': 'vxlan-10,vxlan6-10' })
  await eventually('one for each family', links, (all) =>
    all.get('vxlan-10')?.linkinfo?.info_data?.['local'] === '192.0.2.1' && all.get('vxlan6-10')?.linkinfo?.info_data?.['local6'] === '2001:db8::1')
})

await t.test('exit --cleanup removes them', async (t) => {
  await daemon.appctl('exit', '--cleanup')
  await eventually('no device of ours', marked, (names) => names.length === 0)
  t.ok((await links()).has('br-98'), 'what is not ours stays')
})
