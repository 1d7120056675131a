// The order of messages: no flow is ever without its group.
import t from 'tap'
import type { Flow, Group } from '../../lib/pipeline/flow.js'
import { TABLE } from '../../lib/pipeline/tables.js'
import { planBatch, type Batch } from '../../lib/sink/batch.js'
import { createTrackers } from '../../lib/sink/desired.js'
import { compileFlow } from '../../lib/sink/flow-entry.js'
import { compileGroup, type GroupValue } from '../../lib/sink/group-entry.js'
import type { Tracker } from '../../lib/sink/tracker.js'
import { words } from './switch.js'

function flow(priority: number, group: number): Flow {
  return { table: 203, priority, match: { metadata: priority }, actions: [{ kind: 'group', group }] }
}

function group(id: number, ...names: readonly number[]): Group {
  return { id, type: 'all', buckets: names.map((named, i) => ({ id: i, actions: [{ kind: 'group', group: named }] })) }
}

class Side {
  readonly flows: Tracker<string>
  readonly groups: Tracker<GroupValue>

  constructor() {
    const { flows, groups } = createTrackers()
    this.flows = flows
    this.groups = groups
  }

  want(flows: readonly Flow[], groups: readonly Group[]): this {
    this.flows.setOwned('o', flows.map((one) => compileFlow(one)))
    this.groups.setOwned('o', groups.map((group) => compileGroup(group)))
    return this
  }

  /** The switch holds these. */
  have(flows: readonly Flow[], groups: readonly Group[]): this {
    this.flows.replaceRealized(flows.map((one) => compileFlow(one)))
    this.groups.replaceRealized(groups.map((group) => compileGroup(group)))
    return this
  }

  batch(): Batch {
    return planBatch(this.flows, this.groups)
  }

  /** All batches until nothing is left, each applied as planned. */
  all(): string[][] {
    const batches: string[][] = []
    for (let batch = this.batch(); batch.mods.length > 0; batch = this.batch()) {
      batches.push(batch.mods.map(words))
      for (const { key, desired } of batch.flows) this.flows.realize(key, desired)
      for (const { key, desired } of batch.groups) this.groups.realize(key, desired)
      if (batches.length > 100) throw new Error('the batches never end')
    }
    return batches
  }
}

await t.test('nothing pending, nothing to send', (t) => {
  t.strictSame(new Side().batch(), { flows: [], groups: [], mods: [], entryOfMod: [] })
  t.end()
})

await t.test('groups come before flows, flows before flows that go, groups that go last', (t) => {
  const side = new Side().have([flow(1, 10), flow(2, 10)], [group(10), group(12)]).want([flow(2, 11), flow(3, 11)], [group(11), group(12, 11)])
  t.strictSame(side.batch().mods.map(words), [
    'insert_bucket group 12', 'add group 11',
    'modify_strict flow 203 2', 'add flow 203 3',
    'delete_strict flow 203 1',
    'delete group 10'
  ])
  t.end()
})

await t.test('a group that names others comes after them, and goes before them', (t) => {
  const [parts, whole] = [[group(0x40000004), group(0x40000005)], group(0x40000000, 0x40000004, 0x40000005)]
  for (const order of [[whole, ...parts], [...parts, whole]]) {
    const added = new Side().want([], order).batch().mods.map(words)
    t.equal(added.at(-1), `add group ${0x40000000}`)
    const gone = new Side().have([], order).batch().mods.map(words)
    t.equal(gone[0], `delete group ${0x40000000}`)
  }
  t.end()
})

await t.test('every message knows its entry, so that an error finds the culprit', (t) => {
  const side = new Side().have([flow(1, 10)], [group(10), { id: 12, type: 'all', buckets: [{ id: 1, actions: [] }] }])
    .want([flow(2, 11)], [group(11), { id: 12, type: 'all', buckets: [{ id: 2, actions: [] }] }])
  const { mods, entryOfMod, flows, groups } = side.batch()
  const named = mods.map((_, i) => {
    const entry = entryOfMod[i] ?? -1
    return entry < flows.length ? 'flow' : `group ${groups[entry - flows.length]?.key}`
  })
  t.strictSame(named, ['group 12', 'group 12', 'group 11', 'flow', 'flow', 'group 10'], 'two bucket commands are of one entry')
  t.end()
})

