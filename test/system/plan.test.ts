// Issue 7, point 4: `ovs-evpnctl plan` says what a change of the configuration does: flows, groups, kernel rows and tunnel ports are
// compared before and after the change is really made, and again when it is taken back.
import t from 'tap'
import type { PlannedReport, PlanReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { Chassis, lines } from './util/chassis.js'
import { memory } from './util/daemon-numbers.js'
import { eventually } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { Speaker } from './util/speaker.js'
import { workload } from './util/workload.js'

t.setTimeout(280_000)

const [A, B] = ['192.0.2.11', '192.0.2.12']
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [workload('a', 10, 1), workload('b', 20, 2)] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await speaker.nexthops({ 8: A, 9: B })
await speaker.nexthopGroup(19, { 8: 1, 9: 1 })
for (const vni of [10, 20]) {
  for (const ip of [A, B]) await speaker.vtep(vni, ip)
  await speaker.vtep(vni, B, `vxlan-${vni}`, 'port', '4790')
  await speaker.mac(vni, '02:aa:00:00:00:01', A)
  await speaker.mac(vni, '02:aa:00:00:00:02', B, `vxlan-${vni}`, 'port', '4790')
  await speaker.multihomed(vni, ['02:aa:00:00:00:09'], 19)
  await speaker.ip(vni, '10.0.0.201', '02:aa:00:00:00:01')
}
const daemon = await lab.startDaemon('c1')
await settled()

async function settled(): Promise<void> {
  await eventually('the daemon to have nothing to do', () => memory(daemon), (now) => now['flows_desired'] === now['flows_realized'] && (now['flows_realized'] ?? 0) > 20 &&
    now['groups_desired'] === now['groups_realized'] && now['kernel_rows_desired'] === now['kernel_rows_realized'], 30_000)
}

interface Shown { readonly flows: ReadonlySet<string>, readonly groups: ReadonlyMap<string, string>, readonly rows: ReadonlySet<string>, readonly ports: ReadonlySet<string> }

/** All that a plan is about, as the stock tools print it. */
async function look(): Promise<Shown> {
  const flows = lines(await c1.run(['ovs-ofctl', '-O', 'OpenFlow15', '--no-names', '--no-stats', 'dump-flows', 'br-int', 'cookie=0x6576706e00000000/-1']))
  const groups = lines(await c1.run(['ovs-ofctl', '-O', 'OpenFlow15', '--no-names', 'dump-groups', 'br-int'])).filter((line) => line.startsWith('group_id='))
  const fdb = (await c1.fdb()).filter(({ ifname, master, state }) => ifname.startsWith('lo-') && master !== undefined && state === 'static')
  const neighbours = (await c1.neighbours()).filter(({ protocol }) => protocol === '85')
  return {
    flows: new Set(flows.filter((line) => line.includes('actions=')).map((line) => line.replace(/^cookie=\w+, /, ''))),
    groups: new Map(groups.map((line) => [/^group_id=(\d+)/.exec(line)?.[1] ?? '', line])),
    rows: new Set([...fdb.map(({ mac, ifname }) => `fdb ${mac} dev ${ifname}`), ...neighbours.map(({ dst, lladdr, dev }) => `neigh ${dst} lladdr ${lladdr} dev ${dev}`)]),
    ports: new Set((await c1.ports()).filter((port) => port.startsWith('ovn-evpn-')))
  }
}

const without = (these: ReadonlySet<string>, those: ReadonlySet<string>, sign: string): string[] => [...these].filter((one) => !those.has(one)).map((one) => `${sign} ${one}`)

/** A group of ovs-ofctl in the words of a plan: with all its buckets, or with those that the other form of it has not. */
function groupText(line: string, other: string | undefined): string {
  const bucketsOf = (group: string): string[] => group.split(',bucket=').slice(1)
  const [, id = '', type = ''] = /^group_id=(\d+),type=(\w+)/.exec(line) ?? []
  const all = bucketsOf(line)
  const own = all.filter((bucket) => other === undefined || !bucketsOf(other).includes(bucket)).sort((a, b) => bucketId(a) - bucketId(b))
  const head = `group_id=${id},type=${type}, ${all.length} ${all.length === 1 ? 'bucket' : 'buckets'}`
  return own.length === 0 ? head : `${head}${other === undefined ? '' : ', among them'}: ${own.join('; ')}`
}

function bucketId(bucket: string): number {
  return Number(/^bucket_id:(\d+)/.exec(bucket)?.[1])
}

/** What was really done. */
function difference(before: Shown, after: Shown): string[] {
  const ids = [...new Set([...before.groups.keys(), ...after.groups.keys()])].filter((id) => before.groups.get(id) !== after.groups.get(id))
  const groups = ids.flatMap((id) => {
    const [old, current] = [before.groups.get(id), after.groups.get(id)]
    return [...(old === undefined ? [] : [`- ${groupText(old, current)}`]), ...(current === undefined ? [] : [`+ ${groupText(current, old)}`])]
  })
  return [
    ...without(before.flows, after.flows, '-'), ...without(after.flows, before.flows, '+'), ...groups,
    ...without(before.rows, after.rows, '-'), ...without(after.rows, before.rows, '+'), ...without(before.ports, after.ports, '-'), ...without(after.ports, before.ports, '+')
  ].map(anyNumber).sort()
}

/** The same of a plan. */
function planned({ flows, groups, kernel_rows: rows, tunnel_ports: ports }: PlanReport): string[] {
  const signed = ({ entries }: PlannedReport): string[] => entries.flatMap(({ change, what, was }) =>
    change === 'changed' ? [`- ${was}`, `+ ${what}`] : [`${change === 'added' ? '+' : '-'} ${what}`])
  return [...signed(flows), ...signed(groups), ...signed(rows), ...signed(ports)].map(anyNumber).sort()
}

/** Which number a port will have, Open vSwitch decides: those above the ports that are there are one. It does not print table 0. */
function anyNumber(line: string): string {
  return line.replace('table=0, ', '').replace(/\b(in_port=|output:)(\d+)/g, (all, before: string, number: string) => (Number(number) > 3 ? `${before}NEW` : all))
}

/** As `ovs-evpnctl plan --json` asks, without a process of its own for each. */
const plan = async (...settings: readonly string[]): Promise<PlanReport> => JSON.parse(await daemon.appctl('evpn/plan', ...settings)) as PlanReport

interface Case {
  /** As typed for plan; and the record, key and value that ovs-vsctl sets. */
  readonly setting: string
  readonly record: string
  readonly key: string
  readonly value: string | undefined
}

const [ROOT, BRIDGE] = ['Open_vSwitch .', 'Bridge br-int']
const ofBridge = (key: string, value: string): Case => ({ setting: `${key}=${value}`, record: BRIDGE, key, value })
const ofPort = (port: string, key: string, value: string): Case => ({ setting: `${port}:${key}=${value}`, record: `Interface ${port}`, key, value })

const CASES: readonly Case[] = [
  ofBridge('evpn-suppress', 'false'), ofBridge('evpn-flood-10', 'none'), ofBridge('evpn-decap', 'member'), ofBridge('evpn-learn', 'true'),
  ofBridge('evpn-port-security-10', 'true'), ofBridge('dynamic-routing-redistribute', 'none'),
  ofBridge('dynamic-routing-bridge-ifname-10', 'nope'), ofBridge('evpn-addresses-20', '02:cc:00:00:00:01 10.0.0.250'),
  ofPort('a', 'dynamic-routing-vni', '20'), ofPort('a', 'evpn-addresses', '02:00:00:00:00:01 10.0.0.1, unknown'),
  { setting: 'ovn-evpn-local-ip=192.0.2.201', record: ROOT, key: 'ovn-evpn-local-ip', value: '192.0.2.201' },
  { setting: 'ovn-evpn-vxlan-ports=4789,4790', record: ROOT, key: 'ovn-evpn-vxlan-ports', value: '4789,4790' },
  { setting: 'b:dynamic-routing-vni=', record: 'Interface b', key: 'dynamic-routing-vni', value: undefined }
]

/** What a key is now; undefined = not set. */
async function valueOf({ record, key }: Case): Promise<string | undefined> {
  const text = (await c1.vsctl('--if-exists', 'get', ...record.split(' '), `external_ids:${key}`)).trim()
  return text === '' ? undefined : text.replace(/^"(.*)"$/, '$1')
}

async function make({ record, key }: Case, value: string | undefined): Promise<void> {
  if (value === undefined) await c1.unset(record, key)
  else await c1.set(record, { [key]: value })
}

/** Plans the change, makes it, and waits until what differs is what was planned. */
async function holds(one: Case, value: string | undefined): Promise<number> {
  const setting = one.setting.slice(0, one.setting.indexOf('=') + 1) + (value ?? '')
  const before = await look()
  const expected = planned(await plan(setting))
  await make(one, value)
  await eventually(`${setting} to do what was planned:\n${expected.join('\n')}\n`, async () => difference(before, await look()), (seen) => seen.join('\n') === expected.join('\n'), 20_000)
  await settled()
  return expected.length
}

for (const one of CASES) {
  await t.test(`${one.setting}: what was planned is done, and what is planned for the way back`, async (t) => {
    const old = await valueOf(one)
    t.ok(await holds(one, one.value) > 0, 'it does something')
    await holds(one, old)
  })
}

await t.test('several settings are one plan; it is printed with the commands that would make it', async (t) => {
  const before = await look()
  const { stdout } = await evpnctl(lab, 'c1', ['plan', 'evpn-suppress=false', 'a:dynamic-routing-vni=20'])
  t.strictSame(difference(before, await look()), [], 'a plan changes nothing')
  t.match(stdout, /^ovs-vsctl set Bridge br-int external_ids:evpn-suppress=false\novs-vsctl set Interface a external_ids:dynamic-routing-vni=20\n\n/)
  t.match(stdout, /^\d+ flows would be touched: .*\d+ removed$/m)
  t.match(stdout, /^ {2}- fdb 02:00:00:00:00:01 dev lo-10$/m)
  t.match(stdout, /^ {2}\+ fdb 02:00:00:00:00:01 dev lo-20$/m)
  t.match(stdout, /\nNothing has been changed\.\n$/)
  t.match((await evpnctl(lab, 'c1', ['plan', 'evpn-suppress=true'])).stdout, /\n\nwould change nothing\.\n/)
})

await t.test('devices that would be made, and what would be wrong', async (t) => {
  const made = await plan('evpn-manage-devices-30=true', 'evpn-addresses-30=02:cc:00:00:00:02', 'ovn-evpn-local-ip=192.0.2.1')
  t.strictSame(made.devices.entries.map(({ change, what }) => `${change} ${what}`).sort(), ['added device br-30', 'added device lo-30', 'added device vxlan-30'])
  t.ok((await plan('dynamic-routing-bridge-ifname-10=nope')).problems.some((text) => /^VNI 10: .*nope/.test(text)))
})

const WRONG: readonly (readonly [setting: string, sentence: string])[] = [
  ['evpn-supress=false', 'there is no key "evpn-supress", did you mean "evpn-suppress"?'],
  ['evpn-suppress', '"evpn-suppress" is no setting; write KEY=VALUE, or PORT:KEY=VALUE for a port'],
  ['evpn-suppress=maybe', 'evpn-suppress=maybe: must be true or false'],
  ['dynamic-routing-vni=10', '"dynamic-routing-vni" is a key of ports; write PORT:dynamic-routing-vni=10'],
  ['c:dynamic-routing-vni=10', 'there is no port "c", did you mean "'],
  ['a:dynamic-routing-vin=10', 'a port has no key "dynamic-routing-vin", did you mean "dynamic-routing-vni"?'],
  ['ovn-bridge=br-phy', 'what another bridge would get cannot be told: the ports of br-phy are not known']
]

await t.test('what cannot be planned is refused in a sentence, exit code 2', async (t) => {
  for (const [setting, sentence] of WRONG) {
    const { refused } = JSON.parse(await daemon.appctl('evpn/plan', setting)) as { readonly refused?: string }
    t.ok(refused?.startsWith(sentence), `${setting}: ${refused}`)
  }
  const { code, stderr } = await evpnctl(lab, 'c1', ['plan', 'evpn-supress=false'], { allowFailure: true })
  t.equal(stderr, 'ovs-evpnctl: there is no key "evpn-supress", did you mean "evpn-suppress"?\n')
  t.equal(code, 2)
})
