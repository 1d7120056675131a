// Issue 2, point 6: what the running daemon shows, through the stock ovs-appctl and through ovs-evpnctl, the same before and
// after a restart; and how it ends, leaving everything in place or nothing.
import t from 'tap'
import type { ShowReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { Chassis, lines } from './util/chassis.js'
import { memory } from './util/daemon-numbers.js'
import { eventually } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { Speaker } from './util/speaker.js'

const A = '192.0.2.11'
const B = '192.0.2.12'
const MAC = '02:aa:00:00:00:01'

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [0, 1000] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)

// What is somebody else's, in every place where something of ours will be.
await c1.ofctl('add-flow', 'br-int', 'cookie=0x7,table=0,priority=36865,in_port=77,actions=drop')
await c1.ofctl('add-flow', 'br-int', 'cookie=0x7,table=100,priority=7,actions=drop')
await c1.ofctl('add-flow', 'br-int', 'cookie=0x7,table=210,priority=7,udp,actions=drop')
await c1.ofctl('add-group', 'br-int', 'group_id=7,type=all,bucket=bucket_id:1,actions=drop')
await c1.vsctl('add-port', 'br-int', 'mine', '--', 'set', 'Interface', 'mine', 'type=vxlan', 'options:remote_ip=192.0.2.77', 'options:dst_port=5000')
await c1.vsctl('add-port', 'br-phy', 'ovn-evpn-5001', '--', 'set', 'Interface', 'ovn-evpn-5001', 'type=internal')
for (const vni of [0, 1000]) {
  await speaker.vtep(vni, B) // not in the order of the lists
  await speaker.vtep(vni, A)
  await speaker.mac(vni, MAC, A)
  await speaker.ip(vni, '10.1.1.2', MAC)
  await speaker.ip(vni, 'fd00::9', MAC)
}
await c1.run(['ip', 'neigh', 'replace', '10.1.1.9', 'lladdr', MAC, 'dev', 'br-1000', 'nud', 'permanent'])
await c1.run(['ip', 'link', 'add', 'tap0', 'master', 'br-1000', 'type', 'veth', 'peer', 'name', 'tap0p'])
await c1.run(['bridge', 'fdb', 'replace', '02:bb:00:00:00:01', 'dev', 'tap0', 'master', 'static'])

/** Everything there is on the chassis that the daemon could touch, a line each. */
async function everything(): Promise<string[]> {
  const fdb = (await c1.fdb()).map((row) => `fdb ${row.ifname} ${row.mac} ${row.dst ?? ''} ${row.master ?? ''} ${row.state} ${row.flags.join()}`)
  const neighbours = (await c1.neighbours()).filter(({ dev }) => /-(0|1000)$/.test(dev))
    .map((row) => `neigh ${row.dev} ${row.dst} ${row.lladdr} ${row.state.join()} ${row.protocol}`)
  const [ports, ids] = [await c1.run(['ovs-vsctl', 'list-ports', 'br-int']), await c1.vsctl('get', 'Bridge', 'br-int', 'external_ids')]
  const ofPhy = lines(await c1.vsctl('list-ports', 'br-phy'))
  return [...await c1.flows(), ...await c1.groups(), ...lines(ports), ...ofPhy, ids, ...fdb, ...neighbours].sort()
}

const before = await everything()
let daemon = await lab.startDaemon('c1')
await ready()

async function ready(): Promise<void> {
  await eventually('the daemon to know everything and to have nothing to do', () => memory(daemon), (now) =>
    now['macs'] === 2 && now['ips'] === 4 && (now['flows_realized'] ?? 0) > 20 && now['flows_desired'] === now['flows_realized'] &&
    now['groups_desired'] === now['groups_realized'] && now['kernel_rows_desired'] === 12 && now['kernel_rows_realized'] === 12)
}

