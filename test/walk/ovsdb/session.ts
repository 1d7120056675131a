// The agent's connection to the fake database: a replica that is brought up to date when the walk says so, transactions
// whose own changes arrive before their answer (ovsdb-server flushes monitors before it replies), and losing it.
import type { Transactor } from '../../../lib/daemon/tunnel-keeper.js'
import type { Random } from '../random.js'
import type { FakeDatabase } from './database.js'
import type { FakeVswitchd } from './vswitchd.js'
import type { Operation, OperationResult, Row } from './types.js'

interface Waiting {
  readonly operations: readonly Operation[]
  readonly resolve: (results: readonly OperationResult[]) => void
  readonly reject: (error: Error) => void
}

export interface DatabaseFaults { transactRefused: number }

type DatabaseChanged = (isComplete: boolean, changes: readonly { readonly uuid: string }[]) => void

const NONE: ReadonlyMap<string, Row> = new Map()

export class FakeSession implements Transactor {
  readonly #database: FakeDatabase
  readonly #vswitchd: FakeVswitchd
  readonly #faults: DatabaseFaults
  readonly #changed: DatabaseChanged
  #replica: ReadonlyMap<string, ReadonlyMap<string, Row>> = new Map()
  #version = -1
  #waiting: Waiting[] = []
  /** Those that wait for ovs-vswitchd to have looked at the database after them. */
  #watching: { readonly runs: number, readonly resolve: () => void, readonly reject: (error: Error) => void }[] = []
  #isConnected = false
  #isClosed = false

  constructor(database: FakeDatabase, vswitchd: FakeVswitchd, faults: DatabaseFaults, changed: DatabaseChanged) {
    this.#database = database
    this.#vswitchd = vswitchd
    this.#faults = faults
    this.#changed = changed
  }

  // --- the agent's side

  table(name: string): ReadonlyMap<string, Row> {
    return this.#replica.get(name) ?? NONE
  }

  transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    if (!this.#isConnected) return Promise.reject(new Error('not connected'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, resolve, reject })
    })
  }

  reconfigured(): Promise<void> {
    if (!this.#isConnected) return Promise.reject(new Error('not connected'))
    const { runs } = this.#vswitchd
    this.#vswitchd.tryAgain()
    return new Promise((resolve, reject) => {
      this.#watching.push({ runs, resolve, reject })
    })
  }

  // --- the walk's side

  get isConnected(): boolean {
    return this.#isConnected
  }

  get isIdle(): boolean {
    const isWatching = this.#watching.length > 0 && this.#vswitchd.isRunning
    return this.#isConnected && this.#waiting.length === 0 && !isWatching && !this.#isBehind()
  }

  connect(): void {
    if (this.#isConnected || this.#isClosed) return
    this.#isConnected = true
    this.#changed(true, this.#read())
  }

  /** Brings the replica up to date. */
  update(): void {
    const done = this.#watching.filter(({ runs }) => this.#vswitchd.runs > runs)
    this.#watching = this.#watching.filter((one) => !done.includes(one))
    for (const { resolve } of done) resolve()
    if (!this.#isConnected || !this.#isBehind()) return
    this.#changed(false, this.#read())
  }

  /** The server runs the next transaction. */
  work(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    try {
      if (this.#faults.transactRefused > 0) {
        this.#faults.transactRefused--
        throw new Error('the walk refuses this transaction')
      }
      const results = this.#database.transact(next.operations)
      this.update()
      next.resolve(results)
    } catch (error) {
      next.reject(error as Error)
    }
  }

  /** The connection is gone; what is under way is rejected, and perhaps done. */
  lose(r: Random): void {
    if (!this.#isConnected) return
    this.#isConnected = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const { operations, reject } of waiting) {
      if (r.chance(0.5)) this.#tryTransact(operations)
      reject(new Error('the connection is lost, the outcome is unknown'))
    }
    for (const { reject } of this.#watching.splice(0)) reject(new Error('the connection is lost'))
  }

  close(r: Random): void {
    this.#isClosed = true
    this.#isConnected = false
    for (const { operations } of this.#waiting) if (r.chance(0.5)) this.#tryTransact(operations)
    this.#waiting = []
    this.#watching = []
  }

  #tryTransact(operations: readonly Operation[]): void {
    try {
      this.#database.transact(operations)
    } catch {
      // A refusal nobody hears of.
    }
  }

  /** The rows that are not what they were. */
  #read(): { readonly uuid: string }[] {
    const [old, current] = [this.#replica, this.#database.snapshot()]
    this.#replica = current
    this.#version = this.#database.version
    return [...new Set([...old.keys(), ...current.keys()])].flatMap((table) => {
      const [before, after] = [old.get(table) ?? NONE, current.get(table) ?? NONE]
      return [...new Set([...before.keys(), ...after.keys()])].filter((uuid) => before.get(uuid) !== after.get(uuid)).map((uuid) => ({ uuid }))
    })
  }

  #isBehind(): boolean {
    return this.#version !== this.#database.version
  }
}
