// Issue 2, "no group above 60,000 bytes, floods in parts": 5,000 VTEPs in one VNI, and every copy of a broadcast arrives.
import t from 'tap'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Lab } from '../lab/lab.js'
import { OpenFlowClient, type GroupDesc, groupDescSize } from '../../lib/openflow/index.js'
import { Chassis } from './util/chassis.js'
import { coverage, memory } from './util/daemon-numbers.js'
import { eventually } from './util/eventually.js'
import { BROADCAST, encodeFrame } from './util/frame.js'
import { knowNextHop } from './util/next-hop.js'
import { Speaker } from './util/speaker.js'
import { Wire } from './util/wire.js'

const VNI = 1000
const VTEPS = 5000
const GATEWAY = '192.0.2.254'

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
// All VTEPs behind one gateway whose MAC the switch knows, so that every copy can leave.
await c1.run(['ip', 'route', 'add', '10.0.0.0/8', 'via', GATEWAY, 'dev', 'br-phy'])
await eventually('ovs-vswitchd to know the route', () => c1.run(['ovs-appctl', 'ovs/route/show']), (text) => text.includes('10.0.0.0/8'))
const daemon = await lab.startDaemon('c1')
const vswitchd = pidOfSwitch()
const batch = Array.from({ length: VTEPS }, (_, i) => `fdb append 00:00:00:00:00:00 dev vxlan-${VNI} dst ${address(i)} self permanent`)
await c1.run(['bridge', '-batch', '-'], { input: batch.join('\n') })
await settled(VTEPS)

function address(i: number): string {
  return `10.${1 + Math.floor(i / 62_500)}.${Math.floor(i / 250) % 250}.${(i % 250) + 1}`
}

function pidOfSwitch(): string {
  return readFileSync(path.join(lab.host('c1').dir, 'ovs-vswitchd.pid'), 'utf8').trim()
}

/** Waits until the daemon knows this many VTEPs and everything is in the switch. */
async function settled(vteps: number): Promise<void> {
  await eventually(`${vteps} VTEPs known and in the switch`, () => memory(daemon), (seen) =>
    seen['vteps'] === vteps && seen['flows_desired'] === seen['flows_realized'] && seen['groups_desired'] === seen['groups_realized'], 30_000)
}

async function groupsOfSwitch(): Promise<GroupDesc[]> {
  return await new Promise((resolve, reject) => {
    const client: OpenFlowClient = new OpenFlowClient({
      path: path.join(lab.host('c1').dir, 'br-int.mgmt'),
      handlers: {
        up: () => { client.groupDescs().then(resolve, reject).finally(() => client.close()) },
        down: (reason) => reject(new Error(reason)),
        portStatus: () => undefined
      }
    })
    client.start()
  })
}

await t.test('5,000 VTEPs in one VNI: the groups can be dumped, none is above 60,000 bytes, ovs-vswitchd lives', async (t) => {
  const dump = await c1.groups()
  t.ok(dump.length >= 9, `ovs-ofctl -O OpenFlow15 dump-groups shows ${dump.length} groups`)
  const groups = await groupsOfSwitch()
  const sizes = groups.map((group) => ({ id: group.groupId, bytes: groupDescSize(group) }))
  t.strictSame(sizes.filter(({ bytes }) => bytes > 60_000), [], 'no group is too large')
  // The bucket id of an IPv4 VTEP is its address; parts and ports have small ids.
  const members = groups.flatMap((group) => group.buckets).filter((bucket) => bucket.id >= 0x0a000000)
  t.equal(members.length, VTEPS, 'every VTEP is in exactly one bucket')
  t.equal(pidOfSwitch(), vswitchd, 'ovs-vswitchd is the same process')
})

await t.test('a broadcast leaves as exactly one copy for each of 5,000 VTEPs', async (t) => {
  const underlay = await Wire.open(lab, 'underlay', [4789], 'c1')
  // When the copies of the second have arrived, nothing more of the first will come.
  for (const name of ['first', 'second']) {
    await knowNextHop(lab, 'c1', GATEWAY)
    const frame = encodeFrame({ src: '02:00:00:01:01:01', dst: BROADCAST, name })
    await c1.ofctl('packet-out', 'br-int', `in_port=c1-1000-a,packet=${frame.toString('hex')},actions=resubmit(,0)`)
    await underlay.waitFor(name, VTEPS)
  }
  const expected = Array.from({ length: VTEPS }, (_, i) => address(i)).sort()
  t.strictSame(underlay.arrivals('first').map(({ vxlan }) => vxlan?.to).sort(), expected, 'VTEPs that got a copy')
})

await t.test('a VTEP that joins or leaves costs O(1) messages, whatever is there', async (t) => {
  await settled(VTEPS)
  const start = await coverage(daemon)
  await speaker.vtep(VNI, '10.200.0.1')
  await settled(VTEPS + 1)
  const joined = await coverage(daemon)
  await speaker.noVtep(VNI, '10.200.0.1')
  await settled(VTEPS)
  const left = await coverage(daemon)
  const cost = (from: typeof start, to: typeof start) => (to['group_mods'] ?? 0) - (from['group_mods'] ?? 0)
  t.equal(cost(start, joined), 1, 'one group changes when one joins')
  t.equal(cost(joined, left), 1, 'one group changes when one leaves')
})
