// What must be true of every flow and group, whatever it is for.
import fc from 'fast-check'
import t from 'tap'
import { partition, PART_CAPACITY } from '../../lib/evpn/flood.js'
import { usablePaths } from '../../lib/evpn/nexthop.js'
import { encodeActions, encodeMatch, groupDescSize, type Action } from '../../lib/openflow/index.js'
import { floodEntries, TRAMPOLINE } from '../../lib/pipeline/flood.js'
import type { Flow, Group } from '../../lib/pipeline/flow.js'
import { ENCAP_MASK, encapBits, FROM_TUNNEL, UNKNOWN } from '../../lib/pipeline/registers.js'
import {
  COOKIE, ENTRY_PRIORITY, ENTRY_TABLE, FIRST_GROUP, FIRST_TABLE, floodGroupId, isOurCookie, isOurGroup, LAST_GROUP, LAST_TABLE, NEXTHOP_GROUPS, TRAMPOLINE_GROUP
} from '../../lib/pipeline/slots.js'
import { nexthopGroup, nexthopGroupId } from '../../lib/pipeline/nexthop.js'
import { TABLE, TABLES } from '../../lib/pipeline/tables.js'
import { local, members, remote } from '../evpn/members.js'
import { SEED } from '../hostile/input.js'
import { flood, TOPICS } from './fabric.js'
import { flowText, tableName } from './golden.js'

const FLOWS = TOPICS.flatMap((topic) => topic.flows)
const GROUPS = new Map(TOPICS.flatMap((topic) => [...topic.groups]).map((group) => [group.id, group]))

/** Tables these actions lead to, groups looked into. */
function leadsTo(actions: readonly Action[]): number[] {
  return actions.flatMap((action) => {
    if (action.kind === 'resubmit') return action.table === undefined ? [] : [action.table]
    return action.kind === 'group' ? (GROUPS.get(action.group)?.buckets ?? []).flatMap((bucket) => leadsTo(bucket.actions)) : []
  })
}

await t.test('tables: declared once, in our range, next ones declared too', (t) => {
  t.equal(new Set(TABLES.map((table) => table.id)).size, TABLES.length)
  t.strictSame(TABLES.map((table) => table.name), Object.keys(TABLE))
  for (const table of TABLES) {
    t.equal(table.id, TABLE[table.name as keyof typeof TABLE])
    t.ok(table.id >= FIRST_TABLE && table.id <= LAST_TABLE, `${table.name} is in our range`)
    for (const next of table.next) t.ok(next in TABLE, `${table.name} -> ${next}`)
    t.ok(table.why.length > 20, `${table.name} says why it exists`)
  }
  t.end()
})

await t.test('tables: no way leads back, so no packet runs in circles', (t) => {
  const order = [
    'MEMBER', 'CLASSIFY', 'SECURE', 'SECURE_ND', 'SOURCE', 'SNOOP', 'LEARNED', 'SUPPRESS', 'ANSWER', 'LENGTH', 'FORWARD', 'LEARNED_REMOTE', 'UNKNOWN', 'NEXTHOP', 'FLOOD', 'PART', 'REPLY', 'ENCAP',
    'DELIVER', 'DROP'
  ]
  for (const table of TABLES) {
    for (const next of table.next) t.ok(order.indexOf(next) > order.indexOf(table.name), `${table.name} -> ${next}`)
  }
  t.end()
})

await t.test('every flow stands in a declared table, or in our band of the entry table', (t) => {
  for (const flow of FLOWS) {
    if (flow.table === ENTRY_TABLE) {
      t.equal(flow.priority, ENTRY_PRIORITY, flowText(flow))
      t.strictSame(Object.keys(flow.match), ['in_port'], 'in the entry table nothing but a port of ours is matched')
    } else {
      t.ok(TABLES.some((table) => table.id === flow.table), flowText(flow))
    }
  }
  t.end()
})

await t.test('every way a flow goes, through groups too, is one its table declares', (t) => {
  for (const flow of FLOWS) {
    const next = flow.table === ENTRY_TABLE ? ['CLASSIFY', 'MEMBER'] : TABLES.find((table) => table.id === flow.table)?.next ?? []
    for (const id of new Set(leadsTo(flow.actions))) t.ok(next.includes(tableName(id)), `${flowText(flow)}\nleads to ${tableName(id)}`)
  }
  t.end()
})

