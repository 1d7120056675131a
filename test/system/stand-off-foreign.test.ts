// Flows, groups and ports of others on the integration bridge: outside our places they never change; in our places they are
// not overwritten but reported, the rest works, and it heals when they go.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { announces } from './util/announced.js'
import { Chassis, lines } from './util/chassis.js'
import { eventually, eventuallyHas, eventuallyLacks } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { warned, warnings } from './util/log.js'
import { rowsOf, workload } from './util/workload.js'

const [w10, w11, w20] = [workload('w10', 10, 1), workload('w11', 10, 3), workload('w20', 20, 2)]
/** Has a VNI only later. */
const later = { ...workload('later', 20, 4), externalIds: {} }
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [w10, w11, w20, later] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const all = [w10, w11, w20].flatMap((one) => rowsOf(one))
const ofport = async (name: string) => Number((await chassis.vsctl('get', 'Interface', name, 'ofport')).trim())
const THEIRS = 'cookie=0x7e1e'

/** Exactly the places of flows of ours, and one in a table that is ours altogether. */
const inOurPlaces = [
  'table=0,priority=36864,in_port=w10,actions=drop',
  `table=206,priority=100,metadata=0xa,reg1=${await ofport('w11')},actions=drop`,
  'table=215,priority=1,dl_type=0x88b5,actions=drop'
]
/** The place that will be ours once port `later` has a VNI. */
const inFuturePlace = 'table=0,priority=36864,in_port=later,actions=output:w20'
const elsewhere = [
  'table=0,priority=36864,in_port=LOCAL,actions=drop', 'table=0,priority=36864,dl_type=0x88b6,actions=drop', 'table=0,priority=36865,in_port=w10,dl_type=0x88b7,actions=drop',
  'table=0,priority=0,actions=resubmit(,10)', 'table=10,priority=1,in_port=w20,actions=group:5', 'table=199,priority=1,actions=drop', 'table=224,priority=1,actions=drop'
]
/** Just below and just above our range, and far from it. */
const groups = [5, 0x3fffffff, 0xff000001].map((id) => `group_id=${id},type=all,bucket=bucket_id:1,actions=output:w20`)

async function addFlow(flow: string): Promise<void> {
  await chassis.ofctl('add-flow', 'br-int', `${THEIRS},${flow}`)
}

/** Everything of others on the bridge, in OpenFlow and in OVSDB. */
async function theirs(): Promise<string[]> {
  const interfaces = lines(await chassis.vsctl('--format=csv', '--no-headings', '--columns=_uuid,name,type,options,external_ids', 'list', 'Interface'))
  const ports = lines(await chassis.vsctl('--format=csv', '--no-headings', '--columns=_uuid,name,interfaces,external_ids,other_config', 'list', 'Port'))
  return [
    ...await chassis.flows(`${THEIRS}/-1`), ...(await chassis.groups()).filter((group) => !/group_id=(1[0-9]{9}|4278190080),/.test(group)),
    ...lines(await chassis.ofctl('dump-meters', 'br-int')).filter((line) => line.startsWith('meter=7 ')),
    ...[...interfaces, ...ports].filter((line) => !line.includes('ovn-evpn-') && !line.includes('later') && !line.includes('w20')).sort()
  ]
}

await chassis.ofctl('add-meter', 'br-int', 'meter=7,kbps,band=type=drop,rate=1000')
for (const group of groups) await chassis.ofctl('add-group', 'br-int', group)
for (const flow of [...inOurPlaces, inFuturePlace, ...elsewhere]) await addFlow(flow)
const before = await theirs()
let daemon = await lab.startDaemon('c1')

await t.test('foreign flows in our places are not overwritten, and reported: in the log once, and by ovs-evpnctl problems', async (t) => {
  const places = [new RegExp(`table=0, priority=36864,in_port=${await ofport('w10')}\\b`), /table=206, priority=100,.*reg1=0x/, /table=215, priority=1,dl_type=0x88b5/]
  const text = (await eventually('three foreign flows to be problems', () => chassis.problems(), (problems) =>
    problems.filter((line) => line.includes('foreign flow in our place')).length === 3)).join('\n')
  for (const place of places) t.match(text, place)
  await warned(daemon, 'foreign flow in our place', 'it is left alone')
  t.equal(warnings(daemon).filter((line) => line.includes('foreign flow in our place')).length, 3, 'each is logged once')
  const shown = (await evpnctl(lab, 'c1', ['problems'])).stdout
  for (const place of places) t.match(shown, place)
  t.same(await theirs(), before, 'nothing of theirs has changed')
})

