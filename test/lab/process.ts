// Processes as /proc shows them: identity that survives pid reuse, marking and finding those of a lab, ending them.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { waitFor } from './wait.js'

/** A process: its pid and its start time in clock ticks since boot, so that a recycled pid is never taken for it. */
export interface ProcessId {
  readonly pid: number
  readonly start: string
}

/** In the environment of every process a lab starts: `OVS_EVPN_LAB=<lab id>`. */
export const LAB_MARKER = 'OVS_EVPN_LAB'

/** A small environment: what a test runner puts into its own (loaders, options) is not for the programs of a lab. */
export function plainEnv(): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '/root', TERM = 'dumb' } = process.env
  return { PATH: `${PATH}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME, TERM, LC_ALL: 'C' }
}

/** The environment of everything a lab starts: the plain one and the marker by which `down` finds it. */
export function labEnv(labId: string): NodeJS.ProcessEnv {
  return { ...plainEnv(), [LAB_MARKER]: labId }
}

/** The process that has this pid now, or undefined when there is none. A zombie has ended and counts as none. */
export function processByPid(pid: number): ProcessId | undefined {
  const stat = readProc(`${pid}/stat`)
  // proc(5): the command name is in parentheses and may contain anything; state is field 3, starttime field 22.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const start = fields?.[19]
  return start === undefined || fields?.[0] === 'Z' ? undefined : { pid, start }
}

export function isAlive(process: ProcessId): boolean {
  return processByPid(process.pid)?.start === process.start
}

/**
 * Every living process that carries the lab's marker or lives in one of its network namespaces (paths such as
 * /run/netns/NAME), whoever started it; never the caller itself.
 */
export function processesOf(labId: string, netnsPaths: readonly string[]): ProcessId[] {
  const inodes = new Set(netnsPaths.map(inode).filter((ino) => ino !== undefined))
  const belongs = (pid: number): boolean =>
    readProc(`${pid}/environ`)?.split('\0').includes(`${LAB_MARKER}=${labId}`) === true ||
    inodes.has(inode(`/proc/${pid}/ns/net`) ?? -1)
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongs(pid))
    .flatMap((pid) => processByPid(pid) ?? [])
}

/** Sends `signal` to the process if it still is that process. */
export function signalProcess(target: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return
  try {
    process.kill(target.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Ends processes: `signal` first, SIGKILL for those that are there after `graceMs`. Returns when all are gone. */
export async function endProcesses(targets: readonly ProcessId[], signal: NodeJS.Signals = 'SIGTERM', graceMs = 2000): Promise<void> {
  for (const target of targets) signalProcess(target, signal)
  try {
    await waitForEnd(targets, graceMs)
  } catch {
    for (const target of targets) signalProcess(target, 'SIGKILL')
    await waitForEnd(targets, 5000)
  }
}

async function waitForEnd(targets: readonly ProcessId[], timeoutMs: number): Promise<void> {
  const left = (): string => targets.filter(isAlive).map(({ pid }) => `${pid} (${commandOf(pid)})`).join(', ')
  await waitFor('processes to end', () => left() === '' || `still alive: ${left()}`, timeoutMs, 20)
}

/** The command line of a process, for messages. */
export function commandOf(pid: number): string {
  return readProc(`${pid}/cmdline`)?.split('\0').join(' ').trim() ?? 'gone'
}

function inode(path: string): number | undefined {
  try {
    return statSync(path).ino
  } catch {
    return undefined
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return undefined
  }
}
