// A chassis with two workloads and fifty remote MACs, its daemon at work: the start of the tests in which a neighbour dies.
import t, { type Test } from 'tap'
import type { Daemon } from '../../lab/daemon.js'
import { Lab } from '../../lab/lab.js'
import { waitFor } from '../../lab/wait.js'
import { announced } from '../../system/util/announced.js'
import { Chassis } from '../../system/util/chassis.js'
import { eventually } from '../../system/util/eventually.js'
import { Speaker } from '../../system/util/speaker.js'
import { workload } from '../../system/util/workload.js'
import { cpuSeconds } from './process.js'

export const VNI = 1000
export const VTEP = '192.0.2.9'
const MACS = Array.from({ length: 50 }, (_, i) => `02:aa:00:00:00:${(16 + i).toString(16)}`)

/** What the daemon has brought about. */
interface Everything { readonly flows: readonly string[], readonly groups: readonly string[], readonly rows: readonly string[] }

export class Patient {
  readonly c1: Chassis
  readonly speaker: Speaker
  readonly dir: string
  before: Everything = { flows: [], groups: [], rows: [] }

  private constructor(readonly lab: Lab, public daemon: Daemon) {
    this.c1 = new Chassis(lab)
    this.speaker = new Speaker(this.c1)
    this.dir = lab.host('c1').dir
  }

  static async up(): Promise<Patient> {
    const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI], workloads: [workload('vm1', VNI, 1), workload('vm2', VNI, 2)] })
    t.teardown(() => lab.down())
    const patient = new Patient(lab, await lab.startDaemon('c1'))
    await patient.announceRemotes()
    await eventually('all remote MACs on the switch', () => patient.remoteMacs(), (flows) => flows.length === MACS.length)
    await eventually('all our rows in the kernel', () => announced(patient.c1), (rows) => rows.length === 6)
    patient.before = await patient.everything()
    return patient
  }

  async announceRemotes(): Promise<void> {
    await this.speaker.vtep(VNI, VTEP)
    await this.announceMacs()
  }

  async announceMacs(): Promise<void> {
    await this.c1.run(['bridge', '-batch', '-'], { input: MACS.map((mac) => `fdb replace ${mac} dev vxlan-${VNI} dst ${VTEP} self master dynamic extern_learn`).join('\n') + '\n' })
  }

  async remoteMacs(): Promise<string[]> {
    return (await this.c1.ourFlows('table=202')).filter((flow) => flow.includes('02:aa:'))
  }

  async everything(): Promise<Everything> {
    return { flows: (await this.c1.ourFlows()).sort(), groups: (await this.c1.groups()).sort(), rows: await announced(this.c1) }
  }

  /** Waits until all that the daemon had brought about at first is there again, and nothing else. */
  async asBefore(what: string): Promise<void> {
    await eventually(`everything to be as before (${what})`, () => this.everything(), (now) => JSON.stringify(now) === JSON.stringify(this.before), 20_000)
  }

  /** Waits until the daemon has its database. */
  async connected(): Promise<void> {
    await eventually('the daemon to be connected to the database', async () => (await this.c1.report<{ readonly ovsdb: string }>('show')).ovsdb, (text) => text.startsWith('connected'), 15_000)
  }

  /** Several seconds in which somebody is away: the daemon uses next to no CPU time, whatever the collection of garbage does in them. */
  async away(t: Test, seconds = 4): Promise<void> {
    const start = cpuSeconds(this.daemon.pid)
    await waitFor(`${seconds} s to pass`, ((until) => () => Date.now() >= until)(Date.now() + seconds * 1000))
    const used = cpuSeconds(this.daemon.pid) - start
    t.ok(used < Math.max(0.4, 0.1 * seconds), `${used.toFixed(2)} s of CPU time in ${seconds} s`)
  }

  /** What the log gets from now on: the lines that match. */
  watchLog(): (pattern: RegExp) => string[] {
    const start = this.daemon.log().length
    return (pattern) => this.daemon.log().slice(start).split('\n').filter((line) => pattern.test(line))
  }
}
