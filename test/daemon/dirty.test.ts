// What is marked is taken once, in as small pieces as one likes.
import t from 'tap'
import { KeysByVni } from '../../lib/daemon/dirty.js'

const KEYS = Array.from({ length: 100 }, (_, i) => `k${i}`)

/** Takes all in pieces of `limit`; each piece as "VNI key". */
function takeIn(keys: KeysByVni<string>, limit: number): string[][] {
  const pieces: string[][] = []
  while (!keys.isEmpty) pieces.push([...keys.take(limit)].flatMap(([vni, some]) => [...some].map((key) => `${vni} ${key}`)))
  return pieces
}

await t.test('all of a VNI, named twice, and single ones: each is taken once, never more than asked for', (t) => {
  for (const limit of [1, 7, 1_000, Infinity]) {
    const keys = new KeysByVni<string>()
    keys.addAll(1, KEYS)
    keys.addAll(1, KEYS.slice(50))
    keys.add(2, 'x')
    keys.addAll(3, [])
    const pieces = takeIn(keys, limit)
    t.ok(pieces.every((piece) => piece.length <= limit), `at most ${limit} each time`)
    t.strictSame(pieces.flat().sort(), [...KEYS.map((key) => `1 ${key}`), '2 x'].sort(), `all of them, ${limit} each time`)
  }
  t.end()
})

await t.test('what is marked again after it was taken is taken again', (t) => {
  const keys = new KeysByVni<string>()
  keys.addAll(1, KEYS)
  keys.take(10)
  keys.add(1, 'k0')
  t.equal(takeIn(keys, 10).flat().length, 91)
  keys.addAll(1, KEYS)
  keys.take(10)
  keys.addAll(1, KEYS)
  t.equal(new Set(takeIn(keys, 10).flat()).size, 100)
  t.end()
})

await t.test('keys are looked up when they are taken', (t) => {
  const [keys, there] = [new KeysByVni<string>(), new Map(KEYS.map((key) => [key, true]))]
  keys.addAll(1, there.keys())
  keys.take(10)
  for (const key of KEYS.slice(20)) there.delete(key)
  t.equal(takeIn(keys, 1_000).flat().length, 10)
  t.end()
})
