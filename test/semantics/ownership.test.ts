// Rule 17: whose a kernel row is. Nothing is kept in a file: a row says itself whose it is, before and after a restart.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { announced, announces } from '../system/util/announced.js'
import { Chassis } from '../system/util/chassis.js'
import { coverage } from '../system/util/daemon-numbers.js'
import { eventually } from '../system/util/eventually.js'
import { Speaker } from '../system/util/speaker.js'
import { rowsOf, workload } from '../system/util/workload.js'

const [w10, w20] = [workload('w10', 10, 1), workload('w20', 20, 2)]
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [w10, w20] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
const both = [...rowsOf(w10), ...rowsOf(w20)]
let daemon = await lab.startDaemon('c1')
await announces(c1, 'at the start', both)

/** Rows of others, of every kind that could be mistaken for ours. */
await c1.run(['ip', 'link', 'add', 'name', 'theirs', 'type', 'veth', 'peer', 'name', 'theirs-peer'])
await c1.run(['ip', 'link', 'set', 'theirs', 'master', 'br-10', 'up'])
await c1.run(['ip', '-batch', '-'], { input: ['permanent', 'noarp extern_learn protocol zebra', 'noarp protocol 84', 'permanent protocol static']
  .map((form, i) => `neigh add 10.0.0.6${i} lladdr 02:00:00:00:06:0${i} dev br-10 nud ${form}`).join('\n') })
await c1.run(['bridge', '-batch', '-'], { input: ['theirs master static', 'theirs master dynamic extern_learn', 'vxlan-10 dst 192.0.2.66 self master dynamic extern_learn']
  .map((form, i) => `fdb add 02:00:00:00:06:1${i} dev ${form}`).join('\n') })

async function foreignRows(): Promise<string[]> {
  const fdb = (await c1.fdb()).filter(({ mac }) => mac.startsWith('02:00:00:00:06'))
  const neighbours = (await c1.neighbours()).filter(({ dst }) => dst.startsWith('10.0.0.6'))
  return [...fdb, ...neighbours].map((row) => JSON.stringify(row)).sort()
}
const foreign = await foreignRows()

/** The daemon stands still while something happens, and gets to know all of it at once. */
async function behindItsBack(happens: () => Promise<unknown>): Promise<void> {
  process.kill(daemon.pid, 'SIGSTOP')
  try {
    await happens()
  } finally {
    process.kill(daemon.pid, 'SIGCONT')
  }
}

await t.test('rule 17: rows we own are recognised after a restart without any file: nothing is written', async (t) => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await daemon.stop(signal)
    t.same(await announced(c1), [...both].sort(), 'the rows stand without a daemon')
    daemon = await lab.startDaemon('c1')
    await eventually('all to be advertised', async () => (await c1.report<{ readonly state: string }[]>('local')).map(({ state }) => state).join(),
      (states) => states === 'advertised,advertised')
    t.equal((await coverage(daemon))['kernel_writes'] ?? 0, 0, `nothing is written after ${signal}`)
  }
})

await t.test('rule 17: leftovers of a crash are removed, foreign rows never', async (t) => {
  await daemon.stop('SIGKILL')
  await c1.set('Interface w10', { 'evpn-addresses': `${w10.mac} 10.0.0.1` })
  await c1.unset('Interface w20', 'dynamic-routing-vni')
  daemon = await lab.startDaemon('c1')
  await announces(c1, 'what is configured now', [`${w10.mac} lo-10`, `10.0.0.1 ${w10.mac} br-10`])
  t.same(await foreignRows(), foreign, 'rows of others')
  await c1.set('Interface w10', { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` })
  await c1.set('Interface w20', { 'dynamic-routing-vni': '20' })
  await announces(c1, 'everything again', both)
})

await t.test("rule 17: a neighbour that became the speaker's is not deleted with ours: a deletion names the IP alone, so its owner is looked at first", async (t) => {
  await behindItsBack(async () => {
    await speaker.ip(10, '10.0.0.1', '02:00:00:00:07:77')
    await c1.set('Interface w10', { 'evpn-addresses': `${w10.mac} fd00::1` })
  })
  // Something else to write, so that it is known to have acted on both.
  await c1.set('Interface w20', { 'evpn-addresses': `${w20.mac} 10.0.0.2 fd00::2 10.0.0.99` })
  await announces(c1, 'without 10.0.0.1', [...both.filter((row) => !row.startsWith('10.0.0.1 ')), `10.0.0.99 ${w20.mac} br-20`])
  t.match((await c1.neighbours('br-10')).filter(({ dst }) => dst === '10.0.0.1'), [{ lladdr: '02:00:00:00:07:77', protocol: 'zebra' }], 'their neighbour stands')
  await speaker.noIp(10, '10.0.0.1')
})

await t.test('rule 17: a MAC that another chassis took over is not deleted with ours', async (t) => {
  await behindItsBack(async () => {
    await speaker.mac(10, w10.mac, '192.0.2.9')
    await c1.unset('Interface w10', 'evpn-addresses')
  })
  await announces(c1, 'nothing of w10', [...rowsOf(w20), `10.0.0.99 ${w20.mac} br-20`])
  const rows = (await c1.fdb()).filter(({ mac }) => mac === w10.mac).map(({ ifname }) => ifname)
  t.same([...new Set(rows)], ['vxlan-10'], 'both their rows stand')
})

await t.test('rule 17: exit --cleanup removes what is ours and nothing else', async (t) => {
  await daemon.appctl('exit', '--cleanup')
  await daemon.exited
  await announces(c1, 'nothing', [])
  t.same(await foreignRows(), foreign, 'rows of others')
})
