// Rule 9: MACs behind kernel nexthop groups (multihomed Ethernet segments). One chassis; on the underlay one host that has the
// addresses of all VTEPs; the rows are written by hand in the forms FRR writes them.
import t, { type Test } from 'tap'
import { FlowMonitor } from '../demo/flow-monitor.js'
import { Lab } from '../lab/lab.js'
import { Chassis, lines } from '../system/util/chassis.js'
import { coverage, memory } from '../system/util/daemon-numbers.js'
import { eventually } from '../system/util/eventually.js'
import { decodeVxlan, encodeFrame, encodeVxlan, type Frame } from '../system/util/frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Wire } from '../system/util/wire.js'
import { waitFor } from '../lab/wait.js'
import type { DropReport, MacReport } from '../../lib/daemon/report/report.js'

const LOCAL = '192.0.2.1'
/** Of these only A and B are announced for flooding at first; C, D and SIX are known by nexthops alone. */
const VTEP = { A: '192.0.2.11', B: '192.0.2.12', C: '192.0.2.13', D: '192.0.2.14', SIX: '2001:db8:0:1::11' } as const
const [NH_A, NH_B, NH_C, NH_D] = [1, 2, 3, 4]
const MAC = { a: '02:00:00:00:00:01', b: '02:00:00:00:00:02', far: '02:aa:00:00:00:01', other: '02:aa:00:00:00:02', odd: '02:aa:00:00:00:03', single: '02:aa:00:00:00:04' } as const
/** The kernel's group ids, and ours: as ovs-ofctl prints 0xc0000000 plus the id. */
const [GROUP, GROUP2, GROUP3, FRRS] = [10, 11, 12, 0x20000001]
const inSwitch = (group: number): number => 0xc0000000 + group

const workload = (name: string, vni: number, mac: string, address: string) =>
  ({ name, vtep: 'c1', vni, mac, addresses: [`${address}/16`], externalIds: { 'dynamic-routing-vni': String(vni), 'evpn-addresses': `${mac} ${address}` } })

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads: [workload('a', 1000, MAC.a, '10.0.0.1'), workload('b', 2000, MAC.b, '10.0.0.1')] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
for (const vni of [1000, 2000]) await lab.addVniDevices('c1', vni)
const batch = (host: string, commands: readonly string[]): Promise<unknown> => lab.exec(host, ['ip', '-batch', '-'], { input: commands.join('\n') + '\n' })
await batch('l1', Object.values(VTEP).map((ip) => `addr add ${ip}/${ip.includes(':') ? 64 : 24} dev eth0${ip.includes(':') ? ' nodad' : ''}`))
await batch('c1', ['addr add 2001:db8:0:1::1/64 dev br-phy nodad'])
let daemon = await lab.startDaemon('c1')
const underlay = await Wire.open(lab, 'l1', [4789])
const wires = { a: await Wire.open(lab, 'a'), b: await Wire.open(lab, 'b') } as const
const outer = [await macOf('l1', 'eth0'), await macOf('c1', 'br-phy')] as const
await Promise.all(Object.values(VTEP).map((ip) => waitFor(`the underlay from c1 to ${ip}`, async () =>
  (await lab.exec('c1', ['ping', '-c', '1', '-W', '1', ip], { allowFailure: true })).code === 0)))

for (const vni of [1000, 2000]) for (const ip of [VTEP.A, VTEP.B]) await speaker.vtep(vni, ip)
await speaker.nexthops({ [NH_A]: VTEP.A, [NH_B]: VTEP.B, [NH_C]: VTEP.C, [NH_D]: VTEP.D })

async function macOf(host: string, device: string): Promise<string> {
  const [link] = JSON.parse((await lab.exec(host, ['ip', '-j', 'link', 'show', device])).stdout) as readonly { readonly address: string }[]
  return link?.address ?? ''
}

let serial = 0

/** The VTEPs that get frames from a workload to a MAC, of those that may. Sends until one came out. */
async function arrivesAt(from: 'a' | 'b', dst: string): Promise<string> {
  const frame: Frame = { src: MAC[from], dst, name: `from ${from} ${++serial}` }
  let arrival = ''
  await eventually(`a frame from ${from} to ${dst} to arrive on the underlay`, () => {
    wires[from].send(frame)
    const [first] = underlay.arrivals(frame.name)
    arrival = `${first?.vxlan?.to} VNI ${first?.vxlan?.vni}`
    return underlay.arrivals(frame.name)
  }, (seen) => seen.length > 0)
  return arrival
}