await t.test('the rest works meanwhile', async (t) => {
  await announces(chassis, 'in spite of the foreign flows', all)
  for (const port of ['w11', 'w20', '"ovn-evpn-4789"']) await eventuallyHas(`${port} to lead into our tables`, () => chassis.ourFlows('table=0'), `in_port=${port} `)
  for (const port of ['w10', 'w20']) await eventuallyHas(`frames to be delivered to ${port}`, () => chassis.ourFlows('table=206'), `output:${port}`)
  await eventuallyHas('what w10 sends to have a VNI', () => chassis.ourFlows('table=200'), 'in_port=w10 ')
  await chassis.set('Interface w20', { 'evpn-addresses': `${w20.mac} 10.0.0.2 fd00::2, 02:00:00:00:00:0d` })
  await eventuallyHas('changes to take effect', () => chassis.ourFlows('table=202'), 'dl_dst=02:00:00:00:00:0d ')
  t.same(await theirs(), before, 'nothing of theirs has changed')
})

await t.test('a foreign flow at a port of no VNI is none of our business until the port has one', async (t) => {
  const number = await ofport('later')
  t.notMatch((await chassis.problems()).join('\n'), new RegExp(`in_port=${number}\\b`), 'not reported before')
  await chassis.set('Interface later', { 'dynamic-routing-vni': '20', 'evpn-addresses': later.mac })
  await eventuallyHas('it to be reported', () => chassis.problems(), 'foreign flow in our place', `in_port=${number}`)
  await eventuallyHas('frames to be delivered to the port', () => chassis.ourFlows('table=206'), 'output:later')
  t.same(await theirs(), before, 'nothing of theirs has changed')
  await chassis.unset('Interface later', 'dynamic-routing-vni', 'evpn-addresses')
  await eventuallyLacks('it to be no problem any more', () => chassis.problems(), `in_port=${number}`)
})

await t.test('it heals when the foreign flows go', async (t) => {
  for (const flow of inOurPlaces) await chassis.ofctl('--strict', 'del-flows', 'br-int', `${THEIRS}/-1,${flow.replace(/,actions=.*/, '')}`)
  // The daemon looks again every ten seconds.
  await eventually('no foreign flow to be a problem', () => chassis.problems(), (problems) => problems.length === 0, 15_000)
  await eventuallyHas('w10 to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port=w10 ')
  await eventuallyHas('frames to be delivered to w11', () => chassis.ourFlows('table=206'), 'output:w11')
  t.match(daemon.log(), /INFO\|nothing foreign is left in our places/)
})

await t.test('through changes, kill -9, a restart and exit --cleanup nothing outside our places changes', async (t) => {
  const gone = inOurPlaces.length
  const left = (await theirs())
  t.equal(left.length, before.length - gone, 'all that was not deleted by hand')
  await chassis.set('Open_vSwitch .', { 'ovn-evpn-vxlan-ports': '4790', 'ovn-evpn-local-ip': '192.0.2.1,2001:db8::1' })
  await chassis.set('Interface w11', { 'dynamic-routing-vni': '20' })
  await eventuallyHas('the changes to take effect', () => chassis.ourFlows('table=0'), 'in_port="ovn-evpn-4790"')
  await chassis.set('Interface w11', { 'dynamic-routing-vni': '10' })
  await eventuallyHas('the changes to take effect', () => chassis.ourFlows('table=206,metadata=10'), 'output:w11')
  t.same(await theirs(), left, 'after changes')
  await daemon.stop('SIGKILL')
  daemon = await lab.startDaemon('c1')
  await eventually('the new daemon to have read the switch', () => daemon.appctl('coverage/show'), (text) => /switch_read_backs +total: [1-9]/.test(text))
  t.same(await theirs(), left, 'after a restart')
  await daemon.appctl('exit', '--cleanup')
  await daemon.exited
  t.same(await chassis.ourFlows(), [], 'no flow of ours is left')
  t.same((await chassis.groups()).length, groups.length, 'no group of ours is left')
  t.same((await chassis.ports()).filter((name) => name.startsWith('ovn-evpn-')), [], 'no tunnel port of ours is left')
  t.same(await theirs(), left, 'everything of theirs is')
})
