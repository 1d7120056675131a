// Drift: what somebody else does to our flows, groups, meters, kernel rows and tunnel ports is put back at once, counted and told;
// with evpn-audit=report it is only told; whoever does it again and again is answered more and more slowly; and what is theirs stays.
import t, { type Test } from 'tap'
import { coverage } from '../system/util/daemon-numbers.js'
import { eventually, eventuallyHas, eventuallyLacks } from '../system/util/eventually.js'
import { Patient, VNI } from './util/patient.js'

const patient = await Patient.up()
const { c1, daemon } = patient

const MAC = '02:aa:00:00:00:10'
/** A remote MAC's flow, as ovs-ofctl names it. */
const FLOW = `table=202,priority=300,metadata=${VNI},dl_dst=${MAC}`
const OURS = 'cookie=0x6576706e00000000'
const log = patient.watchLog()

/** Each repair so far, by its counter. */
async function repairs(): Promise<Readonly<Record<string, number>>> {
  const now = await coverage(daemon)
  return Object.fromEntries(['switch_drift', 'kernel_drift', 'tunnel_drift'].map((name) => [name, now[name] ?? 0]))
}

/** Our flows that hand packets to one of these groups: they go with it. */
function handingTo(groups: readonly string[]): number {
  return patient.before.flows.filter((flow) => groups.some((id) => new RegExp(`group:${id}\\b`).test(flow))).length
}

/**
 * Does something to what is ours; all is as before soon after. Each of the entries it did it to is put back once, counted once, under
 * `counter` and under no other, and told in one line; one of them matches.
 */
async function isPutBack(t: Test, what: string, harm: () => Promise<unknown>, counter: string, told: RegExp, entries = 1): Promise<void> {
  const [before, said] = [await repairs(), log(/somebody else/).length]
  await harm()
  const start = performance.now()
  await patient.asBefore(what)
  t.comment(`${what}: put back, and seen to be, within ${Math.round(performance.now() - start)} ms`)
  await eventually(`${counter} to count it`, repairs, (now) => (now[counter] ?? 0) >= (before[counter] ?? 0) + entries)
  t.strictSame(await repairs(), { ...before, [counter]: (before[counter] ?? 0) + entries }, `${counter} counts ${entries} more, and nothing else is counted`)
  const lines = log(/somebody else/).slice(said)
  t.equal(lines.length, entries, `told: ${lines.join('; ')}`)
  t.ok(lines.some((line) => told.test(line)), `a line like ${told.source}`)
}

await t.test('a flow that somebody deletes', (t) =>
  isPutBack(t, 'flow deleted', () => c1.ofctl('--strict', 'del-flows', 'br-int', FLOW), 'switch_drift', /flow table=202.*somebody else deleted it; it is put back/))

await t.test('a flow whose actions somebody alters', (t) =>
  isPutBack(t, 'actions altered', () => c1.ofctl('mod-flows', 'br-int', `table=202,metadata=${VNI},dl_dst=02:aa:00:00:00:11,actions=drop`),
    'switch_drift', /flow table=202.*02:aa:00:00:00:11.*somebody else changed it from actions=.* to actions=drop/))

await t.test('a flow under our cookie that is none of ours', (t) =>
  isPutBack(t, 'flow added', () => c1.ofctl('add-flow', 'br-int', `${OURS},table=202,priority=77,metadata=${VNI},actions=drop`),
    'switch_drift', /flow table=202, priority=77.*somebody else added it/))

const flood = String(0x40000000 + VNI * 128)

await t.test('a group that somebody deletes, and the flows that go with it', (t) =>
  isPutBack(t, 'group deleted', () => c1.ofctl('del-groups', 'br-int', `group_id=${flood}`), 'switch_drift', new RegExp(`group ${flood}: somebody else deleted it`), 1 + handingTo([flood])))

await t.test('a group that somebody alters', (t) =>
  isPutBack(t, 'group altered', () => c1.ofctl('mod-group', 'br-int', `group_id=${flood},type=all,bucket=bucket_id:1,actions=drop`),
    'switch_drift', new RegExp(`group ${flood}: somebody else changed it`)))

await t.test('all groups at once', async (t) => {
  t.ok(patient.before.groups.length > 1)
  await isPutBack(t, 'all groups deleted', () => c1.ofctl('del-groups', 'br-int'), 'switch_drift', /group \d+: somebody else deleted it/, patient.before.groups.length + handingTo(['\\d+']))
})

