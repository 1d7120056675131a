// Long work in the daemon's one thread: in pieces, between which what the kernel and the switch tell goes first.
import { setImmediate } from 'node:timers/promises'

/** To be awaited between two pieces of work, which should be small. */
export type Pause = () => Promise<void>

/** Ms of work in one go: a change that comes meanwhile waits for two or three of these. */
const SLICE = 5

/** A pause that lets others run when it is their turn, and costs next to nothing before. */
export function paced(): Pause {
  let began = performance.now()
  return async () => {
    if (performance.now() - began < SLICE) return
    await setImmediate()
    began = performance.now()
  }
}
