// A bridge that belongs to ovn-controller: nothing is written, it is said why, and it heals when the mark goes.
// And a bridge that forwards by itself while it has no flows.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { announced, announces } from './util/announced.js'
import { Chassis, lines } from './util/chassis.js'
import { eventuallyHas } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { noLonger, warned } from './util/log.js'
import { rowsOf, workload } from './util/workload.js'

const w10 = workload('w10', 10, 1)
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10], workloads: [w10] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const SYSTEM = 'Open_vSwitch .'

/** How ovn-controller marks a bridge: what it says, how it is set and removed (ovs-vsctl). */
interface Mark {
  readonly why: string
  readonly set: string
  readonly remove: string
}

const bridgeKey = (key: string, value: string): Mark =>
  ({ why: `external_ids:${key}`, set: `set Bridge br-int external_ids:${key}=${value}`, remove: `remove Bridge br-int external_ids ${key}` })

const marks: readonly Mark[] = [
  bridgeKey('ct-zone-lrp-a_dnat', '5'),
  bridgeKey('ovn-startup-ts', '1700000000000'),
  bridgeKey('ovn-nb-cfg', '17'),
  {
    why: 'port ovn-c2-0 has external_ids:ovn-chassis-id', remove: 'del-port br-int ovn-c2-0',
    set: 'add-port br-int ovn-c2-0 -- set Port ovn-c2-0 external_ids:ovn-chassis-id=c2@192.0.2.2 -- set Interface ovn-c2-0 type=geneve options:remote_ip=192.0.2.2'
  },
  { why: 'an interface has external_ids:ovn-installed', set: 'set Interface w10 external_ids:ovn-installed=true', remove: 'remove Interface w10 external_ids ovn-installed' }
]

// What ovn-controller would have there, in the places that we use elsewhere.
await chassis.ofctl('add-group', 'br-int', 'group_id=1073743104,type=all,bucket=bucket_id:1,actions=drop')
for (const flow of ['table=0,priority=100,in_port=w10,actions=resubmit(,8)', 'table=0,priority=36864,in_port=w10,actions=drop', 'table=202,priority=7,actions=drop']) {
  await chassis.ofctl('add-flow', 'br-int', `cookie=0x51a7,${flow}`)
}

/** Everything we ever write, as it stands. `ports`: those not of a mark. */
async function written(): Promise<string[]> {
  const options = lines(await chassis.vsctl('--format=csv', '--no-headings', '--columns=name,type,options', 'list', 'Interface')).filter((line) => !line.startsWith('ovn-c2-0'))
  return [...await chassis.flows(), ...await chassis.groups(), ...options.sort(), ...await announced(chassis)]
}

let counter = 0
/** Makes the daemon look at its configuration, and returns when it has. */
async function lookAgain(): Promise<void> {
  const value = `no-address-${++counter}`
  await chassis.set(SYSTEM, { 'ovn-evpn-local-ip': value })
  await warned(daemon, `ovn-evpn-local-ip="${value}"`)
}

const ovsVsctl = (commands: string) => chassis.vsctl('--no-wait', ...commands.split(' '))

const before = await written()
await ovsVsctl(marks[0]?.set ?? '')
const daemon = await lab.startDaemon('c1')

for (const [i, mark] of marks.entries()) {
  await t.test(`stands off: ${mark.why}`, async (t) => {
    const previous = marks[i - 1]
    if (previous !== undefined) await ovsVsctl(`${mark.set} -- ${previous.remove}`)
    const sentence = `bridge br-int belongs to ovn-controller (${mark.why}); nothing is changed on it`
    await warned(daemon, sentence)
    await lookAgain()
    t.equal(await warned(daemon, sentence), 1, 'said once')
    t.same(await written(), before, 'no flow, group, port or kernel row was written')
    t.match((await evpnctl(lab, 'c1', ['problems'])).stdout, sentence, '`ovs-evpnctl problems` says why')
  })
}

await t.test('heals when the last mark goes', async (t) => {
  const last = marks.at(-1)
  t.ok(last)
  await chassis.ofctl('del-flows', 'br-int')
  await chassis.ofctl('del-groups', 'br-int')
  await ovsVsctl(last?.remove ?? '')
  await noLonger(daemon, last?.why ?? '')
  await eventuallyHas('the workload to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port=w10')
  await eventuallyHas('the tunnel port to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port="ovn-evpn-4789"')
  await announces(chassis, 'no mark is left', rowsOf(w10))
})

await t.test('a mark that appears while the daemon runs: from then on nothing is written; what changed meanwhile follows when it goes', async (t) => {
  const mark = bridgeKey('ct-zone-new', '9')
  await lookAgain()
  const then = await written()
  await ovsVsctl(mark.set)
  await warned(daemon, `(${mark.why})`)
  await chassis.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4789,4790' })
  await chassis.set('Interface w10', { 'evpn-addresses': `${w10.mac} 10.0.0.7` })
  await chassis.ofctl('del-flows', 'br-int', 'table=205')
  await lookAgain()
  t.same(await written(), then.filter((line) => !line.includes('table=205')), 'neither the changes nor the flows that were deleted')
  await ovsVsctl(mark.remove)
  await announces(chassis, 'the new addresses', [`${w10.mac} lo-10`, `10.0.0.7 ${w10.mac} br-10`])
  await eventuallyHas('the second tunnel port to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port="ovn-evpn-4790"')
  await eventuallyHas('the deleted flows to be back', () => chassis.ourFlows('table=205'), 'output:"ovn-evpn-4790"')
})

await t.test('a bridge without fail_mode=secure is warned about, with the command that mends it', async (t) => {
  const sentence = 'bridge br-int has no fail_mode=secure; set it with: ovs-vsctl set-fail-mode br-int secure'
  await chassis.vsctl('del-fail-mode', 'br-int')
  t.equal(await warned(daemon, sentence), 1)
  await chassis.vsctl('set-fail-mode', 'br-int', 'standalone')
  await lookAgain()
  t.equal(await warned(daemon, sentence), 1, 'standalone is the same')
  await chassis.vsctl('set-fail-mode', 'br-int', 'secure')
  await noLonger(daemon, sentence)
})