await t.test('every way that a table declares is gone by some flow', (t) => {
  for (const table of TABLES) {
    const gone = new Set(FLOWS.filter((flow) => flow.table === table.id).flatMap((flow) => leadsTo(flow.actions)).map(tableName))
    t.strictSame([...gone].sort(), [...table.next].sort(), table.name)
  }
  t.end()
})

await t.test('every group that a flow or another group names exists', (t) => {
  const named = [...FLOWS.map((flow) => flow.actions), ...[...GROUPS.values()].flatMap((group) => group.buckets.map((bucket) => bucket.actions))]
    .flatMap((actions) => actions.flatMap((action) => (action.kind === 'group' ? [action.group] : [])))
  t.ok(named.length > 10)
  for (const id of named) t.ok(GROUPS.has(id), `group 0x${id.toString(16)}`)
  t.end()
})

await t.test('behind CLASSIFY every flow that forwards names its VNI: no VNI sees another', (t) => {
  // An answer goes back in the VNI it came in, whichever that is.
  const mayDeliver = ({ table }: Flow) => table === TABLE.REPLY
  const isSafe = (flow: Flow) => flow.actions.every((action) => {
    if (action.kind === 'resubmit') return action.table !== TABLE.DELIVER || mayDeliver(flow)
    if (action.kind === 'set_field') return action.field !== 'metadata' || flow.table === TABLE.CLASSIFY
    if (action.kind === 'meter' || action.kind === 'check_pkt_larger' || (action.kind === 'group' && action.group === TRAMPOLINE_GROUP)) return true
    return action.kind === 'conjunction' || (action.kind === 'move' && action.dst.field !== 'metadata')
  })
  for (const flow of FLOWS.filter(({ table }) => table > TABLE.CLASSIFY)) {
    t.ok(flow.match.metadata !== undefined || isSafe(flow), flowText(flow))
  }
  t.end()
})

await t.test('no two flows have one identity', (t) => {
  const topicsAlone = TOPICS.filter((topic) => topic.name !== 'flood-large')
  const identity = (flow: Flow) => `${flow.table} ${flow.priority} ${encodeMatch(flow.match).toString('hex')}`
  const flows = topicsAlone.flatMap((topic) => topic.flows)
  t.equal(new Set(flows.map(identity)).size, flows.length)
  t.end()
})

await t.test('a packet from a tunnel stays marked on its way: no builder writes over the bit', (t) => {
  t.equal(ENCAP_MASK & FROM_TUNNEL, 0)
  for (const flow of FLOWS.filter(({ table }) => table !== TABLE.CLASSIFY)) {
    for (const action of flow.actions) {
      if (action.kind !== 'set_field' || action.field !== 'reg0') continue
      t.ok(action.mask !== undefined && (Number(action.mask) & FROM_TUNNEL) === 0, flowText(flow))
    }
  }
  t.end()
})

await t.test('no flow into a tunnel matches a packet from a tunnel, whatever other flows there are', (t) => {
  const into = FLOWS.filter(({ table, actions }) => table === TABLE.ENCAP && actions.some(({ kind }) => kind === 'output'))
  t.ok(into.length > 0)
  for (const flow of into) {
    const [bits, mask] = flow.match.reg0 as readonly [number, number]
    t.ok((mask & FROM_TUNNEL) !== 0 && (bits & FROM_TUNNEL) === 0, flowText(flow))
  }
  t.end()
})

await t.test('family and UDP port: different pairs never look alike to ENCAP', (t) => {
  const all = ([4, 6] as const).flatMap((family) => [1, 4789, 8472, 32768, 65535].map((udpPort) => encapBits(family, udpPort)))
  t.equal(new Set(all).size, all.length)
  for (const bits of all) t.ok(bits >= 0 && ((bits & ENCAP_MASK) >>> 0) === bits, `0x${bits.toString(16)} lies under the mask`)
  t.end()
})

