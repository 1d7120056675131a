// Malformed configuration of every kind: one warning that names record, key and value; everything else goes on.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { announces } from './util/announced.js'
import { Chassis } from './util/chassis.js'
import { eventually, eventuallyHas } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { noLonger, warned, warnings } from './util/log.js'
import { rowsOf, workload } from './util/workload.js'

const [good, bad] = [workload('good', 10, 1), workload('bad', 10, 2)]
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [good, bad] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const daemon = await lab.startDaemon('c1')
const both = [...rowsOf(good), ...rowsOf(bad)]

/** What is still announced with the bad value in place; undefined = both ports' addresses. */
interface Case {
  readonly record: string
  readonly key: string
  readonly value: string
  /** What the warning says besides record, key and value. */
  readonly why: string
  readonly left?: readonly string[]
}

const BAD = 'Interface bad'
const BRIDGE = 'Bridge br-int'
const SYSTEM = 'Open_vSwitch .'
const cases: readonly Case[] = [
  { record: BAD, key: 'dynamic-routing-vni', value: 'ten', why: 'must be a VNI 0..16777215', left: rowsOf(good) },
  { record: BAD, key: 'dynamic-routing-vni', value: '16777216', why: 'must be a VNI 0..16777215', left: rowsOf(good) },
  { record: BAD, key: 'dynamic-routing-vni', value: '-1', why: 'must be a VNI 0..16777215', left: rowsOf(good) },
  { record: BAD, key: 'dynamic-routing-vni', value: '', why: 'must be a VNI 0..16777215', left: rowsOf(good) },
  { record: BAD, key: 'dynamic-routing-vni', value: '4095:10', why: '"4095:10" is not VLAN:VNI', left: rowsOf(good) },
  { record: BAD, key: 'evpn-addresses', value: `no-mac 10.0.0.9, ${bad.mac} 10.0.0.2 fd00::2`, why: '"no-mac" is no MAC address' },
  { record: BAD, key: 'evpn-addresses', value: `${bad.mac} 10.0.0.256 10.0.0.2 fd00::2`, why: '"10.0.0.256" is no IP address' },
  { record: BAD, key: 'evpn-addresses', value: `${bad.mac} 10.0.0.2 fd00::2 224.0.0.1`, why: '"224.0.0.1" is no address of a host' },
  { record: BAD, key: 'evpn-addresses', value: `01:00:5e:00:00:01, ${bad.mac} 10.0.0.2 fd00::2`, why: 'multicast MAC' },
  { record: BAD, key: 'evpn-addresses', value: `00:00:00:00:00:00, ${bad.mac} 10.0.0.2 fd00::2`, why: 'zero MAC' },
  { record: BAD, key: 'dynamic-routing-advertise', value: 'maybe', why: 'must be true or false' },
  { record: BAD, key: 'dynamic-routing-vnis', value: '10', why: 'unknown key; the nearest known one is dynamic-routing-vni' },
  { record: BAD, key: 'evpn-address', value: 'x', why: 'unknown key; the nearest known one is evpn-addresses' },
  { record: BRIDGE, key: 'dynamic-routing-bridge-ifname', value: 'a-name-longer-than-15-characters', why: 'longer than 15 characters' },
  { record: BRIDGE, key: 'dynamic-routing-vxlan-ifname-10', value: 'a/b', why: '"a/b" is no device name' },
  { record: BRIDGE, key: 'dynamic-routing-advertise-ifname', value: '', why: 'a device name is empty' },
  { record: BRIDGE, key: 'dynamic-routing-redistribute', value: 'mac', why: '"mac" is not one of fdb, ip, none' },
  { record: BRIDGE, key: 'dynamic-routing-redistribute-10', value: 'fdb, ip, nexthop', why: '"nexthop" is not one of fdb, ip, none' },
  { record: BRIDGE, key: 'evpn-flood', value: 'all', why: 'must be vtep or none' },
  { record: BRIDGE, key: 'evpn-decap-10', value: 'lax', why: 'must be strict or member or off' },
  { record: BRIDGE, key: 'evpn-vxlan-port-10', value: '65536', why: 'must be a UDP port 1..65535' },
  { record: BRIDGE, key: 'evpn-suppress', value: 'yes', why: 'must be true or false' },
  { record: BRIDGE, key: 'fdb_age_threshold', value: '65536', why: 'must be a number of seconds 0..65535' },
  { record: BRIDGE, key: 'evpn-stale-time', value: '2m', why: 'must be a number of seconds' },
  { record: BRIDGE, key: 'evpn-flud', value: 'none', why: 'unknown key; the nearest known one is evpn-flood' },
  { record: BRIDGE, key: 'evpn-flood-16777216', value: 'none', why: 'is no VNI 0..16777215' },
  { record: BRIDGE, key: 'evpn-addresses-20', value: 'unknown', why: 'needs a port to learn from' },
  { record: BRIDGE, key: 'evpn-addresses-20', value: 'x', why: '"x" is no MAC address' },
  { record: SYSTEM, key: 'ovn-evpn-local-ip', value: '192.0.2.300,192.0.2.1', why: '"192.0.2.300" is no IP address' },
  { record: SYSTEM, key: 'ovn-evpn-local-ip', value: '10-192.0.2.1,x-192.0.2.1', why: 'is no VNI 0..16777215' },
  { record: SYSTEM, key: 'ovn-evpn-local-ip', value: '192.0.2.1,192.0.2.2', why: 'is a second IPv4 address by default; 192.0.2.1 is used' },
  { record: SYSTEM, key: 'ovn-evpn-local-ip', value: '239.1.1.1', why: 'is no address of a host' },
  { record: SYSTEM, key: 'ovn-evpn-vxlan-ports', value: '4789,0', why: '"0" is no UDP port 1..65535' },
  { record: SYSTEM, key: 'ovn-evpn-vxlan-ports', value: 'vxlan', why: '"vxlan" is no UDP port 1..65535' },
  { record: SYSTEM, key: 'ovn-evpn-vxlan-port', value: '4790', why: 'unknown key; the nearest known one is ovn-evpn-vxlan-ports' }
]

