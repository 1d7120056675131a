// What changed on the switch without notice is found all the same: everything is read again by and by, one part after the other.
import t from 'tap'
import { encodeActions, type GroupDesc } from '../../lib/openflow/index.js'
import { goTo } from '../../lib/pipeline/flow.js'
import { METERS } from '../../lib/pipeline/meters.js'
import { FLOOD_ALL, floodGroupId } from '../../lib/pipeline/slots.js'
import { TABLE } from '../../lib/pipeline/tables.js'
import { PARTS } from '../../lib/sink/audit.js'
import type { AuditMode } from '../../lib/sink/drift.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { FakeSwitch, foreignFlow } from './switch.js'
import { pass, settle, stopTime } from './time.js'

stopTime()

/** In ms: as long as it takes at most until each part was read. */
const ROUND = PARTS.length * 75_000

await t.test('a flow, a group and a meter that vanish untold are back within a round, and told; parts are read one by one, at uneven intervals', async (t) => {
  const told: string[] = []
  const fake = new FakeSwitch()
  const sink: SwitchSink = new SwitchSink({ info: () => undefined, warn: (text) => told.push(text) }, () => sink.flush())
  t.teardown(() => sink.disconnect())
  const groupId = floodGroupId(1000, FLOOD_ALL)
  sink.setMeters('all', METERS)
  sink.setGroups('all', [{ id: groupId, type: 'all', buckets: [{ id: 1, actions: [goTo(TABLE.DELIVER)] }] }])
  sink.setFlows('all', [{ table: 202, priority: 1, match: { metadata: 1000 }, actions: [{ kind: 'group', group: groupId }] }])
  await sink.connect(fake)
  for (let i = 0; i < 3; i++) {
    sink.flush()
    await settle()
  }
  const whole = [fake.flows.size, fake.groups.size, fake.meterTable.size]
  t.strictSame(whole, [1, 1, METERS.length], 'all is there')

  const reads: { readonly part: number | 'groups', readonly at: number }[] = []
  let [now, underWay] = [0, 0]
  const watch = async <T>(part: number | 'groups', read: Promise<T>): Promise<T> => {
    reads.push({ part, at: now })
    t.equal(++underWay, 1, 'one part at a time')
    return await read.finally(() => underWay--)
  }
  const [flowDescs, groupDescs] = [fake.flowDescs.bind(fake), fake.groupDescs.bind(fake)]
  fake.flowDescs = (filter) => watch(filter.tableId ?? -1, flowDescs(filter))
  fake.groupDescs = () => watch('groups', groupDescs())

  fake.flows.clear()
  fake.groups.clear()
  fake.meterTable.clear()
  for (; now < ROUND; now += 500) await pass(500)
  t.strictSame([fake.flows.size, fake.groups.size, fake.meterTable.size], whole, 'all is back')
  t.equal(sink.drift.counters.found, 2 + METERS.length, told.join('; '))
  t.equal(told.filter((text) => text.includes('somebody else deleted it')).length, 2 + METERS.length, 'each is told once')
  t.strictSame(new Set(reads.map(({ part }) => part)), new Set(PARTS), 'every part was read')
  const gaps = reads.slice(1).map(({ at }, i) => at - (reads[i]?.at ?? 0))
  t.ok(new Set(gaps).size > PARTS.length / 2, `uneven: ${gaps.join(', ')}`)
})

await t.test('groups and meters that vanish untold with the flows that name them, as when fail_mode changes, are back within seconds', async (t) => {
  const fake = new FakeSwitch()
  const sink: SwitchSink = new SwitchSink({ info: () => undefined, warn: () => undefined }, () => sink.flush())
  t.teardown(() => sink.disconnect())
  const group = floodGroupId(1000, FLOOD_ALL)
  const place = { table: 202, priority: 1, match: { metadata: 1000 } } as const
  sink.setMeters('all', METERS)
  sink.setGroups('all', [{ id: group, type: 'all', buckets: [{ id: 1, actions: [goTo(TABLE.DELIVER)] }] }])
  sink.setFlows('all', [{ ...place, actions: [{ kind: 'group', group }] }])
  await sink.connect(fake)
  for (let i = 0; i < 3; i++) {
    sink.flush()
    await settle()
  }
  fake.refuse = (message) => (message.startsWith('add flow') && fake.groups.size === 0 ? 'OFPBAC_BAD_OUT_GROUP' : undefined)
  const flows = [...fake.flows.values()]
  for (const held of [fake.flows, fake.groups, fake.meterTable]) held.clear()
  // Of flows the monitors tell.
  sink.flowsChanged(flows.map((flow) => ({ kind: 'removed', reason: 2, ...flow }) as const))
  sink.flush()
  for (let i = 0; i < 20; i++) await pass(250)
  t.strictSame([fake.flows.size, fake.groups.size, fake.meterTable.size], [1, 1, METERS.length], 'all is back after 5 s, not within a round')
})

await t.test('a group that somebody alters stays ours when all is read again for another reason, and is put back when it may be', async (t) => {
  const fake = new FakeSwitch()
  const state = { mode: 'report' as AuditMode }
  const sink: SwitchSink = new SwitchSink({ info: () => undefined, warn: () => undefined }, () => sink.flush(), () => state.mode)
  t.teardown(() => sink.disconnect())
  const groupId = floodGroupId(1000, FLOOD_ALL)
  const altered: GroupDesc = { groupId, type: 'all', buckets: [{ id: 1, actions: encodeActions([{ kind: 'output', port: 9 }]) }] }
  sink.setGroups('all', [{ id: groupId, type: 'all', buckets: [{ id: 1, actions: [goTo(TABLE.DELIVER)] }] }])
  await sink.connect(fake)
  sink.flush()
  await settle()
  const ours = fake.groups.get(groupId)
  fake.groups.set(groupId, altered)
  sink.requestForwarded({ kind: 'group', id: groupId, isDeletion: false })
  await settle()
  t.match(sink.groups.blocked().get(String(groupId)), 'evpn-audit=report leaves it so')
  // A foreign flow makes us look at everything again after a while.
  fake.put(foreignFlow(202, 7, { metadata: 7 }))
  for (let ms = 0; ms < ROUND; ms += 500) await pass(500)
  t.equal(sink.conflicts.length, 1, 'the flow is seen')
  for (let ms = 0; ms < 30_000; ms += 500) await pass(500)
  t.strictSame(sink.conflicts.filter((text) => text.includes('group')), [], 'and the group is no foreign one')
  t.equal(fake.groups.get(groupId), altered, 'it is left')
  state.mode = 'repair'
  sink.reviewDrift()
  sink.flush()
  await settle()
  t.strictSame(fake.groups.get(groupId)?.buckets, ours?.buckets, 'evpn-audit=repair: it is put back')
})
