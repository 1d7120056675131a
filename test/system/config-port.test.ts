// The keys of a workload's Interface take effect while the daemon runs: VNI, addresses, attached-mac, advertise.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { announces } from './util/announced.js'
import { Chassis } from './util/chassis.js'
import { eventually, eventuallyHas, eventuallyLacks } from './util/eventually.js'
import { rowsOf, workload } from './util/workload.js'

/** Port `other` has its own VNI and must never notice what happens to `port`. */
const [port, other] = [workload('port', 10, 1), workload('other', 20, 2)]
const lab = await Lab.up({
  chassis: 1, linux: 0, frr: false, vnis: [0, 10, 20], workloads: [{ ...port, externalIds: {} }, other]
})
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const daemon = await lab.startDaemon('c1')
const PORT = 'Interface port'
const [MAC, IP, IP6] = ['02:00:00:00:00:01', '10.0.0.1', 'fd00::1']
const otherRows = rowsOf(other)

const belongsTo = (vni: number) => eventuallyHas(`what port sends to belong to VNI ${vni}`, () => chassis.ourFlows('table=200'),
  'in_port=port ', `set_field:${hex(vni)}->metadata`)

/** Neither a way into our tables nor a way out of them is left for the port. */
const isNotOurs = () => eventuallyLacks('a port without VNI is none of our business', () => chassis.ourFlows(), 'port ')

function hex(vni: number): string {
  return vni === 0 ? '0' : `0x${vni.toString(16)}`
}

const receives = (vni: number, mac: string) => eventuallyHas(`frames of VNI ${vni} to ${mac} to reach a local port`,
  () => chassis.ourFlows(`table=202,metadata=${vni}`), `dl_dst=${mac} `, 'resubmit(,206)')

await t.test('a port gets a VNI, and loses it again', async () => {
  await eventuallyHas('the daemon to work', () => chassis.ourFlows('table=0'), 'in_port=other')
  await isNotOurs()
  await chassis.set(PORT, { 'dynamic-routing-vni': '10', 'evpn-addresses': `${MAC} ${IP} ${IP6}` })
  await belongsTo(10)
  await eventuallyHas('the port to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port=port ')
  await receives(10, MAC)
  await eventuallyHas('broadcast of VNI 10 to reach it', () => chassis.groups(), 'type=all', 'resubmit(,206)')
  await announces(chassis, 'port is in VNI 10', [...rowsOf(port), ...otherRows])
  await chassis.unset(PORT, 'dynamic-routing-vni')
  await isNotOurs()
  await announces(chassis, 'port is in no VNI', otherRows)
  await eventuallyLacks('VNI 10 is gone with its last port', () => chassis.ourFlows(), 'metadata=0xa')
  await chassis.unset(PORT, 'evpn-addresses')
})

await t.test('VNI 0 is a VNI', async (t) => {
  t.teardown(() => chassis.unset(PORT, 'dynamic-routing-vni', 'evpn-addresses'))
  await chassis.set(PORT, { 'dynamic-routing-vni': '0', 'evpn-addresses': `${MAC} ${IP}` })
  await belongsTo(0)
  await receives(0, MAC)
  await announces(chassis, 'port is in VNI 0', [`${MAC} lo-0`, `${IP} ${MAC} br-0`, ...otherRows])
})

await t.test('a port moves to another VNI', async (t) => {
  t.teardown(() => chassis.unset(PORT, 'dynamic-routing-vni', 'evpn-addresses'))
  await chassis.set(PORT, { 'dynamic-routing-vni': '10', 'evpn-addresses': `${MAC} ${IP} ${IP6}` })
  await belongsTo(10)
  await announces(chassis, 'port is in VNI 10', [...rowsOf(port), ...otherRows])
  await chassis.set(PORT, { 'dynamic-routing-vni': '20' })
  await belongsTo(20)
  await receives(20, MAC)
  await announces(chassis, 'port is in VNI 20', [...rowsOf(port, 'lo-20', 'br-20'), ...otherRows])
  await eventuallyLacks('nothing of the port in VNI 10', () => chassis.ourFlows(), 'metadata=0xa')
  await eventuallyHas('broadcast of VNI 20 to reach both ports', () => chassis.groups(), 'set_field:0x1->reg1', 'set_field:0x2->reg1')
})

