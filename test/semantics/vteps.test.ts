// Issue 4, rules 1 to 4: what a VTEP is, how it is reached, who gets broadcast, and that nothing circles between tunnels.
import t from 'tap'
import type { VtepReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { memory } from '../system/util/daemon-numbers.js'
import { eventually, eventuallyHas, eventuallyLacks } from '../system/util/eventually.js'
import { evpnctl } from '../system/util/evpnctl.js'
import { BROADCAST } from '../system/util/frame.js'
import { workload } from '../system/util/workload.js'
import { Fabric, LOCAL, LOCAL6 } from './util/fabric.js'

const BRIDGE = 'Bridge br-int'
const SYSTEM = 'Open_vSwitch .'
const [VNI, OTHER_VNI] = [1000, 2000]
/** A second address of this host, for tunnels of the other VNI. */
const LOCAL_OF_OTHER = '192.0.2.201'
/** A and B over IPv4, SIX over IPv6. QUIET has MACs, and is not announced for flooding. */
const [A, B, QUIET, SIX] = ['192.0.2.11', '192.0.2.12', '192.0.2.14', '2001:db8:0:1::11'] as const
const MAC = { a: '02:00:00:00:00:01', b: '02:00:00:00:00:02', behindA: '02:aa:00:00:00:01', behindB: '02:aa:00:00:00:02', behindA4790: '02:aa:00:00:00:03',
  behindQuiet: '02:aa:00:00:00:04', behindSix: '02:aa:00:00:00:06', nobody: '02:ff:00:00:00:01' } as const

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads: [
  workload('a', VNI, 1), workload('c', OTHER_VNI, 3), { ...workload('b', VNI, 2), externalIds: { 'dynamic-routing-vni': String(VNI), 'evpn-addresses': `${MAC.b}, unknown` } }
] })
t.teardown(() => lab.down())
for (const vni of [VNI, OTHER_VNI]) await lab.addVniDevices('c1', vni)
const fabric = await Fabric.open(lab, [A, B, QUIET, SIX], ['a', 'b', 'c'], [4789, 4790])
const { c1, speaker } = fabric
await fabric.ip(`link add vx6-${VNI} type vxlan id ${VNI} local ${LOCAL6} dstport 61001 nolearning`, `link set vx6-${VNI} addrgenmode none`,
  `link set vx6-${VNI} master br-${VNI}`, `link set vx6-${VNI} up`)
await c1.set(BRIDGE, { [`dynamic-routing-vxlan-ifname-${VNI}`]: `vxlan-${VNI},vx6-${VNI}` })
await c1.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4789,4790' })
const daemon = await lab.startDaemon('c1')

await speaker.vtep(VNI, A)
await speaker.vtep(VNI, A, `vxlan-${VNI}`, 'port', '4790')
await speaker.vtep(VNI, B)
await speaker.vtep(VNI, SIX, `vx6-${VNI}`)
await speaker.mac(VNI, MAC.behindA, A)
await speaker.mac(VNI, MAC.behindA4790, A, `vxlan-${VNI}`, 'port', '4790')
await speaker.mac(VNI, MAC.behindB, B)
await speaker.mac(VNI, MAC.behindQuiet, QUIET)
await speaker.mac(VNI, MAC.behindSix, SIX, `vx6-${VNI}`)
await fabric.hasFlows(...Object.entries(MAC).filter(([name]) => name.startsWith('behind')).map(([, mac]) => `dl_dst=${mac} `), `tun_src=${QUIET}`, `tun_ipv6_src=${SIX}`)
await fabric.reach([A, B, QUIET, SIX])
await eventually('four VTEPs in the flood', async () => (await c1.groups()).join(), (groups) => [A, B, SIX].every((ip) => groups.includes(ip)))

const to = (ip: string, udpPort = 4789, vni: number = VNI) => `${ip.includes(':') ? LOCAL6 : LOCAL} > ${ip} UDP ${udpPort} VNI ${vni}`
const FLOOD = [to(A), to(A, 4790), to(B), to(SIX)]
const PROBES = { inward: { from: A, vni: VNI, src: MAC.behindA, dst: BROADCAST }, reaches: ['a', 'b'], outward: 'a' } as const