function fromVtep(from: string, vni: number, frame: Frame): void {
  underlay.send(encodeVxlan({ from, to: LOCAL, udpPort: 4789, vni, inner: encodeFrame(frame) }, outer))
}

/** The buckets of a group: `VTEP weight W`, in the order of the VTEPs; undefined when there is no such group. */
async function paths(group: number): Promise<string[] | undefined> {
  const text = (await c1.groups()).find((line) => line.startsWith(`group_id=${inSwitch(group)},`))
  // ovs-ofctl prints no weight of 1.
  const buckets = text?.matchAll(/bucket_id:\d+,(?:weight:(\d+),)?actions=set_field:([0-9a-f.:]+)->/g)
  return buckets && [...buckets].map(([, weight = '1', ip]) => `${ip} weight ${weight}`).sort()
}

function leadsTo(group: number, ...wanted: readonly string[]): Promise<unknown> {
  return eventually(`group ${group} to lead to ${wanted.join(' and ') || 'nowhere'}`, () => paths(group), (seen) => seen?.join() === [...wanted].sort().join())
}

/** Our flows of MACs behind a group, and those that say which group in the switch a VNI uses for it. */
async function flowsTo(group: number): Promise<{ readonly macs: number, readonly uses: number }> {
  const flows = await c1.ourFlows()
  return {
    macs: flows.filter((flow) => flow.includes('table=202, priority=300,') && flow.includes(`set_field:0x${group.toString(16)}->reg1`)).length,
    uses: flows.filter((flow) => flow.includes('table=219,') && flow.includes(`reg1=0x${group.toString(16)},`)).length
  }
}

/** The VTEPs that a VNI uses of a group. */
async function usedBy(vni: number, group: number): Promise<string> {
  const [flow = ''] = await c1.ourFlows(`table=219,metadata=${vni},reg1=${group}`)
  const id = /group:(\d+)/.exec(flow)?.[1]
  const text = (await c1.groups()).find((line) => line.startsWith(`group_id=${id},`)) ?? ''
  return [...text.matchAll(/set_field:([0-9a-f.:]+)->tun_(?:ipv6_)?dst/g)].map(([, ip]) => ip).sort().join(' ')
}

/** Waits until all that is wanted is in the switch. */
function settled(what: string, macs: number): Promise<unknown> {
  return eventually(what, () => memory(daemon), (seen) =>
    seen['macs'] === macs && seen['flows_desired'] === seen['flows_realized'] && seen['groups_desired'] === seen['groups_realized'], 60_000)
}

async function macReport(vni: number, mac: string): Promise<MacReport | undefined> {
  return (await c1.report<readonly MacReport[]>('macs', vni)).find((row) => row.mac === mac)
}

await t.test('rule 9: a nexthop group with weights is one select group by dp_hash, shared by all VNIs; ids as FRR gives them, too', async (t) => {
  await speaker.nexthopGroup(GROUP, { [NH_A]: 1, [NH_B]: 3 })
  await speaker.nexthopGroup(FRRS, { [NH_B]: 1 })
  await speaker.multihomed(1000, [MAC.far, MAC.other], GROUP)
  await speaker.multihomed(2000, [MAC.far], GROUP)
  await speaker.multihomed(2000, [MAC.other], FRRS)
  await settled('four MACs', 4)
  await leadsTo(GROUP, `${VTEP.A} weight 1`, `${VTEP.B} weight 3`)
  await leadsTo(FRRS, `${VTEP.B} weight 1`)
  const [group, ...more] = (await c1.groups()).filter((line) => line.includes(VTEP.A) && line.includes(VTEP.B) && line.includes('type=select'))
  t.strictSame(more, [], 'no other group has both VTEPs')
  t.match(group, /type=select,selection_method=dp_hash/)
  t.strictSame(await flowsTo(GROUP), { macs: 3, uses: 2 }, 'three MACs in two VNIs')
  for (const [from, vni] of [['a', 1000], ['b', 2000]] as const) {
    t.match(await arrivesAt(from, MAC.far), new RegExp(`^192\\.0\\.2\\.1[12] VNI ${vni}$`), `a frame of VNI ${vni} arrives at one of the two`)
  }
  t.equal(await arrivesAt('b', MAC.other), `${VTEP.B} VNI 2000`)
})

