// The tracker against a model that computes the difference anew each time; and the order of events, which must not matter.
import fc from 'fast-check'
import t from 'tap'
import { Tracker } from '../../lib/sink/tracker.js'
import { SEED } from '../hostile/input.js'

const KEYS = ['a', 'b', 'c', 'd']
const OWNERS = ['o1', 'o2', 'o3']
/** Owners that set each of their keys by itself; one between the others by name, one behind them. */
const SINGLE_OWNERS = ['o15', 'o4']

type Step =
  | { readonly kind: 'own', readonly owner: string, readonly entries: readonly (readonly [string, number])[] }
  | { readonly kind: 'one', readonly owner: string, readonly key: string, readonly value: number | undefined }
  | { readonly kind: 'realize', readonly key: string, readonly value: number | undefined }
  | { readonly kind: 'replace', readonly entries: readonly (readonly [string, number])[] }

const key = fc.constantFrom(...KEYS)
const value = fc.integer({ min: 1, max: 3 })
const entries = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('own' as const), owner: fc.constantFrom(...OWNERS), entries }),
  fc.record({ kind: fc.constant('one' as const), owner: fc.constantFrom(...SINGLE_OWNERS), key, value: fc.option(value, { nil: undefined }) }),
  fc.record({ kind: fc.constant('realize' as const), key, value: fc.option(value, { nil: undefined }) }),
  fc.record({ kind: fc.constant('replace' as const), entries })
)

/** What is wanted and what is there, in the plainest way. */
interface Model {
  readonly owned: Map<string, Map<string, number>>
  readonly realized: Map<string, number>
}

function walk(tracker: Tracker<number>, model: Model, one: Step): void {
  if (one.kind === 'own') {
    tracker.setOwned(one.owner, one.entries)
    model.owned.set(one.owner, new Map(one.entries))
  } else if (one.kind === 'one') {
    tracker.setOne(one.owner, one.key, one.value)
    const owned = model.owned.get(one.owner) ?? new Map<string, number>()
    if (one.value === undefined) owned.delete(one.key)
    else owned.set(one.key, one.value)
    model.owned.set(one.owner, owned)
  } else if (one.kind === 'realize') {
    tracker.realize(one.key, one.value)
    if (one.value === undefined) model.realized.delete(one.key)
    else model.realized.set(one.key, one.value)
  } else {
    tracker.replaceRealized(one.entries)
    model.realized.clear()
    for (const [name, held] of one.entries) model.realized.set(name, held)
  }
}

/** Of the owners of a key, the lowest name has it. */
function wanted({ owned }: Model, name: string): number | undefined {
  return [...owned].filter(([, all]) => all.has(name)).sort(([a], [b]) => (a < b ? -1 : 1))[0]?.[1].get(name)
}

function state(tracker: Tracker<number>): unknown {
  return {
    pending: tracker.pending(Infinity).sort((a, b) => (a.key < b.key ? -1 : 1)),
    desired: KEYS.map((name) => tracker.desired(name)),
    realized: KEYS.map((name) => tracker.realized(name)),
    counts: [tracker.desiredCount, tracker.realizedCount, tracker.pendingCount],
    realizedKeys: tracker.realizedKeys().sort(),
    collisions: tracker.collisions().map(([name, winner, losers]) => [name, winner, ...losers.sort()].join(' ')).sort()
  }
}

function expected(model: Model): unknown {
  const desired = KEYS.map((name) => wanted(model, name))
  const realized = KEYS.map((name) => model.realized.get(name))
  const pending = KEYS.flatMap((name, i) => (desired[i] === realized[i] ? [] : [{ key: name, desired: desired[i], realized: realized[i] }]))
  const collisions = KEYS.flatMap((name) => {
    const owners = [...OWNERS, ...SINGLE_OWNERS].sort().filter((owner) => model.owned.get(owner)?.has(name))
    return owners.length < 2 ? [] : [[name, ...owners].join(' ')]
  })
  const count = (values: readonly unknown[]) => values.filter((one) => one !== undefined).length
  return {
    pending, desired, realized, counts: [count(desired), count(realized), pending.length],
    realizedKeys: [...model.realized.keys()].sort(), collisions
  }
}

await t.test('property: after any steps, pending is exactly the difference between wanted and there', (t) => {
  fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
    const tracker = new Tracker<number>((a, b) => a === b)
    const model: Model = { owned: new Map(), realized: new Map() }
    return steps.every((one) => {
      walk(tracker, model, one)
      return JSON.stringify(state(tracker)) === JSON.stringify(expected(model))
    })
  }), { numRuns: 2000, seed: SEED })
  t.pass('2,000 walks')
  t.end()
})

await t.test('property: colliding owners: who has the key does not depend on who came first', (t) => {
  const claims = fc.uniqueArray(fc.tuple(fc.constantFrom(...OWNERS), entries), { selector: ([owner]) => owner, minLength: 2 })
  fc.assert(fc.property(claims.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))), ([all, shuffled]) => {
    const [there, back] = [all, shuffled].map((order) => {
      const tracker = new Tracker<number>((a, b) => a === b)
      for (const [owner, owned] of order) tracker.setOwned(owner, owned)
      return state(tracker)
    })
    return JSON.stringify(there) === JSON.stringify(back)
  }), { seed: SEED })
  t.pass('the same in every order')
  t.end()
})

await t.test('values are compared by the function given, so what is right is not sent again', (t) => {
  const tracker = new Tracker<string>((a, b) => a.toLowerCase() === b.toLowerCase())
  tracker.setOwned('o', [['a', 'X']])
  tracker.realize('a', 'x')
  t.equal(tracker.pendingCount, 0)
  t.end()
})

await t.test('after a read-back that shows everything right nothing is pending', (t) => {
  const tracker = new Tracker<number>((a, b) => a === b)
  tracker.setOwned('o1', [['a', 1], ['b', 2]])
  tracker.setOwned('o2', [['c', 3]])
  tracker.replaceRealized([['c', 3], ['b', 2], ['a', 1]])
  t.strictSame(tracker.pending(10), [])
  t.end()
})

await t.test('blocked keys are left out until they are free, and take no place in a batch', (t) => {
  const tracker = new Tracker<number>((a, b) => a === b)
  tracker.setOwned('o', [['a', 1], ['b', 2], ['c', 3]])
  tracker.block('a', 'a foreign flow stands there')
  t.strictSame(tracker.pending(2).map((one) => one.key), ['b', 'c'])
  t.strictSame([...tracker.blocked()], [['a', 'a foreign flow stands there']])
  t.equal(tracker.pendingCount, 3, 'it is still a difference')
  tracker.unblock('a')
  t.strictSame(tracker.pending(2).map((one) => one.key), ['a', 'b'], 'the oldest first')
  t.end()
})

await t.test('an owner that names 20,000 entries may change one of them quickly', (t) => {
  const tracker = new Tracker<number>((a, b) => a === b)
  const all = Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, i] as const)
  const start = performance.now()
  tracker.setOwned('o', all)
  tracker.setOwned('o', all.slice(1))
  t.ok(performance.now() - start < 2000, 'linear, not quadratic')
  t.equal(tracker.desiredCount, 19_999)
  t.end()
})
