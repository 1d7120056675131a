// Whether the routing daemon lives, and whether what it withdraws counts. It lives while every socket of evpn-speaker listens;
// nobody connects to them: zserv.api would make us a client of zebra. One that came back has to tell its table again first:
// until it has settled, what it withdraws is as good as what a dying one withdraws.

/**
 * unknown: never seen alive, so nothing is known of it and the kernel is taken at its word. alive: what it says counts. dead,
 * settling: what it announces counts, what it withdraws does not yet.
 */
export type SpeakerPhase = 'unknown' | 'alive' | 'dead' | 'settling'

/**
 * Silence after which a speaker that came back and announced something has told all, in ms. Sessions come up one after the
 * other, seconds apart, and bgpd announces what it learns from each at once; a longer silence than this within one start was
 * not seen with FRR. Who announces nothing at all has not settled: `longest` ends that.
 */
export const SETTLED_AFTER = 10_000

export class Speaker {
  #phase: SpeakerPhase = 'unknown'
  #aliveSince = 0
  /** When it announced something, or withdrew after it had announced something. */
  #lastNews: number | undefined

  get phase(): SpeakerPhase {
    return this.#phase
  }

  /** True when what it withdraws counts. */
  get isTrusted(): boolean {
    return this.#phase === 'alive' || this.#phase === 'unknown'
  }

  /** It was looked at. `longest`: ms after which it counts as settled whatever it says. */
  looked(isAlive: boolean, now: number, longest: number): void {
    if (!isAlive) {
      this.#died()
    } else if (this.#phase === 'dead') {
      this.#settle(now)
    } else if (this.#phase === 'unknown' || this.#hasSettled(now, longest)) {
      this.#phase = 'alive'
    }
  }

  announced(now: number): void {
    this.#lastNews = now
  }

  withdrew(now: number): void {
    if (this.#lastNews !== undefined) this.#lastNews = now
  }

  /** The switch holds what nobody announces: it may have come back only just now, or be away. */
  doubt(now: number): void {
    if (this.#phase === 'alive') this.#settle(now)
    if (this.#phase !== 'unknown') return
    this.#phase = 'dead'
    this.#lastNews = undefined
  }

  /** Others are asked from now on: nothing is known of them. */
  forget(): void {
    this.#phase = 'unknown'
  }

  #died(): void {
    if (this.#phase === 'unknown' || this.#phase === 'dead') return
    this.#phase = 'dead'
    // What is announced from now on is announced by the next one, which may have done so before it is seen.
    this.#lastNews = undefined
  }

  #settle(now: number): void {
    this.#phase = 'settling'
    this.#aliveSince = now
  }

  #hasSettled(now: number, longest: number): boolean {
    const isSilent = this.#lastNews !== undefined && now - this.#lastNews >= SETTLED_AFTER
    return this.#phase === 'settling' && (isSilent || now - this.#aliveSince >= longest)
  }
}