/** Who gets a frame from workload a, while A is let in by this UDP port. */
const fromA = (dst: string, udpPort = 4789) => fabric.settled(fabric.fromWorkload('a', { src: MAC.a, dst }), { ...PROBES, inward: { ...PROBES.inward, udpPort } })
const fromVtep = (from: string, dst: string, udpPort = 4789) => fabric.settled(fabric.fromVtep({ from, vni: VNI, udpPort, src: MAC.behindA, dst }), PROBES)
const inTheSwitch = () => eventually('the switch to have it all', () => memory(daemon), (seen) =>
  seen['flows_desired'] === seen['flows_realized'] && seen['groups_desired'] === seen['groups_realized'])
const vteps = async () => (await c1.report<VtepReport[]>('vteps', VNI)).map(({ ip, port, flood, state, reason }) =>
  `${ip} ${port}${flood ? ' flood' : ''} ${state}${reason === undefined ? '' : `: ${reason}`}`)

await t.test('rule 1: VTEP identity is (IP, UDP port, VNI): one address on two UDP ports is two VTEPs, each with its own flows', async (t) => {
  t.same(await vteps(), [`${A} 4789 flood ok`, `${A} 4790 flood ok`, `${B} 4789 flood ok`, `${QUIET} 4789 ok`, `${SIX} 4789 flood ok`])
  t.same(await fromA(MAC.behindA), [to(A)], 'a MAC behind the first')
  t.same(await fromA(MAC.behindA4790), [to(A, 4790)], 'a MAC behind the second')
  t.same(await fromVtep(A, MAC.a, 4790), ['a'], 'each is let in by its own tunnel port')
  await speaker.noVtep(VNI, A, `vxlan-${VNI}`, 'port', '4790')
  await speaker.noMac(VNI, MAC.behindA4790)
  await eventuallyLacks('the second to be gone', vteps, `${A} 4790`)
  await eventually('its tunnel port to let nobody in', () => c1.ourFlows('table=200'), (flows) => !flows.some((flow) => flow.includes(`tun_src=${A}`) && flow.includes('4790')))
  t.same(await fromA(MAC.behindA), [to(A)], 'the first stays as it is')
  t.same(await fromVtep(A, MAC.a, 4790), [], 'what comes by the second one\'s port is a stranger\'s')
  await speaker.vtep(VNI, A, `vxlan-${VNI}`, 'port', '4790')
  await speaker.mac(VNI, MAC.behindA4790, A, `vxlan-${VNI}`, 'port', '4790')
  await fabric.hasFlows(`dl_dst=${MAC.behindA4790} `)
})

await t.test('rule 1: UDP port = the entry\'s own, else evpn-vxlan-port of the VNI, else the first of ovn-evpn-vxlan-ports; never the kernel device\'s', async (t) => {
  const device = JSON.parse(await c1.run(['ip', '-j', '-d', 'link', 'show', `vxlan-${VNI}`])) as readonly { readonly linkinfo: { readonly info_data: { readonly port: number } } }[]
  t.not(device[0]?.linkinfo.info_data.port, 4789, 'the kernel device has another port')
  t.ok((await vteps()).includes(`${B} 4789 flood ok`), 'the first of ovn-evpn-vxlan-ports')
  t.same(await fromA(MAC.behindB), [to(B)], 'the first of ovn-evpn-vxlan-ports, on the wire')
  await c1.set(BRIDGE, { [`evpn-vxlan-port-${VNI}`]: '4790' })
  await eventuallyHas('evpn-vxlan-port of the VNI', vteps, `${B} 4790 flood ok`)
  await inTheSwitch()
  t.same(await fromA(MAC.behindB, 4790), [to(B, 4790)], 'evpn-vxlan-port of the VNI wins over that, on the wire')
  await c1.set(BRIDGE, { [`evpn-vxlan-port-${VNI}`]: '4789' })
  await eventuallyHas('evpn-vxlan-port of the VNI, the other one', vteps, `${B} 4789 flood ok`)
  await inTheSwitch()
  t.ok((await vteps()).includes(`${A} 4790 flood ok`), 'the entry\'s own port wins over evpn-vxlan-port')
  t.same(await fromA(MAC.behindA4790), [to(A, 4790)], 'on the wire, too')
  t.same(await fromA(MAC.behindA), [to(A)], 'an entry for the same address without one has evpn-vxlan-port')
  await c1.unset(BRIDGE, `evpn-vxlan-port-${VNI}`)
  await c1.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4790,4789' })
  await eventuallyHas('the first of the list', vteps, `${B} 4790 flood ok`)
  await c1.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4789,4790' })
  await eventuallyHas('as before', vteps, `${B} 4789 flood ok`)
  await inTheSwitch()
})

