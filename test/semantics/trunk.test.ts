// Trunks and 802.1Q tags: t and u are trunks, a and b access ports; one VTEP in all VNIs.
//   VNI 1000: a, t untagged, u with VLAN 10        VNI 2000: b, t with VLAN 10, u with VLAN 30        VNI 3000: t with VLAN 20
import t from 'tap'
import type { WorkloadSpec } from '../lab/spec.js'
import { eventually } from '../system/util/eventually.js'
import { EVERYBODY, Stage, type Sent } from './util/stage.js'

const VTEP = '192.0.2.11'
const MAC = { a: '02:00:00:00:00:0a', b: '02:00:00:00:00:0b', t: '02:00:00:00:01:01', t20: '02:00:00:00:01:20', u: '02:00:00:00:02:01', far: '02:aa:00:00:00:02' } as const

function workload(name: 'a' | 'b' | 't' | 'u', vni: number, vnis: string, more: Readonly<Record<string, string>> = {}): WorkloadSpec {
  const externalIds = { 'dynamic-routing-vni': vnis, 'evpn-addresses': MAC[name], ...more }
  return { name, vtep: 'c1', vni, mac: MAC[name], addresses: [], externalIds }
}

const stage = await Stage.up(t, { vteps: [VTEP], vnis: [1000, 2000, 3000], workloads: [
  workload('a', 1000, '1000'), workload('b', 2000, '2000'),
  workload('t', 1000, '0:1000,10:2000,20:3000', { 'evpn-addresses-20': MAC.t20 }), workload('u', 1000, '10:1000,30:2000')
] })
const { chassis, speaker } = stage
await speaker.mac(2000, MAC.far, VTEP)

const tag = (vlan: number, priority = 0) => ({ vlan, priority })
const untagged = (src: string): Sent => ({ src, dst: EVERYBODY })
const VTEP_IN = (vni: number, ...tags: readonly string[]) => [`${VTEP} VNI ${vni}`, ...tags].join(' ')

/** Frames for everybody, and whom they reach. */
const WAYS = {
  a: [() => stage.fromWorkload('a', untagged(MAC.a)), ['t', 'u 10/0', VTEP_IN(1000)]],
  b: [() => stage.fromWorkload('b', untagged(MAC.b)), ['t 10/0', 'u 30/0', VTEP_IN(2000)]],
  t: [() => stage.fromWorkload('t', untagged(MAC.t)), ['a', 'u 10/0', VTEP_IN(1000)]],
  u: [() => stage.fromWorkload('u', { ...untagged(MAC.u), tags: [tag(30)] }), ['b', 't 10/0', VTEP_IN(2000)]],
  vtep: [() => stage.fromVtep(VTEP, 1000, { dst: EVERYBODY }), ['a', 't', 'u 10/0']]
} as const

for (const [send, wanted] of Object.values(WAYS)) await stage.until(`a frame to reach ${wanted.join(', ')}`, send, wanted)

interface Case { readonly rule: string, readonly from: 'a' | 'b' | 't' | 'u', readonly frame: Sent, readonly reaches: readonly string[] }

function check({ rule, from, frame, reaches }: Case): Promise<unknown> {
  return t.test(rule, async (t) => {
    const name = stage.fromWorkload(from, frame)
    const [send, everybody] = WAYS[from]
    t.strictSame(await stage.settled(name, send, everybody), [...reaches].sort())
  })
}

const bySource: readonly Case[] = [
  { rule: "rule 7: a trunk's tag says the VNI and is taken off; another trunk puts on its own, and keeps the priority", from: 't',
    frame: { src: MAC.t, dst: EVERYBODY, tags: [tag(10, 5)] }, reaches: ['b', 'u 30/5', VTEP_IN(2000)] },
  { rule: 'rule 7: untagged frames of a trunk belong to the VNI of 0:VNI', from: 't', frame: untagged(MAC.t), reaches: ['a', 'u 10/0', VTEP_IN(1000)] },
  { rule: 'rule 7: a tag of VLAN 0 says a priority only: the frame is untagged', from: 't',
    frame: { src: MAC.t, dst: EVERYBODY, tags: [tag(0, 5)] }, reaches: ['a', 'u 10/0', VTEP_IN(1000)] },
  { rule: 'rule 7: so it is from an access port', from: 'a', frame: { src: MAC.a, dst: EVERYBODY, tags: [tag(0, 5)] }, reaches: ['t', 'u 10/0', VTEP_IN(1000)] },
  { rule: 'rule 7: one workload port in several VNIs: a MAC of it is in each, with its tag', from: 'b', frame: { src: MAC.b, dst: MAC.t }, reaches: ['t 10/0'] },
  { rule: 'rule 7: and in another VNI untagged', from: 'a', frame: { src: MAC.a, dst: MAC.t }, reaches: ['t'] },
  { rule: 'rule 7: evpn-addresses-<vlan> holds for that VLAN alone', from: 'b', frame: { src: MAC.b, dst: MAC.t20 }, reaches: [] },
  { rule: 'rule 7: from a trunk to a remote MAC of its VNI', from: 'u', frame: { src: MAC.u, dst: MAC.far, tags: [tag(30)] }, reaches: [VTEP_IN(2000)] },
  { rule: 'rule 7: a tag that is not in the list is dropped', from: 't', frame: { src: MAC.t, dst: EVERYBODY, tags: [tag(99)] }, reaches: [] },
  { rule: 'rule 7: an untagged frame is dropped unless the list has 0:VNI', from: 'u', frame: untagged(MAC.u), reaches: [] },
  { rule: 'rule 7: drop: a tag inside the VNI is dropped', from: 'a', frame: { src: MAC.a, dst: EVERYBODY, tags: [tag(7)] }, reaches: [] },
  { rule: "rule 7: drop: so is one behind the trunk's", from: 'u', frame: { src: MAC.u, dst: EVERYBODY, tags: [tag(10), tag(7)] }, reaches: [] }
]
for (const one of bySource) await check(one)

