// A host of the lab (VTEP, workload or the underlay's switch): where it is, and how programs run there.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { labEnv } from './process.js'
import { run, type RunOptions, type RunResult } from './run.js'
import { SpecError, type LabPlan, type Vtep, type Workload } from './spec.js'
import { recordProcess } from './state.js'
import { Hopeless } from './wait.js'

export interface Host {
  readonly name: string
  readonly kind: 'ovs' | 'linux' | 'workload' | 'underlay'
  readonly netns: string
  /** What programs started here write, and the sockets of its daemons. */
  readonly dir: string
  /** Variables that make the tools of Open vSwitch talk to this host's daemons. */
  readonly env: Readonly<Record<string, string>>
  readonly vtep?: Vtep
  readonly workload?: Workload
}

/** Running programs on one host. */
export interface HostTools {
  readonly labId: string
  readonly host: Host
  /** Runs a program to its end. Throws RunError on a non-zero code, unless allowed. */
  readonly run: (argv: readonly string[], options?: RunOptions) => Promise<RunResult>
  /** Starts a program that stays; its output goes to `<dir>/<name>.out`. */
  readonly start: (name: string, argv: readonly string[]) => ChildProcess
}

/** The host of that name. Throws SpecError when the lab has none. */
export function hostOf(plan: LabPlan, name: string): Host {
  const vtep = plan.vteps.find((known) => known.name === name)
  if (vtep) return { name, kind: vtep.kind, netns: vtep.netns, dir: vtep.dir, env: vtep.kind === 'ovs' ? ovsEnv(vtep) : {}, vtep }
  const workload = plan.workloads.find((known) => known.name === name)
  const dir = `${plan.dir}/${name}`
  if (workload) return { name, kind: 'workload', netns: workload.netns, dir, env: {}, workload }
  if (name === 'underlay') return { name, kind: 'underlay', netns: plan.underlayNetns, dir, env: {} }
  const names = [...plan.vteps, ...plan.workloads].map((known) => known.name)
  throw new SpecError(`lab: no host '${name}' in lab '${plan.id}'; there are ${names.join(', ')}, underlay`)
}

/** The VTEP of that name. Throws SpecError for any other host. */
export function vtepOf(plan: LabPlan, name: string): Vtep {
  const { vtep } = hostOf(plan, name)
  if (vtep === undefined) throw new SpecError(`lab: '${name}' is no VTEP`)
  return vtep
}

export function hostTools(plan: LabPlan, name: string): HostTools {
  const host = hostOf(plan, name)
  const env = { ...labEnv(plan.id), ...host.env }
  return {
    labId: plan.id,
    host,
    run: (argv, options) => run(hostArgv(host, argv), { ...options, env: { ...env, ...options?.env } }),
    start: (program, argv) => startRecorded(plan.id, host, program, argv, env)
  }
}

/** The command that runs `argv` in the host's namespace. `ip netns exec` replaces itself: its pid is the program's. */
export function hostArgv(host: Host, argv: readonly string[]): string[] {
  const [program, ...args] = argv
  const own = program === 'vtysh' && host.vtep !== undefined ? vtyshArgv(host.vtep, args) : argv
  return ['ip', 'netns', 'exec', host.netns, ...own]
}

/** Directory of FRR's sockets, configuration and logs on a VTEP. */
export function frrDir(vtep: Vtep): string {
  return `${vtep.dir}/frr`
}

function vtyshArgv(vtep: Vtep, args: readonly string[]): string[] {
  // Without a directory of its own, `write` would replace the machine's configuration.
  return ['vtysh', '--vty_socket', frrDir(vtep), '--config_dir', frrDir(vtep), ...args]
}

function ovsEnv(vtep: Vtep): Readonly<Record<string, string>> {
  return { OVS_RUNDIR: vtep.dir, OVS_LOGDIR: vtep.dir, OVS_DBDIR: vtep.dir, OVS_SYSCONFDIR: vtep.dir }
}

/** For conditions that wait for a program started by `start`: throws Hopeless, with what it said, when it has ended. */
export function checkRunning(host: Host, name: string, child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) return
  const said = readFileSync(`${host.dir}/${name}.out`, 'utf8').trim().slice(-2000)
  throw new Hopeless(`it ended with ${child.exitCode === null ? child.signalCode : `code ${child.exitCode}`}: ${said}`)
}

function startRecorded(id: string, host: Host, name: string, argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  mkdirSync(host.dir, { recursive: true })
  const output = openSync(`${host.dir}/${name}.out`, 'a')
  const [program = '', ...args] = hostArgv(host, argv)
  // A session of its own: Ctrl-C is for the lab's program, which then takes everything down in order.
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', output, output] })
  closeSync(output)
  child.on('error', () => undefined) // no such program: whoever waits for its effect says what is missing
  child.unref()
  if (child.pid !== undefined) recordProcess(id, host.name, name, child.pid)
  return child
}
