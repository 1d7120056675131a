// Issue 2, "floods in parts", for IPv4 and IPv6 VTEPs: how many copies one translation of Open vSwitch carries, and
// that every broadcast arrives whole on both sides of the number where a part splits.
import t from 'tap'
import { readFileSync } from 'node:fs'
import { PART_CAPACITY } from '../../lib/evpn/flood.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { memory } from './util/daemon-numbers.js'
import { BROADCAST } from './util/frame.js'
import { knowNextHop } from './util/next-hop.js'
import { Wire } from './util/wire.js'

const VNI = 1000
const GATEWAY = { 4: '192.0.2.254', 6: '2001:db8:0:1::fe' } as const
const SENDER = '02:00:00:00:00:01'

const externalIds = { 'dynamic-routing-vni': String(VNI), 'evpn-addresses': SENDER }
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI], workloads: [
  { name: 'sender', vtep: 'c1', vni: VNI, mac: SENDER, addresses: [], externalIds }
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
await c1.run(['ip', '-batch', '-'], { input: [
  'addr add 2001:db8:0:1::1/64 dev br-phy nodad',
  // All VTEPs are behind one gateway, of which the switch knows the MAC.
  `route add 10.0.0.0/8 via ${GATEWAY[4]} dev br-phy`,
  `route add 2001:db8:ff::/48 via ${GATEWAY[6]} dev br-phy`,
  'link add vx6-1000 type vxlan id 1000 local 2001:db8:0:1::1 dstport 61001 nolearning',
  'link set vx6-1000 addrgenmode none', 'link set vx6-1000 master br-1000', 'link set vx6-1000 up'
].join('\n') })
await c1.set('Bridge br-int', { 'dynamic-routing-vxlan-ifname-1000': 'vxlan-1000,vx6-1000' })
const vswitchd = await pidOfSwitch()
const daemon = await lab.startDaemon('c1')
const [sender, underlay] = await Promise.all([Wire.open(lab, 'sender'), Wire.open(lab, 'underlay', [4789], 'c1')])
for (const network of ['10.0.0.0/8', '2001:db8:ff::/48']) {
  await waitFor(`the switch to know the route to ${network}`, async () => (await appctl('ovs/route/show')).includes(network))
}

function appctl(...command: readonly string[]): Promise<string> {
  return c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', ...command])
}

async function pidOfSwitch(): Promise<string> {
  return await c1.run(['cat', `${lab.host('c1').dir}/ovs-vswitchd.pid`])
}

const address = { 4: (i: number) => `10.1.${i >> 8}.${i & 255}`, 6: (i: number) => `2001:db8:ff::${(i + 1).toString(16)}` } as const
const device = { 4: 'vxlan-1000', 6: 'vx6-1000' } as const
const there = { 4: 0, 6: 0 }

function announced(family: 4 | 6, count: number): string[] {
  return Array.from({ length: count }, (_, i) => address[family](i))
}

/** Announces or withdraws VTEPs until there are so many, and waits until all that is in the switch. */
async function vteps(family: 4 | 6, count: number): Promise<void> {
  const [op, from, to] = count > there[family] ? ['append', there[family], count] as const : ['del', count, there[family]] as const
  const lines = Array.from({ length: to - from }, (_, i) => `fdb ${op} 00:00:00:00:00:00 dev ${device[family]} dst ${address[family](from + i)} self`)
  await c1.run(['bridge', '-batch', '-'], { input: lines.join('\n') + '\n' })
  there[family] = count
  await waitFor(`${count} IPv${family} VTEPs in the switch`, async () => {
    const now = await memory(daemon)
    return (now['vteps'] === there[4] + there[6] && now['flows_desired'] === now['flows_realized'] && now['groups_desired'] === now['groups_realized']) || now
  }, 20_000)
}

let serial = 0

/** Sends a broadcast from the workload and waits until so many copies of it are on the underlay. Returns its name. */
async function broadcast(expected: number): Promise<string> {
  // The switch forgets a neighbour that it was told of after a while.
  for (const family of [4, 6] as const) await knowNextHop(lab, 'c1', GATEWAY[family])
  const name = `flood ${++serial}`
  sender.send({ src: SENDER, dst: BROADCAST, name })
  await underlay.waitFor(name, expected)
  return name
}

/** The VTEPs a frame has left for, a copy each. */
function destinations(name: string): string[] {
  return underlay.arrivals(name).map(({ vxlan }) => vxlan?.to ?? 'nobody').sort()
}

/** Members of a group that is too large for one translation of either datapath, and not for one message (64 kB). */
const TOO_MANY = { 4: 1100, 6: 900 } as const

/** The most copies that such a group would carry in a single translation. */
async function capacity(family: 4 | 6): Promise<number> {
  const bits = family === 4 ? '0x12b50000' : '0x12b50002'
  const buckets = Array.from({ length: TOO_MANY[family] }, (_, i) =>
    `bucket=bucket_id:${i + 1},actions=set_field:${address[family](i)}->${family === 4 ? 'tun_dst' : 'tun_ipv6_dst'},set_field:${bits}/0xffff000a->reg0,resubmit(,205)`)
  await c1.run(['ovs-ofctl', '-O', 'OpenFlow15', 'add-groups', 'br-int', '-'], { input: `group_id=5,type=all,${buckets.join(',')}\n` })
  await c1.ofctl('add-flow', 'br-int', `priority=65000,in_port=sender,actions=set_field:${VNI}->metadata,group:5`)
  // When the second is there, nothing more of the first will come.
  const [first] = [await broadcast(600), await broadcast(600)]
  await c1.ofctl('del-groups', 'br-int', 'group_id=5')
  return destinations(first).length
}

await t.test('our parts are smaller than what one translation of Open vSwitch carries', async (t) => {
  await waitFor('the flows of both families', async () => (await c1.ourFlows('table=205')).length === 5)
  for (const [family, kind] of [[4, 'v4'], [6, 'v6']] as const) {
    const measured = await capacity(family)
    t.comment(`one translation carries ${measured} copies over IPv${family}; a part holds ${PART_CAPACITY[kind]}`)
    t.ok(measured < TOO_MANY[family], 'the limit was reached')
    t.ok(PART_CAPACITY[kind] < 0.8 * measured, `a part of ${PART_CAPACITY[kind]} leaves a fifth of ${measured} free`)
  }
})

const { v6: FULL } = PART_CAPACITY

for (const [v4, v6] of [[0, 1], [0, FULL], [0, FULL + 1], [0, 1300], [0, FULL], [30, FULL], [700, FULL + 1], [700, 0], [5000, 0]] as const) {
  await t.test(`a broadcast to ${v4} IPv4 and ${v6} IPv6 VTEPs arrives whole: each gets exactly one copy`, async (t) => {
    await vteps(4, v4)
    await vteps(6, v6)
    const flood = (await c1.report<readonly { readonly reached: number, readonly parts: number }[]>('flood', VNI))[0]
    const [first] = [await broadcast(v4 + v6), await broadcast(v4 + v6)]
    t.same(destinations(first), [...announced(4, v4), ...announced(6, v6)].sort(), `in ${flood?.parts} parts`)
    t.equal(flood?.reached, v4 + v6, 'ovs-evpnctl flood says so')
  })
}

/** Group messages that ovs-vswitchd has received while something happened, as it logs them. */
async function groupMessages(happens: () => Promise<void>): Promise<string[]> {
  const path = `${lab.host('c1').dir}/ovs-vswitchd.log`
  const start = readFileSync(path).length
  await appctl('vlog/set', 'vconn:file:dbg')
  await happens()
  await appctl('vlog/set', 'vconn:file:info')
  const log = readFileSync(path).subarray(start).toString()
  return [...log.matchAll(/OFPT_GROUP_MOD \(OF1\.5\).*:\s+([A-Z_]+ .*)$/gm)].map(([, message = '']) => message)
}

await t.test('one of 5,001 VTEPs that joins or leaves costs one message about one bucket', async (t) => {
  const joined = await groupMessages(() => vteps(4, 5001))
  t.match(joined, [new RegExp(`^INSERT_BUCKET .*bucket=bucket_id:\\d+,actions=set_field:${address[4](5000)}->tun_dst,`)], 'one joins')
  const left = await groupMessages(() => vteps(4, 5000))
  t.match(left, [/^REMOVE_BUCKET command_bucket_id:\d+,group_id=\d+/], 'one leaves')
  for (const message of [...joined, ...left]) t.equal(message.split('bucket=').length - 1, message.startsWith('INSERT') ? 1 : 0, message)
})

await t.test('ovs-vswitchd lives through all that', async (t) => {
  t.equal(await pidOfSwitch(), vswitchd)
  t.match(await c1.ofctl('dump-groups', 'br-int'), /group_id/)
})