await t.test('group ids: unique, in our range, below those of nexthop groups, for every VNI and part', (t) => {
  const ids = [0, 1, 1000, 16777214, 16777215].flatMap((vni) => Array.from({ length: 128 }, (_, part) => floodGroupId(vni, part)))
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) if (id < FIRST_GROUP || id >= NEXTHOP_GROUPS || !isOurGroup(id)) t.fail(`group 0x${id.toString(16)} is out of range`)
  t.equal(floodGroupId(0, 0), FIRST_GROUP)
  t.equal(floodGroupId(16777215, 127), NEXTHOP_GROUPS - 1)
  t.ok(isOurGroup(TRAMPOLINE_GROUP) && TRAMPOLINE_GROUP === LAST_GROUP && LAST_GROUP < 0xffffff00, 'the trampoline is the last, below the reserved ids')
  for (const id of [0, FIRST_GROUP - 1, LAST_GROUP + 1, 0xfffffffc]) t.notOk(isOurGroup(id), `0x${id.toString(16)} is not ours`)
  t.end()
})

await t.test('group ids of nexthops: the kernel\'s moved up, FRR\'s too; what does not fit is hashed; none is another range\'s', (t) => {
  t.equal(nexthopGroupId(10, ''), NEXTHOP_GROUPS + 10)
  t.equal(nexthopGroupId(0x20000001, ''), NEXTHOP_GROUPS + 0x20000001, 'FRR: the second type bit of an L2 nexthop group')
  const ids = [1, 10, 0x10000001, 0x20000001, 0x2fffffff, 0x30000000, 0x3f000000, 0x80000000, 0xffffffff]
    .flatMap((id) => ['', '192.0.2.2', '192.0.2.2 192.0.2.3'].map((without) => nexthopGroupId(id, without)))
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) t.ok(id > NEXTHOP_GROUPS && id < TRAMPOLINE_GROUP && Number.isSafeInteger(id), `group 0x${id.toString(16)}`)
  t.end()
})

await t.test('a nexthop group with as many members as it may have, IPv6, stays below 60,000 bytes', (t) => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ ip: `2001:db8::${(i + 1).toString(16)}`, weight: 256 }))
  const group = nexthopGroup(nexthopGroupId(10, ''), usablePaths(many, ''))
  t.equal(group.buckets.length, 256, 'Open vSwitch has 256 values of dp_hash')
  t.ok(bytes(group) < 60_000, `${bytes(group)} bytes`)
  t.equal(new Set(group.buckets.map(({ id }) => id)).size, 256)
  t.end()
})

await t.test('one path less is one bucket less, the others keep their ids and weights', (t) => {
  const paths = [2, 3, 4].map((n) => ({ ip: `192.0.2.${n}`, weight: n }))
  const [three, two] = [paths, paths.slice(1)].map((some) => nexthopGroup(nexthopGroupId(10, ''), some).buckets)
  t.strictSame(three?.slice(1), two)
  t.end()
})

await t.test('cookies: ours whatever the lower half, others not', (t) => {
  t.ok(isOurCookie(COOKIE))
  t.ok(isOurCookie(COOKIE | 0xffffffffn))
  for (const cookie of [0n, 0x6576706fn << 32n, COOKIE >> 32n]) t.notOk(isOurCookie(cookie), `0x${cookie.toString(16)}`)
  t.end()
})

/** Bytes of a group in a GROUP_DESC reply. */
function bytes(group: Group): number {
  const buckets = group.buckets.map(({ id, actions }) => ({ id, actions: encodeActions(actions), ...(group.type === 'select' && { weight: 1 }) }))
  return groupDescSize({ buckets, ...(group.type === 'select' && { selection: { method: 'dp_hash' } }) })
}

for (const kind of ['v4', 'v6', 'local'] as const) {
  await t.test(`a full part, ${PART_CAPACITY[kind]} ${kind} members, stays below 60,000 bytes: above 64 KiB Open vSwitch would die`, (t) => {
    const [full] = flood(16777215, members(kind, PART_CAPACITY[kind])).groups
    t.equal(full?.buckets.length, PART_CAPACITY[kind])
    t.ok(full !== undefined && bytes(full) < 60_000, `${full && bytes(full)} bytes`)
    t.end()
  })
}

