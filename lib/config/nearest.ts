// Finds what somebody probably meant. ovs-vsctl accepts any external_ids key, so a typing error is ours to notice.
import { closest, distance } from 'fastest-levenshtein'

interface Found {
  readonly candidate: string
  readonly errors: number
}

/** The candidate with the fewest typing errors from `word`. */
export function nearestKey(word: string, candidates: readonly string[]): string {
  return closest(word, [...candidates])
}

/** Keeps those of many candidates that have the fewest typing errors from a word. */
export class Nearest {
  readonly #word: string
  readonly #count: number
  /** The nearest first; of equals those that came first. */
  #found: readonly Found[] = []

  constructor(word: string, count: number) {
    this.#word = word
    this.#count = count
  }

  offer(candidate: string): void {
    const last = this.#found.length < this.#count ? Infinity : this.#found.at(-1)?.errors ?? 0
    // So many more or fewer letters are as many errors.
    if (Math.abs(candidate.length - this.#word.length) >= last) return
    const errors = distance(this.#word, candidate)
    if (errors >= last || this.#found.some((one) => one.candidate === candidate)) return
    const at = this.#found.findIndex((one) => one.errors > errors)
    this.#found = this.#found.toSpliced(at < 0 ? this.#found.length : at, 0, { candidate, errors }).slice(0, this.#count)
  }

  get keys(): string[] {
    return this.#found.map(({ candidate }) => candidate)
  }
}

/** The `count` candidates with the fewest typing errors from `word`, the nearest first; of equals those that come first. */
export function nearestKeys(word: string, candidates: Iterable<string>, count: number): string[] {
  const nearest = new Nearest(word, count)
  for (const candidate of candidates) nearest.offer(candidate)
  return nearest.keys
}
