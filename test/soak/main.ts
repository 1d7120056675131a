// The program `npm run soak`: a fabric that churns, with random faults, checked after each; memory over time.
import { constants } from 'node:os'
import { residentMib } from '../reliability/util/process.js'
import { Random } from '../walk/random.js'
import { FAULTS } from './faults.js'
import { Fabric } from './fabric.js'

const HELP = `Usage: npm run soak -- [--minutes N] [--seed N]

Builds a fabric of two Open vSwitch chassis with ovs-evpnd and one Linux VTEP, FRR on each. Round after round MACs come
and go, something is broken at random, and when it is whole again flows, kernel and daemon must agree, all workloads of
a VNI must reach each other, and none across VNIs. Needs root.

  --minutes N   how long (default: 10)
  --seed N      the same faults in the same order again

Prints one line a round. Exit code: 0 all rounds passed, 1 one failed, 2 it could not be started like this.
`

/** More than this above the first rounds is a leak, in MiB. */
const MAX_GROWTH_MIB = 60
/** The first rounds warm up: code is compiled, tables grow to their size. */
const WARM_UP = 5

interface Options { readonly minutes: number, readonly seed: number }

function readOptions(args: readonly string[]): Options | string {
  const options = { minutes: 10, seed: Date.now() & 0x7fffffff }
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i]?.replace(/^--/, '')
    const value = Number(args[i + 1])
    if ((name !== 'minutes' && name !== 'seed') || !Number.isFinite(value) || value < 0) return `soak: '${args.slice(i).join(' ')}' is not understood; see --help\n`
    options[name] = value
  }
  return options
}

interface Round { readonly number: number, readonly fault: string, readonly line: string, readonly memory: readonly number[] }

const HEAD = ['round', 'time', 'fault', 'on', 'changes', 'converged', 'pings', 'MACs', 'flows', 'RSS c1', 'RSS c2']
const WIDTH = [5, 8, 31, 3, 7, 9, 5, 5, 6, 7, 7]

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, i) => i === 2 || i === 3 ? String(cell).padEnd(WIDTH[i] ?? 0) : String(cell).padStart(WIDTH[i] ?? 0)).join('  ').trimEnd()
}

async function runRound(fabric: Fabric, random: Random, number: number, start: number): Promise<Round> {
  const fault = random.pick(FAULTS)
  const chassis = random.pick(fabric.chassis)
  try {
    const churn = fabric.churn(random)
    if (fault.isQuiet === true) await churn.then(() => fabric.converge())
    const [changes] = await Promise.all([churn, fault.act(fabric, chassis, random)])
    const converged = await fabric.converge()
    const pings = await fabric.ping()
    const { macs, flows } = await fabric.size()
    const memory = fabric.chassis.map((name) => residentMib(fabric.daemons.get(name)?.pid ?? 0))
    const time = new Date(performance.now() - start).toISOString().slice(11, 19)
    const line = row([number, time, fault.name, chassis, changes, `${(converged / 1000).toFixed(1)} s`, pings, macs, flows, ...memory.map((mib) => `${Math.round(mib)} MiB`)])
    return { number, fault: fault.name, line, memory }
  } catch (error) {
    throw new Error(`round ${number}, '${fault.name}' on ${chassis}: ${(error as Error).message}`, { cause: error })
  }
}

/** How much more memory the last rounds need than the first ones after the warm-up, at their smallest: what is never given back. */
function growth(rounds: readonly Round[]): number {
  const steady = rounds.slice(WARM_UP).map(({ memory }) => Math.max(...memory))
  const third = Math.max(1, Math.floor(steady.length / 3))
  return steady.length < 3 ? 0 : Math.min(...steady.slice(-third)) - Math.min(...steady.slice(0, third))
}

async function soak({ minutes, seed }: Options): Promise<number> {
  const random = new Random(seed)
  console.log(`soak: ${minutes} minutes, seed ${seed}`)
  const fabric = await Fabric.up((text) => { console.log(`soak: ${text}`) })
  const start = performance.now()
  const rounds: Round[] = []
  try {
    await fabric.converge()
    console.log(row(HEAD))
    do {
      const round = await runRound(fabric, random, rounds.length + 1, start)
      rounds.push(round)
      console.log(round.line)
    } while (performance.now() - start < minutes * 60_000)
  } catch (error) {
    console.log(`soak: FAILED, seed ${seed}: ${(error as Error).message}`)
    return 1
  } finally {
    await fabric.lab.down()
  }
  const more = growth(rounds)
  const faults = new Set(rounds.map(({ fault }) => fault)).size
  console.log(`soak: ${rounds.length} rounds passed, ${faults} kinds of faults, ${more < 0 ? 0 : Math.round(more)} MiB more at the end than after the warm-up`)
  if (more <= MAX_GROWTH_MIB) return 0
  console.log(`soak: FAILED: that is a leak (more than ${MAX_GROWTH_MIB} MiB)`)
  return 1
}

async function main(): Promise<number> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  const options = readOptions(args)
  const complaint = typeof options === 'string' ? options : process.getuid?.() === 0 ? undefined : 'soak: it builds network namespaces, which needs root; run it as root\n'
  if (typeof options === 'string' || complaint !== undefined) {
    process.stderr.write(complaint ?? '')
    return 2
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => { process.exit(128 + constants.signals[signal]) })
  return await soak(options)
}

process.exitCode = await main()