await t.test('rule 2: IPv4 and IPv6 underlay in one VNI, a vxlan device for each', async (t) => {
  t.same(await fromA(MAC.behindSix), [to(SIX)])
  t.same(await fromA(MAC.behindB), [to(B)])
  t.same(await fromVtep(SIX, MAC.a), ['a'])
  t.same(await fromA(BROADCAST), ['b', ...FLOOD].sort())
})

await t.test('rule 2: per-VNI source addresses: two VNIs with two IPv4 addresses, on the wire out and in', async (t) => {
  await fabric.ip(`addr add ${LOCAL_OF_OTHER}/24 dev br-phy`)
  await eventually(`the switch to know its address ${LOCAL_OF_OTHER}`, () => c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'ovs/route/show']), (routes) => routes.includes(`${LOCAL_OF_OTHER}/32`))
  await c1.set(SYSTEM, { 'ovn-evpn-local-ip': `${OTHER_VNI}-${LOCAL_OF_OTHER}` })
  await speaker.vtep(OTHER_VNI, A)
  await speaker.mac(OTHER_VNI, MAC.behindA, A)
  await fabric.hasFlows(`metadata=0x7d0,dl_dst=${MAC.behindA} `, `set_field:0x7d0->tun_id,set_field:${LOCAL_OF_OTHER}->tun_src`)
  const probes = { inward: { from: A, to: LOCAL_OF_OTHER, vni: OTHER_VNI, src: MAC.behindA, dst: BROADCAST }, reaches: ['c'], outward: 'c' } as const
  t.same(await fabric.settled(fabric.fromWorkload('c', { src: '02:00:00:00:00:03', dst: MAC.behindA }), probes), [`${LOCAL_OF_OTHER} > ${A} UDP 4789 VNI ${OTHER_VNI}`])
  t.same(await fromA(MAC.behindA), [to(A)], `VNI ${VNI} has the other`)
  t.same(await fabric.settled(fabric.fromVtep({ ...probes.inward, dst: '02:00:00:00:00:03' }), probes), ['c'], 'what comes to its own address comes in')
  t.same(await fabric.settled(fabric.fromVtep({ ...probes.inward, to: LOCAL, dst: '02:00:00:00:00:03' }), probes), [], 'what comes to the address of the other VNI does not')
  t.same(await fabric.settled(fabric.fromVtep({ from: A, to: LOCAL_OF_OTHER, vni: VNI, src: MAC.behindA, dst: MAC.a }), PROBES), [], 'nor the other way round')
  await speaker.noMac(OTHER_VNI, MAC.behindA)
  await speaker.noVtep(OTHER_VNI, A)
  await c1.unset(SYSTEM, 'ovn-evpn-local-ip')
  await eventuallyLacks('the second address to be gone', () => c1.ourFlows(), LOCAL_OF_OTHER)
})

await t.test('rule 2: no source address of the remote\'s family: that VTEP is unusable with the reason, the rest works', async (t) => {
  await c1.set(BRIDGE, { [`dynamic-routing-vxlan-ifname-${VNI}`]: `vxlan-${VNI},gone` })
  await fabric.ip(`link set vx6-${VNI} down`, `link del vx6-${VNI}`, `link add vx6-${VNI} type vxlan id ${VNI} dstport 61001 nolearning remote ${SIX}`,
    `link set vx6-${VNI} addrgenmode none`, `link set vx6-${VNI} master br-${VNI}`, `link set vx6-${VNI} up`)
  await c1.set(BRIDGE, { [`dynamic-routing-vxlan-ifname-${VNI}`]: `vxlan-${VNI},vx6-${VNI}` })
  await speaker.mac(VNI, MAC.behindSix, SIX, `vx6-${VNI}`)
  await eventuallyHas('the IPv6 VTEP to be unusable', vteps, `${SIX} 4789`, `unusable: no local IPv6 address for VNI ${VNI}`)
  t.match((await evpnctl(lab, 'c1', ['vteps'])).stdout, /unusable: no local IPv6 address/, 'ovs-evpnctl vteps says so')
  t.same(await fromA(MAC.behindB), [to(B)], 'IPv4 works')
  t.same(await fromA(BROADCAST), ['b', ...FLOOD.filter((one) => !one.includes(SIX))].sort())
  await c1.set(SYSTEM, { 'ovn-evpn-local-ip': `${VNI}-${LOCAL6}` })
  await eventuallyHas('a source address for the VNI makes it usable', vteps, `${SIX} 4789`, ' ok')
  await fabric.hasFlows(`tun_ipv6_src=${SIX}`, `${LOCAL6}->tun_ipv6_src`)
  t.same(await fromA(MAC.behindSix), [to(SIX)])
})

