// Flows that go a while after nobody wants them any more. A flood in parts is translated in two steps, and the datapath caches
// each by itself: for some milliseconds after a change, a packet whose first step was translated before it arrives at the second.
// As long as what that step led to still stands, the packet reaches whom it would have reached before. Without it the second step
// becomes a cached drop, and when the part comes back a packet can meet that drop behind a first step that is already new.
import { TABLE } from '../pipeline/tables.js'
import { tableOfKey } from './flow-entry.js'
import type { Pending, Tracker } from './tracker.js'

/** Longer than the datapath keeps a flow that no packet uses, in ms: other_config:max-idle, ten seconds unless told otherwise. */
const LINGER = 15_000

export class Linger {
  readonly #tracker: Tracker<string>
  readonly #wake: () => void
  /** Held, while what replaces them is on its way to the switch. */
  readonly #held = new Set<string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #due = new Set<string>()

  /** `wake` is called when a flow may go. */
  constructor(tracker: Tracker<string>, wake: () => void) {
    this.#tracker = tracker
    this.#wake = wake
  }

  /** True when this flow, which nobody wants any more, has to stand a little longer: it is blocked until LINGER after `replaced`. */
  holds({ key, desired }: Pending<string>): boolean {
    if (desired !== undefined || tableOfKey(key) !== TABLE.PART || this.#due.delete(key)) return false
    this.#tracker.block(key, 'packets on their way may still need it')
    this.#held.add(key)
    return true
  }

  /** Looks at what is held: what is wanted again has its whole time when it goes the next time. */
  review(): void {
    for (const key of [...this.#held, ...this.#timers.keys()]) {
      if (this.#tracker.desired(key) === undefined) continue
      clearTimeout(this.#timers.get(key))
      this.#timers.delete(key)
      this.#held.delete(key)
      this.#tracker.unblock(key)
    }
    // Somebody else has deleted it meanwhile.
    for (const key of this.#due) if (!this.#tracker.isPending(key)) this.#due.delete(key)
  }

  /** The switch has what was to come instead of all that was held until now. */
  replaced(): void {
    for (const key of this.#held) this.#timers.set(key, setTimeout(() => this.#release(key), LINGER).unref())
    this.#held.clear()
  }

  /** Forgets what was held: the tracker's blocks are gone. */
  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#held.clear()
    this.#due.clear()
  }

  #release(key: string): void {
    this.#timers.delete(key)
    this.#tracker.unblock(key)
    this.#due.add(key)
    this.#wake()
  }
}
