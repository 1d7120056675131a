// The stale set: rows that the kernel no longer has and that still stand in their mirrors, because whoever withdrew them was
// dying, or had just come back. It is an input like the mirrors: what is derived does not know the difference.
// A withdrawal is held for a moment, until it shows whether its author lives; for a second more it can be taken back.
import type { Keeper } from '../../mirror/keeper.js'
import { Speaker, type SpeakerPhase } from '../speaker.js'

/**
 * How long a withdrawal is held, in ms: zebra withdraws everything and then closes its socket (0.4 ms later on an idle machine),
 * and a withdrawal by a living speaker has to take effect within 50 ms.
 */
export const HOLD = 25
/** A speaker that dies within this time after a withdrawal was dying when it withdrew, in ms. */
const TAKEN_BACK = 1_000
/** Pauses between two looks at the speaker, in ms: while a withdrawal may be taken back, and otherwise. */
const LOOK = { watchful: 100, calm: 1_000 } as const

/** What the stale set needs of a mirror. */
export interface Home<Row> {
  /** True for a row that a speaker writes. */
  isRemote(row: Row): boolean
  /** Seconds that such a row may be stale. */
  seconds(row: Row): number
  release(row: Row): void
  /** False when the row cannot come back. */
  restore(row: Row): boolean
}

export interface StaleParts {
  /** True while the speaker lives; undefined = none is configured, or it is not known yet which. */
  isAlive(): boolean | undefined
  /** The longest time that anything may be stale, in seconds. */
  longest(): number
  /** Something changed that calls for a tick, due to an event of that time. */
  wake(eventAt?: number): void
  /** In ms. */
  now(): number
}

interface Entry { readonly row: unknown, readonly home: Home<never>, readonly since: number }

export class Stale {
  readonly #parts: StaleParts
  readonly #speaker = new Speaker()
  /** Withdrawn just now. */
  readonly #held = new Map<unknown, Entry>()
  readonly #stale = new Map<unknown, Entry>()
  /** Withdrawn and gone, oldest first. */
  #recent: Entry[] = []
  #timer: NodeJS.Timeout | undefined
  #due = Infinity
  #isStarted = false

  constructor(parts: StaleParts) {
    this.#parts = parts
  }

  get phase(): SpeakerPhase {
    return this.#speaker.phase
  }

  get size(): number {
    return this.#stale.size
  }

  isStale(row: unknown): boolean {
    return this.#stale.has(row)
  }

  /** The side that a mirror asks. */
  keeper<Row>(home: Home<Row>): Keeper<Row> {
    return {
      keeps: (row) => this.#keeps(row, home),
      isKept: (row) => this.#stale.has(row) || this.#held.has(row),
      written: (row, old) => {
        this.#forget(old)
        if (home.isRemote(row)) this.#speaker.announced(this.#parts.now())
      },
      dropped: (row) => this.#forget(row)
    }
  }

  /** From now on the speaker is looked at. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.look()
  }

  stop(): void {
    this.#isStarted = false
    clearTimeout(this.#timer)
  }

  /** Rows that the kernel does not have, but the switch shows to have been there: stale until the speaker has settled. */
  adopt<Row>(rows: readonly Row[], home: Home<Row>): void {
    const isAlive = this.#parts.isAlive()
    if (isAlive === undefined) return
    const now = this.#parts.now()
    const adopted = rows.filter((row) => home.seconds(row) > 0 && home.restore(row))
    if (adopted.length === 0) return
    for (const row of adopted) this.#stale.set(row, { row, home: home, since: now })
    // It may have come back, and told all it has to tell, since it was looked at last.
    this.#speaker.looked(isAlive, now, this.#parts.longest() * 1_000)
    this.#speaker.doubt(now)
    this.#parts.wake()
  }

  /** A row that goes with another one, untold: it can be taken back like that one. */
  goesAlong<Row>(row: Row, home: Home<Row>): void {
    if (this.#speaker.phase === 'alive') this.#recent.push({ row, home: home, since: this.#parts.now() })
  }

  /** Looks at the speaker and does what follows from it. */
  look(): void {
    const [now, before, isAlive] = [this.#parts.now(), this.#speaker.phase, this.#parts.isAlive()]
    if (isAlive === undefined) this.#speaker.forget()
    else this.#speaker.looked(isAlive, now, this.#parts.longest() * 1_000)
    const { phase } = this.#speaker
    if (before === 'alive' && phase === 'dead') this.#takeBack(now)
    this.#decide(now)
    this.#expire(now)
    this.#recent = this.#recent.filter(({ since }) => now - since < TAKEN_BACK)
    if (phase !== before) this.#parts.wake()
    this.#lookAgain(now)
  }

  #keeps(row: unknown, home: Home<never>): boolean {
    if (this.#stale.has(row) || this.#held.has(row)) return true
    if (this.#speaker.phase === 'unknown' || !home.isRemote(row as never)) return false
    const now = this.#parts.now()
    this.#speaker.withdrew(now)
    if (home.seconds(row as never) === 0) return false
    if (this.#speaker.isTrusted) {
      this.#held.set(row, { row, home, since: now })
      this.#lookAt(now + HOLD, now)
    } else {
      this.#stale.set(row, { row, home, since: now })
    }
    return true
  }

  #takeBack(now: number): void {
    for (const { row, home } of this.#recent) if (home.restore(row as never)) this.#stale.set(row, { row, home, since: now })
    if (this.#recent.length > 0) this.#parts.wake()
    this.#recent = []
  }

  /** The word of a living speaker counts once it was held. */
  #decide(now: number): void {
    for (const entry of this.#held.values()) {
      if (this.#speaker.isTrusted && now - entry.since < HOLD) continue
      this.#held.delete(entry.row)
      if (this.#speaker.isTrusted) this.#go(entry, now)
      else this.#stale.set(entry.row, { ...entry, since: now })
    }
  }

  #go(entry: Entry, now: number): void {
    // What goes along with it is gone before it.
    this.#recent.push({ ...entry, since: now })
    entry.home.release(entry.row as never)
    this.#parts.wake(entry.since)
  }

  #expire(now: number): void {
    for (const { row, home, since } of this.#stale.values()) {
      if (!this.#speaker.isTrusted && now - since < home.seconds(row as never) * 1_000) continue
      this.#stale.delete(row)
      home.release(row as never)
      this.#parts.wake()
    }
  }

  #forget(row: unknown): void {
    if (row === undefined) return
    this.#held.delete(row)
    this.#stale.delete(row)
  }

  #lookAgain(now: number): void {
    this.#due = Infinity
    for (const { since } of this.#held.values()) {
      this.#lookAt(since + HOLD, now)
      break
    }
    this.#lookAt(now + (this.#recent.length > 0 ? LOOK.watchful : LOOK.calm), now)
  }

  #lookAt(due: number, now: number): void {
    if (!this.#isStarted || due >= this.#due) return
    this.#due = due
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.look(), Math.max(1, due - now)).unref()
  }
}
