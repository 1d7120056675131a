// Asks `ovs-evpnctl doctor` on a chassis, provokes findings and types what it prints: what each test of it has in common.
import t, { type Test } from 'tap'
import type { Diagnosis } from '../../../lib/cli/doctor/doctor.js'
import type { ServiceName } from '../../lab/build.js'
import { frrDir, vtepOf } from '../../lab/host.js'
import { Lab } from '../../lab/lab.js'
import { findProcess } from '../../lab/state.js'
import { Chassis } from './chassis.js'
import { eventually } from './eventually.js'
import { evpnctl } from './evpnctl.js'

export interface Case {
  readonly id: string
  readonly says: RegExp
  readonly breakIt: () => Promise<unknown>
  /** What has to go on meanwhile. */
  readonly again?: () => Promise<unknown>
  /** What the operator does elsewhere before typing the commands. */
  readonly elsewhere?: () => Promise<unknown>
  /** Where the finding may go by itself after that: whether there is what only the commands bring about. */
  readonly effect?: () => Promise<boolean>
  /** After the printed commands, what was broken and is none of their business. */
  readonly tidy?: () => Promise<unknown>
}

export interface Seen extends Diagnosis { readonly code: number }

export const VNI = 10
/** Addresses of the other VTEP and of ours. */
export const [VTEP, OURS] = ['192.0.2.2', '192.0.2.1']
/** A remote MAC whose rows are written by hand, in FRR's form. */
export const BY_HAND = '02:aa:00:00:00:01'

const PATIENCE_MS = 30_000

/** Units of systemd, and what they run. */
const SERVICES: Readonly<Record<string, readonly ServiceName[]>> = { 'ovsdb-server': ['ovsdb-server'], 'ovs-vswitchd': ['ovs-vswitchd'], frr: ['zebra', 'bgpd'] }

/** A chassis with one VNI and a daemon, and a Linux VTEP. */
export class Patient {
  readonly c1: Chassis

  private constructor(readonly lab: Lab) {
    this.c1 = new Chassis(lab)
  }

  static async admit(): Promise<Patient> {
    const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI] })
    t.teardown(() => lab.down())
    return new Patient(lab)
  }

  get isUserspace(): boolean {
    return this.lab.plan.datapath === 'netdev'
  }

  /** Lines of `ip`. */
  ip(...lines: readonly string[]): Promise<string> {
    return this.c1.run(['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })
  }

  /** Makes the vxlan device anew, with these words of `ip link add`. */
  remakeVxlan(words: string): Promise<string> {
    return this.ip('link del vxlan-10', `link add vxlan-10 type vxlan ${words} nolearning`,
      'link set vxlan-10 master br-10', 'link set vxlan-10 type bridge_slave learning off', 'link set vxlan-10 addrgenmode none', 'link set vxlan-10 up')
  }

  async doctor(env: Readonly<Record<string, string>> = {}): Promise<Seen> {
    const { code, stdout, stderr } = await evpnctl(this.lab, 'c1', ['doctor', '--json', '--vty-socket', this.#vtySocket], { allowFailure: true, env })
    if (stdout === '') throw new Error(`doctor ended with ${code}: ${stderr}`)
    return { ...JSON.parse(stdout) as Diagnosis, code }
  }

  /** Waits until there is nothing to find. */
  healthy(): Promise<Seen> {
    return eventually('doctor to find nothing', () => this.doctor(), ({ findings, skipped, code }) => findings.length + skipped.length + code === 0, PATIENCE_MS)
  }

  /** Breaks something, waits for the finding, types its commands as they stand, and waits until it is gone, which is their doing. */
  async provoke(t: Test, { id, says, breakIt, again, elsewhere, effect, tidy }: Case): Promise<void> {
    await breakIt()
    const look = async (): Promise<Seen> => {
      await again?.()
      return await this.doctor()
    }
    const isMeant = (finding: Diagnosis['findings'][number]): boolean => finding.id === id && says.test(finding.what)
    const { findings, code } = await eventually(`the finding ${id}`, look, (seen) => seen.findings.some(isMeant), PATIENCE_MS)
    const found = findings.find(isMeant)
    t.match(found?.what, says)
    const severities = findings.map(({ severity }) => severity)
    t.equal(code, severities.includes('error') ? 2 : severities.includes('warning') ? 1 : 0, 'the exit code says how bad the worst is')
    t.not(found?.mend.length, 0, 'it comes with commands')
    await elsewhere?.()
    if (effect !== undefined) t.equal(await effect(), false, 'what is done elsewhere is not enough')
    else if (elsewhere !== undefined) t.ok((await this.doctor()).findings.some(isMeant), 'what is done elsewhere is not enough: the finding stands')
    for (const command of found?.mend ?? []) {
      t.comment(command)
      await this.type(command)
    }
    await eventually(`no finding ${id} after its commands`, () => this.doctor(), (seen) => !seen.findings.some(isMeant), PATIENCE_MS)
    if (effect !== undefined) t.equal(await effect(), true, 'that is what the commands did')
    await tidy?.()
    await this.healthy()
  }

  get #vtySocket(): string {
    return frrDir(vtepOf(this.lab.plan, 'c1'))
  }

  /** What systemd would do on a machine. */
  async #systemctl(isRestart: boolean, services: readonly ServiceName[]): Promise<void> {
    const runs = (service: ServiceName): boolean => findProcess(this.lab.id, 'c1', service) !== undefined
    if (isRestart) for (const service of services.filter(runs)) await this.lab.stopService('c1', service)
    for (const service of services.filter((one) => !runs(one))) await this.lab.startService('c1', service)
  }

  /** In a shell of the chassis, whose vtysh finds the lab's FRR. Which gateway it is, only the operator knows. */
  async type(command: string): Promise<void> {
    const [, verb, unit = ''] = /^systemctl (start|restart) (\S+)$/.exec(command) ?? []
    if (verb !== undefined) return await this.#systemctl(verb === 'restart', SERVICES[unit] ?? [])
    await this.c1.run(['sh', '-ec', command.replace(/^vtysh /, `vtysh --vty_socket ${this.#vtySocket} --config_dir ${this.#vtySocket} `).replace('GATEWAY', VTEP)])
  }
}