await t.test('the largest flood there can be: every group below 60,000 bytes, every id in its VNI', (t) => {
  const { groups } = flood(16777215, [...members('v4', 12000), ...members('v6', 12000), ...members('local', 12000)])
  t.ok(groups.length > 48)
  t.equal(new Set(groups.map((group) => group.id)).size, groups.length)
  t.ok(Math.max(...groups.map(bytes)) < 60_000, `${Math.max(...groups.map(bytes))} bytes`)
  for (const { id } of groups) t.ok(id >= floodGroupId(16777215, 0) && id <= floodGroupId(16777215, 127), `group 0x${id.toString(16)}`)
  t.end()
})

await t.test('a flood that fits one translation names its parts directly; a larger one sends each through the trampoline', (t) => {
  const usesTrampoline = (groups: readonly Group[]) =>
    groups.some((group) => group.buckets.some((bucket) => bucket.actions.some((action) => action.kind === 'group' && action.group === TRAMPOLINE.id)))
  const cases = [
    ['v4', 600, false], ['v4', 619, false], ['v4', 620, true], ['v6', 500, false], ['v6', 501, true], ['local', 3000, false], ['local', 3300, true]
  ] as const
  for (const [kind, count, expected] of cases) t.equal(usesTrampoline(flood(1, members(kind, count)).groups), expected, `${count} ${kind}`)
  t.end()
})

await t.test('a packet from a tunnel is flooded to local ports only', (t) => {
  const { flows, groups } = flood(1000, [...members('v4', 5000), ...members('v6', 10), ...members('local', 900)])
  const fromTunnel = flows.filter((flow) => flow.table === TABLE.FLOOD && JSON.stringify(flow.match.reg0) === JSON.stringify([FROM_TUNNEL, UNKNOWN | FROM_TUNNEL]))
  t.equal(fromTunnel.length, 1)
  const all = new Map(groups.map((group) => [group.id, group]))
  const reached = (actions: readonly Action[]): number[] => actions.flatMap((action) => {
    if (action.kind === 'resubmit' && action.table !== undefined) return [action.table]
    return action.kind === 'group' ? (all.get(action.group)?.buckets ?? []).flatMap((bucket) => reached(bucket.actions)) : []
  })
  const tables = reached(fromTunnel[0]?.actions ?? [])
  t.equal(tables.length, 900, 'every local port')
  t.strictSame([...new Set(tables)], [TABLE.DELIVER])
  t.end()
})

await t.test("the bridge's own port, whose number is above all bucket ids, is a member like any other", (t) => {
  const [part] = flood(1000, [local(0xfffffffe), local(1)]).groups
  t.equal(part?.buckets.length, 2)
  for (const { id } of part?.buckets ?? []) t.ok(id < 0xffffff00, `bucket ${id}`)
  t.end()
})

const ip = fc.oneof(
  fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.0.${a}.${b}`), fc.constantFrom('255.255.255.255', '255.255.254.255', '255.255.255.0', '0.0.0.255'),
  fc.nat(0xffff).map((n) => `2001:db8::${n.toString(16)}`))
const remotes = fc.uniqueArray(fc.tuple(ip, fc.constantFrom(4789, 4790, 8472)), { selector: ([address, port]) => `${address} ${port}`, maxLength: 40 })

await t.test('property: bucket ids are unique in their group, below the reserved ones, and the same in whatever order the members came', (t) => {
  fc.assert(fc.property(remotes, fc.boolean(), (all, sameHash) => {
    const list = all.map(([address, port]) => ({ ...remote(address, port), ...(sameHash && { hash: 0xffffff00 }) }))
    const [there, back] = [list, [...list].reverse()].map((one) => floodEntries(partition(1, one)))
    const isSound = there?.groups.every((group) => {
      const ids = group.buckets.map((bucket) => bucket.id)
      return new Set(ids).size === ids.length && ids.every((id) => id >= 0 && id < 0xffffff00)
    })
    return isSound === true && JSON.stringify(there) === JSON.stringify(back)
  }), { seed: SEED })
  t.pass('unique and stable')
  t.end()
})
