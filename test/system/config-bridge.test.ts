// The options of the integration bridge take effect while the daemon runs, for every VNI and for one VNI, which wins.
import t, { type Test } from 'tap'
import type { FloodReport, VtepReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { announces } from './util/announced.js'
import { Chassis } from './util/chassis.js'
import { eventually, eventuallyHas, eventuallyLacks } from './util/eventually.js'
import { Speaker } from './util/speaker.js'
import { rowsOf, workload } from './util/workload.js'

const BRIDGE = 'Bridge br-int'
const [w10, w20] = [workload('w10', 10, 1), workload('w20', 20, 2)]
/** A MAC without IP beside the workload's own. */
const BARE = '02:00:00:00:00:0b'
const lab = await Lab.up({
  chassis: 1, linux: 0, frr: false, vnis: [10, 20, 30],
  workloads: [{ ...w10, externalIds: { 'dynamic-routing-vni': '10', 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1, ${BARE}` } }, w20]
})
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const speaker = new Speaker(chassis)
await lab.startDaemon('c1')

const rows10 = [...rowsOf(w10), `${BARE} lo-10`]
const rows20 = rowsOf(w20)

/** Sets options for one test. */
async function withOptions(t: Test, ids: Readonly<Record<string, string>>): Promise<void> {
  await chassis.set(BRIDGE, ids)
  t.teardown(() => chassis.unset(BRIDGE, ...Object.keys(ids)))
}

const vtepsAre = (why: string, vni: number, ...ips: readonly string[]) => eventually(`VNI ${vni} to have the VTEPs ${ips.join(', ')} (${why})`,
  async () => (await chassis.report<VtepReport[]>('vteps', vni)).map(({ ip }) => ip).sort(), (seen) => seen.join() === ips.join())

/** More kernel devices for VNI 10: a second vxlan device in its bridge, and another bridge with an advertise device. */
await chassis.run(['ip', '-batch', '-'], {
  input: ['link add name vx-second type vxlan id 10 local 192.0.2.1 dstport 61000 nolearning', 'link set vx-second master br-10 up',
    'link add name br-other type bridge', 'link set br-other addrgenmode none', 'link set br-other up',
    ...['other', 'spare'].flatMap((name) => [`link add name adv-${name} type veth peer name peer-${name}`,
      `link set adv-${name} master br-${name === 'other' ? 'other' : '10'}`, `link set adv-${name} type bridge_slave learning off`,
      `link set adv-${name} addrgenmode none`, `link set adv-${name} up`])].join('\n')
})
await speaker.vtep(10, '192.0.2.7')
await speaker.vtep(10, '192.0.2.8', 'vx-second')
await speaker.vtep(20, '192.0.2.9')
await announces(chassis, 'at first', [...rows10, ...rows20])

await t.test('dynamic-routing-vxlan-ifname: another device, a list of them, for one VNI and for all', async (t) => {
  await vtepsAre('vxlan-10 by default', 10, '192.0.2.7')
  await withOptions(t, { 'dynamic-routing-vxlan-ifname-10': 'vx-second' })
  await vtepsAre('vx-second for VNI 10', 10, '192.0.2.8')
  await vtepsAre('VNI 20 keeps its own', 20, '192.0.2.9')
  await chassis.set(BRIDGE, { 'dynamic-routing-vxlan-ifname-10': 'vxlan-10, vx-second' })
  await vtepsAre('both for VNI 10', 10, '192.0.2.7', '192.0.2.8')
  await chassis.unset(BRIDGE, 'dynamic-routing-vxlan-ifname-10')
  await withOptions(t, { 'dynamic-routing-vxlan-ifname': 'vx-second' })
  await vtepsAre('vx-second for every VNI', 10, '192.0.2.8')
  await vtepsAre('vx-second is no device of VNI 20', 20)
  await chassis.set(BRIDGE, { 'dynamic-routing-vxlan-ifname-20': 'vxlan-20' })
  await vtepsAre('the one of VNI 20 wins for it', 20, '192.0.2.9')
  await chassis.unset(BRIDGE, 'dynamic-routing-vxlan-ifname', 'dynamic-routing-vxlan-ifname-20')
  await vtepsAre('the default is back', 10, '192.0.2.7')
})

await t.test('dynamic-routing-advertise-ifname: rows move to the other device, for one VNI and for all', async (t) => {
  await withOptions(t, { 'dynamic-routing-advertise-ifname-10': 'adv-spare' })
  await announces(chassis, 'adv-spare for VNI 10', [...rowsOf(w10, 'adv-spare'), `${BARE} adv-spare`, ...rows20])
  await chassis.unset(BRIDGE, 'dynamic-routing-advertise-ifname-10')
  await announces(chassis, 'the default is back', [...rows10, ...rows20])
  await withOptions(t, { 'dynamic-routing-advertise-ifname': 'adv-spare' })
  await announces(chassis, 'adv-spare for all: it is not in br-20', [...rowsOf(w10, 'adv-spare'), `${BARE} adv-spare`])
  await withOptions(t, { 'dynamic-routing-advertise-ifname-20': 'lo-20' })
  await announces(chassis, 'the one of VNI 20 wins for it', [...rowsOf(w10, 'adv-spare'), `${BARE} adv-spare`, ...rows20])
})

await t.test('dynamic-routing-bridge-ifname: neighbours move to the other bridge, and remote IPs are read there', async (t) => {
  await speaker.ip(10, '10.0.0.91', '02:00:00:00:09:01', 'br-other')
  const ips = async (vni: number) => (await chassis.report<{ ip: string }[]>('ips', vni)).map(({ ip }) => ip)
  await withOptions(t, { 'dynamic-routing-bridge-ifname-10': 'br-other', 'dynamic-routing-advertise-ifname-10': 'adv-other' })
  await announces(chassis, 'br-other and adv-other for VNI 10', [...rowsOf(w10, 'adv-other', 'br-other'), `${BARE} adv-other`, ...rows20])
  await eventuallyHas('the remote IP on br-other', () => ips(10), '10.0.0.91')
  await chassis.unset(BRIDGE, 'dynamic-routing-bridge-ifname-10', 'dynamic-routing-advertise-ifname-10')
  await announces(chassis, 'the default is back', [...rows10, ...rows20])
  await eventuallyLacks('the remote IP on br-other is none of VNI 10', () => ips(10), '10.0.0.91')
  await withOptions(t, { 'dynamic-routing-bridge-ifname': 'br-other', 'dynamic-routing-advertise-ifname': 'adv-other' })
  await announces(chassis, 'br-other and adv-other for every VNI', [
    ...rowsOf(w10, 'adv-other', 'br-other'), `${BARE} adv-other`, ...rowsOf(w20, 'adv-other', 'br-other')
  ])
  await withOptions(t, { 'dynamic-routing-bridge-ifname-20': 'br-20', 'dynamic-routing-advertise-ifname-20': 'lo-20' })
  await announces(chassis, 'those of VNI 20 win for it', [...rowsOf(w10, 'adv-other', 'br-other'), `${BARE} adv-other`, ...rows20])
})

const macsOnly = (rows: readonly string[]) => rows.filter((row) => row.split(' ').length === 2)

await t.test('dynamic-routing-redistribute: fdb, ip (with the FDB rows of its MACs), none; for all VNIs and for one', async (t) => {
  await withOptions(t, { 'dynamic-routing-redistribute': 'fdb' })
  await announces(chassis, 'fdb: no neighbours', macsOnly([...rows10, ...rows20]))
  await chassis.set(BRIDGE, { 'dynamic-routing-redistribute': 'ip' })
  await announces(chassis, 'ip: no MAC without IP', [...rowsOf(w10), ...rows20])
  await chassis.set(BRIDGE, { 'dynamic-routing-redistribute': 'none' })
  await announces(chassis, 'none', [])
  await withOptions(t, { 'dynamic-routing-redistribute-20': 'ip, fdb' })
  await announces(chassis, 'none, but fdb and ip for VNI 20', rows20)
  await chassis.set(BRIDGE, { 'dynamic-routing-redistribute': 'fdb,ip', 'dynamic-routing-redistribute-20': 'fdb' })
  await announces(chassis, 'all, but only fdb for VNI 20', [...rows10, ...macsOnly(rows20)])
  await chassis.set(BRIDGE, { 'dynamic-routing-redistribute-20': 'none' })
  await announces(chassis, 'all, but none for VNI 20', rows10)
  await chassis.unset(BRIDGE, 'dynamic-routing-redistribute', 'dynamic-routing-redistribute-20')
  await announces(chassis, 'the default is back', [...rows10, ...rows20])
})

await t.test('evpn-addresses-<vni>: addresses without a port are announced, and their VNI exists', async (t) => {
  const gateway = '02:00:00:00:30:01'
  const vnis = async () => (await chassis.report<{ vnis: { vni: number }[] }>('show')).vnis.map(({ vni }) => vni)
  await withOptions(t, { 'evpn-addresses-30': `${gateway} 10.0.30.1 fd00:30::1` })
  await announces(chassis, 'the gateway of VNI 30', [
    ...rows10, ...rows20, `${gateway} lo-30`, `10.0.30.1 ${gateway} br-30`, `fd00:30::1 ${gateway} br-30`
  ])
  await eventually('VNI 30 to exist', vnis, (seen) => seen.join() === '10,20,30')
  await chassis.set(BRIDGE, { 'evpn-addresses-30': `${gateway} 10.0.30.2` })
  await announces(chassis, 'another IP', [...rows10, ...rows20, `${gateway} lo-30`, `10.0.30.2 ${gateway} br-30`])
  await chassis.unset(BRIDGE, 'evpn-addresses-30')
  await announces(chassis, 'no gateway', [...rows10, ...rows20])
  await eventually('VNI 30 to be gone', vnis, (seen) => seen.join() === '10,20')
})

await t.test('evpn-flood=none: broadcast goes to local ports only, for all VNIs and for one', async (t) => {
  const floods = async (vni: number) => (await chassis.report<FloodReport[]>('flood', vni)).map(({ vteps, state }) => `${state}: ${vteps.join()}`)
  const toVtep = async (ip: string) => (await chassis.groups()).filter((group) => group.includes(`${ip}->tun_dst`))
  const floodsTo = (why: string, ip: string, there: boolean) => eventually(`broadcast ${there ? '' : 'not '}to go to ${ip} (${why})`,
    () => toVtep(ip), (groups) => (groups.length === 1) === there)
  await floodsTo('by default', '192.0.2.7', true)
  await withOptions(t, { 'evpn-flood': 'none' })
  await floodsTo('none for all', '192.0.2.7', false)
  await floodsTo('none for all', '192.0.2.9', false)
  await eventuallyHas('the flood of VNI 10 to be off', () => floods(10), 'off')
  await withOptions(t, { 'evpn-flood-20': 'vtep' })
  await floodsTo('VNI 20 has its own option', '192.0.2.9', true)
  await chassis.set(BRIDGE, { 'evpn-flood': 'vtep', 'evpn-flood-20': 'none' })
  await floodsTo('none for VNI 20 only', '192.0.2.7', true)
  await floodsTo('none for VNI 20 only', '192.0.2.9', false)
})

await t.test('evpn-decap=off: packets of any VTEP are let in, for all VNIs and for one', async (t) => {
  const anybody = async (vni: number) => (await chassis.ourFlows(`table=200,tun_id=${vni}`)).filter((flow) => flow.includes('priority=199,'))
  const lets = (why: string, vni: number, everybody: boolean) => eventually(`VNI ${vni} to let in ${everybody ? 'everybody' : 'known VTEPs only'} (${why})`,
    () => anybody(vni), (flows) => (flows.length === 1 && flows[0]?.includes('resubmit(,207)') === true) === everybody)
  await lets('strict by default', 10, false)
  await withOptions(t, { 'evpn-decap-10': 'off' })
  await lets('off for VNI 10', 10, true)
  await lets('off for VNI 10', 20, false)
  await withOptions(t, { 'evpn-decap': 'off' })
  await chassis.set(BRIDGE, { 'evpn-decap-10': 'strict' })
  await lets('off for all but VNI 10', 20, true)
  await lets('off for all but VNI 10', 10, false)
  await chassis.unset(BRIDGE, 'evpn-decap', 'evpn-decap-10')
  await lets('the default is back', 20, false)
})

await t.test('evpn-vxlan-port: the UDP port of a VNI\'s VTEPs; one without tunnel port makes them unusable', async (t) => {
  const vteps = async (vni: number) => (await chassis.report<VtepReport[]>('vteps', vni)).map(({ ip, port, state, reason }) => `${ip} ${port} ${state} ${reason ?? ''}`)
  t.teardown(() => chassis.unset('Open_vSwitch .', 'ovn-evpn-vxlan-ports'))
  await chassis.set('Open_vSwitch .', { 'ovn-evpn-vxlan-ports': '4789,4790' })
  await withOptions(t, { 'evpn-vxlan-port-10': '4790' })
  await eventuallyHas('VTEPs of VNI 10 to be reached on 4790', () => vteps(10), '192.0.2.7 4790 ok')
  await eventuallyHas('VTEPs of VNI 20 to stay on 4789', () => vteps(20), '192.0.2.9 4789 ok')
  await eventuallyHas('packets of VNI 10 to come in by the port for 4790', () => chassis.ourFlows('table=200'), 'tun_src=192.0.2.7', 'in_port="ovn-evpn-4790"')
  await withOptions(t, { 'evpn-vxlan-port': '4791' })
  await eventuallyHas('VTEPs of VNI 20 to be unusable', () => vteps(20), '192.0.2.9 4791 unusable UDP port 4791 is not in ovn-evpn-vxlan-ports')
  await eventuallyHas('VNI 10 to keep its own port', () => vteps(10), '192.0.2.7 4790 ok')
  await chassis.unset(BRIDGE, 'evpn-vxlan-port', 'evpn-vxlan-port-10')
  await eventuallyHas('VNI 10 to be back on the first port', () => vteps(10), '192.0.2.7 4789 ok')
})

await t.test('evpn-inner-vlan: tagged frames are dropped, or carried, for all VNIs and for one', async (t) => {
  const dropped = async (vni: number) => (await chassis.ourFlows(`table=202,metadata=${vni}`)).filter((flow) => flow.includes('vlan_tci=0x1000/0x1000') && flow.endsWith('resubmit(,210)'))
  const drops = (why: string, vni: number, there: boolean) => eventually(`VNI ${vni} to ${there ? 'drop' : 'carry'} tagged frames (${why})`,
    () => dropped(vni), (flows) => (flows.length === 1) === there)
  await drops('by default', 10, true)
  await withOptions(t, { 'evpn-inner-vlan-10': 'carry' })
  await drops('carry for VNI 10', 10, false)
  await drops('carry for VNI 10', 20, true)
  await withOptions(t, { 'evpn-inner-vlan': 'carry' })
  await chassis.set(BRIDGE, { 'evpn-inner-vlan-10': 'drop' })
  await drops('carry for all but VNI 10', 10, true)
  await drops('carry for all but VNI 10', 20, false)
})
