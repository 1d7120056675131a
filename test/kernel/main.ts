// The program `npm run test:kernel`: boots Debian's kernel as a process and runs a command in it, the system tests by
// default, over this machine's own file system, to which nothing is written.
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { parseWhole } from '../../lib/net/number.js'
import { declaredNeeds } from '../lab/needs.js'
import { plainEnv } from '../lab/process.js'
import { makeInitramfs, type Job } from './initramfs.js'
import { checkPrograms, MissingError, provideKernel } from './kernel.js'
import { runMachine, type MachineOptions, type Outcome } from './machine.js'

interface Options {
  readonly shell: boolean
  readonly all: boolean
  readonly timeLimit: number
  readonly memory: number
  readonly cpus: number
}

/** Folders whose tests can run in both stages, unless they declare what only one has. */
const SYSTEM_TESTS = /^(system|semantics)\//

/**
 * Those of them that this stage runs when nothing is said, beside all that declare a need: where the two datapaths could differ.
 * All of them would take an hour on an emulated machine.
 */
const CHOSEN = /^system\/(underlay|tunnel)\./

async function boot(words: readonly string[], options: Options): Promise<number> {
  checkPrograms()
  const kernel = await provideKernel(say)
  const initramfs = await makeInitramfs(kernel, jobOf(words, options))
  const machine: MachineOptions = {
    cpus: options.cpus, memoryMb: options.memory, interactive: options.shell, timeLimitS: options.timeLimit
  }
  try {
    say(`booting ${kernel.release}`)
    return exitCode(await runMachine(kernel, initramfs.path, machine), options)
  } finally {
    initramfs.remove()
  }
}

/** A shell's conventions: 124 as timeout(1), 128 + signal, 125 for a machine that failed. */
function exitCode(outcome: Outcome, { timeLimit }: Options): number {
  switch (outcome.kind) {
    case 'ended': return outcome.code
    case 'timeout':
      say(`not done after ${timeLimit} s: ended (--time-limit gives more)`)
      return 124
    case 'stopped': return 128 + constants.signals[outcome.signal]
    case 'crashed':
      say(`the machine ended before the command did; it said last:\n${outcome.console}`)
      return 125
  }
}

function jobOf(words: readonly string[], { shell, all }: Options): Job {
  const { PATH = '' } = plainEnv()
  const env = {
    PATH, HOME: '/root', LC_ALL: 'C', TERM: shell ? process.env['TERM'] ?? 'vt100' : 'dumb',
    // The lab's: Open vSwitch's datapath is the one in this kernel, and on an emulated machine everything takes longer.
    OVS_EVPN_DATAPATH: 'system', OVS_EVPN_PATIENCE: '10'
  }
  const cwd = process.cwd()
  if (!shell) return { argv: words.length > 0 ? words : stageTests(all), cwd, env }
  const { rows, columns } = process.stdout
  return { argv: words.length > 0 ? words : ['bash'], cwd, env, terminal: { rows: rows || 24, columns: columns || 80 } }
}

/** The stage's program and its compiled tests: the chosen system tests or all, and whatever declares a need (test/lab/needs.ts). */
function stageTests(all: boolean): string[] {
  const tests = fileURLToPath(new URL('..', import.meta.url))
  const isOurs = all ? SYSTEM_TESTS : CHOSEN
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.js')).sort()
  const chosen = files.map((name) => ({ name, path: relative(process.cwd(), join(tests, name)) }))
    .filter(({ name, path }) => isOurs.test(name) || declaredNeeds(readFileSync(path, 'utf8'), path).length > 0)
  return [process.execPath, join(tests, 'kernel/stage.js'), ...chosen.map(({ path }) => path)]
}

function say(text: string): void {
  console.error(`test:kernel: ${text}`)
}

function whole(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = parseWhole(text, from, to)
    if (value === undefined) throw new InvalidArgumentError(`It must be ${from} to ${to}.`)
    return value
  }
}

const program = new Command('test:kernel')
  .description('Boots the kernel of Debian as a process and runs COMMAND in it, the system tests by default.')
  .argument('[command...]')
  .passThroughOptions()
  .option('--shell', 'with this terminal; COMMAND is bash by default', false)
  .option('--all', 'every system test; give it an hour with --time-limit', false)
  .option('--time-limit <seconds>', 'then it is ended', whole(1, 86_400), 900)
  .option('--memory <MiB>', 'of the machine', whole(256, 65_536), 2048)
  .option('--cpus <n>', 'of the machine', whole(1, 16), 2)
  .action(async (words: readonly string[], options: Options) => { process.exitCode = await boot(words, options) })

try {
  await program.parseAsync()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = error instanceof MissingError ? 2 : 1
}
