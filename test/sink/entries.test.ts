// Flows and groups as the tracker keeps them: what we want and what the switch sends back are the same strings;
// and each difference costs the fewest messages.
import t from 'tap'
import {
  decodeBuckets, decodeFlowDescs, decodeFlowMod, decodeGroupDescs, decodeGroupMod, encodeActions, encodeFlowDesc, encodeGroupDesc, encodeMatch, formatMatch,
  type GroupDesc, type GroupMod, type Match
} from '../../lib/openflow/index.js'
import type { Group } from '../../lib/pipeline/flow.js'
import { COOKIE, COOKIE_MASK } from '../../lib/pipeline/slots.js'
import { compileFlow, describeFlowKey, entryOfDesc, flowMod } from '../../lib/sink/flow-entry.js'
import { compileGroup, describeGroup, entryOfGroupDesc, groupBytes, groupMods, isEqualGroup, type GroupValue } from '../../lib/sink/group-entry.js'
import { TOPICS } from '../pipeline/fabric.js'
import { remote } from '../evpn/members.js'
import { flood } from '../pipeline/fabric.js'
import { flowText } from '../pipeline/golden.js'
import { installed } from './switch.js'

const FLOWS = TOPICS.flatMap((topic) => topic.flows)
const GROUPS = TOPICS.flatMap((topic) => topic.groups)

await t.test('a flow we sent comes back as the same entry', (t) => {
  for (const flow of FLOWS) {
    const [key, value] = compileFlow(flow)
    const sent = decodeFlowMod(flowMod({ key, desired: value, realized: undefined }))
    const [desc] = decodeFlowDescs(encodeFlowDesc(installed(sent)))
    t.ok(desc !== undefined && entryOfDesc(desc).every((part, i) => part === [key, value][i]), flowText(flow))
  }
  t.end()
})

await t.test('a flow in another form the switch may send is the same entry', (t) => {
  const [key] = compileFlow({ table: 202, priority: 300, match: { metadata: 1000, eth_dst: '02:00:00:00:00:01' }, actions: [] })
  const reversed = Buffer.concat([encodeMatch({ eth_dst: '02:00:00:00:00:01' }), encodeMatch({ metadata: 1000 })])
  const desc = { tableId: 202, priority: 300, cookie: COOKIE, match: reversed, instructions: Buffer.alloc(0), idleTimeout: 0, hardTimeout: 0, flags: 0, importance: 0 }
  t.equal(entryOfDesc(desc)[0], key)
  t.end()
})

await t.test('two flows that differ in table, priority or match never share a key', (t) => {
  const match: Match = { metadata: 1000, eth_dst: '02:00:00:00:00:01' }
  const base = { table: 202, priority: 300, match, actions: [] }
  const others = [
    { ...base, table: 203 }, { ...base, priority: 301 }, { ...base, priority: 300 + 256 }, { ...base, match: { ...match, metadata: 1001 } },
    { ...base, match: { metadata: 1000 } }, { ...base, match: { metadata: 1000, eth_dst: ['02:00:00:00:00:01', 'ff:ff:ff:ff:ff:fe'] as const } }
  ]
  const keys = [base, ...others].map((flow) => compileFlow(flow)[0])
  t.equal(new Set(keys).size, keys.length)
  t.end()
})

await t.test('a new flow is added, one that exists is changed by MODIFY_STRICT, one that goes by DELETE_STRICT; the cookie guards both', (t) => {
  const flow = FLOWS.find(({ actions }) => actions.length > 0)
  const [key, value] = compileFlow(flow ?? { table: 200, priority: 1, match: {}, actions: [] })
  const cases = [
    { desired: value, realized: undefined, command: 'add', cookieMask: 0n },
    { desired: value, realized: 'other', command: 'modify_strict', cookieMask: COOKIE_MASK },
    { desired: undefined, realized: value, command: 'delete_strict', cookieMask: COOKIE_MASK }
  ] as const
  for (const { desired, realized, ...wanted } of cases) {
    const mod = decodeFlowMod(flowMod({ key, desired, realized }))
    t.match(mod, { ...wanted, cookie: COOKIE, tableId: flow?.table, priority: flow?.priority })
    t.equal(formatMatch(mod.match), formatMatch(encodeMatch(flow?.match ?? {})))
    t.equal(mod.instructions.toString('latin1'), desired ?? '')
  }
  t.end()
})

