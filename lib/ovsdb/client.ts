// The client: keeps one connection alive, with backoff, and runs a session over it. Hands out the replica and transactions.
import { endpointOf, openConnection, type Connection, type Endpoint, type TlsFiles } from './connection.js'
import { OvsdbError } from './error.js'
import type { Row } from './notation.js'
import { describeError, parseError, parseResults, type Operation, type OperationResult } from './operations.js'
import { parseRemote } from './remote.js'
import { Replica } from './replica.js'
import type { Wanted } from './schema.js'
import { Session, type SessionEvent } from './session.js'
import type { RowChange } from './updates.js'

export interface OvsdbHandlers {
  /** The replica is complete: the first time and after each reconnect, after its changes were delivered. */
  up(): void
  /** The connection is lost, or an attempt failed for another reason than the one before. The replica stays as it was. */
  down(reason: string): void
  /** The replica has changed; one call per message of the server, that is at most one per transaction. */
  changes(batch: readonly RowChange[]): void
}

export interface OvsdbOptions {
  /** `unix:PATH`, `tcp:HOST:PORT`, `tcp:[V6]:PORT` or `ssl:HOST:PORT`. */
  readonly remote: string
  /** Needed for ssl:. Read afresh at each attempt, so that renewed certificates are taken up. */
  readonly tls?: TlsFiles
  readonly database: string
  /** Table to columns to keep a replica of. */
  readonly tables: Wanted
  readonly handlers: OvsdbHandlers
  /** Milliseconds of silence before an echo is sent, and again until the connection counts as dead. Default 5000. */
  readonly probeMs?: number
}

const FIRST_BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 8000
const PROBE_MS = 5000

interface Waiting {
  readonly operations: readonly Operation[]
  readonly resolve: (results: readonly OperationResult[]) => void
  readonly reject: (error: OvsdbError) => void
}

export class OvsdbClient {
  readonly #options: OvsdbOptions
  readonly #endpoint: Endpoint
  readonly #replica = new Replica()
  readonly #waiting = new Map<number, Waiting>()
  #session: Session | undefined
  #connection: Connection | undefined
  #retry: NodeJS.Timeout | undefined
  #backoffMs = FIRST_BACKOFF_MS
  #connected = false
  #lastReason: string | undefined
  #missing: readonly string[] = []

  /** Throws OvsdbError when the remote cannot be parsed, or is ssl: without TLS files. */
  constructor(options: OvsdbOptions) {
    this.#options = options
    this.#endpoint = endpointOf(parseRemote(options.remote), options.tls)
  }

  /** True from up() to down(): the replica follows the server and transactions can be sent. */
  get connected(): boolean {
    return this.#connected
  }

  /** What this server's schema does not have of the tables asked for, as `Table` or `Table.column`. Known once up. */
  get missing(): readonly string[] {
    return this.#missing
  }

  /** The rows of a table by uuid. Survives a lost connection. */
  table(name: string): ReadonlyMap<string, Row> {
    return this.#replica.table(name)
  }

  /** Connects, now and again whenever the connection is lost, until close(). */
  start(): void {
    if (!this.#connection && !this.#retry) this.#connect()
  }

  /** Does not wait for the backoff to run out; does nothing while there is a connection. */
  retryNow(): void {
    if (!this.#retry) return
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#connect()
  }

  /** Ends everything: no handler is called any more, transactions under way are rejected. The replica stays readable. */
  close(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#disconnect('the client was closed')
  }

  /**
   * Runs the operations as one transaction. The changes it makes to monitored rows are in the replica, and delivered, before the
   * promise resolves (ovsdb-server(7) section 4.1.5). Rejects with OvsdbError: `refused` (names the operation), `offline` (not
   * sent), `lost` (sent, outcome unknown).
   */
  transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    const session = this.#session
    if (!this.#connected || !session) {
      return Promise.reject(new OvsdbError('offline', `not connected to ${this.#options.remote}: transaction not sent`))
    }
    const { id, text } = session.request('transact', [this.#options.database, ...operations])
    this.#connection?.send(text)
    return new Promise((resolve, reject) => { this.#waiting.set(id, { operations, resolve, reject }) })
  }

  #connect(): void {
    this.#session = new Session(this.#replica, this.#options)
    try {
      this.#connection = openConnection(this.#endpoint, this.#options.probeMs ?? PROBE_MS, {
        opened: () => this.#handle(this.#session?.start() ?? []),
        received: (bytes) => this.#handle(this.#session?.receive(bytes) ?? []),
        idle: () => this.#probe(),
        closed: (reason) => this.#lost(reason)
      })
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
      this.#lost(error.message)
    }
  }

  #probe(): void {
    const session = this.#session
    if (session) this.#connection?.send(session.request('echo', []).text)
  }

  /** A handler may close the client: what else the session of then would say is not for anybody. */
  #handle(events: Iterable<SessionEvent>): void {
    const session = this.#session
    for (const event of events) {
      this.#handleEvent(event)
      if (this.#session !== session) return
    }
  }

  #handleEvent(event: SessionEvent): void {
    switch (event.kind) {
      case 'send': return this.#connection?.send(event.text)
      case 'changes': return this.#options.handlers.changes(event.batch)
      case 'reply': return this.#settle(event)
      case 'failed': return this.#lost(event.error.message)
      case 'up':
        this.#missing = event.missing
        this.#connected = true
        this.#backoffMs = FIRST_BACKOFF_MS
        this.#lastReason = undefined
        return this.#options.handlers.up()
    }
  }

  #settle({ id, result, error }: SessionEvent & { readonly kind: 'reply' }): void {
    const waiting = this.#waiting.get(id)
    if (!waiting) return // the answer to an echo
    this.#waiting.delete(id)
    try {
      if (error !== null) {
        const refusal = parseError(error)
        throw new OvsdbError('refused', `transaction refused: ${describeError(refusal)}`, refusal)
      }
      waiting.resolve(parseResults(waiting.operations, result))
    } catch (cause) {
      if (!(cause instanceof OvsdbError)) throw cause
      waiting.reject(cause)
    }
  }

  #disconnect(reason: string): void {
    this.#connection?.close()
    this.#connection = undefined
    this.#session = undefined
    this.#connected = false
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    const error = new OvsdbError('lost', `connection to ${this.#options.remote} lost, outcome of the transaction unknown: ${reason}`)
    for (const { reject } of waiting) reject(error)
  }

  #lost(reason: string): void {
    this.#disconnect(reason)
    this.#retry = setTimeout(() => this.retryNow(), this.#backoffMs)
    this.#backoffMs = Math.min(2 * this.#backoffMs, MAX_BACKOFF_MS)
    if (reason === this.#lastReason) return
    this.#lastReason = reason
    this.#options.handlers.down(reason)
  }
}
