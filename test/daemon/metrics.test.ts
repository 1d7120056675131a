// The text of /metrics: every family, from an agent on fakes; latencies as Prometheus wants them.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { FAMILIES } from '../../lib/daemon/http/families.js'
import { Metrics } from '../../lib/daemon/http/metrics.js'
import { NTF, NUD } from '../../lib/netlink/index.js'
import { ZERO_MAC } from '../../lib/net/mac.js'
import { Latency } from '../../lib/sink/latency.js'
import { settle } from '../walk/slips.js'
import { chassisOfVni100 } from '../walk/vni-100.js'

const { clock, chassis, kernel, row } = chassisOfVni100({ vm1: '02:00:00:00:00:01 10.0.0.1' })
t.teardown(() => clock.uninstall())
for (const dst of ['192.0.2.1', '192.0.2.2']) kernel.write({ op: 'append', row: { ...row, lladdr: ZERO_MAC, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, dst } }, 'speaker')
kernel.write({ op: 'replace', row: { ...row, lladdr: '02:00:00:00:00:0a', state: NUD.REACHABLE, flags: NTF.SELF | NTF.EXT_LEARNED, dst: '192.0.2.1' } }, 'speaker')
chassis.start()
await settle(chassis)
const agent = chassis.life?.agent
if (agent === undefined) throw new Error('no agent')

const drops = [{ vni: 100, reason: 'unknown "VTEP"', packets: 7, bytes: 700 }, { vni: null, port: 'ovn-evpn-4789', reason: 'wrong VNI', packets: 2, bytes: 200 }]
const sessions = { ovsdb: 'connected to x', openflow: 'not connected: gone', netlink: 'synced' }
const latency = new Latency()
const metrics = new Metrics(() => Promise.resolve({ agent, version: '1.2.3', sessions, drops }), latency)
const text = await metrics.render()
const value = (series: string) => new RegExp(`^${series.replaceAll(/[{}".+]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1]

await t.test('every family is there, with its help and its type', (t) => {
  for (const { kind, name } of FAMILIES) t.match(text, new RegExp(`^# HELP ovs_evpn_${name} .+\n# TYPE ovs_evpn_${name} ${kind}$`, 'm'), name)
  for (const name of ['process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'nodejs_eventloop_lag_p99_seconds']) t.match(text, new RegExp(`^${name} \\S+$`, 'm'), name)
  t.equal(metrics.type, 'text/plain; version=0.0.4; charset=utf-8')
  t.end()
})

await t.test('docs/monitoring.md names each family, with its labels', (t) => {
  const rows = readFileSync('docs/monitoring.md', 'utf8').split('\n').filter((line) => line.startsWith('| `ovs_evpn_'))
  for (const { name, labels } of FAMILIES) {
    const row = rows.find((line) => line.includes(`\`ovs_evpn_${name}\``))
    for (const label of labels) t.ok(row?.split('|')[2]?.includes(`\`${label}\``), `${name} ${label}`)
    t.ok(row, name)
  }
  t.end()
})

for (const [series, expected] of [
  ['ovs_evpn_vteps{vni="100"}', '2'], ['ovs_evpn_macs{vni="100"}', '1'], ['ovs_evpn_ports{vni="100"}', '1'], ['ovs_evpn_claims{vni="100",state="contested"}', '0'],
  ['ovs_evpn_claims{vni="100",state="local"}', '1'], ['ovs_evpn_session_up{session="openflow"}', '0'], ['ovs_evpn_session_up{session="netlink"}', '1'],
  ['ovs_evpn_drops_total{vni="100",reason="unknown \\\\"VTEP\\\\""}', '7'], ['ovs_evpn_drops_total{port="ovn-evpn-4789",reason="wrong VNI"}', '2'],
  ['ovs_evpn_stale_rows', '0'], ['ovs_evpn_entries_pending{kind="kernel_row"}', '0'], ['ovs_evpn_settled', String(Number(agent.isSettled))]
] as const) {
  await t.test(`${series} is ${expected}`, (t) => {
    t.equal(value(series), expected)
    t.end()
  })
}

await t.test('flows wanted and flows there are the same number once all is brought about', (t) => {
  t.ok(Number(value('ovs_evpn_entries_desired{kind="flow"}')) > 10)
  t.equal(value('ovs_evpn_entries_realized{kind="flow"}'), value('ovs_evpn_entries_desired{kind="flow"}'))
  t.end()
})

await t.test('asked again, it tells what is so then, and nothing is added up', async (t) => {
  kernel.write({ op: 'delete', row: { ...row, lladdr: '02:00:00:00:00:0a', state: NUD.REACHABLE, flags: NTF.SELF | NTF.EXT_LEARNED, dst: '192.0.2.1' } }, 'speaker')
  await settle(chassis)
  const again = await metrics.render()
  t.match(again, /^ovs_evpn_macs\{vni="100"\} 0$/m)
  t.match(again, /^ovs_evpn_drops_total\{vni="100",reason="unknown \\"VTEP\\""\} 7$/m)
})

await t.test('latencies: cumulative buckets in s, as recorded, to 1 %', async (t) => {
  for (const ms of [0.1, 0.4, 3, 3, 30, 99_000]) latency.record('learn', ms)
  const distribution = latency.distribution('learn', [0.0005, 0.001, 0.005, 0.05, 10])
  t.strictSame(distribution.counts, [2, 2, 4, 5, 5])
  t.equal(distribution.count, 6)
  t.ok(Math.abs(distribution.sum - 99.0365) < 1, `the sum of all is about 99.04 s: ${distribution.sum}`)
  t.strictSame(latency.distribution('move', [1, 2]), { counts: [0, 0], count: 0, sum: 0 })
  const [learned, moved] = latency.report()
  t.strictSame(learned?.buckets, [{ le: 0.5, events: 2 }, { le: 5, events: 2 }, { le: 50, events: 1 }, { le: null, events: 1 }], 'evpn/latency tells the same')
  t.strictSame(moved?.buckets, [])
  const shown = await metrics.render()
  t.match(shown, /^ovs_evpn_latency_seconds_bucket\{le="0\.005",change="learn"\} 4$/m)
  t.match(shown, /^ovs_evpn_latency_seconds_bucket\{le="\+Inf",change="learn"\} 6$/m)
  t.match(shown, /^ovs_evpn_latency_seconds_count\{change="learn"\} 6$/m)
  t.match(shown, /^ovs_evpn_latency_seconds_count\{change="group"\} 0$/m)
})
