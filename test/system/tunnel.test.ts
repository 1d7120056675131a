// Tunnel ports in OVSDB: exactly what is written, what is repaired and what is left alone, what is said when OVS refuses one.
import t from 'tap'
import type { TunnelReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { Chassis } from './util/chassis.js'
import { eventually, eventuallyHas, eventuallyLacks } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { workload } from './util/workload.js'

const SYSTEM = 'Open_vSwitch .'
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10], workloads: [workload('w10', 10, 1)] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)

/** The columns of one row, as ovs-vsctl prints their values. */
async function columns(table: string, record: string, ...names: readonly string[]): Promise<string[]> {
  return (await chassis.vsctl('get', table, record, ...names)).trim().split('\n')
}

async function tunnelPorts(bridge = 'br-int'): Promise<string[]> {
  return (await chassis.ports(bridge)).filter((name) => name.startsWith('ovn-evpn-'))
}

const hasTunnels = (...names: readonly string[]) =>
  eventually(`br-int to have the tunnel ports ${names.join(', ')}`, () => tunnelPorts(), (seen) => seen.join() === names.join())

const optionsAre = (why: string, wanted: string, name = 'ovn-evpn-4789') =>
  eventually(`options of ${name} to be ${wanted} (${why})`, async () => (await columns('Interface', name, 'options'))[0] ?? '', (seen) => seen === wanted)

/** Adds a port that is not the daemon's, with a vxlan interface. */
async function addForeignPort(bridge: string, name: string, options: readonly string[]): Promise<void> {
  await chassis.vsctl('--no-wait', 'add-port', bridge, name, '--', 'set', 'Interface', name, 'type=vxlan', ...options.map((option) => `options:${option}`))
}

const flowBased = (udpPort: number) => ['local_ip=flow', 'remote_ip=flow', 'key=flow', `dst_port=${udpPort}`]

/** Every port of every bridge with everything anybody might have changed, except those of the daemon. */
async function foreignPorts(): Promise<string[]> {
  const text = await chassis.vsctl('--format=csv', '--no-headings', '--columns=_uuid,name,type,options,external_ids,other_config', 'list', 'Interface')
  return text.split('\n').filter((line) => !line.includes('ovn-evpn-4')).sort()
}

// A leftover of ours for a port no longer wanted, on the bridge and elsewhere; somebody's ordinary tunnels.
await chassis.vsctl(...['br-int ovn-evpn-4799', 'br-phy ovn-evpn-4798'].flatMap((where) => {
  const [bridge = '', name = ''] = where.split(' ')
  return ['--', 'add-port', bridge, name, '--', 'set', 'Interface', name, 'type=vxlan', ...flowBased(Number(name.slice(-4))).map((option) => `options:${option}`),
    '--', 'set', 'Port', name, 'external_ids:ovn-evpn-tunnel=true']
}).slice(1))
await addForeignPort('br-int', 'their-vxlan', ['remote_ip=192.0.2.77', 'key=77', 'dst_port=4700'])
await addForeignPort('br-int', 'ovn-evpn-other', ['remote_ip=192.0.2.78', 'key=78', 'dst_port=4700'])
const foreignBefore = await foreignPorts()
const daemon = await lab.startDaemon('c1')

await t.test('one tunnel port, with exactly these rows and options', async (t) => {
  await hasTunnels('ovn-evpn-4789', 'ovn-evpn-other')
  t.same(await columns('Interface', 'ovn-evpn-4789', 'type', 'options', 'external_ids', 'other_config'),
    ['vxlan', '{dst_port="4789", key=flow, local_ip=flow, remote_ip=flow}', '{}', '{}'], 'the Interface row')
  t.same(await columns('Port', 'ovn-evpn-4789', 'external_ids', 'other_config', 'tag', 'vlan_mode'),
    ['{ovn-evpn-tunnel="true"}', '{}', '[]', '[]'], 'the Port row')
  await eventually('OVS to have made the port', () => columns('Interface', 'ovn-evpn-4789', 'ofport'), ([ofport]) => Number(ofport) > 0)
})

await t.test('tunnel ports of ours that are no longer wanted are removed at start, on every bridge', async (t) => {
  await hasTunnels('ovn-evpn-4789', 'ovn-evpn-other')
  t.same(await tunnelPorts('br-phy'), [], 'none is left on br-phy')
})

const drifts = [
  ['set to other values', ['set', 'Interface', 'ovn-evpn-4789', 'options:dst_port=4700', 'options:key=5', 'options:remote_ip=192.0.2.66', 'options:local_ip=192.0.2.1']],
  ['removed', ['remove', 'Interface', 'ovn-evpn-4789', 'options', 'key', '--', 'remove', 'Interface', 'ovn-evpn-4789', 'options', 'dst_port']],
  ['all cleared', ['clear', 'Interface', 'ovn-evpn-4789', 'options']]
] as const

for (const [how, command] of drifts) {
  await t.test(`the four options are repaired when they are ${how}`, async () => {
    await chassis.vsctl('--no-wait', ...command)
    await optionsAre(how, '{dst_port="4789", key=flow, local_ip=flow, remote_ip=flow}')
    await eventually('OVS to have made the port', () => columns('Interface', 'ovn-evpn-4789', 'ofport'), ([ofport]) => Number(ofport) > 0)
    await eventuallyHas('packets to leave by it', () => chassis.ourFlows('table=205'), 'output:"ovn-evpn-4789"')
  })
}

