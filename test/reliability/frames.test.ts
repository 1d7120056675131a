// Frames from the underlay that no honest VTEP sends, each sent for real: none reaches a workload that must not have it, and each
// ends in the counter named for it.
import t from 'tap'
import type { DropReport } from '../../lib/daemon/report/report.js'
import { ipToBytes } from '../../lib/net/ip.js'
import { macToBytes } from '../../lib/net/mac.js'
import { Lab } from '../lab/lab.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { evpnctl } from '../system/util/evpnctl.js'
import { BROADCAST, encodeFrame, encodeVxlan, ownEtherType, type VxlanPacket } from '../system/util/frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Wire } from '../system/util/wire.js'
import { workload } from '../system/util/workload.js'

const VNI = 1000
/** What keeps a MAC of ours from coming out of a tunnel. */
const GUARDS = 'table=207,reg0=0x1/0x1'
const IP = { c1: '192.0.2.1', l1: '192.0.2.2', unknown: '192.0.2.99' } as const
const [VM1, VM2] = [workload('vm1', VNI, 1), workload('vm2', VNI, 2)]
const FAR = '02:00:00:00:00:99'

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [VNI], workloads: [VM1, VM2] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
const daemon = await lab.startDaemon('c1')
await speaker.vtep(VNI, IP.l1)
await speaker.mac(VNI, FAR, IP.l1)
await eventuallyHas('the remote MAC on the switch', () => c1.ourFlows('table=202'), FAR)
await eventuallyHas('the guard of the local MACs', () => c1.ourFlows('table=207'), VM1.mac)
await eventuallyHas('the guard of the local MACs', () => c1.ourFlows('table=207'), VM2.mac)

const underlay = await Wire.open(lab, 'l1')
const vm1 = await Wire.open(lab, 'vm1')
const vm2 = await Wire.open(lab, 'vm2')
const outer = [await macOf('l1', 'eth0'), await macOf('c1', 'br-phy')] as const

async function macOf(host: string, device: string): Promise<string> {
  const [link] = JSON.parse((await lab.exec(host, ['ip', '-j', 'link', 'show', device])).stdout) as readonly { readonly address: string }[]
  if (link === undefined) throw new Error(`${host} has no ${device}`)
  return link.address
}

interface Inner { readonly src?: string, readonly dst?: string, readonly name: string }

function inner({ src = FAR, dst = VM1.mac, name }: Inner): Buffer {
  return encodeFrame({ src, dst, name, etherType: ownEtherType(name) })
}

/** The VXLAN packet of l1 to c1 that an honest VTEP would send, but for what is changed. */
function vxlan(inner: Buffer, change: Partial<VxlanPacket> = {}): Buffer {
  return encodeVxlan({ from: IP.l1, to: IP.c1, udpPort: 4789, vni: VNI, inner, ...change }, outer)
}

/** An honest frame after what was sent: when it has come, so has everything before it. */
async function flushed(name: string): Promise<void> {
  underlay.send(vxlan(inner({ name })))
  await vm1.waitFor(name)
}

function drops(): Promise<readonly DropReport[]> {
  return c1.report<readonly DropReport[]>('drops')
}

async function counted(reason: string): Promise<number> {
  return (await drops()).filter((row) => row.reason === reason).reduce((sum, { packets }) => sum + packets, 0)
}

function tagged(frame: Buffer, vlan: number): Buffer {
  const tag = Buffer.from([0x81, 0x00, vlan >> 8, vlan & 255])
  return Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)])
}

/** Each sent three times, from l1; none may reach a workload. */
const DROPPED: readonly (readonly [what: string, reason: string, frame: (name: string) => Buffer])[] = [
  ['from an unknown VTEP', 'unknown VTEP', (name) => vxlan(inner({ name }), { from: IP.unknown })],
  ['of a VNI that is not here', 'wrong VNI', (name) => vxlan(inner({ name }), { vni: 1001 })],
  ['with a tag inside', 'inner VLAN', (name) => vxlan(tagged(inner({ name }), 10))],
  ['with a priority tag inside', 'inner VLAN', (name) => vxlan(tagged(inner({ name }), 0))],
  ['with a multicast source inside', 'multicast source', (name) => vxlan(inner({ name, src: '03:00:00:00:00:01' }))],
  ['with broadcast as its source', 'multicast source', (name) => vxlan(inner({ name, src: BROADCAST, dst: BROADCAST }))],
  ['to a bridge\'s own group address', 'reserved destination', (name) => vxlan(inner({ name, dst: '01:80:c2:00:00:00' }))],
  ['from the MAC of a workload here, to another', 'spoofed source', (name) => vxlan(inner({ name, src: VM2.mac }))],
  ['from the MAC of a workload here, to everybody', 'spoofed source', (name) => vxlan(inner({ name, src: VM2.mac, dst: BROADCAST }))],
  ['from the MAC of a workload here, to itself', 'spoofed source', (name) => vxlan(inner({ name, src: VM1.mac, dst: VM1.mac }))],
  ['to a MAC behind a VTEP', 'tunnel to tunnel', (name) => vxlan(inner({ name, dst: FAR, src: '02:00:00:00:00:98' }))],
  ['to a MAC that nobody has', 'unknown unicast', (name) => vxlan(inner({ name, dst: '02:00:00:00:00:77' }))]
]