const meters = async (): Promise<string[]> => [...(await c1.ofctl('dump-meters', 'br-int')).matchAll(/meter=\S+[^]*?rate=\d+[^\n]*/g)].map(([text]) => text).sort()

const firstMeter = async (): Promise<string> => /meter=(\S+)/.exec((await meters())[0] ?? '')?.[1] ?? ''

await t.test('a meter that somebody alters or deletes', async (t) => {
  const before = await meters()
  const id = await firstMeter()
  t.not(id, '', 'there is a meter')
  for (const harm of [['mod-meter', 'br-int', `meter=${id},pktps,burst,band=type=drop,rate=1,burst_size=1`], ['del-meter', 'br-int', `meter=${id}`]]) {
    await isPutBack(t, harm[0] ?? '', () => c1.ofctl(...harm), 'switch_drift', /meter \d+: somebody else/)
    await eventually('the meters to be as before', meters, (now) => JSON.stringify(now) === JSON.stringify(before))
  }
})

await t.test('rows of ours in the kernel', async (t) => {
  await isPutBack(t, 'FDB row deleted', () => c1.run(['bridge', 'fdb', 'del', '02:00:00:00:00:01', 'dev', `lo-${VNI}`, 'master']), 'kernel_drift', /kernel row fdb .*02:00:00:00:00:01.*: somebody else deleted it/)
  await isPutBack(t, 'neighbour deleted', () => c1.run(['ip', 'neigh', 'del', '10.0.0.1', 'dev', `br-${VNI}`]), 'kernel_drift', /kernel row neigh .*10.0.0.1: somebody else deleted it/)
})

await t.test('a tunnel port that somebody alters or deletes', async (t) => {
  await isPutBack(t, 'options altered', () => c1.vsctl('--no-wait', 'set', 'Interface', 'ovn-evpn-4789', 'options:key=5'), 'tunnel_drift', /somebody else changed our tunnel ports: port ovn-evpn-4789 has key=5 instead of flow; it is put back/)
  const before = await coverage(daemon)
  await c1.vsctl('--no-wait', 'del-port', 'br-int', 'ovn-evpn-4789')
  await eventuallyHas('the port made again and used', () => c1.ourFlows('table=205'), 'output:"ovn-evpn-4789"')
  await eventually('it to be counted', () => coverage(daemon), (now) => (now['tunnel_drift'] ?? 0) > (before['tunnel_drift'] ?? 0))
  // The port may have another number now, and with it the flows.
  await eventually('all flows there', () => c1.ourFlows(), (flows) => flows.length === patient.before.flows.length)
  patient.before = await patient.everything()
})

/** Each kind of what is ours, what is done to it, and what `problems` says of it. */
const HARM: readonly (readonly [what: string, harm: () => Promise<unknown>, says: readonly string[]])[] = [
  ['a flow', () => c1.ofctl('--strict', 'del-flows', 'br-int', FLOW), ['flow table=202', MAC, 'deleted it']],
  ['a group', () => c1.ofctl('mod-group', 'br-int', `group_id=${flood},type=all,bucket=bucket_id:1,actions=drop`), [`group ${flood}`, 'changed it']],
  ['a meter', async () => c1.ofctl('mod-meter', 'br-int', `meter=${await firstMeter()},pktps,burst,band=type=drop,rate=1,burst_size=1`), ['meter', 'changed it']],
  ['an FDB row', () => c1.run(['bridge', 'fdb', 'del', '02:00:00:00:00:01', 'dev', `lo-${VNI}`, 'master']), ['kernel row', '02:00:00:00:00:01', 'deleted it']],
  ['a neighbour', () => c1.run(['ip', 'neigh', 'del', '10.0.0.2', 'dev', `br-${VNI}`]), ['kernel row', '10.0.0.2', 'deleted it']],
  ['a tunnel port', () => c1.vsctl('--no-wait', 'set', 'Interface', 'ovn-evpn-4789', 'options:key=5'), ['ovn-evpn-4789', 'key=5 instead of flow']]
]