await t.test('rule 9: each flow of packets stays on its path, and the path with the larger weight gets more of them', async (t) => {
  const ports = Array.from({ length: 200 }, (_, i) => 1001 + i)
  // A UDP packet to that port. What is in it matters to nobody.
  const packet = (udpPort: number) => encodeVxlan({ from: '10.0.0.1', to: '10.0.9.9', udpPort, vni: 0, inner: Buffer.alloc(40) }, [MAC.a, MAC.far])
  /** Where the packets of each flow have arrived. */
  const arrived = (): Map<number, string[]> => {
    const found = new Map(ports.map((port) => [port, [] as string[]]))
    for (const { bytes, vxlan } of underlay.captures((all) => decodeVxlan(all, ports) !== undefined)) {
      found.get(decodeVxlan(bytes, ports)?.udpPort ?? 0)?.push(vxlan?.to ?? 'outside of a tunnel')
    }
    return found
  }
  for (const count of [1, 2, 3]) {
    await eventually(`${count} packets of each of 200 flows`, async () => {
      for (const [port, seen] of arrived()) if (seen.length < count) wires.a.send(packet(port))
      await arrivesAt('a', MAC.far)
      return [...arrived()].filter(([, seen]) => seen.length < count).length
    }, (late) => late === 0, 60_000)
  }
  const flows = [...arrived().values()]
  t.same(flows.filter((seen) => new Set(seen).size > 1), [], 'no flow has packets at more than one VTEP')
  const at = (ip: string): number => flows.filter(([first]) => first === ip).length
  t.ok(at(VTEP.A) > 0 && at(VTEP.B) > at(VTEP.A), `weights 1 and 3: of 200 flows ${at(VTEP.A)} go to A and ${at(VTEP.B)} to B`)
})

await t.test('rule 9: the lists show the paths', async (t) => {
  const fdb = lines(await daemon.appctl('evpn/vtep-fdb-list'))
  const line = fdb.find((one) => one.includes(MAC.far) && one.includes('vni: 1000'))
  t.match(line, /^UUID: [-0-9a-f]{36}, MAC: 02:aa:00:00:00:01, vni: 1000, dp_key: 1000, paths: \[\{key=0x[0-9a-f]{8}, weight=1\}, \{key=0x[0-9a-f]{8}, weight=3\}\]$/)
  const bindings = lines(await daemon.appctl('evpn/vtep-binding-list'))
  for (const [, key] of line?.matchAll(/key=(0x[0-9a-f]+)/g) ?? []) t.ok(bindings.some((one) => one.includes(`binding_key: ${key},`)), `${key} is in vtep-binding-list`)
  t.match(fdb.find((one) => one.includes(MAC.other) && one.includes('vni: 2000')), /binding_key: 0x[0-9a-f]{8}, dp_key: 2000$/, 'a group of one path looks like one VTEP')
  t.match(await macReport(1000, MAC.far), { nexthop: GROUP, state: 'ok', paths: [{ ip: VTEP.A, weight: 1 }, { ip: VTEP.B, weight: 3 }] })
})

await t.test('rule 9: VTEPs behind a group are VTEPs of the VNIs that use it: what they send comes in, and only there', async (t) => {
  await speaker.nexthopGroup(GROUP2, { [NH_C]: 1, [NH_D]: 1 })
  await speaker.multihomed(1000, [MAC.odd], GROUP2)
  await settled('five MACs', 5)
  const comesIn = async (from: string, vni: number, to: 'a' | 'b'): Promise<boolean> => {
    const [frame, last]: [Frame, Frame] = [{ src: MAC.odd, dst: MAC[to], name: `in ${++serial}` }, { src: MAC.odd, dst: MAC[to], name: `behind ${++serial}` }]
    fromVtep(from, vni, frame)
    fromVtep(VTEP.A, vni, last)
    await wires[to].waitFor(last.name)
    return wires[to].arrivals(frame.name).length > 0
  }
  await waitFor('a frame from C in VNI 1000 to arrive', () => comesIn(VTEP.C, 1000, 'a'))
  t.ok(await comesIn(VTEP.D, 1000, 'a'), 'D, too')
  t.notOk(await comesIn(VTEP.C, 2000, 'b'), 'not in VNI 2000, which has no MAC there')
})

