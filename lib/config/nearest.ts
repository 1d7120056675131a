// Finds what somebody probably meant. ovs-vsctl accepts any external_ids key, so a typing error is ours to notice.
import { closest, distance } from 'fastest-levenshtein'

/** The candidate with the fewest typing errors from `word`. */
export function nearestKey(word: string, candidates: readonly string[]): string {
  return closest(word, [...candidates])
}

/** The `count` candidates with the fewest typing errors from `word`, the nearest first; of equals those that come first. */
export function nearestKeys(word: string, candidates: readonly string[], count: number): string[] {
  const errors = new Map(candidates.map((candidate) => [candidate, distance(word, candidate)]))
  return [...candidates].sort((a, b) => (errors.get(a) ?? 0) - (errors.get(b) ?? 0)).slice(0, count)
}
