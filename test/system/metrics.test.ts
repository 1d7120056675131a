// Issue 7, point 5: what the daemon tells Prometheus, and that every expression of the dashboard and the alert rules in
// docs/monitoring finds it there.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { Chassis } from './util/chassis.js'
import { eventually } from './util/eventually.js'
import { fetchAll } from './util/fetch.js'
import { Prometheus, type Point } from './util/prometheus.js'
import { Speaker } from './util/speaker.js'
import { Wire } from './util/wire.js'
import { workload } from './util/workload.js'

const URL = 'http://127.0.0.1:9475'
const RULES = 'docs/monitoring/alerts.yml'
const [A, B] = ['192.0.2.11', '192.0.2.12'] as const
const MAC = '02:aa:00:00:00:01'
/** A bridge does not forward it (IEEE 802.1Q, table 8-1), and neither do we: it is dropped and counted. */
const RESERVED = '01:80:c2:00:00:0e'

const [vm, other] = [workload('vm1', 10, 1), workload('vm2', 20, 2)]
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [vm, other] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
// Nothing is sent but what the test sends: a frame of its own would end the other's claim.
for (const { name } of [vm, other]) await lab.exec(name, ['ip', 'addr', 'flush', 'dev', 'eth0'])
const speaker = new Speaker(c1)
const socket = `${lab.host('c1').dir}/zserv.api`
lab.spawn('c1', [process.execPath, '-e', `require('net').createServer().listen(${JSON.stringify(socket)})`], { stdio: 'ignore' })
await eventually('the routing daemon to listen', () => c1.run(['cat', '/proc/net/unix']), (text) => text.includes(socket))
await c1.set('Bridge br-int', { 'evpn-speaker': socket })
const daemon = await lab.startDaemon('c1', ['--metrics=:9475'])
const wire = await Wire.open(lab, 'vm1')
for (const vtep of [A, B]) await speaker.vtep(10, vtep)
await speaker.vtep(20, A)
await speaker.mac(10, MAC, A)
await speaker.ip(10, '10.0.0.99', MAC)

/** What /metrics says now. */
const scrape = async () => (await fetchAll(lab, 'c1', [`${URL}/metrics`]))[0]?.body ?? ''
const shows = (what: string, ...series: readonly string[]) => eventually(what, async () => {
  const lines = (await scrape()).split('\n')
  return series.filter((line) => !lines.includes(line)).map((line) => `not there: ${line}; but ${lines.filter((other) => other.startsWith(line.split('{')[0] ?? '')).join(', ')}`)
}, (missing) => missing.length === 0)

await t.test('what is known is told', async () => {
  await shows('VTEPs, MACs, IPs, claims and sessions', 'ovs_evpn_vteps{vni="10"} 2', 'ovs_evpn_vteps{vni="20"} 1', 'ovs_evpn_macs{vni="10"} 1', 'ovs_evpn_ips{vni="10"} 1',
    'ovs_evpn_ports{vni="20"} 1', 'ovs_evpn_claims{vni="10",state="advertised"} 1', 'ovs_evpn_claims{vni="10",state="contested"} 0',
    'ovs_evpn_session_up{session="ovsdb"} 1', 'ovs_evpn_session_up{session="openflow"} 1', 'ovs_evpn_session_up{session="netlink"} 1',
    'ovs_evpn_settled 1', 'ovs_evpn_routing_daemon_up 1', 'ovs_evpn_entries_pending{kind="flow"} 0')
})

await t.test('a claim that another chassis takes over is contested; a packet that is dropped is counted by VNI and reason', async () => {
  await speaker.mac(10, vm.mac, B)
  wire.send({ src: '02:00:00:00:00:77', dst: RESERVED, name: 'dropped' })
  await shows('the contested claim, and the drop', 'ovs_evpn_claims{vni="10",state="contested"} 1', 'ovs_evpn_claims{vni="10",state="advertised"} 0',
    'ovs_evpn_drops_total{vni="10",reason="reserved destination"} 1')
})

