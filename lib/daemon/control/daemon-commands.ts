// The commands every Open vSwitch daemon has: version, exit, the log, memory and counters.
import { type Command, ControlError } from './command.js'
import type { Log } from '../log/log.js'

export interface DaemonCommands {
  /** Version of this program, `X.Y.Z`. */
  readonly version: string
  readonly log: Log
  /**
   * Called by `exit`. The client is answered when it is done, so it may clean up first; it must not wait for the control server
   * to close, which waits for this answer.
   */
  readonly exit: (cleanup: boolean) => void | Promise<void>
  /** Counts that explain the memory used, by name. */
  readonly memory: () => Readonly<Record<string, number>>
  /** Counters since the start, by name. */
  readonly counters: () => Readonly<Record<string, number>>
}

/** What `version` and `--version` print. */
export function versionText(version: string): string {
  return `ovs-evpnd (ovs-evpn) ${version}`
}

/** The commands that are not about EVPN. */
export function daemonCommands(daemon: DaemonCommands): Command[] {
  const { log } = daemon
  return [
    { name: 'version', usage: '', min: 0, max: 0, run: () => versionText(daemon.version) },
    { name: 'exit', usage: '[--cleanup]', min: 0, max: 1, run: args => exit(daemon, args) },
    { name: 'vlog/list', usage: '', min: 0, max: 0, run: () => log.list() },
    { name: 'vlog/set', usage: '{spec}', min: 1, max: Infinity, run: specs => setLevels(log, specs) },
    { name: 'vlog/reopen', usage: '', min: 0, max: 0, run: () => answerErrors(() => log.reopen()) },
    { name: 'vlog/close', usage: '', min: 0, max: 0, run: () => answerErrors(() => log.close()) },
    { name: 'memory/show', usage: '', min: 0, max: 0, run: () => formatMemory(daemon.memory(), process.memoryUsage()) },
    { name: 'coverage/show', usage: '', min: 0, max: 0, run: () => formatCounters(daemon.counters()) }
  ]
}

/** One line of `name:value` pairs, as Open vSwitch prints it; the memory of the process in kB last. */
export function formatMemory(
  counts: Readonly<Record<string, number>>, memory: { readonly rss: number, readonly heapUsed: number }
): string {
  const pairs = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))
  const sizes: [string, number][] = [['heap-kB', Math.round(memory.heapUsed / 1024)], ['rss-kB', Math.round(memory.rss / 1024)]]
  return [...pairs, ...sizes].map(([name, value]) => `${name}:${value}`).join(' ')
}

/** One line for each counter that counted anything, then how many did not. Rates are not kept. */
export function formatCounters(counters: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counters)
  const hit = entries.filter(([, total]) => total > 0).sort(([a], [b]) => (a < b ? -1 : 1))
  const rows = hit.map(([name, total]) => `${name.padEnd(24)} total: ${total}\n`)
  return `Event coverage:\n${rows.join('')}${entries.length - hit.length} events never hit\n`
}

async function exit(daemon: DaemonCommands, [option]: readonly string[]): Promise<string> {
  if (option !== undefined && option !== '--cleanup') throw new ControlError(`"exit" takes no argument but --cleanup, not "${option}"`)
  await daemon.exit(option !== undefined)
  return ''
}

/** Applies specifications up to the first bad one, like Open vSwitch. */
function setLevels(log: Log, specs: readonly string[]): string {
  for (const spec of specs) {
    const error = log.set(spec)
    if (error !== undefined) throw new ControlError(error)
  }
  return ''
}

/** What the system refuses is the client's answer, not a fault of ours. */
function answerErrors(action: () => void): string {
  try {
    action()
  } catch (error) {
    throw new ControlError(error instanceof Error ? error.message : String(error))
  }
  return ''
}
