// One connection's conversation with the server, without the connection: bytes in, events out. Reads the schema, starts the best
// monitor the server knows, keeps the replica up to date, answers `echo`. Knows no socket and no clock.
import { excerpt, OvsdbError, protocolError } from './error.js'
import { isObject, isUuid, ZERO_UUID } from './notation.js'
import { describeError, parseError } from './operations.js'
import type { Replica } from './replica.js'
import { selectColumns, type Columns, type Wanted } from './schema.js'
import { JsonSplitter } from './splitter.js'
import { decodeTableUpdates, decodeTableUpdates2, replacement, type RowChange, type Tables } from './updates.js'

export type SessionEvent =
  /** Text to send to the server. */
  | { readonly kind: 'send', readonly text: string }
  /** The replica has changed. */
  | { readonly kind: 'changes', readonly batch: readonly RowChange[] }
  /** The replica is complete; from now on it follows the server. */
  | { readonly kind: 'up', readonly missing: readonly string[] }
  /** The answer to request(); `error` is null when it was granted. */
  | { readonly kind: 'reply', readonly id: number, readonly result: unknown, readonly error: unknown }
  /** This session is over: drop the connection. Always the last event. */
  | { readonly kind: 'failed', readonly error: OvsdbError }

interface MonitorMethod {
  readonly method: string
  readonly notification: string
  readonly decode: (columns: Columns, tables: Tables, json: unknown) => readonly RowChange[]
}

/** Newest first: Open vSwitch 2.12, 2.6, RFC 7047. A server that does not know one is asked for the next. */
const MONITOR_METHODS: readonly [MonitorMethod, ...MonitorMethod[]] = [
  { method: 'monitor_cond_since', notification: 'update3', decode: decodeTableUpdates2 },
  { method: 'monitor_cond', notification: 'update2', decode: decodeTableUpdates2 },
  { method: 'monitor', notification: 'update', decode: decodeTableUpdates }
]

/** Names our only monitor in its notifications (RFC 7047 section 4.1.5). */
const MONITOR_ID = 'replica'

/** The monitor request is under way: the method by its place in MONITOR_METHODS, and the transaction it continues from. */
interface Monitoring {
  readonly kind: 'monitor'
  readonly id: number
  readonly level: number
  readonly since: string
  readonly columns: Columns
  readonly missing: readonly string[]
}

/** `id` is the request whose answer is awaited. */
type Phase =
  | { readonly kind: 'new' | 'failed' }
  | { readonly kind: 'schema', readonly id: number }
  | Monitoring
  | { readonly kind: 'following', readonly monitor: MonitorMethod, readonly columns: Columns }

interface Reply { readonly id: unknown, readonly result: unknown, readonly error: unknown }

export class Session {
  readonly #replica: Replica
  readonly #database: string
  readonly #wanted: Wanted
  readonly #splitter = new JsonSplitter()
  #phase: Phase = { kind: 'new' }
  #nextId = 0

  constructor(replica: Replica, options: { readonly database: string, readonly tables: Wanted }) {
    this.#replica = replica
    this.#database = options.database
    this.#wanted = options.tables
  }

