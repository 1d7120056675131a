// Issue 4, rule 6: one kernel vxlan device for several VNIs (external, collect metadata), as single-vxlan-device setups have it.
import t from 'tap'
import type { MacReport, VtepReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { needs } from '../lab/needs.js'
import { eventually, eventuallyLacks } from '../system/util/eventually.js'
import { BROADCAST } from '../system/util/frame.js'
import { workload } from '../system/util/workload.js'
import { Fabric, LOCAL } from './util/fabric.js'

needs('vnifilter')

/** A announces both VNIs, B only VNI 20 and wants to be sent VNI 777, C wants what goes to one MAC of VNI 10 as VNI 888. */
const [A, B, C] = ['192.0.2.11', '192.0.2.12', '192.0.2.13'] as const
const [SAME, ONLY_10, ONLY_20, DOWNSTREAM] = ['02:aa:00:00:00:01', '02:aa:00:00:00:02', '02:aa:00:00:00:03', '02:aa:00:00:00:04'] as const

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads: [workload('a', 10, 1), workload('b', 20, 1)] })
t.teardown(() => lab.down())
const fabric = await Fabric.open(lab, [A, B, C], ['a', 'b'])
const { c1, speaker } = fabric
await fabric.ip('link add br0 type bridge', 'link set br0 addrgenmode none', 'link set br0 up',
  'link add vxlan0 type vxlan external vnifilter dstport 61000 nolearning', 'link set vxlan0 addrgenmode none', 'link set vxlan0 master br0', 'link set vxlan0 up')
for (const vni of [10, 20]) await c1.run(['bridge', 'vni', 'add', 'dev', 'vxlan0', 'vni', String(vni)])
await c1.set('Bridge br-int', { 'dynamic-routing-bridge-ifname': 'br0', 'dynamic-routing-vxlan-ifname': 'vxlan0' })
await c1.set('Open_vSwitch .', { 'ovn-evpn-local-ip': LOCAL })
const daemon = await lab.startDaemon('c1')

const of = (vni: number, ...more: readonly string[]) => ['vxlan0', 'src_vni', String(vni), ...more] as const
await speaker.vtep(10, A, ...of(10))
await speaker.vtep(20, A, ...of(20))
await speaker.vtep(20, B, ...of(20, 'vni', '777'))
await speaker.mac(10, SAME, A, ...of(10))
await speaker.mac(20, SAME, B, ...of(20))
await speaker.mac(10, ONLY_10, A, ...of(10))
await speaker.mac(20, ONLY_20, A, ...of(20))
await speaker.mac(10, DOWNSTREAM, C, ...of(10, 'vni', '888'))
await fabric.hasFlows(...[SAME, ONLY_10, ONLY_20, DOWNSTREAM].map((mac) => `dl_dst=${mac} `), `tun_id=0xa,tun_src=${C}`, `tun_id=0x14,tun_src=${B}`)
await eventually('the VTEPs in the floods', async () => (await c1.groups()).join(), (groups) => groups.split(A).length === 3 && groups.includes(B))
await fabric.reach([A, B, C])

const to = (ip: string, vni: number) => `${LOCAL} > ${ip} UDP 4789 VNI ${vni}`
const probesOf = {
  a: { inward: { from: A, vni: 10, src: ONLY_10, dst: BROADCAST }, reaches: ['a'], outward: 'a' },
  b: { inward: { from: A, vni: 20, src: ONLY_20, dst: BROADCAST }, reaches: ['b'], outward: 'b' }
} as const
const from = (name: 'a' | 'b', dst: string) => fabric.settled(fabric.fromWorkload(name, { src: '02:00:00:00:00:01', dst }), probesOf[name])
const into = (name: 'a' | 'b', ip: string, vni: number) => fabric.settled(fabric.fromVtep({ from: ip, vni, src: SAME, dst: '02:00:00:00:00:01' }), probesOf[name])

await t.test('rule 6: NDA_SRC_VNI says which VNI an entry belongs to: a device shared by several VNIs leaks no entry between them', async (t) => {
  t.same(await from('a', SAME), [to(A, 10)], 'the same MAC in VNI 10')
  t.same(await from('b', SAME), [to(B, 20)], 'and in VNI 20')
  t.same(await from('a', ONLY_20), [], 'a MAC of VNI 20 is unknown in VNI 10')
  t.same(await from('b', ONLY_10), [], 'and the other way round')
  t.same(await into('a', B, 10), [], 'a VTEP of VNI 20 is none of VNI 10')
  t.same(await into('b', C, 20), [], 'and the other way round')
  const told = async (vni: number) => (await c1.report<VtepReport[]>('vteps', vni)).map(({ ip, flood }) => `${ip}${flood ? ' flood' : ''}`)
  t.same(await told(10), [`${A} flood`, C])
  t.same(await told(20), [`${A} flood`, `${B} flood`])
})

await t.test('rule 6: NDA_VNI is the VNI to encapsulate with (downstream VNI); what comes in has our own', async (t) => {
  t.same(await from('a', DOWNSTREAM), [to(C, 888)], 'the MAC\'s entry brings the VNI')
  t.same(await into('a', C, 10), ['a'], 'its packets come with ours')
  t.same(await into('a', C, 888), [], 'and not with theirs')
  t.same(await from('b', BROADCAST), [to(A, 20), to(B, 777)].sort(), 'so does a VTEP\'s entry for broadcast')
  t.match((await c1.report<MacReport[]>('macs', 10)).find(({ mac }) => mac === DOWNSTREAM), { ip: C, encap_vni: 888 })
  await speaker.mac(10, DOWNSTREAM, C, ...of(10))
  await eventually('an entry without one to carry our VNI', () => c1.ourFlows(`table=202,dl_dst=${DOWNSTREAM}`), (flows) => flows.length === 1 && !flows[0]?.includes('tun_id'))
  t.same(await from('a', DOWNSTREAM), [to(C, 10)])
})

await t.test('rule 6: a withdrawn entry of one VNI leaves that of the other; so does a restart', async (t) => {
  await c1.run(['bridge', 'fdb', 'del', SAME, 'dev', 'vxlan0', 'src_vni', '20', 'self'])
  await eventuallyLacks('the flow of VNI 20 to go', () => c1.ourFlows('table=202,metadata=20'), SAME)
  t.same(await from('a', SAME), [to(A, 10)])
  const before = (await c1.ourFlows()).sort()
  await daemon.stop()
  await lab.startDaemon('c1')
  await eventually('the same flows after a restart', async () => (await c1.ourFlows()).sort(), (flows) => flows.join() === before.join())
})
