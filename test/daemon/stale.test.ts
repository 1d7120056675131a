// The stale set against a mirror of names: what a living speaker withdraws goes, what a dying one withdraws stays, for a while.
import t from 'tap'
import * as fc from 'fast-check'
import { mock } from 'node:test'
import { Stale, type Home } from '../../lib/daemon/stale/stale.js'
import { SETTLED_AFTER } from '../../lib/daemon/speaker.js'
import { SEED } from '../hostile/input.js'

interface Row { readonly name: string }

/** A mirror of rows by name, the kernel beside it, and a speaker that lives or not; time that only the test moves. */
class World {
  isAlive: boolean | undefined = true
  seconds = 120
  wakes = 0
  now = 0
  readonly mirror = new Map<string, Row>()
  readonly home: Home<Row> = {
    isRemote: ({ name }) => name !== 'local',
    seconds: () => this.seconds,
    release: (row) => {
      if (this.mirror.get(row.name) === row) this.drop(row)
    },
    restore: (row) => {
      if (this.mirror.has(row.name)) return false
      this.mirror.set(row.name, row)
      return true
    }
  }

  readonly stale = new Stale({ isAlive: () => this.isAlive, longest: () => this.seconds, wake: () => this.wakes++, now: () => this.now })
  readonly keeper = this.stale.keeper(this.home)

  announce(name: string): void {
    const row = { name }
    const old = this.mirror.get(name)
    this.mirror.set(name, row)
    this.keeper.written(row, old)
  }

  withdraw(name: string): void {
    const row = this.mirror.get(name)
    if (row !== undefined && !this.keeper.keeps(row)) this.drop(row)
  }

  drop(row: Row): void {
    this.mirror.delete(row.name)
    this.keeper.dropped(row)
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left--) {
      this.now++
      mock.timers.tick(1)
    }
  }

  get names(): string[] {
    return [...this.mirror.values()].map((row) => `${row.name}${this.stale.isStale(row) ? ' stale' : ''}`).sort()
  }
}

mock.timers.enable({ apis: ['setTimeout'] })
t.teardown(() => mock.timers.reset())

function world(isAlive: boolean | undefined, ...names: readonly string[]): World {
  const made = new World()
  made.isAlive = isAlive
  for (const name of names) made.announce(name)
  made.stale.start()
  return made
}

await t.test('a speaker that was never seen alive, or is not known: what the kernel says counts at once', (t) => {
  for (const isAlive of [false, undefined]) {
    const it = world(isAlive, 'a')
    it.withdraw('a')
    t.same(it.names, [])
    it.stale.stop()
  }
  t.end()
})

await t.test('a living speaker\'s withdrawal takes effect within 50 ms, and says so', (t) => {
  const it = world(true, 'a', 'b', 'local')
  it.withdraw('local')
  t.same(it.names, ['a', 'b'], 'what no speaker writes goes at once')
  it.withdraw('a')
  t.same(it.names, ['a', 'b'], 'held')
  it.pass(49)
  t.same(it.names, ['b'])
  t.ok(it.wakes > 0, 'a tick is asked for')
  it.pass(10_000)
  t.same(it.names, ['b'], 'and that is all')
  it.stale.stop()
  t.end()
})

await t.test('what is announced again while its withdrawal is held was never away', (t) => {
  const it = world(true, 'a')
  it.withdraw('a')
  it.announce('a')
  it.pass(1_000)
  t.same(it.names, ['a'])
  it.stale.stop()
  t.end()
})

const DEATHS: readonly (readonly [when: string, before: number, after: number])[] = [
  ['before the withdrawal', -500, 0], ['just after it', 5, 0], ['within a second of it', 500, 0]
]

for (const [when, death] of DEATHS) {
  await t.test(`a speaker that dies ${when}: it stays, shown as stale`, (t) => {
    const it = world(true, 'a', 'b')
    if (death < 0) it.isAlive = false
    it.withdraw('a')
    if (death > 0) it.pass(death)
    it.isAlive = false
    it.pass(1_100)
    t.same(it.names, ['a stale', 'b'])
    it.stale.stop()
    t.end()
  })
}

await t.test('a speaker that dies long after a withdrawal: that one counted', (t) => {
  const it = world(true, 'a', 'b')
  it.withdraw('a')
  it.pass(1_500)
  it.isAlive = false
  it.pass(2_000)
  t.same(it.names, ['b'])
  t.equal(it.stale.phase, 'dead')
  it.stale.stop()
  t.end()
})

