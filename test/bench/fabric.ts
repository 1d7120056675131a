// What every section measures on: one chassis with one VNI, the probe in its namespace, and the daemon's own numbers.
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Daemon } from '../lab/daemon.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from '../system/util/chassis.js'
import { coverage, memory, type Numbers } from '../system/util/daemon-numbers.js'
import type { Command } from './probe.js'
import { VTEPS } from './rows.js'
import { POLL } from './switch.js'

export const VNI = 1000
const PROBE = fileURLToPath(new URL('./probe.js', import.meta.url))
/** The underlay's network is not theirs: nobody answers for the VTEPs of a benchmark, and no packet is sent to them. */
export const WORKLOAD = { name: 'vm1', vtep: 'c1', vni: VNI, mac: '02:00:00:00:00:01', addresses: ['172.31.0.1/16'] } as const

export class Fabric {
  readonly lab: Lab
  readonly chassis: Chassis
  readonly #probe: ChildProcess
  readonly #answers: AsyncIterator<string>
  readonly #lines: Interface

  private constructor(lab: Lab, probe: ChildProcess) {
    if (probe.stdout === null) throw new Error('bench: the probe has no output')
    this.lab = lab
    this.chassis = new Chassis(lab)
    this.#probe = probe
    this.#lines = createInterface({ input: probe.stdout })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** A lab with ten VTEPs announced in its VNI, and the probe connected. No daemon runs yet. */
  static async up(): Promise<Fabric> {
    const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI], workloads: [WORKLOAD] })
    const probe = lab.spawn('c1', [process.execPath, '--enable-source-maps', PROBE], { stdio: ['pipe', 'pipe', 'inherit'] })
    const fabric = new Fabric(lab, probe)
    await fabric.ask({ kind: 'open', vni: VNI, mgmt: `${lab.host('c1').dir}/br-int.mgmt` })
    await fabric.ask({ kind: 'vteps', op: 'append', from: 0, to: VTEPS })
    return fabric
  }

  async ask<T>(command: Command): Promise<T> {
    this.#probe.stdin?.write(JSON.stringify(command) + '\n')
    const line = await this.#answers.next()
    if (line.done === true) throw new Error(`bench: the probe ended during ${command.kind}`)
    const answer = JSON.parse(line.value) as { readonly value: T } | { readonly error: string }
    if ('error' in answer) throw new Error(`bench: ${command.kind}: ${answer.error}`)
    return answer.value
  }

  /** Seconds until FORWARD (with `ips` SUPPRESS as well) has so many flows, by asking the switch again and again. */
  async untilFlows(count: number, ips = false): Promise<number> {
    const start = performance.now()
    await waitFor(`${count} flows in FORWARD`, async () => {
      const now = await this.ask<number>({ kind: 'count', ips })
      return now === count || now
    }, 300_000, POLL)
    return (performance.now() - start) / 1000
  }

  async down(): Promise<void> {
    this.#lines.close()
    await this.lab.down()
  }
}

const COUNTS = ['fdb_rows', 'macs', 'ips', 'flows_desired', 'flows_realized', 'kernel_rows_realized'] as const

/** Waits until everything desired is realized and nothing moves any more. */
export async function settled(daemon: Daemon): Promise<void> {
  let before = ''
  await waitFor('the daemon to settle', async () => {
    const now = await memory(daemon)
    const text = JSON.stringify(COUNTS.map((name) => now[name]))
    const isSame = text === before && now['flows_desired'] === now['flows_realized'] && (now['flows_desired'] ?? 0) > 0
    before = text
    return isSame || text
  }, 600_000, 100)
}

/** Processor time of all threads of a process, in milliseconds. */
export function cpuOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6
}

/** Resident memory, in megabytes. */
export function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
}

/** The most that it was since forgetPeak, in megabytes. */
export function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
}

/** proc(5), /proc/PID/clear_refs. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** What happened on the daemon between two moments, by counter. */
export async function counted(daemon: Daemon, work: () => Promise<void>): Promise<Numbers> {
  const before = await coverage(daemon)
  await work()
  const after = await coverage(daemon)
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]))
}
