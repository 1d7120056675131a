// A chassis with our daemon and FRR, and a plain Linux VTEP with FRR behind which one workload is: what dies here is FRR.
import { Lab } from '../../lab/lab.js'
import type { ServiceName } from '../../lab/build.js'
import { Chassis } from '../../system/util/chassis.js'
import { eventually } from '../../system/util/eventually.js'

export const VNI = 1000
export const PEER = '192.0.2.2'
const HOME = { name: 'home', vtep: 'c1', vni: VNI, mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/16', 'fd00::1/64'] } as const
export const AWAY = { name: 'away', vtep: 'l1', vni: VNI, mac: '02:00:00:00:00:02', addresses: ['10.0.0.2/16', 'fd00::2/64'] } as const

interface Shown { readonly mac?: string, readonly ip: string, readonly state: string }

export class Mortal {
  readonly lab: Lab
  readonly c1: Chassis

  private constructor(lab: Lab) {
    this.lab = lab
    this.c1 = new Chassis(lab)
  }

  /** `staleTime` in seconds. The daemon does not run yet. */
  static async up(staleTime: number): Promise<Mortal> {
    const mortal = new Mortal(await Lab.up({ chassis: 1, linux: 1, speaker: true, vnis: [VNI], workloads: [HOME, AWAY] }))
    await mortal.c1.set('Bridge br-int', { 'evpn-stale-time': String(staleTime) })
    return mortal
  }

  /** Waits until everything behind the other VTEP is shown in this state. */
  async known(state: 'ok' | 'stale'): Promise<void> {
    await eventually(`VTEP, MAC and IPs of l1 to be ${state}`, () => this.shown(),
      (seen) => [PEER, AWAY.mac, '10.0.0.2', 'fd00::2'].every((address) => seen.includes(`${address} ${state}`)), 30_000)
  }

  /** What is shown as remote: `ADDRESS STATE`. */
  async shown(): Promise<string[]> {
    const [vteps = [], macs = [], ips = []] = await Promise.all((['vteps', 'macs', 'ips'] as const).map((kind) => this.c1.report<readonly Shown[]>(kind, VNI)))
    return [
      ...vteps.map((vtep) => `${vtep.ip} ${vtep.state}`), ...macs.map((mac) => `${mac.mac} ${mac.state}`),
      ...ips.filter(({ mac }) => mac === AWAY.mac).map((ip) => `${ip.ip} ${ip.state}`)
    ]
  }

  /** Waits until the kernel has no row that leads to the other VTEP. */
  async rowsAreGone(): Promise<void> {
    await eventually('the kernel to have no row of l1', async () => (await this.c1.fdb(`vxlan-${VNI}`)).filter(({ dst }) => dst === PEER), (rows) => rows.length === 0)
  }

  async noticed(text: string, isThere: boolean): Promise<void> {
    await eventually(`${isThere ? 'a problem' : 'no problem'} with '${text}'`, () => this.c1.problems(),
      (problems) => problems.some((problem) => problem.includes(text)) === isThere, 60_000)
  }

  async stop(service: ServiceName, signal: NodeJS.Signals): Promise<void> {
    await this.lab.stopService('c1', service, signal)
  }

  async start(...services: readonly ServiceName[]): Promise<void> {
    for (const service of services) await this.lab.startService('c1', service)
  }

  /** Stops the other side's zebra while `act` runs: it would take c1's addresses out of the kernel there. */
  async withPeerFrozen(act: () => Promise<void>): Promise<void> {
    const pid = Number(await new Chassis(this.lab, 'l1').run(['cat', `${this.lab.host('l1').dir}/frr/zebra.pid`]))
    process.kill(pid, 'SIGSTOP')
    try {
      await act()
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  }
}