await t.test('an identity in words', (t) => {
  const [key] = compileFlow({ table: 202, priority: 300, match: { metadata: 1000, eth_dst: '02:00:00:00:00:01' }, actions: [] })
  t.equal(describeFlowKey(key), 'table=202, priority=300,metadata=0x3e8,dl_dst=02:00:00:00:00:01')
  t.end()
})

/** What the switch describes after a group_mod ADD. */
function descOf(mod: GroupMod): GroupDesc {
  const buckets = decodeBuckets(Buffer.concat(mod.buckets))
  return { groupId: mod.groupId, type: mod.type, buckets, ...(mod.selection && { selection: mod.selection }) }
}

function mods(desired: GroupValue | undefined, realized: GroupValue | undefined, key = '1073741824'): GroupMod[] {
  return groupMods({ key, desired, realized }).map(decodeGroupMod)
}

await t.test('a group we sent comes back as the same entry, and its bytes are what was computed', (t) => {
  for (const group of GROUPS) {
    const [key, value] = compileGroup(group)
    const [mod] = mods(value, undefined, key)
    t.ok(mod?.command === 'add')
    const bytes = mod === undefined ? Buffer.alloc(0) : encodeGroupDesc(descOf(mod))
    t.equal(bytes.length, groupBytes(value))
    const [desc] = decodeGroupDescs(bytes)
    const [backKey, back] = entryOfGroupDesc(desc ?? { groupId: 0, type: 'ff', buckets: [] })
    t.ok(backKey === key && isEqualGroup(back, value), `group ${key}`)
  }
  t.end()
})

const actions = encodeActions([{ kind: 'output', port: 1 }])

await t.test('a group in a form we never write is strange, and differs from anything we want', (t) => {
  const wanted = compileGroup({ id: 1, type: 'select', buckets: [{ id: 1, actions: [{ kind: 'output', port: 1 }] }] })[1]
  const buckets = [{ id: 1, actions, weight: 1 }]
  t.ok(isEqualGroup(wanted, entryOfGroupDesc({ groupId: 1, type: 'select', buckets, selection: { method: 'dp_hash' } })[1]), 'ours is not')
  for (const [what, desc] of [
    ['select by another method', { groupId: 1, type: 'select', buckets, selection: { method: 'hash' } }],
    ['select without a method', { groupId: 1, type: 'select', buckets }],
    ['fast failover', { groupId: 1, type: 'ff', buckets }],
    ['indirect', { groupId: 1, type: 'indirect', buckets }]
  ] as const) {
    const [, value] = entryOfGroupDesc(desc)
    t.ok(value.strange, what)
    t.notOk(isEqualGroup(wanted, value), what)
    t.strictSame(mods(wanted, value).map((mod) => mod.command), ['modify'], `${what}: written whole`)
  }
  t.end()
})

function group(...buckets: readonly (readonly [id: number, port: number])[]): GroupValue {
  const value: Group = { id: 1, type: 'all', buckets: buckets.map(([id, port]) => ({ id, actions: [{ kind: 'output', port }] })) }
  return compileGroup(value)[1]
}

/** A select group: ids and weights. */
function select(...buckets: readonly (readonly [id: number, weight: number])[]): GroupValue {
  const value: Group = { id: 1, type: 'select', buckets: buckets.map(([id, weight]) => ({ id, weight, actions: [{ kind: 'output', port: id }] })) }
  return compileGroup(value)[1]
}

