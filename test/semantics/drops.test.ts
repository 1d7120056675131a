// Issue 4, rule 5: whose packets are let in, and that each reason for which one is dropped is counted, by VNI.
import t from 'tap'
import type { DropReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { eventually } from '../system/util/eventually.js'
import { evpnctl } from '../system/util/evpnctl.js'
import { BROADCAST } from '../system/util/frame.js'
import { workload } from '../system/util/workload.js'
import { Fabric } from './util/fabric.js'

const BRIDGE = 'Bridge br-int'
/** A announces VNI 10, B announces VNI 20, nobody knows the stranger. */
const [A, B, STRANGER] = ['192.0.2.11', '192.0.2.12', '192.0.2.99'] as const
const [BEHIND_A, BEHIND_B, BEHIND_OTHER, NOBODY] = ['02:aa:00:00:00:01', '02:aa:00:00:00:02', '02:aa:00:00:00:03', '02:ff:00:00:00:01'] as const
/** An address of this host that is no tunnel's end. */
const NOT_OURS = '192.0.2.201'

const bound = (name: string, vni: number, n: number) => ({
  ...workload(name, vni, n), externalIds: { 'dynamic-routing-vni': String(vni), 'evpn-addresses': `02:00:00:00:00:0${n}` }
})
const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads: [bound('a', 10, 1), bound('b', 20, 2)] })
t.teardown(() => lab.down())
for (const vni of [10, 20]) await lab.addVniDevices('c1', vni)
const fabric = await Fabric.open(lab, [A, B, STRANGER], ['a', 'b'])
const { c1, speaker } = fabric
await fabric.ip(`addr add ${NOT_OURS}/24 dev br-phy`)
await lab.startDaemon('c1')
await speaker.vtep(10, A)
await speaker.mac(10, BEHIND_A, A)
await speaker.mac(10, BEHIND_OTHER, '192.0.2.13')
await speaker.vtep(20, B)
await speaker.mac(20, BEHIND_B, B)
await fabric.hasFlows(`dl_dst=${BEHIND_A} `, `dl_dst=${BEHIND_B} `, `dl_dst=${BEHIND_OTHER} `, `tun_src=${A}`, `tun_src=${B}`)
await fabric.reach([A, B, STRANGER])
await eventually(`the switch to know its address ${NOT_OURS}`, () => c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'ovs/route/show']), (routes) => routes.includes(`${NOT_OURS}/32`))

const probesOf = { 10: { inward: { from: A, vni: 10, src: BEHIND_A, dst: BROADCAST }, reaches: ['a'], outward: 'a' },
  20: { inward: { from: B, vni: 20, src: BEHIND_B, dst: BROADCAST }, reaches: ['b'], outward: 'b' } } as const

/** Who gets broadcast from a VTEP in VNI 10 or 20. */
const enters = (from: string, vni: 10 | 20, src = BEHIND_A) => fabric.settled(fabric.fromVtep({ from, vni, src, dst: BROADCAST }), probesOf[vni])

const decapFlows = async () => (await c1.ourFlows()).filter((flow) => /tun_src=/.test(flow)).length

await t.test('rule 5: evpn-decap strict: a VTEP of that VNI is let in, one of another VNI and a stranger are not', async (t) => {
  t.same(await enters(A, 10), ['a'])
  t.same(await enters(A, 20), [], 'A is no VTEP of VNI 20')
  t.same(await enters(STRANGER, 10), [])
})

await t.test('rule 5: evpn-decap member: a VTEP of any VNI is let in, a stranger is not; VNIs with strict stay strict', async (t) => {
  await c1.set(BRIDGE, { 'evpn-decap-10': 'member' })
  await fabric.hasFlows('table=211', 'reg0=0x4/0x4,tun_id=0xa,')
  t.same(await enters(B, 10), ['a'], 'B is a VTEP of VNI 20')
  t.same(await enters(A, 10), ['a'])
  t.same(await enters(STRANGER, 10), [])
  t.same(await enters(A, 20), [], 'VNI 20 stays strict')
  await c1.set(BRIDGE, { 'evpn-decap': 'member' })
  await fabric.hasFlows('reg0=0x4/0x4,tun_id=0x14,')
  await eventually('one flow for each of three VTEPs, whatever the number of VNIs', decapFlows, (count) => count === 3)
  t.same(await enters(A, 20), ['b'])
  await speaker.noVtep(20, B)
  await speaker.noMac(20, BEHIND_B)
  await eventually('a VTEP that no VNI knows any more to have none', decapFlows, (count) => count === 2)
  await speaker.vtep(20, B)
  await speaker.mac(20, BEHIND_B, B)
  await c1.unset(BRIDGE, 'evpn-decap', 'evpn-decap-10')
  await eventually('strict again', () => c1.ourFlows(), (flows) => flows.some((flow) => flow.includes(`tun_src=${B}`)) && !flows.some((flow) => flow.includes('table=211')))
})