for (const [i, [what, reason, frame]] of DROPPED.entries()) {
  await t.test(`a frame ${what} is counted as '${reason}', and reaches nobody`, async (t) => {
    const before = await counted(reason)
    const all = (await drops()).reduce((sum, { packets }) => sum + packets, 0)
    for (let n = 0; n < 3; n++) underlay.send(frame(`drop ${i}`))
    await flushed(`after ${i}`)
    await eventually(`three packets more as '${reason}'`, () => counted(reason), (now) => now === before + 3)
    t.equal((await drops()).reduce((sum, { packets }) => sum + packets, 0), all + 3, 'and none anywhere else')
    t.same([...vm1.arrivals(`drop ${i}`), ...vm2.arrivals(`drop ${i}`)], [], 'no workload has seen it')
    t.same(underlay.arrivals(`drop ${i}`), [], 'nothing comes back to the underlay')
  })
}

await t.test('a frame from a MAC of ours does not move it: traffic goes where it went, and nothing is withdrawn', async (t) => {
  const flows = (await c1.ourFlows('table=202')).sort()
  underlay.send(vxlan(inner({ name: 'thief', src: VM2.mac, dst: BROADCAST })))
  await flushed('after the thief')
  vm1.send({ src: VM1.mac, dst: VM2.mac, name: 'to the owner' })
  await vm2.waitFor('to the owner')
  t.same(underlay.arrivals('to the owner'), [], 'nothing goes to the thief')
  t.same((await c1.ourFlows('table=202')).sort(), flows, 'the flows are the same')
  t.ok((await c1.fdb('lo-1000')).some(({ mac, state }) => mac === VM2.mac && state === 'static'), 'it is still announced')
})

await t.test('while another chassis announces it, a MAC of ours may come out of a tunnel', async () => {
  await speaker.mac(VNI, VM2.mac, IP.l1)
  await eventually('the guard to go', async () => (await c1.ourFlows(GUARDS)).filter((flow) => flow.includes(VM2.mac)).length, (count) => count === 0)
  underlay.send(vxlan(inner({ name: 'moved', src: VM2.mac })))
  await vm1.waitFor('moved')
  await speaker.noMac(VNI, VM2.mac)
  await eventuallyHas('the guard again', () => c1.ourFlows(GUARDS), VM2.mac)
})

/** What is not taken out of a tunnel never gets to a flow. The userspace datapath counts it; the kernel's vxlan driver (6.1) does not. */
const MALFORMED: readonly (readonly [what: string, change: (packet: Buffer) => void])[] = [
  ['the VNI flag is not set', (packet) => packet.writeUInt8(0x00, 42)],
  ['a reserved flag is set', (packet) => packet.writeUInt8(0x88, 42)],
  ['the reserved 24 bits are set', (packet) => packet.writeUInt8(0xff, 44)],
  ['the reserved byte behind the VNI is set', (packet) => packet.writeUInt8(0x01, 49)]
]

for (const [i, [what, change]] of MALFORMED.entries()) {
  await t.test(`a VXLAN header in which ${what}: it is not taken out of the tunnel, and no workload has it`, async (t) => {
    const before = lab.plan.datapath === 'netdev' ? await popErrors() : undefined
    for (let n = 0; n < 3; n++) {
      const packet = vxlan(inner({ name: `malformed ${i}` }))
      change(packet)
      underlay.send(packet)
    }
    await flushed(`after malformed ${i}`)
    if (before !== undefined) await eventually('three errors of the tunnel more', popErrors, (now) => now >= before + 3)
    t.same([...vm1.arrivals(`malformed ${i}`), ...vm2.arrivals(`malformed ${i}`)], [])
  })
}

/** Packets that the userspace datapath could not take out of a tunnel. */
async function popErrors(): Promise<number> {
  return Number((await c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'coverage/read-counter', 'datapath_drop_tunnel_pop_error'])).trim())
}

function ipv4Checksum(header: Buffer): void {
  header.writeUInt16BE(0, 10)
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += header.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  header.writeUInt16BE(~sum & 0xffff, 10)
}