await t.test('many flows go in several batches; a group goes only with the last of them', (t) => {
  const old = Array.from({ length: 2500 }, (_, i) => flow(i + 1, 10))
  const batches = new Side().have(old, [group(10)]).want([], []).all()
  t.strictSame(batches.map((messages) => messages.length), [1000, 1000, 501])
  t.equal(batches.at(-1)?.at(-1), 'delete group 10')
  t.end()
})

await t.test('what MACs lead to is there before the first of them, and goes after the last, however many batches they take', (t) => {
  const macs = Array.from({ length: 2500 }, (_, i): Flow => ({ table: TABLE.FORWARD, priority: i + 1, match: { metadata: 1000 }, actions: [{ kind: 'resubmit', table: TABLE.NEXTHOP }] }))
  const use: Flow = { table: TABLE.NEXTHOP, priority: 100, match: { metadata: 1000 }, actions: [{ kind: 'group', group: 10 }] }
  const come = new Side().want([...macs, use], [group(10)]).all().flat()
  t.strictSame(come.slice(0, 2), ['add group 10', `add flow ${TABLE.NEXTHOP} 100`])
  // An older layout, in which the MACs themselves name the group, becomes this one.
  const old = macs.map((mac): Flow => ({ ...mac, actions: [{ kind: 'group', group: 9 }] }))
  const changed = new Side().have(old, [group(9)]).want([...macs, use], [group(10)]).all().flat()
  t.strictSame([...changed.slice(0, 2), changed.at(-1)], ['add group 10', `add flow ${TABLE.NEXTHOP} 100`, 'delete group 9'])
  const go = new Side().have([use, ...macs], [group(10)]).want([], []).all().flat()
  t.strictSame(go.slice(-2), [`delete_strict flow ${TABLE.NEXTHOP} 100`, 'delete group 10'])
  t.end()
})

await t.test('many groups go alone: a flow waits until the group it names has gone out', (t) => {
  const groups = Array.from({ length: 450 }, (_, i) => group(1000 + i))
  const batches = new Side().want(groups.map(({ id }) => flow(id, id)), groups).all()
  const sent = batches.flat()
  t.ok(batches.length > 2)
  t.ok(sent.findIndex((text) => text.includes('flow')) > sent.findLastIndex((text) => text.includes('group')), 'all groups before the first flow')
  t.end()
})

await t.test('groups that go never take the place of groups that come: after a restart with other VNIs', (t) => {
  const stale = Array.from({ length: 500 }, (_, i) => group(1000 + i))
  const fresh = Array.from({ length: 30 }, (_, i) => group(5000 + i))
  const side = new Side().have(stale.map(({ id }) => flow(id, id)), stale).want(fresh.map(({ id }) => flow(id, id)), fresh)
  const sent = side.all().flat()
  const last = (pattern: RegExp) => sent.findLastIndex((text) => pattern.test(text))
  const first = (pattern: RegExp) => sent.findIndex((text) => pattern.test(text))
  t.ok(last(/^add group/) < first(/^add flow/), 'new groups before new flows')
  t.ok(last(/flow/) < first(/^delete group/), 'old groups after the last flow')
  t.equal(sent.filter((text) => text.startsWith('delete group')).length, 500)
  t.end()
})

await t.test('a part that is new comes before the group that names it, however long that one has been waiting', (t) => {
  const side = new Side()
  const others = Array.from({ length: 300 }, (_, i) => group(2000 + i))
  side.groups.setOwned('flood', [compileGroup(group(1000, 1004)), compileGroup(group(1004))])
  side.groups.setOwned('others', others.map((group) => compileGroup(group)))
  side.groups.setOwned('flood', [compileGroup(group(1000, 1008, 1009)), compileGroup(group(1008)), compileGroup(group(1009))])
  const sent = side.all().flat()
  t.ok(sent.indexOf('add group 1000') > sent.indexOf('add group 1009') && sent.indexOf('add group 1000') > sent.indexOf('add group 1008'))
  t.end()
})

await t.test('while the change of a flow is held back, no group goes: the switch would delete the flow with it', (t) => {
  const side = new Side().have([flow(1, 10)], [group(10)]).want([flow(1, 11)], [group(11)])
  const { key = '' } = side.flows.pending(1)[0] ?? {}
  side.flows.block(key, 'refused')
  t.strictSame(side.all(), [['add group 11']])
  side.flows.unblock(key)
  t.strictSame(side.all(), [['modify_strict flow 203 1', 'delete group 10']])
  t.end()
})
