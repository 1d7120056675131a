// Waiting for the outside world: by condition, never by sleeping a guessed time.
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'

/** Thrown by a condition that can never become true any more: waiting ends at once. */
export class Hopeless extends Error {
  override readonly name = 'Hopeless'
}

/** How many times as long everything may take here: more than 1 on a machine that is emulated. */
export const PATIENCE = Number(process.env['OVS_EVPN_PATIENCE'] ?? 1)

/**
 * Waits until `condition` returns exactly true; any other value is what was seen instead. An exception counts as seen too
 * (a socket that does not listen yet). Throws after `timeoutMs` (times PATIENCE) with what was waited for and the last thing seen.
 */
export async function waitFor(what: string, condition: () => unknown, timeoutMs = 10_000, intervalMs = 50): Promise<void> {
  const patienceMs = timeoutMs * PATIENCE
  const deadline = Date.now() + patienceMs
  for (;;) {
    const seen = await look(condition)
    if (seen === true) return
    if (seen instanceof Hopeless) throw new Error(`waited for ${what}, in vain: ${seen.message}`)
    if (Date.now() >= deadline) throw new Error(`waited ${patienceMs} ms for ${what}; last seen: ${asText(seen)}`)
    await delay(intervalMs)
  }
}

async function look(condition: () => unknown): Promise<unknown> {
  try {
    return await condition()
  } catch (error) {
    return error
  }
}

function asText(seen: unknown): string {
  if (seen instanceof Error) return seen.message
  return typeof seen === 'string' ? seen : inspect(seen)
}