await t.test('evpn-audit=report: each kind is told once and shown, not put back, until it says repair', async (t) => {
  const [before, said, metersBefore] = [await repairs(), log(/somebody else/).length, await meters()]
  await c1.set('Bridge br-int', { 'evpn-audit': 'report' })
  for (const [what, harm, says] of HARM) {
    await harm()
    await eventuallyHas(`${what} as a problem`, () => c1.problems(), ...says, 'evpn-audit=report leaves it so')
  }
  const [harmed, kept] = [await patient.everything(), patient.before]
  t.strictSame(kept.flows.filter((line) => !harmed.flows.includes(line)).map((line) => line.includes(MAC)), [true], 'that flow is missing, and no other')
  t.strictSame(kept.groups.filter((line) => !harmed.groups.includes(line)).map((line) => line.includes(flood)), [true], 'that group is changed, and no other')
  t.equal((await meters()).filter((line) => !metersBefore.includes(line)).length, 1, 'one meter is changed')
  t.equal(kept.rows.length - harmed.rows.length, 2, 'row and neighbour are missing')
  t.match(await c1.vsctl('get', 'Interface', 'ovn-evpn-4789', 'options'), /key="?5/, 'the port stays')
  t.strictSame(await repairs(), { switch_drift: (before['switch_drift'] ?? 0) + 3, kernel_drift: (before['kernel_drift'] ?? 0) + 2, tunnel_drift: (before['tunnel_drift'] ?? 0) + 1 },
    'each is counted once')
  t.equal(log(/somebody else/).length - said, HARM.length, 'each is one line')
  await c1.unset('Bridge br-int', 'evpn-audit')
  await eventually('the tunnel port to have its key again', () => c1.vsctl('get', 'Interface', 'ovn-evpn-4789', 'options'), (text) => /\bkey="?flow\b/.test(text))
  await patient.asBefore('evpn-audit=repair again')
  await eventually('the meters to be as before', meters, (now) => JSON.stringify(now) === JSON.stringify(metersBefore))
  await eventuallyLacks('no problem is left', () => c1.problems(), 'evpn-audit=report')
})

await t.test('a foreign flow in the place of ours is left alone, told as a conflict, and ours is back when it goes', async (t) => {
  const mac = '02:aa:00:00:00:12'
  const place = `table=202,priority=300,metadata=${VNI},dl_dst=${mac}`
  await c1.ofctl('add-flow', 'br-int', `cookie=0xabc,${place},actions=drop`)
  await eventuallyHas('the conflict', () => c1.problems(), 'foreign flow in our place', mac)
  t.match(await c1.flows(`cookie=0xabc/-1,table=202`), [/actions=drop/], 'theirs stands')
  t.ok(log(/foreign flow in our place.*02:aa:00:00:00:12/).length > 0, 'told')
  await c1.ofctl('--strict', 'del-flows', 'br-int', place)
  await patient.asBefore('foreign flow gone')
  await eventuallyLacks('no conflict is left', () => c1.problems(), mac)
})

await t.test('a foreign flow in one of our places that we do not need is told, and left alone', async () => {
  await c1.ofctl('add-flow', 'br-int', 'cookie=0xabc,table=203,priority=5,metadata=77,actions=drop')
  await eventuallyHas('the conflict', () => c1.problems(), 'foreign flow in our place', 'table=203')
  await c1.ofctl('del-flows', 'br-int', 'cookie=0xabc/-1,table=203')
  await eventuallyLacks('no conflict is left', () => c1.problems(), 'table=203')
})

await t.test('a fight: one flow deleted again and again is put back more and more slowly, and that is said', async (t) => {
  const place = `table=202,priority=300,metadata=${VNI},dl_dst=02:aa:00:00:00:13`
  const isThere = async (): Promise<boolean> => (await c1.ourFlows('table=202')).some((line) => line.includes('02:aa:00:00:00:13'))
  const pauses: number[] = []
  for (let round = 0; round < 4; round++) {
    await c1.ofctl('--strict', 'del-flows', 'br-int', place)
    const start = performance.now()
    if (round > 1) await eventuallyHas('the fight', () => c1.problems(), '02:aa:00:00:00:13', 'somebody else deleted it for the')
    await eventually('the flow to be put back', isThere, (there) => there, 20_000)
    pauses.push(Math.round(performance.now() - start))
  }
  t.comment(`put back after ${pauses.join(', ')} ms`)
  t.ok((pauses[3] ?? 0) > 3_000, 'the fourth time after 4 s')
  t.ok(((await coverage(daemon))['drift_paused'] ?? 0) >= 3)
  await patient.asBefore('the fight is over')
})
