// A copy that is made piece by piece is what the original was when it was begun, whatever happened to the original meanwhile.
import fc from 'fast-check'
import t from 'tap'
import { NestedMap } from '../../lib/mirror/nested.js'
import { Copies } from '../../lib/net/copies.js'
import { Tracker } from '../../lib/sink/tracker.js'
import { SEED } from '../hostile/input.js'

const KEYS = ['a', 'b', 'c', 'd', 'e']
const key = fc.constantFrom(...KEYS)
const value = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined })

/** Runs all steps at the original, the second half of them between pieces of the copy. */
function interleave<S>(steps: readonly S[], apply: (step: S) => void, begin: (copies: Copies) => void): void {
  const half = steps.length >> 1
  for (const one of steps.slice(0, half)) apply(one)
  const copies = new Copies()
  begin(copies)
  for (const one of steps.slice(half)) {
    apply(one)
    copies.step(1)
  }
  while (copies.step(2)) { /* to its end */ }
  copies.end()
}

function nestedEntries(map: NestedMap<string, string, number>): string[] {
  return [...map.outers()].flatMap((outer) => [...map.under(outer)].map(([inner, number]) => `${outer} ${inner} ${number}`)).sort()
}

await t.test('a map of maps', (t) => {
  const step = fc.tuple(key, key, value)
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const map = new NestedMap<string, string, number>()
    let [copy, expected] = [map, [] as string[]]
    interleave(steps, ([outer, inner, number]) => (number === undefined ? map.delete(outer, inner) : map.set(outer, inner, number)), (copies) => {
      expected = nestedEntries(map)
      copy = map.copy(copies)
    })
    return nestedEntries(copy).join() === expected.join()
  }), { seed: SEED, numRuns: 500 })
  t.pass('500 runs')
  t.end()
})

await t.test('what is wanted, by a tracker', (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('one' as const), owner: fc.constantFrom('o1', 'o3'), key, value }),
    fc.record({ kind: fc.constant('own' as const), owner: fc.constantFrom('o2', 'o4'), entries: fc.uniqueArray(fc.tuple(key, fc.integer({ min: 1, max: 3 })), { selector: ([name]) => name }) }),
    fc.record({ kind: fc.constant('realize' as const), key, value })
  )
  const wanted = (tracker: Tracker<number>) => [...KEYS.map((name) => `${name} ${tracker.owner(name)} ${tracker.desired(name)}`), ...['o2', 'o4'].map((owner) => tracker.keysOf(owner).join(' ')), tracker.desiredCount].join()
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const tracker = new Tracker<number>((a, b) => a === b)
    let [fork, expected] = [tracker, '']
    interleave(steps, (one) => {
      if (one.kind === 'one') tracker.setOne(one.owner, one.key, one.value)
      else if (one.kind === 'own') tracker.setOwned(one.owner, one.entries)
      else tracker.realize(one.key, one.value)
    }, (copies) => {
      expected = wanted(tracker)
      fork = tracker.fork(true, copies)
    })
    return wanted(fork) === expected && fork.pendingCount === 0 && KEYS.every((name) => fork.isRealized(name, fork.desired(name)))
  }), { seed: SEED, numRuns: 500 })
  t.pass('500 runs')
  t.end()
})
