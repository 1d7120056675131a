// One chassis and, on the underlay, one host that is all the VTEPs: workloads and VTEPs send single frames, and what came of
// a frame is the list of everybody it reached.
import type { Test } from 'tap'
import type { Daemon } from '../../lab/daemon.js'
import { Lab } from '../../lab/lab.js'
import type { WorkloadSpec } from '../../lab/spec.js'
import { waitFor } from '../../lab/wait.js'
import { Chassis } from '../../system/util/chassis.js'
import { coverage, memory, type Numbers } from '../../system/util/daemon-numbers.js'
import { eventually } from '../../system/util/eventually.js'
import { BROADCAST, encodeFrame, encodeVxlan, ownEtherType, type Frame, type Tag } from '../../system/util/frame.js'
import { Speaker } from '../../system/util/speaker.js'
import { Wire } from '../../system/util/wire.js'

const LOCAL = '192.0.2.1'
/** Of all frames that VTEPs send. */
const BEHIND_VTEP = '02:aa:00:00:00:01'

export interface StageSpec {
  readonly workloads: readonly WorkloadSpec[]
  /** Underlay addresses on the host l1. Each announces every VNI for flooding. */
  readonly vteps: readonly string[]
  readonly vnis: readonly number[]
}

export interface Sent {
  readonly src: string
  readonly dst: string
  readonly tags?: readonly Tag[]
}

export class Stage {
  readonly lab: Lab
  readonly chassis: Chassis
  readonly speaker: Speaker
  #daemon: Daemon
  readonly #underlay: Wire
  readonly #wires: ReadonlyMap<string, Wire>
  readonly #macs: readonly [string, string]
  #serial = 0

  private constructor(lab: Lab, daemon: Daemon, underlay: Wire, wires: ReadonlyMap<string, Wire>, macs: readonly [string, string]) {
    this.lab = lab
    this.chassis = new Chassis(lab)
    this.speaker = new Speaker(this.chassis)
    this.#daemon = daemon
    this.#underlay = underlay
    this.#wires = wires
    this.#macs = macs
  }

  /** Up until the test file ends. */
  static async up(t: Test, { workloads, vteps, vnis }: StageSpec): Promise<Stage> {
    const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [], workloads })
    t.teardown(() => lab.down())
    for (const vni of vnis) await lab.addVniDevices('c1', vni)
    await lab.exec('l1', ['ip', '-batch', '-'], { input: vteps.map((ip) => `addr add ${ip}/24 dev eth0\n`).join('') })
    const daemon = await lab.startDaemon('c1')
    const [l1, c1] = [await macOf(lab, 'l1', 'eth0'), await macOf(lab, 'c1', 'br-phy')]
    const wires = new Map(await Promise.all(workloads.map(async ({ name }) => [name, await Wire.open(lab, name)] as const)))
    const stage = new Stage(lab, daemon, await Wire.open(lab, 'l1'), wires, [l1, c1])
    for (const vni of vnis) for (const ip of vteps) await stage.speaker.vtep(vni, ip)
    for (const ip of vteps) {
      await waitFor(`the underlay from c1 to ${ip}`, async () => (await lab.exec('c1', ['ping', '-c', '1', '-W', '1', ip], { allowFailure: true })).code === 0)
    }
    return stage
  }

  /** Sends a frame from a workload. Returns its name. */
  fromWorkload(workload: string, sent: Sent): string {
    const name = this.#name(workload)
    this.#wires.get(workload)?.send({ ...sent, name, etherType: ownEtherType(name) })
    return name
  }

  /** Sends a frame in a VXLAN packet from a VTEP. Returns its name. */
  fromVtep(vtep: string, vni: number, sent: Omit<Sent, 'src'>): string {
    const name = this.#name(vtep)
    const inner = encodeFrame({ src: BEHIND_VTEP, ...sent, name, etherType: ownEtherType(name) })
    this.#underlay.send(encodeVxlan({ from: vtep, to: LOCAL, udpPort: 4789, vni, inner }, this.#macs))
    return name
  }

  /** Whom a frame has reached: workloads as `NAME`, VTEPs as `IP VNI n`; then its tags, the outermost first, as `VLAN/PRIORITY`. */
  reached(name: string): string[] {
    const packets = this.#underlay.arrivals(name).map(({ frame, vxlan }) => `${vxlan?.to} VNI ${vxlan?.vni}${tagsText(frame)}`)
    const workloads = [...this.#wires].flatMap(([workload, wire]) => wire.arrivals(name).map(({ frame }) => `${workload}${tagsText(frame)}`))
    return [...workloads, ...packets].sort()
  }

  /**
   * Whom a frame reaches in the end. `way` is a frame that takes the same way in and is for everybody: once a second one of
   * it has come out where it must, what the first left behind it has come out, too.
   */
  async settled(name: string, way: () => string, everybody: readonly string[]): Promise<string[]> {
    for (let i = 0; i < 2; i++) {
      const marker = way()
      await waitFor(`a frame for everybody to reach ${everybody.join(', ')}`, () => includesAll(this.reached(marker), everybody) || this.reached(marker).join('; '), 20_000, 10)
    }
    return this.reached(name)
  }

  /** Sends until a frame reaches just these. */
  async until(what: string, send: () => string, wanted: readonly string[]): Promise<void> {
    const names: string[] = []
    await waitFor(what, () => {
      names.push(send())
      return names.some((name) => isSame(this.reached(name), wanted)) || this.reached(names.at(-2) ?? '').join('; ')
    }, 20_000, 100)
  }

  /** How many packets have been dropped for a reason: in a VNI, or at a port. */
  async dropped(where: number | string, reason: string): Promise<number> {
    const rows = await this.chassis.report<readonly { readonly vni: number | null, readonly port?: string, readonly reason: string, readonly packets: number }[]>('drops')
    return rows.find((row) => row.reason === reason && (row.vni ?? row.port) === where)?.packets ?? 0
  }

  /** Kills the daemon, starts it again, and returns what it has sent once all is as desired. */
  async restart(): Promise<Numbers> {
    await this.#daemon.stop('SIGKILL')
    this.#daemon = await this.lab.startDaemon('c1')
    await eventually('all flows, groups and rows as desired', () => memory(this.#daemon), (seen) => (seen['flows_realized'] ?? 0) > 0 &&
      seen['flows_desired'] === seen['flows_realized'] && seen['groups_desired'] === seen['groups_realized'] && seen['kernel_rows_desired'] === seen['kernel_rows_realized'])
    const { flow_mods = 0, group_mods = 0, kernel_writes = 0 } = await coverage(this.#daemon)
    return { flow_mods, group_mods, kernel_writes }
  }

  #name(from: string): string {
    return `from ${from} ${++this.#serial}`
  }
}

export const EVERYBODY = BROADCAST

function includesAll(lines: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((line) => lines.includes(line))
}

function isSame(lines: readonly string[], wanted: readonly string[]): boolean {
  return lines.join() === [...wanted].sort().join()
}

function tagsText(frame: Frame): string {
  return (frame.tags ?? []).map(({ vlan, priority }) => ` ${vlan}/${priority}`).join('')
}

async function macOf(lab: Lab, host: string, device: string): Promise<string> {
  const [link] = JSON.parse((await lab.exec(host, ['ip', '-j', 'link', 'show', device])).stdout) as readonly { readonly address: string }[]
  return link?.address ?? ''
}