/** From one group to another: the commands and how many buckets each carries. */
const STEPS: readonly (readonly [what: string, realized: GroupValue | undefined, desired: GroupValue | undefined, commands: readonly string[]])[] = [
  ['created', undefined, group([1, 1], [2, 2]), ['add 2']],
  ['gone', group([1, 1]), undefined, ['delete 0']],
  ['one member more', group([1, 1], [2, 2]), group([1, 1], [2, 2], [3, 3]), ['insert_bucket 1']],
  ['one member less', group([1, 1], [2, 2]), group([1, 1]), ['remove_bucket 0']],
  ['one member instead of another', group([1, 1], [2, 2]), group([1, 1], [3, 3]), ['remove_bucket 0', 'insert_bucket 1']],
  ['one member by another way', group([1, 1], [2, 2]), group([1, 1], [2, 9]), ['remove_bucket 0', 'insert_bucket 1']],
  ['four members more: one message', group([1, 1]), group([1, 1], [2, 2], [3, 3], [4, 4], [5, 5]), ['insert_bucket 4']],
  ['five members more: whole', group([1, 1]), group([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6]), ['modify 6']],
  ['many changes: whole', group([1, 1], [2, 2], [3, 3]), group([1, 9], [2, 8], [3, 7]), ['modify 3']],
  ['one way less: one message', select([1, 5], [2, 6]), select([2, 6]), ['remove_bucket 0']],
  ['the last way less', select([1, 5]), select(), ['remove_bucket 0']],
  ['two ways more: one message', select([1, 5]), select([1, 5], [2, 6], [3, 7]), ['insert_bucket 2']],
  ['one way instead of another: one message, or packets would find no way in between', select([1, 5]), select([2, 5]), ['modify 1']],
  ['another weight: one message', select([1, 5], [2, 6]), select([1, 5], [2, 7]), ['modify 2']],
  ['two ways less: one message', select([1, 5], [2, 6], [3, 7]), select([2, 6]), ['modify 1']],
  ['another type: whole', { ...group([1, 1]), type: 'select' }, group([1, 1]), ['modify 1']]
]

for (const [what, realized, desired, commands] of STEPS) {
  await t.test(`group: ${what}`, (t) => {
    t.strictSame(mods(desired, realized).map((mod) => `${mod.command} ${mod.buckets.length}`), commands)
    t.end()
  })
}

await t.test('the commands of a small difference name the bucket that goes and carry the one that comes', (t) => {
  const [gone, fresh] = mods(group([1, 1], [3, 3]), group([1, 1], [2, 2]))
  t.equal(gone?.commandBucketId, 2)
  t.equal(fresh?.commandBucketId, 'last')
  t.strictSame(decodeBuckets(Buffer.concat(fresh?.buckets ?? [])).map((bucket) => bucket.id), [3])
  t.end()
})

await t.test('a group in words: type, buckets as ovs-ofctl prints them; beside another form of it, what that has not; eight at most', (t) => {
  const bucket = (id: number, weight?: number) => ({ id, ...(weight === undefined ? {} : { weight }), actions: [{ kind: 'resubmit', table: 205 }] as const })
  const made = (type: Group['type'], ...buckets: Group['buckets']): GroupValue => compileGroup({ id: 5, type, buckets })[1]
  const one = made('select', bucket(2, 100), bucket(1))
  t.equal(describeGroup('5', one), 'group_id=5,type=select, 2 buckets: bucket_id:1,actions=resubmit(,205); bucket_id:2,weight:100,actions=resubmit(,205)')
  const other = made('select', bucket(1), bucket(2, 50))
  t.equal(describeGroup('5', one, other), 'group_id=5,type=select, 2 buckets, among them: bucket_id:2,weight:100,actions=resubmit(,205)')
  t.equal(describeGroup('5', made('select', bucket(1)), other), 'group_id=5,type=select, 1 bucket')
  t.equal(describeGroup('5', made('all')), 'group_id=5,type=all, 0 buckets')
  t.match(describeGroup('5', made('all', ...Array.from({ length: 10 }, (_, i) => bucket(i)))), /^group_id=5,type=all, 10 buckets: bucket_id:0,.*; bucket_id:7,actions=resubmit\(,205\); and 2 more$/)
  t.end()
})

await t.test('the order of buckets is no difference', (t) => {
  t.ok(isEqualGroup(group([1, 1], [2, 2]), group([2, 2], [1, 1])))
  t.end()
})

await t.test('a VTEP joins a flood of 600: one INSERT_BUCKET, whatever the size', (t) => {
  const list = Array.from({ length: 600 }, (_, i) => remote(`10.0.${i >> 8}.${i & 255}`))
  const [before, after] = [list.slice(1), list].map((all) => new Map(flood(1, all).groups.map((group) => compileGroup(group))))
  const changes = [...after ?? []].flatMap(([key, value]) => {
    const realized = before?.get(key)
    return realized !== undefined && isEqualGroup(value, realized) ? [] : groupMods({ key, desired: value, realized })
  })
  t.strictSame(changes.map((bytes) => decodeGroupMod(bytes).command), ['insert_bucket'])
  t.ok((changes[0]?.length ?? Infinity) < 120, 'a small message')
  t.end()
})