await t.test('evpn-addresses changes: new MAC, fewer and more IPs, several MACs, none', async (t) => {
  t.teardown(() => chassis.unset(PORT, 'dynamic-routing-vni', 'evpn-addresses'))
  await chassis.set(PORT, { 'dynamic-routing-vni': '10', 'evpn-addresses': `${MAC} ${IP}` })
  await announces(chassis, 'one IP', [`${MAC} lo-10`, `${IP} ${MAC} br-10`, ...otherRows])
  await chassis.set(PORT, { 'evpn-addresses': `${MAC} ${IP6}` })
  await announces(chassis, 'another IP', [`${MAC} lo-10`, `${IP6} ${MAC} br-10`, ...otherRows])
  const second = '02:00:00:00:00:0b'
  await chassis.set(PORT, { 'evpn-addresses': `${second} ${IP6}, ${MAC}` })
  await announces(chassis, 'the IP moved to a second MAC', [`${MAC} lo-10`, `${second} lo-10`, `${IP6} ${second} br-10`, ...otherRows])
  await receives(10, second)
  await chassis.set(PORT, { 'evpn-addresses': second })
  await announces(chassis, 'one MAC without IP', [`${second} lo-10`, ...otherRows])
  await eventuallyLacks('the MAC no longer named to have no flow', () => chassis.ourFlows('table=202'), MAC)
  await chassis.set(PORT, { 'evpn-addresses': '' })
  await announces(chassis, 'no address', otherRows)
})

await t.test('evpn-addresses=unknown floods what nobody knows; without it such frames are dropped', async (t) => {
  t.teardown(() => chassis.unset(PORT, 'dynamic-routing-vni', 'evpn-addresses'))
  const unknown = async () => await chassis.ourFlows('table=202,metadata=10')
  await chassis.set(PORT, { 'dynamic-routing-vni': '10', 'evpn-addresses': `${MAC}, unknown` })
  await eventuallyHas('unknown destinations to be flooded', unknown, 'priority=10,', 'resubmit(,203)')
  await chassis.set(PORT, { 'evpn-addresses': MAC })
  await eventuallyHas('unknown destinations to be dropped', unknown, 'priority=10,', 'resubmit(,210)')
})

await t.test('attached-mac is used when evpn-addresses is missing, and only then', async (t) => {
  t.teardown(() => chassis.unset(PORT, 'dynamic-routing-vni', 'evpn-addresses', 'attached-mac'))
  await chassis.set(PORT, { 'dynamic-routing-vni': '10', 'attached-mac': '02:00:00:00:00:AA' })
  await announces(chassis, 'attached-mac', ['02:00:00:00:00:aa lo-10', ...otherRows])
  await receives(10, '02:00:00:00:00:aa')
  await chassis.set(PORT, { 'attached-mac': '02:00:00:00:00:ab' })
  await announces(chassis, 'attached-mac changed', ['02:00:00:00:00:ab lo-10', ...otherRows])
  await chassis.set(PORT, { 'evpn-addresses': `${MAC} ${IP}` })
  await announces(chassis, 'evpn-addresses wins', [`${MAC} lo-10`, `${IP} ${MAC} br-10`, ...otherRows])
  await chassis.unset(PORT, 'evpn-addresses')
  await announces(chassis, 'evpn-addresses is gone', ['02:00:00:00:00:ab lo-10', ...otherRows])
})

await t.test('dynamic-routing-advertise=false withdraws a port\'s addresses; it still gets its frames', async (t) => {
  t.teardown(() => chassis.unset(PORT, 'dynamic-routing-vni', 'evpn-addresses', 'dynamic-routing-advertise'))
  await chassis.set(PORT, { 'dynamic-routing-vni': '10', 'evpn-addresses': `${MAC} ${IP} ${IP6}` })
  await announces(chassis, 'by default', [...rowsOf(port), ...otherRows])
  await chassis.set(PORT, { 'dynamic-routing-advertise': 'false' })
  await announces(chassis, 'advertise=false', otherRows)
  await receives(10, MAC)
  await chassis.set(PORT, { 'dynamic-routing-advertise': 'true' })
  await announces(chassis, 'advertise=true', [...rowsOf(port), ...otherRows])
})

await t.test('a port is added and removed', async (t) => {
  t.teardown(() => chassis.vsctl('--if-exists', 'del-port', 'br-int', 'guest'))
  await chassis.vsctl('add-port', 'br-int', 'guest', '--', 'set', 'Interface', 'guest', 'type=internal',
    'external_ids:dynamic-routing-vni=10', 'external_ids:evpn-addresses="02:00:00:00:00:33 10.0.0.33"')
  await eventuallyHas('the new port to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port=guest')
  await announces(chassis, 'guest is there', ['02:00:00:00:00:33 lo-10', '10.0.0.33 02:00:00:00:00:33 br-10', ...otherRows])
  await chassis.vsctl('del-port', 'br-int', 'guest')
  await announces(chassis, 'guest is gone', otherRows)
  await eventually('no flow for the removed port', () => chassis.ourFlows('table=0'), (flows) => flows.length === 2)
})

await t.test('none of this needed a restart, and nothing was wrong', (t) => {
  const warnings = daemon.log().split('\n').filter((line) => /\|(WARN|ERR|EMER)\|/.test(line) && !line.includes('evpn-addresses=""'))
  t.same(warnings, [], 'nothing to warn about')
  t.end()
})
