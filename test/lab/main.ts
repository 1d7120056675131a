// The program `npm run lab`: a small EVPN fabric in network namespaces that one can log into.
import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { parseVni, parseWhole } from '../../lib/net/number.js'
import { labExists, removeLab, removeOrphans } from './down.js'
import { hostArgv } from './host.js'
import { Lab } from './lab.js'
import { DEFAULT_LAB_ID, describeLab } from './picture.js'
import { labEnv } from './process.js'
import { checkId, DEFAULT_VNIS, SpecError, type LabSpec } from './spec.js'
import { labStatus } from './status.js'

interface LabOptions {
  readonly id: string
}

interface UpOptions extends LabOptions {
  readonly chassis: number
  readonly linux: number
  readonly vni: readonly number[]
  readonly frr: boolean
  readonly daemon: boolean
}

async function up(options: UpOptions): Promise<void> {
  const { id, chassis, linux, vni, frr } = options
  const started = Date.now()
  const spec: LabSpec = { id, chassis, linux, frr, vnis: vni }
  const lab = await Lab.up(spec, (text) => { console.log(`lab: ${text}`) })
  if (options.daemon) await startDaemons(lab)
  lab.keep()
  console.log(`lab: up after ${((Date.now() - started) / 1000).toFixed(1)} s\n\n${describeLab(lab.plan, options.daemon)}`)
  process.exit(0) // the daemons, our children, live on
}

async function startDaemons(lab: Lab): Promise<void> {
  const chassis = lab.plan.vteps.filter(({ kind }) => kind === 'ovs').map(({ name }) => name)
  console.log(`lab: ovs-evpnd on ${chassis.join(', ')}`)
  try {
    await Promise.all(chassis.map((name) => lab.startDaemon(name)))
  } catch (error) {
    await lab.down()
    throw error
  }
}

async function down(id: string): Promise<void> {
  // What removes the lab must not be stopped halfway; it takes a second.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)
  const there = labExists(id)
  await removeLab(id)
  const orphans = await removeOrphans()
  console.log(there ? `lab: '${id}' is down` : `lab: there is no lab '${id}'`)
  for (const other of orphans) console.log(`lab: removed '${other}', left by a crash`)
}

/** Runs a command on a host in the user's terminal; returns its exit code. */
function exec(id: string, name: string, words: readonly string[]): number {
  const host = Lab.open(id).host(name)
  const [program = '', ...args] = hostArgv(host, words[0] === '--' ? words.slice(1) : words)
  const env = { ...process.env, ...labEnv(id), ...host.env }
  const { status, signal, error } = spawnSync(program, args, { stdio: 'inherit', env })
  if (error) throw error
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

async function status(id: string): Promise<number> {
  const { healthy, text } = await labStatus(Lab.open(id))
  console.log(text)
  return healthy ? 0 : 1
}

function program(): Command {
  const lab = new Command('lab')
    .description('A small EVPN fabric in network namespaces: Open vSwitch chassis and Linux VTEPs, each with its own FRR.')
    .enablePositionalOptions()
    .exitOverride()
  const command = (name: string, description: string): Command => lab.command(name)
    .description(description)
    .option('--id <id>', 'which lab, when there are several', labId, DEFAULT_LAB_ID)
  command('up', 'build it and leave it running')
    .option('--chassis <n>', 'Open vSwitch chassis, c1, c2, ...', count, 2)
    .option('--linux <n>', 'plain Linux VTEPs, l1, l2, ...', count, 1)
    .option('--vni <list>', 'VNIs, separated by commas', vnis, DEFAULT_VNIS)
    .option('--no-frr', 'without routing daemons')
    .option('--no-daemon', 'without ovs-evpnd')
    .action(up)
  command('down', 'remove it, running or crashed')
    .action(({ id }: LabOptions) => down(id))
  command('status', 'what of it is alive')
    .action(async ({ id }: LabOptions) => { process.exitCode = await status(id) })
  command('exec', 'run a command on a host: c1, l1, underlay or a workload; the tools of OVS and FRR find its daemons')
    .argument('<host>').argument('<command...>').passThroughOptions()
    .action((host: string, argv: string[], { id }: LabOptions) => { process.exitCode = exec(id, host, argv) })
  return lab
}

function labId(text: string): string {
  return orInvalid(() => checkId(text))
}

function count(text: string): number {
  const value = parseWhole(text, 0, 9)
  if (value === undefined) throw new InvalidArgumentError('It must be 0 to 9.')
  return value
}

function vnis(text: string): number[] {
  return text.split(',').map((word) => {
    const vni = parseVni(word)
    if (vni === undefined) throw new InvalidArgumentError(`'${word}' is no VNI (0 to 16777215).`)
    return vni
  })
}

function orInvalid<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}

try {
  await program().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    console.error(error instanceof SpecError ? error.message : `lab: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = error instanceof SpecError ? 2 : 1
  }
}