/** An Ethernet frame with an IPv4 packet, as its fragments. */
function fragments(packet: Buffer, size: number): Buffer[] {
  const [ethernet, header, payload] = [packet.subarray(0, 14), packet.subarray(14, 34), packet.subarray(34)]
  const parts: Buffer[] = []
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size)
    const own = Buffer.from(header)
    own.writeUInt16BE(20 + part.length, 2)
    own.writeUInt16BE(0x1234, 4)
    own.writeUInt16BE((at + size < payload.length ? 0x2000 : 0) | (at >> 3), 6)
    ipv4Checksum(own)
    parts.push(Buffer.concat([ethernet, own, part]))
  }
  return parts
}

/** What the chassis' IP stack counts of fragments, and of UDP that nobody takes (/proc/net/snmp). */
async function stack(): Promise<Readonly<Record<'ReasmReqds' | 'ReasmOKs' | 'ReasmFails' | 'NoPorts', number>>> {
  const rows = (await c1.run(['cat', '/proc/net/snmp'])).split('\n').map((line) => line.split(' '))
  const number = (protocol: string, name: string): number => {
    const [names = [], values = []] = rows.filter(([first]) => first === `${protocol}:`)
    return Number(values[names.indexOf(name)])
  }
  return { ReasmReqds: number('Ip', 'ReasmReqds'), ReasmOKs: number('Ip', 'ReasmOKs'), ReasmFails: number('Ip', 'ReasmFails'), NoPorts: number('Udp', 'NoPorts') }
}

await t.test('fragments of a VXLAN packet: never half a frame; whole where the kernel puts them together; counted by the IP stack', async (t) => {
  const before = await stack()
  const parts = fragments(vxlan(inner({ name: 'in fragments' })), 40)
  for (const part of parts) underlay.send(part)
  const now = await eventually('the fragments, put together, in the counters of IP', stack, ({ ReasmOKs }) => ReasmOKs > before.ReasmOKs)
  t.ok(now.ReasmReqds >= before.ReasmReqds + parts.length, `IpReasmReqds: ${parts.length} fragments more`)
  // The kernel's datapath takes the whole packet by its vxlan driver; in userspace nobody listens there.
  if (lab.plan.datapath === 'netdev') await eventually('the whole packet as one of UDP that nobody takes', stack, ({ NoPorts }) => NoPorts > before.NoPorts)
  await flushed('after the fragments')
  if (lab.plan.datapath === 'netdev') t.same(vm1.arrivals('in fragments'), [], 'the userspace datapath takes no fragments out of a tunnel')
  else await vm1.waitFor('in fragments')
  const first = fragments(vxlan(inner({ name: 'first fragment' })), 40)[0]
  if (first === undefined) throw new Error('no fragment')
  await c1.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ipfrag_time'])
  for (let n = 0; n < 100; n++) underlay.send(first)
  await flushed('after the first fragments')
  t.same([...vm1.arrivals('first fragment'), ...vm2.arrivals('first fragment')], [], 'a first fragment alone is nothing')
  await eventually('a packet that never became whole in the counters of IP', stack, ({ ReasmFails }) => ReasmFails > before.ReasmFails)
})

await t.test('a fragment of IPv4 inside is a frame like any other', async (t) => {
  const ip = Buffer.alloc(60)
  ip.writeUInt8(0x45, 0)
  ip.writeUInt8(64, 8)
  ip.writeUInt8(17, 9)
  ipToBytes('10.0.0.99').copy(ip, 12)
  ipToBytes('10.0.0.1').copy(ip, 16)
  const whole = Buffer.concat([macToBytes(VM1.mac), macToBytes(FAR), Buffer.from([0x08, 0x00]), ip])
  const isFragment = (bytes: Buffer) => bytes.subarray(6, 12).equals(macToBytes(FAR)) && bytes.readUInt16BE(12) === 0x0800
  for (const part of fragments(whole, 16)) underlay.send(vxlan(part))
  await flushed('after the inner fragments')
  const arrived = await vm1.waitForCapture('three fragments', isFragment, 3)
  t.strictSame(arrived.map(({ bytes }) => bytes), fragments(whole, 16), 'all fragments arrive as they were sent')
})

await t.test('`ovs-evpnctl drops` shows them all', async (t) => {
  const { stdout } = await evpnctl(lab, 'c1', ['drops'])
  for (const reason of new Set(DROPPED.map(([, reason]) => reason))) t.match(stdout, reason)
})

await t.test('through all of this the daemon has nothing to complain of', (t) => {
  t.notMatch(daemon.log(), /\|(ERR|EMER)\|/)
  t.end()
})
