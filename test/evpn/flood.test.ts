// The flood set in parts: every member has one place, no part is too large, and the parts depend on the set alone.
import fc from 'fast-check'
import t from 'tap'
import { memberKey, PART_CAPACITY, partClass, partition, type FloodMember, type FloodSet } from '../../lib/evpn/flood.js'
import { SEED } from '../hostile/input.js'
import { local, members, remote } from './members.js'

function place(set: FloodSet): Map<string, number> {
  return new Map(set.parts.flatMap(({ part, members }) => members.map((member) => [memberKey(member), part] as const)))
}

/** What is wrong with a partition of these members; undefined = nothing. */
function problem(all: readonly FloodMember[], set: FloodSet): string | undefined {
  const placed = set.parts.flatMap((part) => part.members)
  const seen = [...placed, ...set.left].map(memberKey)
  if (new Set(seen).size !== seen.length) return 'a member has two places'
  if (seen.length !== all.length) return 'a member has no place'
  if (new Set(set.parts.map(({ part }) => part)).size !== set.parts.length) return 'two parts of one number'
  for (const { part, members } of set.parts) {
    const classes = new Set(members.map(partClass))
    const [only] = classes
    if (only === undefined || classes.size > 1) return `part ${part} is empty or mixed`
    if (members.length > PART_CAPACITY[only]) return `part ${part} has ${members.length} members`
    if (part < 4 || part > 127) return `part ${part} is out of range`
  }
  return undefined
}

/** Parts that differ between two partitions, by number or by members. */
function changed(a: FloodSet, b: FloodSet): number {
  const text = (set: FloodSet) => new Map(set.parts.map(({ part, members }) => [part, members.map(memberKey).sort().join()]))
  const [before, after] = [text(a), text(b)]
  return [...new Set([...before.keys(), ...after.keys()])].filter((part) => before.get(part) !== after.get(part)).length
}

/** Any set of members, with hashes from few bits, so that parts fill unevenly and to the bottom of the tree. */
const member = fc.record({ number: fc.nat(0xffff), kind: fc.constantFrom('v4', 'v6', 'local'), hash: fc.nat(0xffffffff), bits: fc.constantFrom(1, 0xf0000000, 0xffffffff) })
  .map(({ number, kind, hash, bits }): FloodMember => {
    const named = kind === 'v4' ? remote(`10.9.${number >> 8}.${number & 255}`) : kind === 'v6' ? remote(`2001:db8:9::${number.toString(16)}`) : local(number)
    return { ...named, hash: (hash & bits) >>> 0 }
  })
const small = fc.uniqueArray(member, { selector: memberKey, maxLength: 60 })

/** Members that fill the tree to a given depth. */
const FILLS: readonly (readonly [kind: 'v4' | 'v6' | 'local', count: number])[] = [
  ['v4', 0], ['v4', 1], ['v4', 599], ['v4', 600], ['v4', 601], ['v4', 5000], ['v4', 9000], ['v4', 20000],
  ['v6', 480], ['v6', 481], ['v6', 5000], ['v6', 12000], ['local', 600], ['local', 601], ['local', 3000]
]

await t.test('no member, no part', (t) => {
  t.strictSame(partition(7, []), { vni: 7, parts: [], left: [] })
  t.end()
})

await t.test('few members of each class: one part for each class', (t) => {
  const { parts, left } = partition(0, [...members('local', 2), ...members('v6', 3), ...members('v4', 4)])
  t.strictSame(parts.map(({ part, members }) => [part, members.length]), [[4, 4], [5, 3], [6, 2]])
  t.strictSame(left, [])
  t.end()
})

for (const [kind, count] of FILLS) {
  await t.test(`${count} ${kind} members: each in one part or left over, no part above capacity, nothing mixed`, (t) => {
    const all = members(kind, count)
    const set = partition(1000, all)
    t.equal(problem(all, set), undefined)
    t.end()
  })
}

await t.test('as many VTEPs as the issue asks for, 5,000, all find a place', (t) => {
  t.strictSame(partition(1000, members('v4', 5000)).left, [])
  t.strictSame(partition(1000, members('v6', 5000)).left, [])
  t.end()
})

await t.test('property: whatever the members and their hashes', (t) => {
  fc.assert(fc.property(small, (all) => problem(all, partition(1, all)) === undefined), { seed: SEED })
  t.pass('every partition is right')
  t.end()
})

await t.test('property: the order of insertion is irrelevant', (t) => {
  fc.assert(fc.property(small.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))), ([all, shuffled]) =>
    JSON.stringify([...place(partition(1, all))].sort()) === JSON.stringify([...place(partition(1, shuffled))].sort())), { seed: SEED })
  t.pass('the same parts')
  t.end()
})

await t.test('the order of insertion is irrelevant where parts split and where members are left over', (t) => {
  for (const [kind, count] of FILLS) {
    const all = members(kind, count)
    const [there, back] = [partition(1, all), partition(1, [...all].reverse())]
    t.equal(changed(there, back), 0, `${count} ${kind}: the same parts`)
    t.strictSame(there.left.map(memberKey).sort(), back.left.map(memberKey).sort(), `${count} ${kind}: the same left over`)
  }
  t.end()
})

/** From a set to the set with one member more, at sizes where parts split. */
function onStep(kind: 'v4' | 'v6' | 'local', count: number): number {
  const all = members(kind, count + 1)
  return changed(partition(1, all.slice(0, count)), partition(1, all))
}

await t.test('one member more changes one part, or three where one splits', (t) => {
  for (const [kind, counts] of [['v4', [0, 1, 599, 5000, 9000]], ['v6', [479, 5000]], ['local', [3, 599]]] as const) {
    for (const count of counts) t.equal(onStep(kind, count), 1, `${kind}: ${count} + 1`)
  }
  for (const [kind, count] of [['v4', 600], ['v6', 480], ['local', 600]] as const) t.equal(onStep(kind, count), 3, `${kind}: ${count} + 1 splits`)
  t.end()
})

await t.test('property: a member more never changes more than three parts, even where all hashes agree in their high bits', (t) => {
  const skewed = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 595, max: 606 }), fc.nat(0xffffff))
  fc.assert(fc.property(skewed, ([bits, count, seed]) => {
    const prefix = ((seed << 8) >>> (32 - bits) << (32 - bits)) >>> 0
    const all = members('v4', count + 1).map((one) => ({ ...one, hash: (prefix | (one.hash >>> bits)) >>> 0 }))
    return changed(partition(1, all.slice(0, count)), partition(1, all)) <= 3
  }), { numRuns: 50, seed: SEED })
  t.pass('at most three')
  t.end()
})

await t.test('growing one by one through every split: never more than three parts at a time, and shrinking is the same way back', (t) => {
  const all = members('v6', 1300)
  let before = partition(1, [])
  let most = 0
  for (let count = 1; count <= all.length; count++) {
    const set = partition(1, all.slice(0, count))
    most = Math.max(most, changed(before, set))
    before = set
  }
  t.equal(most, 3)
  t.end()
})