/** What works whatever else is wrong: the good port is announced, has its flows, and VNI 10 has its tunnel. */
async function goesOn(why: string, left: readonly string[]): Promise<void> {
  await announces(chassis, why, left)
  await eventuallyHas(`the good port to lead into our tables (${why})`, () => chassis.ourFlows('table=0'), 'in_port=good')
  await eventuallyHas(`VNI 10 to send from 192.0.2.1 by the port for 4789 (${why})`, () => chassis.ourFlows('table=205,metadata=10'),
    'set_field:192.0.2.1->tun_src', 'output:"ovn-evpn-4789"')
}

/** What the bad port has when nothing is wrong. */
const BAD_IDS: Readonly<Record<string, string>> = { 'dynamic-routing-vni': '10', 'evpn-addresses': `${bad.mac} 10.0.0.2 fd00::2` }

await goesOn('at first', both)

for (const { record, key, value, why, left = both } of cases) {
  await t.test(`${record} ${key}="${value}": one warning, the rest goes on, and it ends with the value`, async (t) => {
    const before = record === BAD ? BAD_IDS[key] : undefined
    const logged = warnings(daemon).length
    await chassis.set(record, { [key]: value })
    const sentence = `${record} external_ids:${key}="${value}": `
    t.equal(await warned(daemon, sentence, why), 1, 'said once')
    await goesOn(`with ${key}="${value}"`, left)
    t.same(warnings(daemon).slice(logged).filter((line) => !line.includes(sentence) && !line.startsWith('VNI 20:')), [], 'nothing else is warned about')
    await eventuallyHas('it to be listed as a problem', () => chassis.problems(), sentence)
    if (before === undefined) await chassis.unset(record, key)
    else await chassis.set(record, { [key]: before })
    await noLonger(daemon, sentence)
    if (left !== both) await goesOn('as at first', both)
  })
}

await t.test('a MAC or IP given to two ports: the first by name keeps it, the other is warned about', async (t) => {
  await chassis.set('Interface good', { 'evpn-addresses': `${good.mac} 10.0.0.1 fd00::1 10.0.0.2, ${bad.mac}` })
  t.equal(await warned(daemon, `Interface good external_ids:evpn-addresses="${bad.mac}"`, 'already belongs to Interface bad in VNI 10'), 1, 'the MAC')
  t.equal(await warned(daemon, 'Interface good external_ids:evpn-addresses="10.0.0.2"', 'already belongs to Interface bad in VNI 10'), 1, 'the IP')
  await goesOn('duplicates', both)
  await chassis.set('Interface good', { 'evpn-addresses': `${good.mac} 10.0.0.1 fd00::1` })
  await noLonger(daemon, '10.0.0.2')
})

await t.test('the same warning is not repeated when something else changes', async (t) => {
  await chassis.set(BRIDGE, { 'evpn-flood': 'sideways' })
  await warned(daemon, 'evpn-flood="sideways"')
  for (const value of ['1', '2', '3']) {
    await chassis.set('Interface good', { 'evpn-addresses': `${good.mac} 10.0.0.1 fd00::1 10.0.0.4${value}` })
    await announces(chassis, 'another change', [...both, `10.0.0.4${value} ${good.mac} br-10`])
  }
  t.equal(await warned(daemon, 'evpn-flood="sideways"'), 1)
  t.match((await evpnctl(lab, 'c1', ['problems'])).stdout, /evpn-flood="sideways": must be vtep or none/, '`ovs-evpnctl problems` shows it')
})

await t.test('all of it at once', async (t) => {
  const sets = new Map<string, Record<string, string>>()
  // The other keys of a port without a good VNI are not read.
  for (const { record, key, value } of cases) if (key !== 'dynamic-routing-vni') sets.set(record, { ...sets.get(record), [key]: value })
  for (const [record, ids] of sets) await chassis.set(record, ids)
  await eventually('every bad value to be a problem', () => chassis.problems(), (problems) =>
    [...sets].every(([record, ids]) => Object.entries(ids).every(([key, value]) => problems.some((line) => line.includes(`${record} external_ids:${key}="${value}"`)))))
  const allWrong = [...both, `10.0.0.43 ${good.mac} br-10`]
  await goesOn('everything is wrong', allWrong)
  t.match(await daemon.appctl('version'), /ovs-evpnd/, 'the daemon is alive')
})