await t.test('rule 4: unicast from a tunnel to a MAC behind a nexthop group is dropped and counted', async (t) => {
  const counted = async (): Promise<number> => {
    // What the datapath has counted reaches the flows when it forgets its own.
    await c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'revalidator/purge'])
    return (await c1.report<readonly DropReport[]>('drops', 1000)).find(({ reason }) => reason === 'tunnel to tunnel')?.packets ?? 0
  }
  const before = await counted()
  const ways = [[VTEP.A, MAC.far], [VTEP.B, MAC.far], [VTEP.C, MAC.other], [VTEP.A, MAC.odd], [VTEP.D, MAC.odd]] as const
  const names = ways.map(([from, dst]) => {
    const name = `round ${++serial}`
    fromVtep(from, 1000, { src: MAC.single, dst, name })
    return name
  })
  await eventually('five more packets counted as tunnel to tunnel of VNI 1000', counted, (now) => now === before + ways.length)
  await arrivesAt('a', MAC.far)
  t.same(names.flatMap((name) => [underlay, wires.a, wires.b].flatMap((wire) => wire.arrivals(name).map(() => `${name} on ${wire.host}`))), [], 'they come out nowhere')
})

await t.test('rule 9: members that are no VTEPs of the MAC\'s VNI are left out, while any is; the group that all of them make stays that of the others', async (t) => {
  t.equal(await usedBy(1000, GROUP2), `${VTEP.C} ${VTEP.D}`, 'neither is announced for flooding: nobody says which of them is')
  await speaker.vtep(1000, VTEP.C)
  await eventually('the one that is announced to be used alone', () => usedBy(1000, GROUP2), (seen) => seen === VTEP.C)
  t.equal(await arrivesAt('a', MAC.odd), `${VTEP.C} VNI 1000`)
  t.match(await macReport(1000, MAC.odd), { state: 'ok', paths: [{ ip: VTEP.C }], reason: /without 192\.0\.2\.14: no VTEP of VNI 1000/ }, 'ovs-evpnctl macs says why')
  await speaker.multihomed(2000, [MAC.odd], GROUP2)
  await eventually('another VNI to use both', () => usedBy(2000, GROUP2), (seen) => seen === `${VTEP.C} ${VTEP.D}`)
  t.equal(await usedBy(1000, GROUP2), VTEP.C)
  await speaker.noMac(2000, MAC.odd)
  await speaker.mac(1000, MAC.single, VTEP.D)
  await eventually('one that a MAC is behind is a VTEP of the VNI, too', () => usedBy(1000, GROUP2), (seen) => seen === `${VTEP.C} ${VTEP.D}`)
  await speaker.noMac(1000, MAC.single)
  await speaker.vtep(1000, VTEP.D)
  await leadsTo(GROUP2, `${VTEP.C} weight 1`, `${VTEP.D} weight 1`)
  await settled('five MACs', 5)
})

await t.test('rule 9: the group is replaced, shrunk, and its member re-pointed', async () => {
  await speaker.nexthopGroup(GROUP2, { [NH_A]: 1, [NH_C]: 7 })
  await leadsTo(GROUP2, `${VTEP.A} weight 1`, `${VTEP.C} weight 7`)
  await speaker.noNexthop(NH_C)
  await leadsTo(GROUP2, `${VTEP.A} weight 1`)
  await eventually('the only path left', () => arrivesAt('a', MAC.odd), (seen) => seen === `${VTEP.A} VNI 1000`)
  await speaker.nexthops({ [NH_A]: VTEP.D })
  await leadsTo(GROUP2, `${VTEP.D} weight 1`)
  await leadsTo(GROUP, `${VTEP.D} weight 1`, `${VTEP.B} weight 3`)
  await eventually('the member re-pointed', () => arrivesAt('a', MAC.odd), (seen) => seen === `${VTEP.D} VNI 1000`)
  await speaker.nexthops({ [NH_A]: VTEP.A, [NH_C]: VTEP.C })
  await leadsTo(GROUP2, `${VTEP.A} weight 1`)
})

