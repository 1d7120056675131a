// The lab as tests and the demo use it: a fabric that is up, and is gone when its program ends, however it ends.
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import {
  addVniDevices, attachWorkload, buildLab, detachWorkload, removeVniDevices, startService, waitForSessions, type Progress, type ServiceName
} from './build.js'
import { startDaemon, type Daemon } from './daemon.js'
import { removeLab, removeOrphans } from './down.js'
import { hostArgv, hostOf, hostTools, vtepOf, type Host } from './host.js'
import { endProcesses, labEnv, plainEnv } from './process.js'
import type { RunOptions, RunResult } from './run.js'
import { addToPlan, planLab, SpecError, type LabPlan, type LabSpec, type WorkloadSpec } from './spec.js'
import { claimLab, findProcess, readState, recordProcess, writeState } from './state.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class Lab {
  #plan: LabPlan
  readonly #release: () => void

  private constructor(plan: LabPlan, release: () => void) {
    this.#plan = plan
    this.#release = release
  }

  /**
   * Builds a lab and returns when its BGP sessions are up. On failure nothing of it is left. The lab goes down with this
   * program, also on SIGINT, SIGTERM and an uncaught exception; after SIGKILL the next `up` on the machine removes it.
   */
  static async up(spec: LabSpec = {}, progress: Progress = () => undefined): Promise<Lab> {
    const plan = planLab(spec)
    if (process.getuid?.() !== 0) throw new SpecError('lab: network namespaces need root; run it as root')
    await removeOrphans()
    claimLab(plan)
    const lab = new Lab(plan, downAtExit(plan.id))
    try {
      await buildLab(plan, progress)
    } catch (error) {
      await lab.down()
      throw error
    }
    return lab
  }

  /** The lab that another program left running. Throws SpecError when there is none. */
  static open(id: string): Lab {
    const state = readState(id)
    if (state === undefined) throw new SpecError(`lab: there is no lab '${id}'; make one with: npm run lab -- up`)
    return new Lab(state.plan, () => undefined)
  }

  get plan(): LabPlan {
    return this.#plan
  }

  get id(): string {
    return this.#plan.id
  }

  /** Ends every process and removes every namespace, device and file of the lab. Can be called any number of times. */
  async down(): Promise<void> {
    await removeLab(this.id)
    this.#release()
  }

  /** Lets the lab live on when this program ends. */
  keep(): void {
    writeState({ plan: this.#plan })
    this.#release()
  }

  /** A VTEP (c1, l1), a workload, or `underlay`. Throws SpecError when there is none of that name. */
  host(name: string): Host {
    return hostOf(this.#plan, name)
  }

  /** Runs a program on a host to its end. Throws RunError with what it printed on a non-zero code, unless allowed. */
  exec(host: string, argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return hostTools(this.#plan, host).run(argv, options)
  }

  /** Starts a program on a host that goes down with the lab; its standard output and error are pipes by default. */
  spawn(host: string, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const where = this.host(host)
    const [program = '', ...args] = hostArgv(where, argv)
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options, env: { ...labEnv(this.id), ...where.env, ...options.env }
    })
    if (child.pid !== undefined) recordProcess(this.id, host, argv[0] ?? '', child.pid)
    return child
  }

  /** Runs vtysh commands on a VTEP, configuration included, and returns what they printed. */
  async vtysh(vtep: string, ...commands: readonly string[]): Promise<string> {
    return (await this.exec(vtep, ['vtysh', ...commands.flatMap((command) => ['-c', command])])).stdout
  }

  /** Starts our daemon on a chassis and waits until its control socket answers. */
  startDaemon(chassis: string, extraArgs: readonly string[] = [], program?: string): Promise<Daemon> {
    return startDaemon(hostTools(this.#plan, chassis), extraArgs, program)
  }

  /** Starts a daemon of a VTEP that was stopped, and waits until it does its work. */
  async startService(vtep: string, service: ServiceName): Promise<void> {
    await startService(this.#plan, vtepOf(this.#plan, vtep), service)
  }

  /** Ends a daemon of a VTEP (SIGTERM by default) and waits until it is gone. Throws when it does not run. */
  async stopService(vtep: string, service: ServiceName, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const found = findProcess(this.id, vtep, service)
    if (found === undefined) throw new Error(`lab: ${service} does not run on ${vtep}`)
    await endProcesses([found], signal, 5000)
  }

  /** Waits until every VTEP has its BGP sessions (again). */
  async waitForSessions(): Promise<void> {
    await Promise.all(this.#plan.vteps.map((vtep) => waitForSessions(this.#plan, vtep)))
  }

  async addWorkload(spec: WorkloadSpec): Promise<void> {
    const plan = addToPlan(this.#plan, [spec])
    this.#replacePlan(plan)
    const added = plan.workloads.at(-1)
    if (added !== undefined) await attachWorkload(plan, added)
  }

  async removeWorkload(name: string): Promise<void> {
    const { workload } = this.host(name)
    if (workload === undefined) throw new SpecError(`lab: '${name}' is no workload`)
    await detachWorkload(this.#plan, workload)
    this.#replacePlan({ ...this.#plan, workloads: this.#plan.workloads.filter((known) => known.name !== name) })
  }

  /** Makes the kernel devices of a VNI on a VTEP, with a number the lab already has or a new one. */
  addVniDevices(vtep: string, vni: number): Promise<void> {
    return addVniDevices(this.#plan, vtepOf(this.#plan, vtep), vni)
  }

  removeVniDevices(vtep: string, vni: number): Promise<void> {
    return removeVniDevices(this.#plan, vtepOf(this.#plan, vtep), vni)
  }

  #replacePlan(plan: LabPlan): void {
    const state = readState(this.id)
    this.#plan = plan
    writeState({ ...state, plan })
  }
}

/**
 * Takes the lab down when this program exits. In a program of its own, because nothing asynchronous runs at exit; in a
 * session of its own, so that a second Ctrl-C does not end it halfway. Returns the function that calls this off.
 */
function downAtExit(id: string): () => void {
  const program = fileURLToPath(new URL('./main.js', import.meta.url))
  const onExit = (): void => {
    const argv = ['--wait', process.execPath, program, 'down', '--id', id]
    spawnSync('setsid', argv, { stdio: ['ignore', 'ignore', 'inherit'], env: plainEnv() })
  }
  const onSignal = (signal: NodeJS.Signals): void => { process.exit(128 + constants.signals[signal]) }
  process.on('exit', onExit)
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return () => {
    process.off('exit', onExit)
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