const fromTunnel = [
  { rule: 'rule 7: tags are pushed on the way out of a trunk', vni: 2000, sent: { dst: EVERYBODY }, reaches: ['b', 't 10/0', 'u 30/0'] },
  { rule: 'rule 7: on unicast, too', vni: 3000, sent: { dst: MAC.t20 }, reaches: ['t 20/0'] },
  { rule: 'rule 7: drop: a tag inside the tunnel is dropped', vni: 1000, sent: { dst: EVERYBODY, tags: [tag(7)] }, reaches: [] }
]
for (const { rule, vni, sent, reaches } of fromTunnel) {
  await t.test(rule, async (t) => t.strictSame(await stage.settled(stage.fromVtep(VTEP, vni, sent), ...WAYS.vtep), [...reaches].sort()))
}

await t.test('rule 7: what is dropped is counted: by port where the frame has no VNI, else by VNI', async () => {
  await eventually('a frame of no VLAN on t', () => stage.dropped('t', 'wrong VLAN'), (count) => count > 0)
  await eventually('a frame of no VLAN on u', () => stage.dropped('u', 'wrong VLAN'), (count) => count > 0)
  await eventually('three tagged frames in VNI 1000', () => stage.dropped(1000, 'inner VLAN'), (count) => count >= 3)
})

await t.test('rule 7: a trunk announces its MACs in each of its VNIs', async () => {
  const rows = async (vni: number) => (await chassis.fdb(`lo-${vni}`)).filter(({ state }) => state === 'static').map(({ mac }) => mac).sort().join()
  await eventually('VNI 1000', () => rows(1000), (macs) => macs === [MAC.a, MAC.t, MAC.u].join())
  await eventually('VNI 2000', () => rows(2000), (macs) => macs === [MAC.b, MAC.t, MAC.u].join())
  await eventually('VNI 3000', () => rows(3000), (macs) => macs === MAC.t20)
})

await t.test('rule 7: carry keeps the tag inside the tunnel, both ways', async (t) => {
  await chassis.set('Bridge br-int', { 'evpn-inner-vlan-1000': 'carry' })
  const carried: readonly Case[] = [
    { rule: 'an access port sends any tag into the tunnel; a trunk puts its own before it, and nobody takes it for a tag of his', from: 'a',
      frame: { src: MAC.a, dst: EVERYBODY, tags: [tag(7, 3)] }, reaches: ['u 10/0 7/3', VTEP_IN(1000, '7/3')] },
    { rule: 'a priority tag as it is', from: 'a', frame: { src: MAC.a, dst: EVERYBODY, tags: [tag(0, 3)] },
      reaches: ['t 0/3', 'u 10/0 0/3', VTEP_IN(1000, '0/3')] },
    { rule: 'a frame with two tags: that of the trunk is taken off, the other stays', from: 'u',
      frame: { src: MAC.u, dst: EVERYBODY, tags: [tag(10, 2), tag(7, 3)] }, reaches: ['a 7/3', VTEP_IN(1000, '7/3')] },
    { rule: 'on unicast, too', from: 'u', frame: { src: MAC.u, dst: MAC.a, tags: [tag(10), tag(7)] }, reaches: ['a 7/0'] }
  ]
  const [first] = carried
  if (first !== undefined) await stage.until('tags to be carried', () => stage.fromWorkload(first.from, first.frame), first.reaches)
  for (const { rule, from, frame, reaches } of carried) {
    const [send, everybody] = WAYS[from]
    t.strictSame(await stage.settled(stage.fromWorkload(from, frame), send, everybody), [...reaches].sort(), rule)
  }
  const name = stage.fromVtep(VTEP, 1000, { dst: EVERYBODY, tags: [tag(7, 4)] })
  t.strictSame(await stage.settled(name, ...WAYS.vtep), ['a 7/4', 'u 10/0 7/4'], 'out of the tunnel with its tag, and not where it would be mistaken')
})

await t.test('rule 7: bad items of a list warn and are skipped alone', async () => {
  await chassis.set('Interface t', { 'dynamic-routing-vni': '0:1000,10:2000,11:2000,4095:1,20:3000' })
  for (const what of ['"11:2000" names VNI 2000 again, which VLAN 10 of this port is in; it is skipped', '"4095:1" is not VLAN:VNI']) {
    await eventually(`a problem: ${what}`, () => chassis.problems(), (problems) => problems.some((line) => line.includes(what)))
  }
  await stage.until('the good ones to work', WAYS.b[0], WAYS.b[1])
})

await t.test('rule 7: a VLAN that goes from the list, goes from the switch; a restart finds everything in place', async (t) => {
  await chassis.set('Interface t', { 'dynamic-routing-vni': '0:1000' })
  await stage.until('b to reach no t', WAYS.b[0], ['u 30/0', VTEP_IN(2000)])
  // Groups of a flood outlive their last use.
  await eventually('no group of VNI 3000', () => chassis.groups(), (groups) => !groups.some((group) => group.includes(`group_id=${0x40000000 + 3000 * 128 + 4}`)))
  t.strictSame(await stage.restart(), { flow_mods: 0, group_mods: 0, kernel_writes: 0 })
})
