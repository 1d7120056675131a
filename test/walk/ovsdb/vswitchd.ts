// ovs-vswitchd: makes bridges and ports as the database says, tells their numbers, and forgets its tables when it restarts.
import type { FakeConnection } from '../switch/connection.js'
import { FakeSwitch, type SwitchFaults } from '../switch/switch.js'
import type { PortDesc } from '../../../lib/openflow/index.js'
import type { Random } from '../random.js'
import { textOf, type FakeDatabase, type Layout } from './database.js'
import type { Row } from './types.js'

const LOCAL_PORT = 0xfffffffe

export class FakeVswitchd {
  readonly #database: FakeDatabase
  readonly #faults: SwitchFaults
  readonly #report: (violation: string) => void
  readonly #onApply: () => void
  readonly switches = new Map<string, FakeSwitch>()
  /** Interfaces it cannot make, by name. */
  readonly unable = new Set<string>()
  readonly connections = new Map<FakeConnection, FakeSwitch>()
  /** How often it looked at the database. */
  runs = 0
  isRunning = true
  /** Interfaces it failed to make for another tunnel port's sake: it does not try again by itself. */
  readonly #failed = new Set<string>()
  /** Where each port was before this look at the database. */
  #holders: ReadonlyMap<string, FakeSwitch> = new Map()
  /** What it saw at its last look: it looks much more often than anything changes. */
  #seen: Layout = []

  constructor(database: FakeDatabase, faults: SwitchFaults, report: (violation: string) => void, onApply: () => void) {
    this.#database = database
    this.#faults = faults
    this.#report = report
    this.#onApply = onApply
  }

  /** The database changed: bridges and ports follow. True when something did. */
  run(r: Random | undefined): boolean {
    if (!this.isRunning) return false
    this.runs++
    const layout = this.#database.layout()
    let changed = layout !== this.#seen && this.#removeBridges(new Set(layout.map(([name]) => name)), r)
    for (const [name, interfaces] of layout) changed = this.#runBridge(name, interfaces, layout !== this.#seen) || changed
    this.#seen = layout
    this.#holders = new Map()
    return changed
  }

  #removeBridges(wanted: ReadonlySet<string>, r: Random | undefined): boolean {
    this.#holders = new Map([...this.switches.values()].flatMap((fake) => [...fake.ports.keys()].map((name) => [name, fake] as const)))
    let changed = false
    for (const name of [...this.switches.keys()]) {
      if (wanted.has(name)) continue
      this.#loseConnections(this.switches.get(name) as FakeSwitch, r)
      this.switches.delete(name)
      changed = true
    }
    return changed
  }

  /** next_cfg was counted on: at its next look it tries again what failed. */
  tryAgain(): void {
    this.#failed.clear()
  }

  stop(r: Random): void {
    this.isRunning = false
    for (const fake of this.switches.values()) {
      this.#loseConnections(fake, r)
      fake.forget(r.chance(0.8))
    }
  }

  /** `renumber`: ports do not get the numbers they had. */
  start(renumber: boolean): void {
    this.isRunning = true
    this.#failed.clear()
    if (!renumber) return
    for (const uuid of this.#database.table('Interface').keys()) this.#database.set('Interface', uuid, { ofport: [] })
    this.#nextPort += 7
  }

  #nextPort = 1

  #runBridge(name: string, interfaces: Layout[0][1], isOther: boolean): boolean {
    const isNew = !this.switches.has(name)
    const fake = this.switches.get(name) ?? new FakeSwitch(name, this.#faults, this.#report, this.#onApply)
    this.switches.set(name, fake)
    fake.tellLearned = (updates) => {
      for (const [connection, target] of this.connections) if (target === fake) connection.tellLearned(updates)
    }
    if (!fake.ports.has(name)) fake.ports.set(name, portDesc(LOCAL_PORT, name))
    const changed = (isNew || isOther) && this.#removePorts(fake, name, interfaces)
    return interfaces.reduce((some, [uuid, row]) => this.#runInterface(fake, uuid, row) || some, isNew || changed)
  }

  #removePorts(fake: FakeSwitch, name: string, interfaces: Layout[0][1]): boolean {
    let changed = false
    const wanted = new Set([name, ...interfaces.map(([, row]) => textOf(row['name']))])
    for (const port of [...fake.ports.values()]) {
      if (wanted.has(port.name)) continue
      fake.ports.delete(port.name)
      this.#tell(fake, 'delete', port)
      changed = true
    }
    return changed
  }

  #runInterface(fake: FakeSwitch, uuid: string, row: Row): boolean {
    const name = textOf(row['name'])
    const present = fake.ports.get(name)
    const problem = this.#problem(fake, uuid, row)
    if (problem !== undefined) {
      if (present !== undefined) {
        fake.ports.delete(name)
        this.#tell(fake, 'delete', present)
      }
      return this.#setColumns(uuid, row, -1, [problem])
    }
    const number = present?.port ?? this.#pickNumber(fake, row)
    if (present === undefined) {
      const port = portDesc(number, name)
      fake.ports.set(name, port)
      this.#tell(fake, 'add', port)
    }
    return this.#setColumns(uuid, row, number, []) || present === undefined
  }

  /** Two tunnel ports cannot listen on one UDP port, so one that moves to another bridge in one transaction fails (measured on 3.1.0). */
  #problem(fake: FakeSwitch, uuid: string, row: Row): string | undefined {
    const name = textOf(row['name'])
    if (this.unable.has(name)) return `could not add network device ${name} to ofproto (No such device)`
    if (row['type'] !== 'vxlan') return undefined
    const fileExists = `could not add network device ${name} to ofproto (File exists)`
    if (fake.ports.has(name)) return undefined
    if (this.#failed.has(uuid)) return fileExists
    const holder = this.#holders.get(name)
    if (holder === undefined || holder === fake) return undefined
    this.#failed.add(uuid)
    return fileExists
  }

  #setColumns(uuid: string, row: Row, ofport: number, error: readonly string[]): boolean {
    const [oldPort] = row['ofport'] as readonly number[]
    const [oldError] = row['error'] as readonly string[]
    if (oldPort === ofport && oldError === error[0]) return false
    this.#database.set('Interface', uuid, { ofport: [ofport], error })
    return true
  }

  /** The number it had before a restart, when that is still free. */
  #pickNumber(fake: FakeSwitch, row: Row): number {
    const taken = new Set([...fake.ports.values()].map(({ port }) => port))
    const [old] = row['ofport'] as readonly number[]
    if (old !== undefined && old > 0 && !taken.has(old)) return old
    while (taken.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }

  #tell(fake: FakeSwitch, reason: 'add' | 'delete', port: PortDesc): void {
    for (const [connection, target] of this.connections) if (target === fake) connection.tellPort(reason, port)
  }

  #loseConnections(fake: FakeSwitch, r: Random | undefined): void {
    for (const [connection, target] of [...this.connections]) {
      if (target !== fake) continue
      this.connections.delete(connection)
      this.lost(connection, r)
    }
  }

  /** Replaced by whoever holds the other end. */
  lost: (connection: FakeConnection, r: Random | undefined) => void = () => undefined
}

function portDesc(port: number, name: string): PortDesc {
  return { port, name, hwAddr: '02:00:00:00:ff:01', config: 0, state: 4 }
}
