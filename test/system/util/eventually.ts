// Waiting for what a user expects to see, with a failure that says what that was and what was there instead.
import { inspect } from 'node:util'
import { waitFor } from '../../lab/wait.js'

/** Waits until `look` returns what `wanted` accepts, and returns it. `what` completes the sentence "waited for ...". */
export async function eventually<T>(what: string, look: () => T | Promise<T>, wanted: (seen: T) => boolean, timeoutMs = 10_000): Promise<T> {
  let last: T | undefined
  await waitFor(what, async () => {
    last = await look()
    return wanted(last) || asText(last)
  }, timeoutMs, 30)
  return last as T
}

/** Waits until one of the lines `look` returns contains every text. */
export function eventuallyHas(what: string, look: () => Promise<readonly string[]>, ...texts: readonly string[]): Promise<readonly string[]> {
  return eventually(`${what}: a line with ${quote(texts)}`, look, (lines) => hasLine(lines, ...texts))
}

/** Waits until no line `look` returns contains every text. */
export function eventuallyLacks(what: string, look: () => Promise<readonly string[]>, ...texts: readonly string[]): Promise<readonly string[]> {
  return eventually(`${what}: no line with ${quote(texts)}`, look, (lines) => !hasLine(lines, ...texts))
}

/** True when one line contains every text. */
export function hasLine(lines: readonly string[], ...texts: readonly string[]): boolean {
  return lines.some((line) => texts.every((text) => line.includes(text)))
}

function quote(texts: readonly string[]): string {
  return texts.map((text) => `'${text}'`).join(' and ')
}

function asText(seen: unknown): string {
  if (Array.isArray(seen) && seen.every((item) => typeof item === 'string')) return `\n${seen.join('\n')}\n(${seen.length} lines)`
  return typeof seen === 'string' ? seen : inspect(seen, { depth: 5, breakLength: 140 })
}
