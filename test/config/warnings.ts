// What the tests of this folder share: external_ids written as an object, and warnings as the sentences a user reads.
import { formatWarning, type Warning } from '../../lib/config/warning.js'

/** external_ids as `key: value` pairs. */
export function ids(pairs: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(pairs))
}

/** The sentences for the log. */
export function sentences(warnings: readonly Warning[]): string[] {
  return warnings.map(formatWarning)
}