await t.test('rule 3: a VTEP known only from unicast MACs gets decap and encap, not BUM', async (t) => {
  t.same(await fromA(MAC.behindQuiet), [to(QUIET)])
  t.same(await fromVtep(QUIET, MAC.a), ['a'])
  t.notOk((await fromA(BROADCAST)).includes(to(QUIET)))
})

await t.test('rule 3: a multicast group in a zero-MAC entry is reported, not treated as a VTEP', async (t) => {
  const group = '239.1.1.1'
  await speaker.vtep(VNI, group, `vxlan-${VNI}`, 'via', 'br-phy')
  await eventuallyHas('the group to be reported', () => c1.problems(), `VNI ${VNI}`, `multicast group ${group}`)
  t.match(daemon.log(), /multicast group 239\.1\.1\.1/, 'and logged')
  t.notOk((await vteps()).some((line) => line.includes(group)), 'it is no VTEP')
  t.notOk((await c1.groups()).join().includes(group), 'nothing is flooded to it')
  await speaker.noVtep(VNI, group, `vxlan-${VNI}`, 'via', 'br-phy')
  await eventuallyLacks('nothing to report any more', () => c1.problems(), group)
})

await t.test('rule 3: evpn-flood=none: broadcast reaches no VTEP, unicast does', async (t) => {
  await c1.set(BRIDGE, { [`evpn-flood-${VNI}`]: 'none' })
  await eventually('the flood without VTEPs', async () => (await c1.groups()).join(), (groups) => !groups.includes('tun_dst'))
  const [broadcast, unicast] = [fabric.fromWorkload('a', { src: MAC.a, dst: BROADCAST }), fabric.fromWorkload('a', { src: MAC.a, dst: MAC.behindA })]
  await eventually('the unicast frame to arrive', () => fabric.seen(unicast), (seen) => seen.join() === to(A))
  t.same(fabric.seen(broadcast), ['b'])
  await c1.unset(BRIDGE, `evpn-flood-${VNI}`)
  await eventually('the flood with VTEPs', async () => (await c1.groups()).join(), (groups) => groups.includes(A))
})

for (const [from, udpPort] of [[A, 4789], [A, 4790], [SIX, 4789]] as const) {
  await t.test(`rule 4: split horizon across UDP ports and address families: from ${from} port ${udpPort}, BUM and unknown unicast reach workloads only`, async (t) => {
    t.same(await fromVtep(from, BROADCAST, udpPort), ['a', 'b'], 'broadcast')
    t.same(await fromVtep(from, '01:00:5e:00:00:05', udpPort), ['a', 'b'], 'multicast')
    t.same(await fromVtep(from, MAC.nobody, udpPort), ['b'], 'unknown unicast: to the port that is learned from')
  })
}

await t.test('rule 4: unicast from tunnel to tunnel is dropped and counted', async (t) => {
  const before = await fabric.drops(VNI)
  const ways = [[A, MAC.behindB, 4789], [A, MAC.behindSix, 4789], [A, MAC.behindA, 4790], [SIX, MAC.behindA4790, 4789], [A, MAC.behindA, 4789]] as const
  for (const [from, dst, udpPort] of ways) t.same(await fromVtep(from, dst, udpPort), [], `${from} port ${udpPort} to ${dst}`)
  await fabric.counted(VNI, 'tunnel to tunnel', before, ways.length)
})
