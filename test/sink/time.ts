// Time that only the test moves, so that pauses of seconds cost nothing and their length is part of what is tested.
import { setImmediate as turn } from 'node:timers/promises'
import { mock } from 'node:test'

/** From here on setTimeout waits for pass(). */
export function stopTime(): void {
  mock.timers.enable({ apis: ['setTimeout'] })
}

/** Lets everything that is ready run: promises, and what they start. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn()
}

/** Lets `ms` milliseconds pass, and everything that became due run. */
export async function pass(ms: number): Promise<void> {
  await settle()
  mock.timers.tick(ms)
  await settle()
}
