// What the tests with hostile input, and all other properties, share: the seed, which a failure names, and the inputs that once broke something.
import { existsSync, readFileSync } from 'node:fs'

const { OVS_EVPN_SEED: seedText = '1' } = process.env

/** Of all properties of a run: the same each time, unless OVS_EVPN_SEED is another number, or `random`. */
export const SEED = seedText === 'random' ? Date.now() & 0x7fffffff : Number(seedText)

/** CPU time that one input may cost, in ms. None is longer than some hundred bytes: a thousandth of it is usual. */
const SOON = 1_000

/** Runs `act`; whoever takes long for a short input hangs for a long one. CPU time: what other processes take does not count. */
export function soon<T>(act: () => T): T {
  const start = process.cpuUsage()
  const result = act()
  const { user, system } = process.cpuUsage(start)
  if (user + system > SOON * 1_000) throw new Error(`one input took ${Math.round((user + system) / 1_000)} ms of CPU time`)
  return result
}

/** Inputs that once broke a decoder, from fixtures/hostile/<area>.txt: one line of hex each, `#` begins a comment. */
export function crashers(area: string): Buffer[] {
  const path = `fixtures/hostile/${area}.txt`
  if (!existsSync(path)) throw new Error(`no ${path}`)
  return readFileSync(path, 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'hex'))
}

/** Bytes of buffers and of what stands on the heap that `act` leaves behind, while what it returns is still held. */
export function growth(act: () => unknown): number {
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = used()
  const held = act()
  const after = used()
  return held === undefined ? 0 : after - before
}