await t.test('rule 5: evpn-decap off: everybody is let in', async (t) => {
  await c1.set(BRIDGE, { 'evpn-decap-10': 'off' })
  await fabric.hasFlows('priority=199,tun_id=0xa,')
  t.same(await enters(STRANGER, 10), ['a'])
  t.same(await enters(STRANGER, 20), [], 'VNI 20 stays strict')
  await c1.unset(BRIDGE, 'evpn-decap-10')
  await eventually('strict again', () => c1.ourFlows(), (flows) => !flows.some((flow) => flow.includes('priority=199,')))
})

const base = { vni: 10, src: BEHIND_A, dst: BROADCAST } as const
const OWN = '02:00:00:00:00:01'
const reasons: readonly (readonly [reason: string, send: () => string, option?: string])[] = [
  ['unknown VTEP', () => fabric.fromVtep({ ...base, from: STRANGER })],
  ['wrong destination', () => fabric.fromVtep({ ...base, from: A, to: NOT_OURS })],
  ['tunnel to tunnel', () => fabric.fromVtep({ ...base, from: A, dst: BEHIND_OTHER })],
  ['inner VLAN', () => fabric.fromVtep({ ...base, from: A, tag: 5 })],
  ['inner VLAN', () => fabric.fromWorkload('a', { src: OWN, dst: BROADCAST, tag: 5 })],
  ['multicast source', () => fabric.fromVtep({ ...base, from: A, src: '03:00:00:00:00:01' })],
  ['multicast source', () => fabric.fromWorkload('a', { src: '03:00:00:00:00:01', dst: BROADCAST })],
  ['reserved destination', () => fabric.fromVtep({ ...base, from: A, dst: '01:80:c2:00:00:03' })],
  ['unknown unicast', () => fabric.fromVtep({ ...base, from: A, dst: NOBODY })],
  ['unknown unicast', () => fabric.fromWorkload('a', { src: OWN, dst: NOBODY })],
  ['port security', () => fabric.fromWorkload('a', { src: '02:00:00:00:00:77', dst: BROADCAST }), 'evpn-port-security-10']
]

for (const [reason, send, option] of reasons) {
  await t.test(`rule 5: each reason for a drop has its own counter: ${reason}`, async (t) => {
    if (option !== undefined) {
      await c1.set(BRIDGE, { [option]: 'true' })
      await fabric.hasFlows('table=213')
    }
    const [before, other] = [await fabric.drops(10), await fabric.drops(20)]
    const names = [send(), send(), send()]
    const probes = { ...probesOf[10], ...(option === undefined ? {} : { outwardSrc: OWN }) }
    for (const name of names) t.same(await fabric.settled(name, probes), [], 'nobody sees it')
    await fabric.counted(10, reason, before, names.length)
    const { [reason]: _, ...others } = await fabric.drops(10)
    const { [reason]: __, ...othersBefore } = before
    t.same(others, othersBefore, 'no other reason counted')
    t.same(await fabric.drops(20), other, 'nothing in another VNI')
    if (option !== undefined) await c1.unset(BRIDGE, option)
  })
}

await t.test('rule 5: wrong VNI is counted by tunnel port', async () => {
  const before = await fabric.drops()
  fabric.fromVtep({ ...base, from: A, vni: 3000 })
  fabric.fromVtep({ ...base, from: STRANGER, vni: 3001 })
  await fabric.counted(undefined, 'wrong VNI ovn-evpn-4789', before, 2)
})

await t.test('rule 5: ovs-evpnctl drops shows them, per VNI with --vni and as JSON', async (t) => {
  t.match((await evpnctl(lab, 'c1', ['drops'])).stdout, /^ *10 +- +unknown VTEP +[0-9]+ +[0-9]+$/m)
  t.match((await evpnctl(lab, 'c1', ['drops'])).stdout, /^ *- +ovn-evpn-4789 +wrong VNI +2 +[0-9]+$/m)
  const rows = JSON.parse((await evpnctl(lab, 'c1', ['drops', '--json', '--vni', '10'])).stdout) as readonly DropReport[]
  const reasons = [
    'inner VLAN', 'multicast source', 'no port', 'port security', 'reserved destination', 'spoofed source', 'tunnel to tunnel', 'unknown VTEP', 'unknown unicast', 'wrong destination'
  ]
  t.same(rows.map(({ reason }) => reason), reasons)
  t.ok(rows.every(({ vni }) => vni === 10))
})
