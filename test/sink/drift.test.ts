// Drift: entries that somebody else changed are put back at once, then after growing pauses; evpn-audit=report leaves them.
import t from 'tap'
import { Drift, type AuditMode } from '../../lib/sink/drift.js'
import { Tracker } from '../../lib/sink/tracker.js'
import { pass, stopTime } from './time.js'

stopTime()

function world() {
  const tracker = new Tracker<string>((a, b) => a === b)
  const told: string[] = []
  const state = { mode: 'repair' as AuditMode, wakes: 0 }
  const drift = new Drift({ modeOf: () => state.mode, tell: (text) => told.push(text), wake: () => state.wakes++ })
  tracker.setOwned('o', [['k', 'wanted']])
  tracker.realize('k', 'wanted')
  const remove = () => {
    tracker.realize('k', undefined)
    drift.found(tracker, 'k', 'flow k', 'deleted it')
  }
  const mayGo = () => tracker.pending(1).length === 1
  return { tracker, told, state, drift, remove, mayGo }
}

await t.test('the first time it is put back at once, then after 1 s, 2 s, 4 s; two quiet minutes later at once again', async (t) => {
  const { tracker, told, drift, remove, mayGo } = world()
  remove()
  t.ok(mayGo(), 'at once')
  t.strictSame(told, ['flow k: somebody else deleted it; it is put back'])
  for (const pause of [1_000, 2_000, 4_000]) {
    tracker.realize('k', 'wanted')
    remove()
    await pass(pause - 1)
    t.notOk(mayGo(), `not within ${pause} ms`)
    t.match(tracker.blocked().get('k'), `after a pause of ${pause / 1000} s`)
    await pass(1)
    t.ok(mayGo(), `after ${pause} ms`)
  }
  t.strictSame(drift.counters, { found: 4, paused: 3 })
  tracker.realize('k', 'wanted')
  await pass(120_000)
  await pass(120_000)
  remove()
  t.ok(mayGo(), 'forgotten')
})

await t.test('evpn-audit=report leaves it until it is as wanted, something else is wanted, or the mode changes', (t) => {
  for (const end of ['restored', 'wanted otherwise', 'mode']) {
    const { tracker, told, state, drift, remove, mayGo } = world()
    state.mode = 'report'
    remove()
    t.notOk(mayGo())
    t.ok(drift.holds(tracker, 'k'))
    t.strictSame(told, ['flow k: somebody else deleted it; evpn-audit=report leaves it so'])
    if (end === 'restored') tracker.realize('k', 'wanted')
    else if (end === 'wanted otherwise') tracker.setOwned('o', [['k', 'other']])
    else state.mode = 'repair'
    drift.review(tracker)
    t.equal(tracker.blocked().size, 0, `${end}: no block is left`)
    t.equal(mayGo(), end !== 'restored', end)
  }
  t.end()
})

await t.test('what came of another claim, or of a device that changed, is no fight: the next time is the first, and a pause ends', (t) => {
  for (const forget of ['forget', 'forgetAll'] as const) {
    const { tracker, told, drift, remove, mayGo } = world()
    remove()
    tracker.realize('k', 'wanted')
    if (forget === 'forgetAll') {
      remove()
      t.notOk(mayGo(), 'it waits')
      drift.forgetAll(tracker, 'k')
      t.ok(mayGo(), 'it waits no longer')
      tracker.realize('k', 'wanted')
    } else {
      drift.forget('k')
    }
    remove()
    t.ok(mayGo(), 'at once')
    t.equal(told.at(-1), 'flow k: somebody else deleted it; it is put back')
  }
  t.end()
})

await t.test("somebody else's entry in its place ends the pause, and neither time nor another wish lets us overwrite it", async (t) => {
  for (const mode of ['repair', 'report'] as const) {
    const { tracker, state, drift, remove, mayGo } = world()
    remove()
    tracker.realize('k', 'wanted')
    state.mode = mode
    remove()
    t.notOk(mayGo(), mode === 'repair' ? 'it waits for its pause' : 'it is left')
    drift.abandon('k')
    tracker.block('k', 'a foreign flow stands there')
    await pass(60_000)
    tracker.setOwned('o', [['k', 'other']])
    drift.review(tracker)
    t.notOk(mayGo(), `${mode}: it stays`)
    tracker.unblock('k')
    t.ok(mayGo(), 'until the other is gone')
  }
})
