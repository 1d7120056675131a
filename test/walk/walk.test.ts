// Random walks. WALK_COUNT=n walks n times instead of 1,400, WALK_SEED=s begins with seed s (alone: only that one).
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { Seeds } from './walk-worker.js'

const { WALK_SEED: seedText, WALK_COUNT: countText } = process.env
const first = Number(seedText ?? 1)
const count = Number(countText ?? (seedText === undefined ? 1400 : 1))
const THREADS = Math.min(2, availableParallelism())

/** As many failures are shown; more say nothing new. */
const MAX_SHOWN = 3

t.setTimeout(Math.max(240_000, count * 1000))

await t.test(`${count} walks from any state to any state end where a start from scratch ends`, async (t) => {
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
  t.equal(shown, 0, 'no walk fails')
  if (shown < MAX_SHOWN) t.equal(walked, count, 'all of them were walked')
})
