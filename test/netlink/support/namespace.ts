// A network namespace for one test process: its main thread moves into a fresh, nameless one, which everything it starts inherits
// (ip, bridge) and which the kernel removes with the process, however that ends.
import { execFileSync } from 'node:child_process'
import koffi from 'koffi'

const CLONE_NEWNET = 0x40000000

/** Moves this thread into a new network namespace. Needs root. */
export function enterNewNamespace(): void {
  const unshare = koffi.load(null).func('int unshare(int)') as (flags: number) => number
  if (unshare(CLONE_NEWNET) !== 0) throw new Error(`unshare(CLONE_NEWNET) failed with errno ${koffi.errno()}: these tests need root`)
}

/** Runs a command line without shell features and returns what it printed. */
export function run(commandLine: string): string {
  const [program = '', ...args] = commandLine.split(/\s+/)
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
}

/** Runs one tool in batch mode, one command per line. */
export function batch(program: 'ip' | 'bridge', lines: readonly string[]): void {
  execFileSync(program, ['-force', '-batch', '-'], { input: lines.join('\n') + '\n', stdio: ['pipe', 'ignore', 'pipe'] })
}

/** What a tool prints in JSON. */
export function json(commandLine: string): Record<string, unknown>[] {
  return JSON.parse(run(commandLine) || '[]') as Record<string, unknown>[]
}
