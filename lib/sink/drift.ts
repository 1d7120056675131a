// What somebody else did to entries of ours: counted, told, and put back once. When it happens to the same entry again and again,
// another program wants something else there: each time we wait longer before we put it back. With evpn-audit=report it stays.
import type { Tracker } from './tracker.js'

/** evpn-audit: what is done about drift. */
export type AuditMode = 'repair' | 'report'

export interface DriftOptions {
  /** What is to be done about the entries of an owner; undefined = nobody wants the entry. */
  readonly modeOf: (owner: string | undefined) => AuditMode
  /** A sentence for the log; there may be as many as there are entries. `isOver`: it is put back at once, nobody has to do anything. */
  readonly tell: (text: string, isOver: boolean, key: string) => void
  /** An entry is as it is wanted, after it was not. */
  readonly mended?: (key: string) => void
  /** Called when an entry may be put back. */
  readonly wake: () => void
}

/** Before an entry is put back for the second time, in ms; it doubles with each further time. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000
/** What stays alone for so long, and at most twice that, is in no fight any more. */
const FORGET = 120_000
/** More entries than that are not told apart: they are put back at once each time. */
const MAX_REMEMBERED = 200_000

export class Drift {
  /** `found`: entries that somebody else changed; `paused`: those that were put back after a pause only. */
  readonly counters = { found: 0, paused: 0 }
  readonly #options: DriftOptions
  /** How often something happened to a key of late; two generations, of which the older one is forgotten. */
  #recent = new Map<string, number>()
  #older = new Map<string, number>()
  #ageing: NodeJS.Timeout | undefined
  readonly #pauses = new Map<string, NodeJS.Timeout>()

  constructor(options: DriftOptions) {
    this.#options = options
  }

  /** Somebody else changed an entry. `name`: which; `what` completes the sentence "somebody else ...". */
  found<V>(tracker: Tracker<V>, key: string, name: string, what: string): void {
    const { modeOf, tell } = this.#options
    this.counters.found++
    if (modeOf(tracker.owner(key)) === 'report') {
      tracker.blockAsWanted(key, `somebody else ${what}; evpn-audit=report leaves it so`)
      tell(`${name}: somebody else ${what}; evpn-audit=report leaves it so`, false, key)
      return
    }
    const times = this.#remember(key)
    const pause = times === 1 ? 0 : Math.min(FIRST_PAUSE * 2 ** (times - 2), LONGEST_PAUSE)
    const remedy = pause === 0 ? 'it is put back' : `for the ${ordinal(times)} time; it is put back after a pause of ${pause / 1000} s`
    tell(`${name}: somebody else ${what}${pause === 0 ? ';' : ''} ${remedy}`, pause === 0, key)
    if (pause > 0) this.#pause(tracker, key, pause, `somebody else ${what} ${remedy}`)
  }

  /** What happened to an entry so far is no fight over it. */
  forget(key: string): void {
    this.#recent.delete(key)
    this.#older.delete(key)
  }

  /** The same for all entries whose keys begin so; those that wait for a pause may be put back now. */
  forgetAll<V>(tracker: Tracker<V>, beginning: string): void {
    for (const key of [...this.#recent.keys(), ...this.#older.keys()]) if (key.startsWith(beginning)) this.forget(key)
    for (const [key, timer] of this.#pauses) {
      if (!key.startsWith(beginning)) continue
      clearTimeout(timer)
      this.#pauses.delete(key)
      tracker.unblock(key)
    }
  }

  /** Somebody else's entry stands in its place: it is not ours to put back, and no pause may end what blocks it now. */
  abandon(key: string): void {
    clearTimeout(this.#pauses.get(key))
    this.#pauses.delete(key)
  }

  /** True when a block of the tracker is ours to end. */
  holds<V>(tracker: Tracker<V>, key: string): boolean {
    return this.#pauses.has(key) || tracker.blockedAsWanted().has(key)
  }

  /** The configuration changed: what may be put back now is released. */
  review<V>(tracker: Tracker<V>): void {
    for (const key of [...tracker.blockedAsWanted()]) {
      if (this.#options.modeOf(tracker.owner(key)) === 'repair') tracker.unblock(key)
    }
  }

  /** Ends all pauses; the blocks are the caller's to end. */
  clear(): void {
    for (const timer of this.#pauses.values()) clearTimeout(timer)
    this.#pauses.clear()
  }

  #pause<V>(tracker: Tracker<V>, key: string, pause: number, reason: string): void {
    this.counters.paused++
    tracker.block(key, reason)
    clearTimeout(this.#pauses.get(key))
    this.#pauses.set(key, setTimeout(() => {
      this.#pauses.delete(key)
      tracker.unblock(key)
      this.#options.wake()
    }, pause).unref())
  }

  #remember(key: string): number {
    const times = (this.#recent.get(key) ?? this.#older.get(key) ?? 0) + 1
    if (this.#recent.size < MAX_REMEMBERED) this.#recent.set(key, times)
    this.#ageing ??= setTimeout(() => this.#age(), FORGET).unref()
    return times
  }

  #age(): void {
    this.#older = this.#recent
    this.#recent = new Map()
    this.#ageing = this.#older.size === 0 ? undefined : setTimeout(() => this.#age(), FORGET).unref()
  }
}

function ordinal(n: number): string {
  return n === 2 ? 'second' : n === 3 ? 'third' : `${n}th`
}
