// Finds what somebody probably meant. ovs-vsctl accepts any external_ids key, so a typing error is ours to notice.
import { closest } from 'fastest-levenshtein'

/** The candidate with the fewest typing errors from `word`. */
export function nearestKey(word: string, candidates: readonly string[]): string {
  return closest(word, [...candidates])
}
