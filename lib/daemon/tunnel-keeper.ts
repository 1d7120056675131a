// Keeps the tunnel ports of OVSDB as configured: computes the plan whenever the replica changed, runs one
// transaction at a time, and remembers what stands in the way.
import type { Operation, OperationResult, Row } from '../ovsdb/index.js'
import type { AuditMode } from '../sink/drift.js'
import { planTunnels, type TunnelPlan } from '../sink/tunnel.js'
import type { ModuleLog } from './log/log.js'

export interface Transactor {
  table(name: string): ReadonlyMap<string, Row>
  /** Rejects when an operation failed or the connection is lost. */
  transact(operations: readonly Operation[]): Promise<readonly OperationResult[]>
  /** Resolves when ovs-vswitchd has done what the database says now. Rejects as transact does. */
  reconfigured(): Promise<void>
}

const PAUSE_AFTER_FAILURE = 5_000
/** Who undoes within this time what we did is another program at work on the same rows, in ms. */
const FIGHT = 60_000

export class TunnelKeeper {
  readonly counters = { drift: 0 }
  readonly #database: Transactor
  readonly #log: ModuleLog
  #problems: ReadonlyMap<string, string> = new Map()
  #failure: string | undefined
  #wanted: { readonly bridgeUuid: string | undefined, readonly udpPorts: readonly number[], readonly overIpv6: boolean } = { bridgeUuid: undefined, udpPorts: [], overIpv6: false }
  #mode: AuditMode = 'repair'
  /** What was wanted, as text, when all ports were as they should be: a difference after that is somebody else's doing. */
  #settledFor: string | undefined
  /** Such a difference, as it was told. */
  #drift = ''
  #left: string | undefined
  /** The operations of the transaction before, as text, while it is a fight if they are needed again. */
  #done: string | undefined
  #forget: NodeJS.Timeout | undefined
  #isBusy = false
  /** The replica has changed since the plan was made. */
  #isChanged = false
  #retry: NodeJS.Timeout | undefined

  constructor(database: Transactor, log: ModuleLog) {
    this.#database = database
    this.#log = log
  }

  /** Why a tunnel port is not as it should be, by port name. */
  problem(name: string): string | undefined {
    return this.#problems.get(name) ?? this.#left ?? this.#failure
  }

  /** What somebody else did to the tunnel ports and evpn-audit=report leaves so. They may work all the same. */
  get left(): string | undefined {
    return this.#left
  }

  /** Brings OVSDB's ports to `udpPorts` on this bridge, if something differs. Called after every change of the replica, or of `overIpv6`. */
  keep(bridgeUuid: string | undefined, udpPorts: readonly number[], mode: AuditMode = 'repair', overIpv6 = false): void {
    this.#mode = mode
    this.#wanted = { bridgeUuid, udpPorts, overIpv6 }
    this.#isChanged = true
    if (!this.#isBusy && this.#retry === undefined) this.#work()
  }

  #work(): void {
    const { bridgeUuid, udpPorts, overIpv6 } = this.#wanted
    const plan = planTunnels(bridgeUuid, udpPorts, (name) => this.#database.table(name), overIpv6)
    for (const [name, problem] of plan.problems) {
      if (this.#problems.get(name) !== problem) this.#log.warn(problem)
    }
    this.#problems = plan.problems
    if (this.#isLeft(plan)) return
    // What made OVS refuse a port may have gone with this change; counting the configuration on changes nothing we see.
    const tryAgain = plan.isRefused && this.#isChanged
    this.#isChanged = false
    if (plan.operations.length === 0 && !tryAgain) return
    this.#isBusy = true
    this.#bringAbout(plan).then(() => {
      this.#failure = undefined
      this.#remember(JSON.stringify(plan.operations))
      this.#isBusy = false
      // The replica may have changed meanwhile.
      this.#work()
    }).catch((error: unknown) => {
      this.#isBusy = false
      const failure = `the tunnel ports could not be set up: ${String(error)}`
      if (this.#failure !== failure) this.#log.warn(failure)
      this.#failure = failure
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.#work()
      }, PAUSE_AFTER_FAILURE).unref()
    })
  }

  #remember(done: string): void {
    this.#done = done
    clearTimeout(this.#forget)
    this.#forget = setTimeout(() => {
      this.#done = undefined
    }, FIGHT).unref()
  }

  /** True when somebody else changed what we had set up and evpn-audit=report leaves it so. */
  #isLeft({ operations, changes }: TunnelPlan): boolean {
    const wanted = JSON.stringify(this.#wanted)
    if (operations.length === 0) this.#settledFor = wanted
    const drift = operations.length === 0 || this.#settledFor !== wanted ? '' : `somebody else changed our tunnel ports: ${changes.join(', ')}`
    const isLeft = drift !== '' && this.#mode === 'report'
    const text = drift === '' ? '' : `${drift}; ${isLeft ? 'evpn-audit=report leaves it so' : 'it is put back'}`
    if (text !== '' && text !== this.#drift) {
      this.counters.drift++
      this.#log.warn(text)
    }
    this.#drift = text
    this.#left = isLeft ? text : undefined
    return isLeft
  }

  async #bringAbout({ operations, isMove }: TunnelPlan): Promise<void> {
    if (operations.length > 0) {
      // Done, and not there: somebody else changes the same rows. Doing it again at once would be a fight at full speed.
      const isFight = this.#done === JSON.stringify(operations)
      this.#done = undefined
      if (isFight) throw new Error('what was written is gone again; does another program manage these ports?')
      await this.#database.transact(operations)
      if (isMove) await this.#database.reconfigured()
    } else {
      // Once for the configuration that took the obstacle away, and once more for OVS to try without it.
      await this.#database.reconfigured()
      await this.#database.reconfigured()
    }
  }

  /** Removes every tunnel port of ours. */
  async removeAll(): Promise<void> {
    const plan = planTunnels(undefined, [], (name) => this.#database.table(name))
    if (plan.operations.length > 0) await this.#database.transact(plan.operations)
  }
}
