// What the daemon needs is not there when it starts: it keeps trying, says so once and not once per attempt, never exits,
// and works when it comes. One chassis for each kind, all at the same time: most of this is waiting for the next attempt.
import t, { type Test } from 'tap'
import type { Daemon } from '../lab/daemon.js'
import { Lab } from '../lab/lab.js'
import { announced, announces } from './util/announced.js'
import { Chassis } from './util/chassis.js'
import { Decoy } from './util/decoy.js'
import { eventually, eventuallyHas } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { noLonger, warned, warnings } from './util/log.js'
import { rowsOf, workload } from './util/workload.js'

const workloads = ['c1', 'c2', 'c3', 'c4'].map((name, i) => workload(`w${i + 1}`, 10, i + 1, name))
const lab = await Lab.up({ chassis: 4, linux: 0, frr: false, vnis: [10], workloads })
t.teardown(() => lab.down())

/** A chassis and its workload. */
function chassisOf(index: 1 | 2 | 3 | 4): { chassis: Chassis, port: string, rows: string[], dir: string } {
  const chassis = new Chassis(lab, `c${index}`)
  const own = workloads[index - 1]
  if (own === undefined) throw new Error(`c${index} has no workload`)
  return { chassis, port: own.name, rows: rowsOf(own), dir: lab.host(chassis.name).dir }
}

/** Both halves of its work are done: the switch forwards, the kernel has what is to be announced. */
async function works(index: 1 | 2 | 3 | 4): Promise<void> {
  const { chassis, port, rows } = chassisOf(index)
  await eventuallyHas(`port ${port} to lead into our tables`, () => chassis.ourFlows('table=0'), `in_port=${port}`)
  await eventuallyHas('the tunnel port to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port="ovn-evpn-4789"')
  await announces(chassis, 'all is there', rows)
}

async function isAlive(t: Test, daemon: Daemon): Promise<void> {
  t.match(await daemon.appctl('version'), /^ovs-evpnd/, 'the daemon lives and answers')
}

async function ovsdbMissing(t: Test): Promise<void> {
  const { chassis, dir } = chassisOf(1)
  await lab.stopService('c1', 'ovsdb-server')
  const decoy = await Decoy.listen(`${dir}/db.sock`)
  const daemon = await lab.startDaemon('c1')
  await decoy.tried(2)
  t.equal(await warned(daemon, `unix:${dir}/db.sock`, 'trying again'), 1, 'said once, not once per attempt')
  t.match((await evpnctl(lab, 'c1', ['show'])).stdout, `ovsdb:     not connected to unix:${dir}/db.sock`, '`ovs-evpnctl show` says so')
  t.same(await announced(chassis), [], 'nothing is written before the configuration is known')
  await isAlive(t, daemon)
  await decoy.close()
  await lab.startService('c1', 'ovsdb-server')
  await works(1)
  await isAlive(t, daemon)
}

async function vswitchdMissing(t: Test): Promise<void> {
  const { chassis, dir, rows } = chassisOf(2)
  await lab.stopService('c2', 'ovs-vswitchd')
  const decoy = await Decoy.listen(`${dir}/br-int.mgmt`)
  const daemon = await lab.startDaemon('c2')
  await decoy.tried(2)
  t.equal(await warned(daemon, `cannot connect to ${dir}/br-int.mgmt`, 'trying again'), 1, 'said once, not once per attempt')
  t.match((await evpnctl(lab, 'c2', ['show'])).stdout, `openflow:  not connected: cannot connect to ${dir}/br-int.mgmt`, '`ovs-evpnctl show` says so')
  await announces(chassis, 'the kernel half works without a switch', rows)
  await isAlive(t, daemon)
  await decoy.close()
  await lab.startService('c2', 'ovs-vswitchd')
  await works(2)
  await isAlive(t, daemon)
}

async function allMissing(t: Test): Promise<void> {
  const { dir } = chassisOf(3)
  await lab.stopService('c3', 'ovs-vswitchd')
  await lab.stopService('c3', 'ovsdb-server')
  const daemon = await lab.startDaemon('c3')
  t.equal(await warned(daemon, `unix:${dir}/db.sock: connect ENOENT`, 'trying again'), 1, 'said what is missing')
  await lab.startService('c3', 'ovsdb-server')
  t.equal(await warned(daemon, `cannot connect to ${dir}/br-int.mgmt`, 'trying again'), 1, 'said what is missing next')
  await lab.startService('c3', 'ovs-vswitchd')
  await works(3)
  t.equal(warnings(daemon).filter((line) => line.includes('.sock')).length, 1, 'and nothing twice')
  await isAlive(t, daemon)
}

async function bridgeMissing(t: Test): Promise<void> {
  const { chassis, port } = chassisOf(4)
  const missing = 'bridge br-int does not exist; waiting for it'
  await chassis.vsctl('del-br', 'br-int')
  const daemon = await lab.startDaemon('c4')
  await warned(daemon, missing)
  // Other changes of the database are no reason to say it again.
  await chassis.vsctl('add-br', 'br-x', '--', 'set', 'Bridge', 'br-x', `datapath_type=${lab.plan.datapath}`)
  await chassis.set('Open_vSwitch .', { 'ovn-evpn-vxlan-ports': '4789,none' })
  await warned(daemon, '"none" is no UDP port')
  t.equal(await warned(daemon, missing), 1, 'said once')
  t.match((await evpnctl(lab, 'c4', ['show'])).stdout, 'openflow:  no bridge to connect to', '`ovs-evpnctl show` says so')
  t.match((await evpnctl(lab, 'c4', ['problems'])).stdout, missing, '`ovs-evpnctl problems`, too')
  await eventually('no tunnel port to be on another bridge', () => chassis.ports('br-x'), (ports) => ports.length === 0)
  const addBridge = ['add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', `datapath_type=${lab.plan.datapath}`, 'fail_mode=secure', '--', 'add-port', 'br-int', port,
    '--', 'set', 'Interface', port, 'external_ids:dynamic-routing-vni=10', `external_ids:evpn-addresses="02:00:00:00:00:04 10.0.0.4 fd00::4"`]
  await chassis.vsctl(...addBridge)
  await works(4)
  await noLonger(daemon, missing)
  await chassis.vsctl('del-br', 'br-int')
  await announces(chassis, 'the bridge is gone with its ports', [])
  await chassis.vsctl(...addBridge)
  await works(4)
  t.equal(await warned(daemon, missing), 2, 'said once each time it went')
  await isAlive(t, daemon)
}

t.jobs = 4
await Promise.all([
  t.test('ovsdb-server is missing at start', { buffered: true }, ovsdbMissing),
  t.test('ovs-vswitchd is missing at start', { buffered: true }, vswitchdMissing),
  t.test('nothing of Open vSwitch runs at start; its daemons come one after the other', { buffered: true }, allMissing),
  t.test('the integration bridge is missing at start, comes, goes and comes again', { buffered: true }, bridgeMissing)
])
