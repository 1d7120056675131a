// Issue 2, point 4: what br-int does with a frame, seen from all sides. One chassis; on the underlay one host that has the
// addresses of many VTEPs and writes and reads VXLAN by hand; workloads that send and see single frames.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { BROADCAST, encodeFrame, encodeVxlan, ownEtherType } from './util/frame.js'
import { Speaker } from './util/speaker.js'
import { Wire } from './util/wire.js'

const LOCAL = '192.0.2.1'
const LOCAL6 = '2001:db8:0:1::1'
/** VTEPs of the fabric: A, B, SIX and C (UDP port 4790) announce VNI 1000, X announces VNI 2000, QUIET has a MAC only. */
const VTEP = { A: '192.0.2.11', B: '192.0.2.12', C: '192.0.2.13', QUIET: '192.0.2.14', X: '192.0.2.21', SIX: '2001:db8:0:1::11', STRANGER: '192.0.2.99' } as const
/** The same MAC and IP in both VNIs: only the VNI tells them apart. */
const SAME = { mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/16'] } as const
const MAC = { a: SAME.mac, b: '02:00:00:00:00:02', c: '02:00:00:00:00:03', x: SAME.mac, behindA: '02:aa:00:00:00:01', behindB: '02:aa:00:00:00:02',
  behindC: '02:aa:00:00:00:03', behindSix: '02:aa:00:00:00:06', behindQuiet: '02:aa:00:00:00:04', nobody: '02:ff:00:00:00:01' } as const

type WorkloadName = 'a' | 'b' | 'c' | 'x'

const workload = (name: string, vni: number, mac: string, addresses: readonly string[], evpnAddresses: string) =>
  ({ name, vtep: 'c1', vni, mac, addresses, externalIds: { 'dynamic-routing-vni': String(vni), 'evpn-addresses': evpnAddresses } })

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads: [
  workload('a', 1000, MAC.a, SAME.addresses, `${MAC.a} 10.0.0.1`),
  workload('b', 1000, MAC.b, ['10.0.0.2/16'], `${MAC.b} 10.0.0.2`),
  // A port that asks for unknown destinations: the VNI floods them.
  workload('c', 1000, MAC.c, ['10.0.0.3/16'], `${MAC.c}, unknown`),
  workload('x', 2000, MAC.x, SAME.addresses, `${MAC.x} 10.0.0.1`)
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
for (const vni of [1000, 2000]) await lab.addVniDevices('c1', vni)
const batch = (host: string, lines: readonly string[]): Promise<unknown> => lab.exec(host, ['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })
await batch('c1', [
  `addr add ${LOCAL6}/64 dev br-phy nodad`,
  `link add vx6-1000 type vxlan id 1000 local ${LOCAL6} dstport 61001 nolearning`,
  'link set vx6-1000 addrgenmode none', 'link set vx6-1000 master br-1000', 'link set vx6-1000 up'
])
await batch('l1', Object.values(VTEP).map((address) => `addr add ${address}/${address.includes(':') ? 64 : 24} dev eth0${address.includes(':') ? ' nodad' : ''}`))
await c1.set('Bridge br-int', { 'dynamic-routing-vxlan-ifname-1000': 'vxlan-1000,vx6-1000' })
await c1.set('Open_vSwitch .', { 'ovn-evpn-vxlan-ports': '4789,4790' })
await lab.startDaemon('c1')

await Promise.all([VTEP.A, VTEP.B].map((ip) => speaker.vtep(1000, ip)))
await speaker.vtep(1000, VTEP.C, 'vxlan-1000', 'port', '4790')
await speaker.vtep(1000, VTEP.SIX, 'vx6-1000')
await speaker.vtep(2000, VTEP.X)
await speaker.mac(1000, MAC.behindA, VTEP.A)
await speaker.mac(1000, MAC.behindB, VTEP.B)
await speaker.mac(1000, MAC.behindC, VTEP.C, 'vxlan-1000', 'port', '4790')
await speaker.mac(1000, MAC.behindQuiet, VTEP.QUIET)
await speaker.mac(1000, MAC.behindSix, VTEP.SIX, 'vx6-1000')
await speaker.mac(2000, MAC.behindA, VTEP.X)

const underlay = await Wire.open(lab, 'l1', [4789, 4790])
const wires = new Map(await Promise.all(['a', 'b', 'c', 'x'].map(async (name) => [name, await Wire.open(lab, name)] as const)))
const physicalMacs = await underlayMacs()
const reaches = (address: string): Promise<void> => waitFor(`the underlay from c1 to ${address}`, async () =>
  (await lab.exec('c1', ['ping', '-c', '1', '-W', '1', address], { allowFailure: true })).code === 0)
await Promise.all(Object.values(VTEP).map(reaches))
await waitFor('everything to be in the flows', async () => {
  const flows = await c1.ourFlows()
  return flows.filter((flow) => flow.includes('table=202, priority=300')).length === 6 && flows.filter((flow) => /tun_(ipv6_)?src/.test(flow)).length >= 6 || flows
})

/** Source and destination of frames from l1 to br-phy. */
async function underlayMacs(): Promise<readonly [string, string]> {
  const address = async (host: string, device: string): Promise<string> =>
    (JSON.parse((await lab.exec(host, ['ip', '-j', 'link', 'show', device])).stdout) as readonly { readonly address: string }[])[0]?.address ?? ''
  return [await address('l1', 'eth0'), await address('c1', 'br-phy')]
}

let serial = 0
/** A name no frame had before. */
function fresh(what: string): string {
  return `${what} ${++serial}`
}

interface Sent {
  readonly src: string
  readonly dst: string
}

/** Sends a frame from a workload. Returns its name. */
function fromWorkload(name: string, { src, dst }: Sent): string {
  const frame = fresh(`from ${name}`)
  wires.get(name)?.send({ src, dst, name: frame, etherType: ownEtherType(frame) })
  return frame
}

interface Arriving extends Sent {
  readonly from: string
  readonly to?: string
  readonly udpPort?: number
  readonly vni?: number
}

/** Sends a frame inside a VXLAN packet from a VTEP. Returns its name. */
function fromVtep({ from, to = from.includes(':') ? LOCAL6 : LOCAL, udpPort = 4789, vni = 1000, src, dst }: Arriving): string {
  const name = fresh(`from ${from}`)
  underlay.send(encodeVxlan({ from, to, udpPort, vni, inner: encodeFrame({ src, dst, name, etherType: ownEtherType(name) }) }, physicalMacs))
  return name
}

/** Who has seen the frame, and how often: workloads by name; packets on the underlay as `FROM > TO UDP VNI`. */
function seen(name: string): string[] {
  const packets = underlay.arrivals(name).map(({ vxlan }) => `${vxlan?.from} > ${vxlan?.to} UDP ${vxlan?.udpPort} VNI ${vxlan?.vni}`)
  const workloads = [...wires].flatMap(([workload, wire]) => wire.arrivals(name).map(() => workload))
  return [...workloads, ...packets].sort()
}

/**
 * What has been seen of a frame, once it has gone where it goes. First another frame takes the same way in: what the switch does
 * with the first is done when that one comes out. Then one more to every host: it arrives after what the switch sent there before.
 */
async function settled(name: string): Promise<string[]> {
  const sender = /^from (\S+)/.exec(name)?.[1] ?? ''
  const behind = wires.has(sender) ? fromWorkload(sender, { src: MAC[sender as WorkloadName], dst: BROADCAST })
    : fromVtep({ from: sender === VTEP.SIX ? VTEP.SIX : VTEP.A, src: MAC.behindA, dst: BROADCAST })
  await (wires.has(sender) ? underlay : wires.get('a'))?.waitFor(behind)
  const last = [fromVtep({ from: VTEP.A, src: MAC.behindA, dst: BROADCAST }), fromVtep({ from: VTEP.X, vni: 2000, src: MAC.behindA, dst: BROADCAST })] as const
  await Promise.all([...['a', 'b', 'c'].map((workload) => wires.get(workload)?.waitFor(last[0])), wires.get('x')?.waitFor(last[1])])
  await underlay.waitFor(fromWorkload('a', { src: MAC.a, dst: BROADCAST }), 4)
  return seen(name)
}

const TO = {
  A: `${LOCAL} > ${VTEP.A} UDP 4789 VNI 1000`, B: `${LOCAL} > ${VTEP.B} UDP 4789 VNI 1000`, C: `${LOCAL} > ${VTEP.C} UDP 4790 VNI 1000`,
  SIX: `${LOCAL6} > ${VTEP.SIX} UDP 4789 VNI 1000`, QUIET: `${LOCAL} > ${VTEP.QUIET} UDP 4789 VNI 1000`, X: `${LOCAL} > ${VTEP.X} UDP 4789 VNI 2000`
} as const
const ALL_OF_1000 = [TO.A, TO.B, TO.C, TO.SIX]

const outbound = [
  { rule: 'encap: a remote MAC is reached through its VTEP, in its VNI', from: 'a', dst: MAC.behindA, to: [TO.A] },
  { rule: 'encap: on the UDP port the VTEP\'s row names', from: 'a', dst: MAC.behindC, to: [TO.C] },
  { rule: 'encap: over IPv6 to an IPv6 VTEP', from: 'a', dst: MAC.behindSix, to: [TO.SIX] },
  { rule: 'encap: through a VTEP that is not announced for flooding', from: 'b', dst: MAC.behindQuiet, to: [TO.QUIET] },
  { rule: 'isolation: the same MAC in another VNI is behind another VTEP', from: 'x', dst: MAC.behindA, to: [TO.X] },
  { rule: 'isolation: a MAC of another VNI is unknown', from: 'x', dst: MAC.behindB, to: [] },
  { rule: 'local: a local MAC is reached directly', from: 'b', dst: MAC.a, to: ['a'] },
  { rule: 'local: the same MAC in another VNI is another port', from: 'x', dst: MAC.b, to: [] },
  { rule: 'broadcast reaches local ports except the sender and every VTEP announced for flooding, once', from: 'a', dst: BROADCAST, to: ['b', 'c', ...ALL_OF_1000] },
  { rule: 'multicast does, too', from: 'b', dst: '01:00:5e:00:00:05', to: ['a', 'c', ...ALL_OF_1000] },
  { rule: 'an unknown destination goes to VTEPs and ports that ask for unknown, in a VNI with one', from: 'a', dst: MAC.nobody, to: ['c', ...ALL_OF_1000] },
  { rule: 'an unknown destination is dropped in a VNI without one', from: 'x', dst: MAC.nobody, to: [] },
  { rule: 'isolation: broadcast stays in its VNI', from: 'x', dst: BROADCAST, to: [TO.X] },
  { rule: 'frames to 01:80:c2:00:00:00 (STP) are dropped', from: 'a', dst: '01:80:c2:00:00:00', to: [] },
  { rule: 'frames to 01:80:c2:00:00:0e (LLDP) are dropped', from: 'a', dst: '01:80:c2:00:00:0e', to: [] },
  { rule: 'frames to 01:80:c2:00:00:10, above the reserved ones, are multicast like any other', from: 'a', dst: '01:80:c2:00:00:10', to: ['b', 'c', ...ALL_OF_1000] },
  { rule: 'frames from a multicast source are dropped', from: 'a', src: '03:00:00:00:00:01', dst: MAC.b, to: [] },
  { rule: 'frames from the broadcast address are dropped', from: 'a', src: BROADCAST, dst: BROADCAST, to: [] }
] as const

for (const { rule, from, dst, to, ...more } of outbound) {
  await t.test(`from a workload: ${rule}`, async (t) => {
    const src = 'src' in more ? more.src : MAC[from]
    t.same(await settled(fromWorkload(from, { src, dst })), [...to].sort(), `who gets a frame ${src} > ${dst} from ${from}`)
  })
}

const inbound = [
  { rule: 'decap: a known VTEP reaches a local MAC', from: VTEP.A, dst: MAC.b, to: ['b'] },
  { rule: 'decap: over IPv6', from: VTEP.SIX, dst: MAC.b, to: ['b'] },
  { rule: 'decap: from a VTEP on the other UDP port', from: VTEP.C, udpPort: 4790, dst: MAC.b, to: ['b'] },
  { rule: 'decap: from a VTEP not announced for flooding', from: VTEP.QUIET, dst: MAC.b, to: ['b'] },
  { rule: 'decap: into the VNI the packet names, though both have the MAC', from: VTEP.X, vni: 2000, dst: SAME.mac, to: ['x'] },
  { rule: 'broadcast from a VTEP reaches all local ports and no VTEP', from: VTEP.A, dst: BROADCAST, to: ['a', 'b', 'c'] },
  { rule: 'split horizon: broadcast from an IPv6 VTEP reaches no VTEP', from: VTEP.SIX, dst: BROADCAST, to: ['a', 'b', 'c'] },
  { rule: 'split horizon: broadcast from the other UDP port reaches no VTEP on any port', from: VTEP.C, udpPort: 4790, dst: BROADCAST, to: ['a', 'b', 'c'] },
  { rule: 'split horizon: an unknown destination from a VTEP reaches local ports that ask for unknown only', from: VTEP.A, dst: MAC.nobody, to: ['c'] },
  { rule: 'split horizon: unicast from a VTEP to a MAC behind another is dropped', from: VTEP.A, dst: MAC.behindB, to: [] },
  { rule: 'split horizon: also to one on the other UDP port', from: VTEP.A, dst: MAC.behindC, to: [] },
  { rule: 'split horizon: also from there', from: VTEP.C, udpPort: 4790, dst: MAC.behindA, to: [] },
  { rule: 'split horizon: also to one with IPv6', from: VTEP.A, dst: MAC.behindSix, to: [] },
  { rule: 'split horizon: nor is a packet sent back', from: VTEP.A, dst: MAC.behindA, to: [] },
  { rule: 'a stranger that names our VNI is dropped', from: VTEP.STRANGER, dst: BROADCAST, to: [] },
  { rule: 'a known VTEP on a UDP port that is not its own is dropped', from: VTEP.A, udpPort: 4790, dst: BROADCAST, to: [] },
  { rule: 'a known VTEP of another VNI is dropped', from: VTEP.X, dst: BROADCAST, to: [] },
  { rule: 'a VNI nobody has here is dropped', from: VTEP.A, vni: 3000, dst: BROADCAST, to: [] },
  { rule: 'a multicast source is dropped', from: VTEP.A, src: '03:00:00:00:00:01', dst: BROADCAST, to: [] },
  { rule: '01:80:c2:00:00:02 is dropped', from: VTEP.A, dst: '01:80:c2:00:00:02', to: [] }
] as const

for (const { rule, to, ...packet } of inbound) {
  await t.test(`from a VTEP: ${rule}`, async (t) => {
    t.same(await settled(fromVtep({ src: MAC.behindA, ...packet })), [...to].sort(), `who gets a frame to ${packet.dst} from ${packet.from}`)
  })
}

/** Packets the one flow with these texts has seen. */
async function packetsOf(...texts: readonly string[]): Promise<number> {
  // What the datapath has counted reaches the flows when it forgets its own.
  await c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'revalidator/purge'])
  const flows = (await c1.ofctl('dump-flows', 'br-int')).split('\n').filter((line) => texts.every((text) => line.includes(text)))
  if (flows.length !== 1) throw new Error(`one flow with ${texts.join(' ')} expected, not ${flows.length}:\n${flows.join('\n')}`)
  return Number(/n_packets=(\d+)/.exec(flows[0] ?? '')?.[1])
}

/** Of packets of VNI 1000 dropped for a reason (docs/pipeline.md, DROP). */
const counter = (reason: number) => ['table=210', `reg6=0x${reason},metadata=0x3e8`]

const dropped = [
  { what: 'from a stranger', flow: counter(1), packet: { from: VTEP.STRANGER } },
  { what: 'from a VTEP of another VNI', flow: counter(1), packet: { from: VTEP.X } },
  { what: 'to an address that is not our own', flow: counter(2), packet: { from: VTEP.A, to: '192.0.2.201' } },
  { what: 'of a VNI nobody has here', flow: ['table=210', 'reg6=0x40,in_port="ovn-evpn-4789"'], packet: { from: VTEP.A, vni: 3000 } },
  { what: 'from a multicast source', flow: counter(5), packet: { from: VTEP.A, src: '03:00:00:00:00:01' } },
  { what: 'to a reserved group', flow: counter(6), packet: { from: VTEP.A, dst: '01:80:c2:00:00:03' } },
  { what: 'from one VTEP to another', flow: counter(3), packet: { from: VTEP.A, dst: MAC.behindB } }
] as const

await t.test('what is dropped is counted by the flow that names the reason', async (t) => {
  // A second address of this host that is nobody's tunnel end: its packets do reach the tunnel port.
  await batch('c1', ['addr add 192.0.2.201/24 dev br-phy'])
  await waitFor('192.0.2.201 to be an address of the switch', async () => {
    const routes = await c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'ovs/route/show'])
    return routes.includes('192.0.2.201/32') || routes
  })
  for (const { what, flow, packet } of dropped) {
    const before = await packetsOf(...flow)
    for (let i = 0; i < 3; i++) fromVtep({ src: MAC.behindA, dst: BROADCAST, ...packet })
    const name = fromVtep({ src: MAC.behindA, dst: BROADCAST, ...packet })
    t.same(await settled(name), [], `${what}: nobody sees it`)
    t.equal(await packetsOf(...flow) - before, 4, `${what}: four sent, four counted by ${flow.join(',')}`)
  }
})