/** The stock ovs-appctl, which finds the daemon by its pidfile. */
async function appctl(...command: readonly string[]): Promise<string> {
  return await c1.run(['ovs-appctl', '-t', 'ovs-evpnd', ...command])
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const KEY = '0x[89a-f][0-9a-f]{7}'
const OFPORT = (await c1.vsctl('get', 'Interface', 'ovn-evpn-4789', 'ofport')).trim()
const both = (line: (vni: number) => readonly string[]): string[] => [0, 1000].flatMap(line)

const LISTS = [
  { command: 'evpn/remote-vtep-list', expected: both((vni) => [A, B].map((ip) => `IP: ${ip}, port: 4789, vni: ${vni}`)) },
  {
    command: 'evpn/vtep-binding-list',
    expected: both((vni) => [A, B].map((ip) => `UUID: ${UUID}, Remote IP: ${ip}, vni: ${vni}, binding_key: ${KEY}, tunnel_ofport: ${OFPORT}, dp_key: ${vni}`))
  },
  { command: 'evpn/vtep-multicast-group-list', expected: both((vni) => [`UUID: ${UUID}, Remote IPs: ${A}, ${B}, vni: ${vni}`]) },
  { command: 'evpn/vtep-fdb-list', expected: both((vni) => [`UUID: ${UUID}, MAC: ${MAC}, vni: ${vni}, binding_key: ${KEY}, dp_key: ${vni}`]) },
  {
    command: 'evpn/vtep-arp-list',
    expected: both((vni) => ['10.1.1.2', 'fd00::9'].map((ip) => `UUID: ${UUID}, VNI: ${vni}, MAC: ${MAC}, IP: ${ip}, dp_key: ${vni}`))
  }
] as const

for (const { command, expected } of LISTS) {
  await t.test(`ovs-appctl -t ovs-evpnd ${command}: the line form of ovn-controller, by VNI and address`, async (t) => {
    const printed = (await appctl(command)).replace(/\n$/, '').split('\n')
    t.equal(printed.length, expected.length, `${expected.length} lines: ${printed.join(' | ')}`)
    for (const [i, pattern] of expected.entries()) t.match(printed[i], new RegExp(`^${pattern.replaceAll('.', '\\.')}$`), `line ${i + 1}`)
  })
}

await t.test('a binding\'s key is the one its MACs show, and no two rows have one UUID', async (t) => {
  const [bindings, macs] = [await appctl('evpn/vtep-binding-list'), await appctl('evpn/vtep-fdb-list')]
  for (const vni of [0, 1000]) {
    const binding = new RegExp(`Remote IP: ${A}, vni: ${vni}, binding_key: (\\S+),`).exec(bindings)?.[1]
    t.equal(new RegExp(`vni: ${vni}, binding_key: (\\S+),`).exec(macs)?.[1], binding, `VNI ${vni}`)
  }
  const uuids = (await Promise.all(LISTS.map(({ command }) => appctl(command)))).join('').match(new RegExp(UUID, 'g')) ?? []
  t.equal(new Set(uuids).size, uuids.length, 'UUIDs are unique')
})

await t.test('list-commands names what the documentation names', async (t) => {
  const listed = lines(await appctl('list-commands')).map((line) => line.split(/\s+/)[0])
  for (const name of [...LISTS.map(({ command }) => command), 'evpn/latency', 'list-commands', 'version', 'exit', 'vlog/list', 'vlog/set', 'vlog/reopen', 'vlog/close',
    'memory/show', 'coverage/show']) t.ok(listed.includes(name), name)
})

await t.test('version, vlog and the counters', async (t) => {
  t.match(await appctl('version'), /^ovs-evpnd \(ovs-evpn\) \d+\.\d+\.\d+\n$/)
  t.match(await appctl('vlog/list'), /^ +console +syslog +file\n/)
  t.equal(await appctl('vlog/set', 'netlink:file:dbg'), '')
  t.match(await appctl('vlog/list'), /^netlink +\S+ +\S+ +DBG$/m)
  await t.rejects(appctl('vlog/set', 'nonsense:file:dbg'), /nonsense/)
  t.match(await appctl('coverage/show'), /^flow_mods +total: \d+$/m)
  t.match(await appctl('memory/show'), /\bmacs:2 /)
  // What is read at the start is not an event: one of its own.
  await speaker.mac(1000, '02:aa:00:00:00:02', A)
  await eventually('a MAC learned to be in the histogram', () => appctl('evpn/latency'), (text) =>
    /^learn: [1-9]\d* events, p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ ms\n {2}(up to [\d.]+ ms|longer): [1-9]\d*$/m.test(text))
  await speaker.noMac(1000, '02:aa:00:00:00:02')
  await ready()
  await t.rejects(appctl('evpn/nonsense'), /"evpn\/nonsense" is not a valid command/)
})

const TABLES = [
  { command: 'vteps', head: /^ *VNI +VTEP +PORT +FLOOD +MACS +OFPORT +STATE$/m, row: new RegExp(`^ *1000 +${A} +4789 +yes +1 +${OFPORT} +ok$`, 'm'), rows: 2 },
  { command: 'macs', head: /^ *VNI +MAC +VIA +STICKY +STATE$/m, row: new RegExp(`^ *1000 +${MAC} +${A}:4789 +no +ok$`, 'm'), rows: 1 },
  { command: 'ips', head: /^ *VNI +IP +MAC +FROM +ROUTER +ANSWERS +STATE$/m, row: new RegExp(`^ *1000 +10\\.1\\.1\\.2 +${MAC} +remote +no +yes +ok$`, 'm'), rows: 6 },
  { command: 'flood', head: /^ *VNI +VTEPS +REACHED +PARTS +TO +LOCAL PORTS +STATE$/m, row: new RegExp(`^ *1000 +2 +2 +2 +${A}, ${B} +c1-1000-a, c1-1000-b +ok$`, 'm'), rows: 1 },
  { command: 'local', head: /^ *VNI +PORT +MAC +IPS +STATE$/m, row: /^ *1000 +c1-1000-a +02:00:00:02:01:01 +10\.0\.2\.11, fd00::2:11 +advertised$/m, rows: 2 },
  { command: 'ports', head: /^ *VNI +PORT +VLAN +OFPORT +ADDRESSES +LEARNS +ADVERTISED +STATE$/m, row: /^ *1000 +c1-1000-a +- +\d+ +02:00:00:02:01:01 10\.0\.2\.11 fd00::2:11 +no +yes +up$/m, rows: 2 }
] as const

for (const { command, head, row, rows } of TABLES) {
  await t.test(`ovs-evpnctl ${command}: an aligned table; --json and --vni`, async (t) => {
    const [table, all, one] = await Promise.all([[command], [command, '--json'], [command, '--json', '--vni', '1000']]
      .map(async (args) => (await evpnctl(lab, 'c1', args)).stdout))
    t.match(table, head)
    t.match(table, row)
    const [title = '', ...body] = table?.split('\n').filter((line) => line !== '') ?? []
    const state = title.indexOf('STATE')
    for (const line of body) t.match(line.slice(state - 2), /^ {2}(ok|up|advertised)$/, `the state stands under STATE: ${line}`)
    t.equal((JSON.parse(all ?? '') as readonly unknown[]).length, 2 * rows, 'both VNIs')
    const ofVni = JSON.parse(one ?? '') as readonly { readonly vni: number }[]
    t.equal(ofVni.length, rows, '--vni 1000')
    t.ok(ofVni.every(({ vni }) => vni === 1000), 'and nothing of another VNI')
  })
}

await t.test('ovs-evpnctl show: the sessions, tunnel ports and VNIs; the foreign flow in one of our tables is a problem', async (t) => {
  const { stdout } = await evpnctl(lab, 'c1', ['show'])
  t.match(stdout, /^bridge: +br-int$/m)
  t.match(stdout, /^ovsdb: +connected to unix:/m)
  t.match(stdout, /^openflow: +connected to .*br-int\.mgmt$/m)
  t.match(stdout, new RegExp(`^ovn-evpn-4789 +4789 +${OFPORT} +up$`, 'm'))
  t.match(stdout, /^ *1000 +br-1000 +vxlan-1000 +lo-1000 +192\.0\.2\.1 +2 +1 +2 +2$/m)
  t.match(stdout, /foreign flow in our place: table=210, priority=7,udp/)
  const show = JSON.parse((await evpnctl(lab, 'c1', ['show', '--json'])).stdout) as ShowReport
  t.same(show.vnis.map(({ vni }) => vni), [0, 1000])
  t.same(show.problems.map(({ record }) => record), ['switch'])
})

/** All that the daemon shows of the fabric. */
async function shown(): Promise<readonly string[]> {
  const listed = await Promise.all(LISTS.map(({ command }) => appctl(command)))
  const tables = await Promise.all(TABLES.map(({ command }) => appctl('evpn/report', command)))
  return [...listed, ...tables]
}

await t.test('exit leaves everything in place; after a restart all lists, ids included, are the same to the letter', async (t) => {
  const [seen, there] = [await shown(), await everything()]
  t.equal(await appctl('exit'), '')
  t.same(await daemon.exited, { code: 0, signal: null })
  t.same(await everything(), there, 'flows, groups, ports and kernel rows after exit')
  daemon = await lab.startDaemon('c1')
  await ready()
  t.same(await shown(), seen)
})

await t.test('exit --cleanup removes everything of ours, and nothing else', async (t) => {
  t.notSame(await everything(), before, 'there is something to remove')
  t.equal(await appctl('exit', '--cleanup'), '')
  t.same(await daemon.exited, { code: 0, signal: null })
  t.same(await everything(), before, 'the chassis as it was before the daemon was ever started')
})