await t.test('promtool has no complaint about the metrics and the rules', async (t) => {
  t.match(await scrape(), /^# HELP ovs_evpn_info /)
  const metrics = await lab.exec('c1', ['promtool', 'check', 'metrics'], { input: await scrape(), allowFailure: true })
  t.equal(metrics.stdout + metrics.stderr, '')
  t.equal(metrics.code, 0)
  t.match((await lab.exec('c1', ['promtool', 'check', 'rules', '--lint-fatal', RULES])).stdout, /SUCCESS/)
})

await t.test('what others ask for is refused', async (t) => {
  const [elsewhere, byName, loopback] = await fetchAll(lab, 'c1', [`${URL}/metrics/x`, 'http://localhost:9475/metrics', 'http://192.0.2.1:9475/metrics'])
  t.equal(elsewhere?.status, 404)
  t.equal(byName?.status, 200)
  t.equal(loopback?.status, 0, 'on loopback, and nowhere else')
  t.notMatch(daemon.log(), 'is not loopback')
})

let prometheus: Prometheus | undefined
const query = (expressions: readonly string[]) => prometheus?.query(expressions) ?? Promise.resolve([])
const rules = () => prometheus?.rules() ?? Promise.resolve([])

await t.test('Prometheus scrapes it, while something of every kind happens', async () => {
  prometheus = await Prometheus.start(lab, 'c1', '127.0.0.1:9475', RULES)
  await eventually('a first scrape', () => query(['ovs_evpn_info']), ([points]) => (points?.length ?? 0) > 0, 30_000)
  await speaker.nexthops({ 1: A, 2: B })
  await speaker.nexthopGroup(10, { 1: 1, 2: 1 })
  await speaker.multihomed(10, ['02:aa:00:00:00:02'], 10)
  await speaker.mac(10, MAC, B)
  await speaker.mac(10, '02:aa:00:00:00:03', A)
  await shows('the new MACs', 'ovs_evpn_macs{vni="10"} 4')
  await speaker.noMac(10, '02:aa:00:00:00:03')
  await shows('one less', 'ovs_evpn_macs{vni="10"} 3')
})

interface Dashboard { readonly panels: readonly { readonly title: string, readonly targets: readonly { readonly expr: string }[] }[] }

const dashboard = JSON.parse(readFileSync('docs/monitoring/dashboard.json', 'utf8')) as Dashboard
const shown = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expression: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m') })))

/** Waits until each of them gives a number. */
async function giveData(expressions: readonly string[]): Promise<void> {
  const hasData = (points: readonly Point[] | undefined) => points?.some(({ value }) => !Number.isNaN(value)) ?? false
  await eventually('every expression to give data', async () => {
    const answers = await query(expressions)
    return expressions.filter((_, i) => !hasData(answers[i]))
  }, (empty) => empty.length === 0, 30_000)
}

await t.test('every expression of the dashboard gives data', async (t) => {
  t.ok(shown.length > 25, `${shown.length} expressions`)
  t.notOk(shown.find(({ expression }) => expression.includes('$')), 'no variable is left')
  await giveData(shown.map(({ expression }) => expression))
})

await t.test('every alert rule has data to judge, and judges', async (t) => {
  const evaluated = await eventually('all rules to be evaluated', rules, (all) => all.length >= 15 && all.every(({ health }) => health === 'ok'), 30_000)
  // Without what it compares with, an expression gives what it judges.
  await giveData(evaluated.map(({ query }) => query.replaceAll(/ (==|>) [\d.e]+/g, '')))
  const stateOf = (states: readonly { readonly name: string, readonly state: string }[], name: string) => states.find((rule) => rule.name === name)?.state
  await eventually('the contested address to be noticed', rules, (all) => stateOf(all, 'OvsEvpnContested') === 'pending', 30_000)
  for (const name of ['OvsEvpnSessionDown', 'OvsEvpnRoutingDaemonGone', 'OvsEvpnRefused', 'OvsEvpnOverruns']) {
    t.equal(stateOf(evaluated, name), 'inactive', `${name}: nothing of the kind happened`)
  }
})

await t.test('latencies: each kind of change, in a histogram that adds up', async (t) => {
  const [counts = [], last = []] = await query(['ovs_evpn_latency_seconds_count', 'ovs_evpn_latency_seconds_bucket{le="+Inf"}'])
  t.same(counts.map(({ metric }) => metric['change']).sort(), ['group', 'learn', 'move', 'withdraw'])
  for (const { metric, value } of counts) {
    t.ok(value >= 1, `${metric['change']}: ${value}`)
    t.equal(last.find((bucket) => bucket.metric['change'] === metric['change'])?.value, value)
  }
})