await t.test('evpn-flood none: broadcast reaches no VTEP, unicast does', async (t) => {
  await c1.set('Bridge br-int', { 'evpn-flood-1000': 'none' })
  await waitFor('the flood groups without VTEPs', async () => (await c1.groups()).every((group) => !group.includes(VTEP.A)))
  const [broadcast, unicast] = [fromWorkload('a', { src: MAC.a, dst: BROADCAST }), fromWorkload('a', { src: MAC.a, dst: MAC.behindA })]
  await underlay.waitFor(unicast)
  t.same(seen(broadcast), ['b', 'c'])
  await c1.unset('Bridge br-int', 'evpn-flood-1000')
  await waitFor('the flood groups with VTEPs', async () => (await c1.groups()).some((group) => group.includes(VTEP.A)))
  t.same(await settled(fromWorkload('a', { src: MAC.a, dst: BROADCAST })), ['b', 'c', ...ALL_OF_1000].sort())
})

await t.test('a tagged frame is dropped: a VNI carries no 802.1Q tag', async (t) => {
  const name = fresh('tagged')
  const untagged = encodeFrame({ src: MAC.a, dst: BROADCAST, name })
  wires.get('a')?.send(Buffer.concat([untagged.subarray(0, 12), Buffer.from([0x81, 0, 0, 5]), untagged.subarray(12)]))
  t.same(await settled(name), [])
  t.equal(await packetsOf('table=202', 'priority=500', 'metadata=0x3e8', 'vlan_tci'), 1, 'counted')
})
