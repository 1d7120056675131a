// Tries again what was refused: each key alone, with a growing pause, while everything else goes on.
import type { Tracker } from './tracker.js'

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

export class Retry {
  readonly #entries = new Map<string, { readonly attempts: number, readonly timer: NodeJS.Timeout }>()
  readonly #flush: () => void

  /** `flush` is called when a key may be tried again. */
  constructor(flush: () => void) {
    this.#flush = flush
  }

  /** Blocks the key now, and unblocks it after 1 s, 2 s, 4 s ... 60 s. */
  later<V>(tracker: Tracker<V>, key: string, reason: string): void {
    const attempts = this.#entries.get(key)?.attempts ?? 0
    clearTimeout(this.#entries.get(key)?.timer)
    tracker.block(key, reason)
    const timer = setTimeout(() => {
      tracker.unblock(key)
      // Nobody wants it any more, and it is not there.
      if (tracker.desired(key) === undefined && tracker.realized(key) === undefined) this.#entries.delete(key)
      this.#flush()
    }, Math.min(FIRST_PAUSE * 2 ** attempts, LONGEST_PAUSE)).unref()
    this.#entries.set(key, { attempts: attempts + 1, timer })
  }

  /** The key worked, or is no longer wanted: the next refusal begins at the first pause. */
  forget(key: string): void {
    clearTimeout(this.#entries.get(key)?.timer)
    this.#entries.delete(key)
  }

  clear(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer)
    this.#entries.clear()
  }
}