await t.test('a user\'s own options stay, also when the four are repaired', async (t) => {
  t.teardown(() => chassis.vsctl('--no-wait', ...['csum', 'tos', 'df_default'].flatMap((key) => ['--', 'remove', 'Interface', 'ovn-evpn-4789', 'options', key]).slice(1)))
  await chassis.vsctl('--no-wait', 'set', 'Interface', 'ovn-evpn-4789', 'options:csum=true', 'options:tos=inherit', 'options:df_default=false', 'options:key=7')
  await optionsAre('key repaired', '{csum="true", df_default="false", dst_port="4789", key=flow, local_ip=flow, remote_ip=flow, tos=inherit}')
})

await t.test('a tunnel port that somebody deleted is made again', async () => {
  await chassis.vsctl('--no-wait', 'del-port', 'br-int', 'ovn-evpn-4789')
  await hasTunnels('ovn-evpn-4789', 'ovn-evpn-other')
})

await t.test('a foreign port of the name we want is left alone and reported; ours is made when it goes', async (t) => {
  t.teardown(() => chassis.unset(SYSTEM, 'ovn-evpn-vxlan-ports'))
  await addForeignPort('br-int', 'ovn-evpn-4790', ['remote_ip=192.0.2.79', 'key=79', 'dst_port=4700'])
  await chassis.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4789,4790,4791' })
  await hasTunnels('ovn-evpn-4789', 'ovn-evpn-4790', 'ovn-evpn-4791', 'ovn-evpn-other')
  await eventuallyHas('the foreign port to be reported', () => chassis.problems(), 'ovn-evpn-4790', 'exists and is not ours')
  t.match(daemon.log(), /WARN\|port ovn-evpn-4790 exists and is not ours/, 'and logged')
  const { stdout } = await evpnctl(lab, 'c1', ['show'])
  t.match(stdout, /ovn-evpn-4790 +4790 +\S+ +refused: port ovn-evpn-4790 exists and is not ours/, '`ovs-evpnctl show` says so for the port')
  t.same(await columns('Interface', 'ovn-evpn-4790', 'options'), ['{dst_port="4700", key="79", remote_ip="192.0.2.79"}'], 'its options are untouched')
  t.same(await columns('Port', 'ovn-evpn-4790', 'external_ids'), ['{}'], 'and it is not marked as ours')
  await eventuallyLacks('nothing of ours uses the foreign port', () => chassis.ourFlows(), 'ovn-evpn-4790')
  await chassis.vsctl('--no-wait', 'del-port', 'br-int', 'ovn-evpn-4790')
  await optionsAre('ours now', '{dst_port="4790", key=flow, local_ip=flow, remote_ip=flow}', 'ovn-evpn-4790')
  await eventuallyLacks('nothing to report any more', () => chassis.problems(), 'ovn-evpn-4790')
  await eventuallyHas('the tunnel port to lead into our tables', () => chassis.ourFlows('table=0'), 'in_port="ovn-evpn-4790"')
})

await t.test('a port that OVS refuses is reported with OVS\'s own error, nobody\'s port is deleted, and it works when the other goes', async (t) => {
  t.teardown(() => chassis.unset(SYSTEM, 'ovn-evpn-vxlan-ports'))
  await addForeignPort('br-phy', 'theirs', flowBased(4792))
  await eventually('their tunnel to be up', () => columns('Interface', 'theirs', 'ofport'), ([ofport]) => Number(ofport) > 0)
  await chassis.set(SYSTEM, { 'ovn-evpn-vxlan-ports': '4789,4792' })
  await eventuallyHas('OVS\'s error to be reported', () => chassis.problems(), 'port ovn-evpn-4792', 'File exists')
  const [ofport, error] = await columns('Interface', 'ovn-evpn-4792', 'ofport', 'error')
  t.equal(ofport, '-1')
  const words = JSON.parse(error ?? '""') as string
  t.match(words, /could not add network device ovn-evpn-4792/)
  const shown = (await evpnctl(lab, 'c1', ['show'])).stdout
  t.match(shown.split('\n').find((line) => /^ovn-evpn-4792 /.test(line)), `refused: ${words}`, '`ovs-evpnctl show` says what OVS said')
  t.match((await evpnctl(lab, 'c1', ['problems'])).stdout, words, '`ovs-evpnctl problems`, too')
  t.ok((await chassis.ports('br-phy')).includes('theirs'), 'their port is still there')
  const tunnels = (await chassis.report<{ tunnels: TunnelReport[] }>('show')).tunnels
  t.equal(tunnels.find(({ udp_port: port }) => port === 4789)?.state, 'up', 'the other tunnel port works')
  await chassis.vsctl('--no-wait', 'del-port', 'br-phy', 'theirs')
  await eventuallyHas('our port to work once theirs is gone', () => chassis.ourFlows('table=0'), 'in_port="ovn-evpn-4792"')
  await eventuallyLacks('nothing to report any more', () => chassis.problems(), 'ovn-evpn-4792')
})

await t.test('through all of this, nobody else\'s port was changed', async (t) => {
  t.same(await foreignPorts(), foreignBefore)
})

await t.test('tunnel ports of ovn-controller on another bridge look like ours and are left alone', async (t) => {
  t.teardown(() => chassis.vsctl('--if-exists', 'del-br', 'br-ovn'))
  await chassis.vsctl('--no-wait', 'add-br', 'br-ovn', '--', 'set', 'Bridge', 'br-ovn', 'external_ids:ct-zone-lsp=1',
    '--', 'add-port', 'br-ovn', 'ovn-evpn-4797', '--', 'set', 'Port', 'ovn-evpn-4797', 'external_ids:ovn-evpn-tunnel=true')
  await chassis.vsctl('--no-wait', 'set', 'Interface', 'ovn-evpn-4789', 'options:key=9')
  await optionsAre('so the daemon has looked', '{dst_port="4789", key=flow, local_ip=flow, remote_ip=flow}')
  t.same(await chassis.ports('br-ovn'), ['ovn-evpn-4797'], 'their port is still there')
})