  /** The first thing to send once connected. */
  start(): readonly SessionEvent[] {
    const { id, text } = this.request('get_schema', [this.#database])
    this.#phase = { kind: 'schema', id }
    return [{ kind: 'send', text }]
  }

  /** A request of the caller's own, as text to send; a `reply` event with this id answers it. */
  request(method: string, params: readonly unknown[]): { readonly id: number, readonly text: string } {
    const id = this.#nextId++
    return { id, text: JSON.stringify({ method, params, id }) }
  }

  /**
   * What these bytes mean, in order. Iterate to the end: each message is taken in, and the replica changed, when its events are asked
   * for, so that at each `changes` event the replica is exactly that far. Never throws for what the server sends: that is `failed`.
   */
  * receive(bytes: Uint8Array): Generator<SessionEvent, void, void> {
    if (this.#phase.kind === 'failed') return
    try {
      for (const message of this.#splitter.push(bytes)) yield * this.#handle(message)
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
      this.#phase = { kind: 'failed' }
      this.#replica.distrust()
      yield { kind: 'failed', error }
    }
  }

  #handle(message: unknown): readonly SessionEvent[] {
    if (!isObject(message)) throw protocolError(`expected a message, got ${excerpt(message)}`)
    const { method, params, id, result, error } = message
    if (typeof method === 'string') {
      if (!Array.isArray(params)) throw protocolError(`${method} without params`)
      return id === null || id === undefined ? this.#notified(method, params) : answer(method, params, id)
    }
    if (id === undefined || id === null) throw protocolError(`neither request nor reply: ${excerpt(message)}`)
    return this.#replied({ id, result, error: error ?? null })
  }

  #replied(reply: Reply): readonly SessionEvent[] {
    const phase = this.#phase
    if (phase.kind === 'schema' && reply.id === phase.id) return this.#schemaReplied(reply)
    if (phase.kind === 'monitor' && reply.id === phase.id) return this.#monitorReplied(phase, reply)
    return typeof reply.id === 'number' ? [{ kind: 'reply', id: reply.id, result: reply.result, error: reply.error }] : []
  }

  #schemaReplied({ result, error }: Reply): readonly SessionEvent[] {
    if (error !== null) throw refused(`the server has no usable database ${this.#database}`, error)
    const { columns, missing } = selectColumns(result, this.#wanted)
    return this.#monitor(0, columns, missing)
  }

  #monitor(level: number, columns: Columns, missing: readonly string[]): readonly SessionEvent[] {
    const { method } = MONITOR_METHODS[level] ?? MONITOR_METHODS[0]
    const requests = Object.fromEntries([...columns].map(([table, types]) => [table, [{ columns: [...types.keys()] }]]))
    const since = this.#replica.since(columns)
    const params = [this.#database, MONITOR_ID, requests, ...(level === 0 ? [since] : [])]
    const { id, text } = this.request(method, params)
    this.#phase = { kind: 'monitor', id, level, since, columns, missing }
    return [{ kind: 'send', text }]
  }

  #monitorReplied({ level, since, columns, missing }: Monitoring, reply: Reply): readonly SessionEvent[] {
    const monitor = MONITOR_METHODS[level] ?? MONITOR_METHODS[0]
    if (reply.error !== null) {
      if (level + 1 < MONITOR_METHODS.length) return this.#monitor(level + 1, columns, missing)
      throw refused(`the server refuses to monitor ${this.#database}`, reply.error)
    }
    const { found, lastTxnId, updates } = parseMonitorReply(level, reply.result)
    const tables = this.#replica.tables
    const batch = found && since !== ZERO_UUID
      ? monitor.decode(columns, tables, updates)
      : replacement(tables, monitor.decode(columns, new Map(), updates))
    this.#phase = { kind: 'following', monitor, columns }
    return [...this.#apply(batch, lastTxnId), { kind: 'up', missing }]
  }

  #notified(method: string, params: readonly unknown[]): readonly SessionEvent[] {
    if (params[0] !== MONITOR_ID) return []
    // Schema conversion, or the database was removed (ovsdb-server(7) section 4.1.7): start again from the schema.
    if (method === 'monitor_canceled') throw protocolError('the server cancelled the monitor: the schema or the database changed')
    if (!MONITOR_METHODS.some(({ notification }) => notification === method)) return []
    const phase = this.#phase
    if (phase.kind !== 'following' || phase.monitor.notification !== method) throw protocolError(`${method} that nobody asked for`)
    const lastTxnId = method === 'update3' ? parseTxnId(params[1]) : ZERO_UUID
    return this.#apply(phase.monitor.decode(phase.columns, this.#replica.tables, params.at(-1)), lastTxnId)
  }

  #apply(batch: readonly RowChange[], lastTxnId: string): readonly SessionEvent[] {
    this.#replica.apply(batch, lastTxnId)
    return batch.length === 0 ? [] : [{ kind: 'changes', batch }]
  }
}

/** The only request a server makes is its inactivity probe (RFC 7047 section 4.1.11). */
function answer(method: string, params: readonly unknown[], id: unknown): readonly SessionEvent[] {
  const reply = method === 'echo' ? { result: params, error: null, id } : { result: null, error: 'unknown method', id }
  return [{ kind: 'send', text: JSON.stringify(reply) }]
}

function parseTxnId(json: unknown): string {
  if (isUuid(json)) return json
  throw protocolError(`expected a transaction id, got ${excerpt(json)}`)
}

/** Only monitor_cond_since (level 0) can continue; the others always send everything. */
function parseMonitorReply(level: number, result: unknown): { found: boolean, lastTxnId: string, updates: unknown } {
  if (level > 0) return { found: false, lastTxnId: ZERO_UUID, updates: result }
  if (!Array.isArray(result) || typeof result[0] !== 'boolean') throw protocolError(`expected [found, id, updates], got ${excerpt(result)}`)
  return { found: result[0], lastTxnId: parseTxnId(result[1]), updates: result[2] }
}

function refused(what: string, error: unknown): OvsdbError {
  const refusal = parseError(error)
  return new OvsdbError('refused', `${what}: ${describeError(refusal)}`, refusal)
}
