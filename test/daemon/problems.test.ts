// What is wrong is one list, which `ovs-evpnctl problems`, the metrics and the page show alike.
import t from 'tap'
import { Metrics } from '../../lib/daemon/http/metrics.js'
import { snapshot } from '../../lib/daemon/http/snapshot.js'
import { problemReports } from '../../lib/daemon/report/problems.js'
import { NTF, NUD } from '../../lib/netlink/index.js'
import { ZERO_MAC } from '../../lib/net/mac.js'
import { Latency } from '../../lib/sink/latency.js'
import { settle, settleFor } from '../walk/slips.js'
import { chassisOfVni100 } from '../walk/vni-100.js'

const { clock, chassis, kernel, row } = chassisOfVni100({ vm1: '02:00:00:00:00:01' })
t.teardown(() => clock.uninstall())
const vtep = { ...row, lladdr: ZERO_MAC, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, dst: '192.0.2.1' }
kernel.write({ op: 'append', row: vtep }, 'speaker')
chassis.start()
await settle(chassis)
const agent = chassis.life?.agent
if (agent === undefined) throw new Error('no agent')
const numbers = { agent, version: '1.2.3', sessions: { ovsdb: 'connected', openflow: 'connected', netlink: 'synced' }, drops: [] }
const metrics = new Metrics(() => Promise.resolve(numbers), new Latency())

/** What each of the three says: texts, texts, and how many of which kind. */
async function told(): Promise<{ problems: string[], page: readonly string[], counts: Record<string, number> }> {
  const counts = [...(await metrics.render()).matchAll(/^ovs_evpn_problems\{kind="(\w+)"\} (\d+)$/gm)].map(([, kind = '', count]): [string, number] => [kind, Number(count)])
  const problems = problemReports(numbers.agent).map(({ record, what }) => (record === 'configuration' ? what : `${record}: ${what}`))
  return { problems, page: snapshot(numbers).problems.shown, counts: Object.fromEntries(counts.filter(([, count]) => count > 0)) }
}

const before = await told()

await t.test('a tunnel port whose name somebody else has is told by all three', async (t) => {
  chassis.database.addPort('br-int', 'ovn-evpn-4790', { type: 'internal' })
  chassis.database.setKey('Open_vSwitch', chassis.database.root, 'ovn-evpn-vxlan-ports', '4789,4790')
  await settle(chassis)
  const { problems, page, counts } = await told()
  const text = 'port ovn-evpn-4790: port ovn-evpn-4790 exists and is not ours (no external_ids:ovn-evpn-tunnel=true)'
  t.ok(problems.includes(text), problems.join('\n'))
  t.strictSame(page, problems)
  t.strictSame(counts, { ...before.counts, tunnel_port: 1 })
  chassis.database.setKey('Open_vSwitch', chassis.database.root, 'ovn-evpn-vxlan-ports', '4789')
  await settle(chassis)
})

await t.test('a part of a large flood that stands a while longer, because packets may need it, is no problem', async (t) => {
  const others = Array.from({ length: 700 }, (_, i) => ({ ...vtep, dst: `192.0.${3 + (i >> 8)}.${i & 255}` }))
  for (const op of ['append', 'delete'] as const) {
    for (const other of others) kernel.write({ op, row: other }, 'speaker')
    await settleFor(chassis, 500)
  }
  t.ok(agent.state.switch.flows.blocked().size > 0, 'it stands')
  t.strictSame(await told(), before)
})
