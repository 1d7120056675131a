// Random walks: 2,000 that are always the same, and those that once failed. WALK_COUNT=n walks n times instead, WALK_SEED=s begins with seed s (alone: only that one).
// WALK_NEW=n walks n more that nobody has walked before; the first seed of theirs is in the test's name.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import type { Seeds } from './walk-worker.js'

const { WALK_SEED: seedText, WALK_COUNT: countText, WALK_NEW: newText } = process.env
const GIVEN = Number(countText ?? (seedText === undefined ? 2000 : 1))
const NEW = Number(newText ?? 0)
/** Seeds of walks beyond those that once failed. */
const ONCE_FAILED = [900_001_560] as const
const THREADS = Math.min(2, availableParallelism())

/** As many failures are shown; more say nothing new. */
const MAX_SHOWN = 3

t.setTimeout(Math.max(240_000, (GIVEN + NEW) * 1000))

await end('walks from any state to any state end where a start from scratch ends', Number(seedText ?? 1), GIVEN)
if (seedText === undefined) for (const seed of ONCE_FAILED) await end('walk that once failed', seed, 1)
if (NEW > 0) await end('walks that nobody has walked before end there, too', randomInt(100_000, 2 ** 31), NEW)

async function end(what: string, first: number, count: number): Promise<void> {
  await t.test(`${count} ${what} (from seed ${first})`, async (t) => {
    const { walked, failed } = await walkAll(t, first, count)
    t.equal(failed, 0, 'no walk fails')
    if (failed < MAX_SHOWN) t.equal(walked, count, 'all of them were walked')
  })
}

async function walkAll(t: Test, first: number, count: number): Promise<{ readonly walked: number, readonly failed: number }> {
  let [walked, shown] = [0, 0]
  const workers = Array.from({ length: THREADS }, (_, i) => {
    const seeds: Seeds = { first: first + i, end: first + count, step: THREADS }
    return new Worker(new URL('./walk-worker.js', import.meta.url), { workerData: seeds })
  })
  const ends = workers.map(async (worker) => {
    worker.on('message', (failure: string | undefined) => {
      walked++
      if (failure === undefined || shown === MAX_SHOWN) return
      t.fail(failure)
      if (++shown === MAX_SHOWN) for (const each of workers) void each.terminate()
    })
    await once(worker, 'exit')
  })
  await Promise.all(ends)
  return { walked, failed: shown }
}