await t.test('evpn-stale-time ends it; with 0 there is nothing to end', (t) => {
  const it = world(true, 'a', 'b')
  it.seconds = 30
  it.isAlive = false
  it.pass(1_000)
  it.withdraw('a')
  it.pass(29_000)
  t.same(it.names, ['a stale', 'b'])
  it.pass(2_000)
  t.same(it.names, ['b'])
  it.seconds = 0
  it.withdraw('b')
  t.same(it.names, [])
  it.stale.stop()
  t.end()
})

await t.test('a speaker that is back has settled when it was silent for a while after it announced something', (t) => {
  const it = world(true, 'a', 'b', 'c')
  it.isAlive = false
  it.pass(1_000)
  for (const name of ['a', 'b', 'c']) it.withdraw(name)
  it.isAlive = true
  it.pass(2 * SETTLED_AFTER)
  t.same(it.names, ['a stale', 'b stale', 'c stale'], 'it has announced nothing yet')
  it.announce('a')
  t.same(it.names, ['a', 'b stale', 'c stale'])
  it.pass(SETTLED_AFTER - 2_000)
  it.announce('b')
  it.withdraw('b')
  t.same(it.names, ['a', 'b stale', 'c stale'], 'nor does a withdrawal count before')
  it.pass(SETTLED_AFTER - 1_000)
  t.same(it.names, ['a', 'b stale', 'c stale'])
  it.pass(2_000)
  t.same(it.names, ['a'], 'reconciled')
  t.equal(it.stale.phase, 'alive')
  it.stale.stop()
  t.end()
})

await t.test('what the switch shows is adopted, where there is nothing, until the speaker has settled or the time is over', (t) => {
  for (const isAlive of [true, false]) {
    const it = world(isAlive, 'a')
    const { wakes } = it
    it.stale.adopt([{ name: 'a' }, { name: 'b' }], it.home)
    t.same(it.names, ['a', 'b stale'])
    t.ok(it.wakes > wakes, 'a tick is asked for: what is shown and logged changes')
    it.pass(isAlive ? SETTLED_AFTER + 1_000 : 121_000)
    t.same(it.names, ['a'])
    it.stale.stop()
  }
  t.end()
})

await t.test('a speaker that came back and told everything just before something is adopted has settled as soon as any other', (t) => {
  const it = world(false)
  it.pass(100)
  it.isAlive = true
  it.announce('a')
  it.stale.adopt([{ name: 'b' }], it.home)
  t.same(it.names, ['a', 'b stale'])
  it.pass(SETTLED_AFTER + 1_000)
  t.same(it.names, ['a'], 'not only when evpn-stale-time is over')
  t.equal(it.stale.phase, 'alive')
  it.stale.stop()
  t.end()
})

await t.test('nothing adopted: nothing is doubted', (t) => {
  const it = world(false, 'a')
  it.stale.adopt([{ name: 'a' }], it.home)
  it.withdraw('a')
  t.same(it.names, [])
  it.stale.stop()
  t.end()
})

const NAMES = ['a', 'b', 'c', 'd'] as const
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('announce', 'withdraw'), name: fc.constantFrom(...NAMES) }),
  fc.record({ kind: fc.constantFrom('die', 'live') }),
  fc.record({ kind: fc.constant('pass'), ms: fc.constantFrom(1, 10, 24, 30, 200, 1_000, 11_000) })
)

await t.test('whatever happens: what the kernel has stands and is not stale, and in the end nothing else does', (t) => {
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const it = world(true)
    it.seconds = 20
    const kernel = new Set<string>()
    for (const one of steps) {
      if ('ms' in one) it.pass(one.ms)
      else if ('name' in one && one.kind === 'announce') it.announce(one.name)
      else if ('name' in one) it.withdraw(one.name)
      else it.isAlive = one.kind === 'live'
      if ('name' in one && one.kind === 'announce') kernel.add(one.name)
      if ('name' in one && one.kind === 'withdraw') kernel.delete(one.name)
      for (const name of kernel) if (!it.names.includes(name)) throw new Error(`${name} is not there, or stale: ${it.names.join(', ')}`)
    }
    it.pass(22_000)
    it.stale.stop()
    if (it.names.join() !== [...kernel].sort().join()) throw new Error(`the kernel has ${[...kernel].join()}, the mirror ${it.names.join()}`)
  }), { seed: SEED, numRuns: 60 })
  t.end()
})