await t.test('rule 9: a member that cannot be reached from the VNI is left out', async (t) => {
  await speaker.nexthopGroup(GROUP2, { [NH_C]: 1, [NH_D]: 1 })
  await leadsTo(GROUP2, `${VTEP.C} weight 1`, `${VTEP.D} weight 1`)
  // The kernel wants one family in a group, but lets a member be re-pointed. No VNI has an IPv6 address so far.
  await speaker.nexthops({ [NH_D]: VTEP.SIX })
  await eventually('the IPv6 VTEP to be left out', () => usedBy(1000, GROUP2), (seen) => seen === VTEP.C)
  t.match(await macReport(1000, MAC.odd), { state: 'ok', paths: [{ ip: VTEP.C }] })
  t.equal(await arrivesAt('a', MAC.odd), `${VTEP.C} VNI 1000`)
  await speaker.multihomed(2000, [MAC.odd], GROUP2)
  await c1.set('Open_vSwitch .', { 'ovn-evpn-local-ip': '2000-2001:db8:0:1::1' })
  await eventually('a VNI that has an IPv6 address to use both', () => usedBy(2000, GROUP2), (seen) => seen === `${VTEP.C} ${VTEP.SIX}`)
  t.equal(await usedBy(1000, GROUP2), VTEP.C, 'and the other not')
  await c1.unset('Open_vSwitch .', 'ovn-evpn-local-ip')
  await speaker.noMac(2000, MAC.odd)
  await speaker.nexthops({ [NH_D]: VTEP.D })
  await leadsTo(GROUP2, `${VTEP.C} weight 1`, `${VTEP.D} weight 1`)
})

await t.test('rule 9: with its last member or by itself the group goes, the kernel drops its rows untold, and so do we', async (t) => {
  await speaker.nexthopGroup(GROUP3, { [NH_C]: 1 })
  await speaker.multihomed(1000, [MAC.odd], GROUP3)
  await leadsTo(GROUP3, `${VTEP.C} weight 1`)
  await speaker.noNexthop(NH_C)
  await settled('the MAC gone with the last member', 4)
  t.equal(await paths(GROUP3), undefined, 'its group is gone')
  t.strictSame(await flowsTo(GROUP3), { macs: 0, uses: 0 })
  await speaker.nexthops({ [NH_C]: VTEP.C })
  await speaker.nexthopGroup(GROUP3, { [NH_C]: 1 })
  await speaker.multihomed(1000, [MAC.odd], GROUP3)
  await settled('the MAC back', 5)
  await speaker.noNexthop(GROUP3)
  await settled('the MAC gone with its group', 4)
  t.equal(await macReport(1000, MAC.odd), undefined)
  t.strictSame((await c1.fdb('vxlan-1000')).filter(({ mac, master }) => mac === MAC.odd && master === undefined), [], 'the kernel has no row either')
})

const MANY = Array.from({ length: 500 }, (_, i) => `02:bb:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`)

/** What happens, and what it costs: changed groups and flows as the daemon counts them, changed flows as the switch tells. */
async function cost(t: Test, act: () => Promise<void>, arrived: () => Promise<unknown>): Promise<{ groups: number, flows: number, told: readonly string[] }> {
  const monitor = await FlowMonitor.start(lab, 'c1')
  t.teardown(() => monitor.stop())
  const before = await coverage(daemon)
  await act()
  await arrived()
  await settled('everything sent', 1004)
  await monitor.probe()
  const after = await coverage(daemon)
  const difference = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0)
  return { groups: difference('group_mods'), flows: difference('flow_mods'), told: monitor.events }
}

async function flowsOf(...change: Parameters<typeof cost>): Promise<{ flows: number, told: readonly string[] }> {
  const { flows, told } = await cost(...change)
  return { flows, told: told.map((event) => event.replace(/ .*?(table=\d+).*/, ' $1')).sort() }
}

await t.test('rule 9: of 1,000 MACs in two VNIs behind one group a path fails, and comes back: one group message each, no flow message', async (t) => {
  await speaker.nexthopGroup(GROUP2, { [NH_A]: 1, [NH_B]: 1 })
  for (const vni of [1000, 2000]) await speaker.multihomed(vni, MANY, GROUP2)
  await settled('1,000 MACs behind the group', 1004)
  t.strictSame(await flowsTo(GROUP2), { macs: 1000, uses: 2 })
  const one = { groups: 1, flows: 0, told: [] }
  t.strictSame(await cost(t, () => speaker.nexthopGroup(GROUP2, { [NH_A]: 1 }), () => leadsTo(GROUP2, `${VTEP.A} weight 1`)), one, 'a path fails')
  t.equal(await arrivesAt('b', MANY[7] ?? ''), `${VTEP.A} VNI 2000`, 'the path that is left is taken')
  t.strictSame(await cost(t, () => speaker.nexthopGroup(GROUP2, { [NH_A]: 1, [NH_B]: 5 }), () => leadsTo(GROUP2, `${VTEP.A} weight 1`, `${VTEP.B} weight 5`)), one, 'and comes back')
  t.strictSame(await cost(t, () => speaker.nexthopGroup(GROUP2, { [NH_A]: 2, [NH_B]: 3 }), () => leadsTo(GROUP2, `${VTEP.A} weight 2`, `${VTEP.B} weight 3`)), one, 'other weights')
})

