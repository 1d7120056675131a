// A network namespace for one test process: its main thread moves into a fresh, nameless one, which everything it starts inherits
// (ip, bridge) and which the kernel removes with the process, however that ends.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
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

/** A MAC address of our own for each index up to 2^24. */
export function numberedMac(index: number): string {
  return ['06', '00', '00', ...[16, 8, 0].map(shift => ((index >> shift) & 255).toString(16).padStart(2, '0'))].join(':')
}

/** Another namespace, held by a process that ends with this one; `ip link set DEV netns PID` moves devices there. */
export async function startNamespace(): Promise<{ readonly pid: number, stop(): void }> {
  // cat ends when its input does, and that is when this process ends.
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  if (holder.pid === undefined) throw new Error('unshare did not start')
  return { pid: holder.pid, stop: () => holder.stdin.end() }
}
