// The program `npm run test:kernel`: boots Debian's kernel as a process and runs a command in it, the system tests by
// default, over this machine's own file system, to which nothing is written.
import { availableParallelism, constants } from 'node:os'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { parseWhole } from '../../lib/net/number.js'
import { plainEnv } from '../lab/process.js'
import { filesOf, leftOut } from './choice.js'
import { makeInitramfs, type Job } from './initramfs.js'
import { checkPrograms, MissingError, provideKernel, type Kernel } from './kernel.js'
import { runMachine, type MachineOptions, type Outcome } from './machine.js'
import { dealOut, runShares, type BootShare } from './shares.js'

interface Options {
  readonly shell: boolean
  readonly ci: boolean
  readonly only: readonly string[]
  readonly timeLimit?: number
  readonly memory: number
  readonly cpus: number
  readonly machines: number
}

/** Seconds: for all tests, and for what `.ci/run` has the patience for. */
const TIME_LIMIT = { all: 10_800, ci: 900 } as const
/** Seconds for one test file, at most. */
const FILE_LIMIT = 1_200

async function boot(words: readonly string[], options: Options): Promise<number> {
  checkPrograms()
  const kernel = await provideKernel(say)
  if (words.length === 0 && !options.shell) return await stage(kernel, options)
  say(`booting ${kernel.release}`)
  return exitCode(await runJob(kernel, jobOf(words.length > 0 ? words : ['bash'], options), options), options)
}

/** The tests, dealt out over the machines. 0 when all ran and passed. */
async function stage(kernel: Kernel, options: Options): Promise<number> {
  const files = filesOf(options.only.length > 0 ? { kind: 'only', words: options.only } : { kind: options.ci ? 'ci' : 'all' })
  if (!options.ci) for (const { why, files: names } of leftOut()) say(`not in this stage, ${why}: ${names.join(', ')}`)
  const shares = dealOut(files, options.machines)
  say(`booting ${kernel.release}, machines: ${shares.length}, test files: ${files.length}`)
  const program = [process.execPath, fileURLToPath(new URL('stage.js', import.meta.url))]
  const share: BootShare = (own, output) => runJob(kernel, jobOf([...program, ...own], options), options, output)
  const { counts: { passed, failed }, mishaps } = await runShares(shares, share, (line) => { console.log(line) })
  return mishaps.map((outcome) => exitCode(outcome, options)).at(0) ?? (failed === 0 && passed > 0 ? 0 : 1)
}

async function runJob(kernel: Kernel, job: Job, options: Options, output?: Writable): Promise<Outcome> {
  const initramfs = await makeInitramfs(kernel, job)
  const machine: MachineOptions = {
    cpus: options.cpus, memoryMb: options.memory, interactive: options.shell, timeLimitS: timeLimit(options), ...(output && { output })
  }
  try {
    return await runMachine(kernel, initramfs.path, machine)
  } finally {
    initramfs.remove()
  }
}

function timeLimit({ timeLimit, ci }: Options): number {
  return timeLimit ?? TIME_LIMIT[ci ? 'ci' : 'all']
}

/** A shell's conventions: 124 as timeout(1), 128 + signal, 125 for a machine that failed. */
function exitCode(outcome: Outcome, options: Options): number {
  switch (outcome.kind) {
    case 'ended': return outcome.code
    case 'timeout':
      say(`not done after ${timeLimit(options)} s: ended (--time-limit gives more)`)
      return 124
    case 'stopped': return 128 + constants.signals[outcome.signal]
    case 'crashed':
      say(`the machine ended before the command did; it said last:\n${outcome.console}`)
      return 125
  }
}

function jobOf(argv: readonly string[], options: Options): Job {
  const { PATH = '' } = plainEnv()
  const env = {
    PATH, HOME: '/root', LC_ALL: 'C', TERM: options.shell ? process.env['TERM'] ?? 'vt100' : 'dumb',
    // The lab's: Open vSwitch's datapath is the one in this kernel, and on an emulated machine everything takes longer.
    OVS_EVPN_DATAPATH: 'system', OVS_EVPN_PATIENCE: '10',
    // Of one test file, in seconds; tap's own is 30. One that hangs leaves time for the others.
    TAP_TIMEOUT: String(Math.min(FILE_LIMIT, Math.ceil(timeLimit(options) / 3)))
  }
  const cwd = process.cwd()
  if (!options.shell) return { argv, cwd, env }
  const { rows, columns } = process.stdout
  return { argv, cwd, env, terminal: { rows: rows || 24, columns: columns || 80 } }
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
  .description('Boots the kernel of Debian as a process and runs COMMAND in it, the tests by default.')
  .argument('[command...]')
  .passThroughOptions()
  .option('--shell', 'with this terminal; COMMAND is bash by default', false)
  .option('--ci', 'of the tests those for which .ci/run has the time', false)
  .option('--only <word>', 'of the tests those whose path contains the word, or one of several such words', (word, words: readonly string[]) => [...words, word], [])
  .option('--time-limit <seconds>', `then it is ended (default: ${TIME_LIMIT.all}, with --ci ${TIME_LIMIT.ci})`, whole(1, 86_400))
  .option('--memory <MiB>', 'of a machine', whole(256, 65_536), 2048)
  .option('--cpus <n>', 'of a machine', whole(1, 16), 1)
  .option('--machines <n>', 'for the tests, each with a share of their files', whole(1, 64), availableParallelism())
  .action(async (words: readonly string[], options: Options) => { process.exitCode = await boot(words, options) })

try {
  await program.parseAsync()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = error instanceof MissingError ? 2 : 1
}