await t.test('rule 9: of these VNIs one loses a VTEP, and gets it back: one flow for each nexthop group, whatever the number of MACs; the other VNI keeps its', async (t) => {
  // Of MAC.far and of the many.
  const both = { flows: 2, told: ['event=MODIFIED table=219', 'event=MODIFIED table=219'] }
  const has = (line: string) => () => eventually(`VNI 2000 to use ${line}`, () => usedBy(2000, GROUP2), (seen) => seen === line)
  t.strictSame(await flowsOf(t, () => speaker.noVtep(2000, VTEP.B), has(VTEP.A)), both, 'it is left out')
  t.equal(await usedBy(1000, GROUP2), `${VTEP.A} ${VTEP.B}`)
  t.equal(await arrivesAt('b', MANY[7] ?? ''), `${VTEP.A} VNI 2000`)
  t.strictSame(await flowsOf(t, () => speaker.vtep(2000, VTEP.B), has(`${VTEP.A} ${VTEP.B}`)), both, 'and used again')
  await leadsTo(GROUP2, `${VTEP.A} weight 2`, `${VTEP.B} weight 3`)
})

await t.test('rule 9: a path comes and fails that one of these VNIs leaves out: two flows of that VNI, which group it uses and who is let in, whatever the number of MACs', async (t) => {
  const groups = async () => (await c1.ourFlows(`table=219,reg1=${GROUP2}`)).map((flow) => /group:(\d+)/.exec(flow)?.[1])
  t.same(await groups(), [inSwitch(GROUP2), inSwitch(GROUP2)].map(String), 'both have one group')
  const both = [`${VTEP.A} weight 2`, `${VTEP.B} weight 3`]
  // C is announced for flooding in VNI 1000 alone; VNI 2000 knows it by this group, so it takes what it sends.
  const comes = await flowsOf(t, () => speaker.nexthopGroup(GROUP2, { [NH_A]: 2, [NH_B]: 3, [NH_C]: 1 }), () => leadsTo(GROUP2, ...both, `${VTEP.C} weight 1`))
  t.strictSame(comes, { flows: 2, told: ['event=ADDED table=200', 'event=MODIFIED table=219'] }, 'it comes')
  t.strictSame([await usedBy(1000, GROUP2), await usedBy(2000, GROUP2)], [`${VTEP.A} ${VTEP.B} ${VTEP.C}`, `${VTEP.A} ${VTEP.B}`])
  const own = (await groups()).find((id) => id !== String(inSwitch(GROUP2)))
  const fails = await flowsOf(t, () => speaker.nexthopGroup(GROUP2, { [NH_A]: 2, [NH_B]: 3 }), () => leadsTo(GROUP2, ...both))
  t.strictSame(fails, { flows: 2, told: ['event=DELETED table=200', 'event=MODIFIED table=219'] }, 'it fails')
  t.same(await groups(), [inSwitch(GROUP2), inSwitch(GROUP2)].map(String), 'both have one group again')
  await eventually('the group of VNI 2000 to go', () => c1.groups(), (all) => own !== undefined && !all.some((group) => group.startsWith(`group_id=${own},`)))
})

await t.test('rule 9: a restart finds the groups and sends nothing', async (t) => {
  const [groups, flows] = [(await c1.groups()).sort(), (await c1.ourFlows()).sort()]
  await daemon.stop()
  daemon = await lab.startDaemon('c1')
  await settled('all MACs known again', 1004)
  const counters = await coverage(daemon)
  t.strictSame([counters['group_mods'] ?? 0, counters['flow_mods'] ?? 0], [0, 0], 'no message')
  t.strictSame((await c1.groups()).sort(), groups)
  t.strictSame((await c1.ourFlows()).sort(), flows)
})

await t.test('rule 9: 1,000 MACs go with their group', async () => {
  await speaker.noNexthop(GROUP2)
  await settled('the MACs gone', 4)
})
