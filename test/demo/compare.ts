// Comparing what must be there with what is, as sets of lines.
import { Unmet } from './screen.js'

/** Differences named in a message; more are counted. */
const NAMED = 5

/** Throws Unmet, naming what is missing and what is too much, unless both hold the same. `what` is the plural: 'MACs of c1'. */
export function requireSame(what: string, expected: readonly string[], got: readonly string[]): void {
  const missing = without(expected, got)
  const extra = without(got, expected)
  if (missing.length + extra.length === 0) return
  const parts = [
    ...(missing.length === 0 ? [] : [`without ${some(missing)}`]),
    ...(extra.length === 0 ? [] : [`with ${some(extra)} on top`])
  ]
  throw new Unmet(`${expected.length} ${what}`, `${new Set(got).size}, ${parts.join(' and ')}`)
}

function without(all: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return [...new Set(all)].filter((line) => !known.has(line))
}

/** `a, b, c and 4 more`. */
export function some(lines: readonly string[]): string {
  const rest = lines.length - NAMED
  return lines.slice(0, NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}
