// Walks one after the other, on a thread of its own: two threads walk twice as fast, and tap, which follows every promise of the
// thread that it runs in, does not slow them down. Tells the report of each that fails, undefined for one that does not.
import { parentPort, workerData } from 'node:worker_threads'
import { report, shrink } from './shrink.js'
import { walk } from './walk.js'

/** Seeds `first`, `first + step`, ... below `end`. */
export interface Seeds { readonly first: number, readonly end: number, readonly step: number }

const { first, end, step } = workerData as Seeds
for (let seed = first; seed < end; seed += step) {
  const result = await walk(seed)
  parentPort?.postMessage(result.failures.length === 0 ? undefined : report(result, await shrink(result)))
}
