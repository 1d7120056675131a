// The fabric of a soak: two chassis, a Linux VTEP, FRR on each, workloads in two VNIs; what churns in it, and whether it is right.
import { formatMatrix, pingMatrix } from '../demo/matrix.js'
import type { Daemon } from '../lab/daemon.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from '../system/util/chassis.js'
import { memory } from '../system/util/daemon-numbers.js'
import { daemonSays, differences, kernelSays, switchSays } from '../system/util/tables.js'
import type { Random } from '../walk/random.js'

const CHASSIS = ['c1', 'c2'] as const
/** MACs that come and go behind the Linux VTEP, in each VNI. */
const CHURNING = 300
/** A fabric in which bgpd was killed needs its sessions and their routes again. */
const CONVERGED_MS = 120_000
/** After a fault, ARP of the underlay costs the first packets: a matrix may be tried so often. */
const MATRICES = 4

export interface Size { readonly macs: number, readonly flows: number }

export class Fabric {
  readonly daemons = new Map<string, Daemon>()
  /** MACs behind the Linux VTEP now, by VNI. */
  readonly #macs = new Map<number, Set<string>>()

  private constructor(readonly lab: Lab) {}

  static async up(progress: (text: string) => void): Promise<Fabric> {
    const fabric = new Fabric(await Lab.up({ chassis: 2, linux: 1, speaker: true }, progress))
    for (const chassis of CHASSIS) fabric.daemons.set(chassis, await fabric.lab.startDaemon(chassis))
    return fabric
  }

  get chassis(): readonly string[] {
    return CHASSIS
  }

  /** MACs appear and go behind the Linux VTEP, addresses of ports change and change back. Returns the number of changes. */
  async churn(random: Random): Promise<number> {
    const lines: string[] = []
    for (const vni of this.lab.plan.vnis) {
      const present = this.#macs.get(vni) ?? new Set<string>()
      this.#macs.set(vni, present)
      for (let i = 0; i < CHURNING; i++) {
        if (!random.chance(0.4)) continue
        const mac = `02:fe:${(vni >> 8 & 255).toString(16).padStart(2, '0')}:${(vni & 255).toString(16).padStart(2, '0')}:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`
        const port = this.lab.plan.workloads.find((workload) => workload.vtep === 'l1' && workload.vni === vni)?.name
        lines.push(present.delete(mac) ? `fdb del ${mac} dev ${port} master` : `fdb replace ${mac} dev ${port} master static`)
        if (lines.at(-1)?.includes('replace') === true) present.add(mac)
      }
    }
    await this.lab.exec('l1', ['bridge', '-force', '-batch', '-'], { input: lines.join('\n') + '\n' })
    return lines.length
  }

  /** Waits until every chassis has in its flows what its kernel says, and everything that is behind the others. Returns ms. */
  async converge(): Promise<number> {
    const start = performance.now()
    await waitFor('the fabric to converge', async () => {
      const wrong = (await Promise.all(CHASSIS.map((name) => this.#wrong(name)))).flat()
      return wrong.join('; ') || true
    }, CONVERGED_MS, 250)
    return performance.now() - start
  }

  /** What is not as it should be on one chassis, in words. */
  async #wrong(name: string): Promise<string[]> {
    const chassis = new Chassis(this.lab, name)
    const daemon = this.daemons.get(name)
    if (daemon === undefined) return [`${name} has no daemon`]
    const numbers = await memory(daemon)
    const busy = (['flows', 'groups', 'kernel_rows'] as const).filter((kind) => numbers[`${kind}_desired`] !== numbers[`${kind}_realized`])
    const ofVnis = await Promise.all(this.lab.plan.vnis.map(async (vni) => {
      const [kernel, told, flows] = await Promise.all([
        kernelSays(chassis, { bridge: `br-${vni}`, vxlans: [`vxlan-${vni}`] }), daemonSays(chassis, vni), switchSays(chassis, vni)
      ])
      const remote = this.lab.plan.workloads.filter((workload) => workload.vni === vni && workload.vtep !== name).map(({ mac }) => mac)
      const wanted = [...remote, ...this.#macs.get(vni) ?? []]
      const missing = wanted.filter((mac) => !told.macs.some((line) => line.startsWith(mac)))
      const stale = told.macs.filter((line) => line.startsWith('02:fe:') && !wanted.some((mac) => line.startsWith(mac)))
      return [
        // Link-local addresses mean something on their own link only: the daemon passes over those that a speaker announces.
        ...differences({ ...kernel, ips: kernel.ips.filter((line) => !line.startsWith('fe80:')) }, told, flows),
        ...(missing.length === 0 ? [] : [`${missing.length} of ${wanted.length} MACs are not known, such as ${missing[0]}`]),
        ...(stale.length === 0 ? [] : [`${stale.length} MACs should be gone, such as ${stale[0]}`])
      ].map((text) => `VNI ${vni}: ${text}`)
    }))
    return [...busy.map((kind) => `${kind} are not all realized`), ...ofVnis.flat()].map((text) => `${name} ${text}`)
  }

  /** Pings everybody from everybody: within a VNI all must pass, across none. Returns the number of pings. Throws with the matrix. */
  async ping(): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const cells = await pingMatrix(this.lab)
      const wrong = cells.filter(({ from, to, passed }) => passed !== (from.vni === to.vni))
      if (wrong.length === 0) return cells.length
      const isLeak = wrong.some(({ passed }) => passed)
      if (isLeak || attempt === MATRICES) throw new Error(`${wrong.length} of ${cells.length} pings are wrong:\n${formatMatrix(this.lab.plan, cells)}`)
    }
  }

  /** How much the first chassis holds. */
  async size(): Promise<Size> {
    const daemon = this.daemons.get('c1')
    const { macs = 0, flows_desired: flows = 0 } = daemon === undefined ? {} : await memory(daemon)
    return { macs, flows }
  }
}
