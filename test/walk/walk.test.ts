// Random walks. WALK_COUNT=n walks n times instead of 400, WALK_SEED=s begins with seed s (alone: only that one).
import t from 'tap'
import { report, shrink } from './shrink.js'
import { walk } from './walk.js'

const { WALK_SEED: seedText, WALK_COUNT: countText } = process.env
const first = Number(seedText ?? 1)
const count = Number(countText ?? (seedText === undefined ? 400 : 1))

/** As many failures are shown; more say nothing new. */
const MAX_SHOWN = 3

t.setTimeout(Math.max(60_000, count * 3000))

await t.test(`${count} walks from any state to any state end where a start from scratch ends`, async (t) => {
  let shown = 0
  for (let seed = first; seed < first + count && shown < MAX_SHOWN; seed++) {
    const result = await walk(seed)
    if (result.failures.length === 0) continue
    shown++
    t.fail(report(result, await shrink(result)))
  }
  t.equal(shown, 0, 'no walk fails')
})
