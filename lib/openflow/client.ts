// The OpenFlow client: keeps one connection to a bridge's unix socket, reconnecting as often as it takes.
import { connect, type Socket } from 'node:net'
import type { FlowDesc, FlowFilter } from './flow.js'
import { decodeFlowDescs, encodeFlowRequest } from './flow.js'
import { decodeFlowUpdates, encodeFlowMonitor, encodeFlowMonitorCancel, type FlowMonitor, type FlowUpdate } from './flow-monitor.js'
import { decodeFlowStats, type FlowStats } from './flow-stats.js'
import { decodeGroupDescs, encodeGroupRequest, type GroupDesc } from './group.js'
import { decodeGroupStats, encodeGroupStatsRequest, type GroupStats } from './group-stats.js'
import type { Features } from './handshake.js'
import type { OpenFlowDecodeError } from './decode.js'
import type { Message } from './message.js'
import { decodeMeterFeatures, decodeMeters, encodeMeterRequest, type Meter, type MeterFeatures } from './meter.js'
import { encodePortRequest, OFPMP } from './multipart.js'
import type { PacketIn } from './packet-in.js'
import { decodePortDescs, type PortDesc, type PortStatusReason } from './port.js'
import type { RequestForward } from './request-forward.js'
import { OpenFlowSession, type SessionEvent } from './session.js'
import { decodeTableStats, type TableStats } from './table-stats.js'
import type { ApplyResult } from './transaction.js'

export interface OpenFlowHandlers {
  /** Connected, and ready for requests. */
  up(features: Features): void
  /** A connection that was up is lost. */
  down(reason: string): void
  /** An attempt to connect came to nothing; the next follows by itself. */
  unreachable?(reason: string): void
  portStatus(reason: PortStatusReason, port: PortDesc): void
  /** A packet that a flow's controller action sent here. */
  packetIn?(packetIn: PacketIn): void
  /** What monitors report after their first reply. */
  flowUpdates?(updates: readonly FlowUpdate[]): void
  /** Another connection changed a group or a meter. */
  requestForward?(request: RequestForward): void
  /** A message came that cannot be decoded; if it was a port change or a flow update, it is lost. */
  malformed?(error: OpenFlowDecodeError, message: Message): void
  /** Any other message nobody asked for. */
  message?(message: Message): void
}

export interface OpenFlowClientOptions {
  /** The bridge's socket: <rundir>/<bridge>.mgmt */
  readonly path: string
  readonly handlers: OpenFlowHandlers
  /** Which controller_id of controller actions is meant for us, so that no other controller gets our packets; default 0, as theirs. */
  readonly controllerId?: number
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Pause before the next attempt to connect, in ms: doubles with each failure. */
const BACKOFF = { first: 1000, last: 8000 } as const
const TICK_MS = 1000
const WRITE_BYTES = 65_536

export class OpenFlowClient {
  readonly #path: string
  readonly #handlers: OpenFlowHandlers
  readonly #controllerId: number
  readonly #waiting = new Map<number, Waiting>()
  #socket: Socket | undefined
  #session: OpenFlowSession | undefined
  #backoff: number = BACKOFF.first
  #retry: NodeJS.Timeout | undefined
  #ticker: NodeJS.Timeout | undefined
  #isStarted = false
  /** Handlers have been told up() and not yet down(). */
  #isUp = false

  constructor(options: OpenFlowClientOptions) {
    this.#path = options.path
    this.#handlers = options.handlers
    this.#controllerId = options.controllerId ?? 0
  }

  get connected(): boolean {
    return this.#session?.isUp ?? false
  }

  /** Connects, and keeps connecting until close(). */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#connect()
  }

  /** Ends the connection for good; what is under way is rejected. No handler is called any more. */
  close(): void {
    this.#isStarted = false
    clearTimeout(this.#retry)
    this.#drop('closed by us')
  }

  /** Tries at once instead of at the end of the pause; does nothing while a connection stands or is being made. */
  connectNow(): void {
    if (!this.#isStarted || this.#socket) return
    clearTimeout(this.#retry)
    this.#backoff = BACKOFF.first
    this.#connect()
  }

  portDescs(): Promise<PortDesc[]> {
    return this.#request(OFPMP.port_desc, encodePortRequest(), decodePortDescs)
  }

  groupDescs(): Promise<GroupDesc[]> {
    return this.#request(OFPMP.group_desc, encodeGroupRequest(), decodeGroupDescs)
  }

  /** Counters of one group; empty when there is no such group. */
  groupStats(groupId: number): Promise<GroupStats[]> {
    return this.#request(OFPMP.group_stats, encodeGroupStatsRequest(groupId), decodeGroupStats)
  }

  meters(): Promise<Meter[]> {
    return this.#request(OFPMP.meter_desc, encodeMeterRequest(), decodeMeters)
  }

  /** What the switch can do with meters. */
  async meterFeatures(): Promise<MeterFeatures> {
    const [features] = await this.#request(OFPMP.meter_features, Buffer.alloc(0), (body) => [decodeMeterFeatures(body)])
    if (!features) throw new Error('the switch sent no meter features')
    return features
  }

  /** Installed flows, without counters. */
  flowDescs(filter: FlowFilter): Promise<FlowDesc[]> {
    return this.#request(OFPMP.flow_desc, encodeFlowRequest(filter), decodeFlowDescs)
  }

  /** Installed flows with their counters. */
  flowStats(filter: FlowFilter): Promise<FlowStats[]> {
    return this.#request(OFPMP.flow_desc, encodeFlowRequest(filter), decodeFlowStats)
  }

  /** How many flows each table has, which costs the switch next to nothing. */
  tableStats(): Promise<TableStats[]> {
    return this.#request(OFPMP.table, Buffer.alloc(0), decodeTableStats)
  }

  /** Starts a flow monitor; gives the flows that are there already. It ends with the connection. */
  monitorFlows(monitor: FlowMonitor): Promise<FlowUpdate[]> {
    return this.#request(OFPMP.flow_monitor, encodeFlowMonitor(monitor), decodeFlowUpdates)
  }

  async cancelFlowMonitor(id: number): Promise<void> {
    await this.#request(OFPMP.flow_monitor, encodeFlowMonitorCancel(id), decodeFlowUpdates)
  }

  /**
   * Sends whole messages as encodeFlowMod, encodeGroupMod and encodeMeterMod make them; their transaction ids are filled in.
   * bundle: all or nothing, in order; `errors` names those that made it fail. Otherwise each for itself, `errors` names those refused.
   * Rejects when the connection is lost: the outcome is unknown then.
   */
  apply(mods: readonly Buffer[], options: { readonly bundle: boolean }): Promise<ApplyResult> {
    if (mods.length === 0) return Promise.resolve({ applied: true, errors: [] })
    return this.#submit((session) => session.apply(mods, options.bundle)) as Promise<ApplyResult>
  }

  #request<T>(type: number, body: Buffer, decode: (body: Buffer) => T[]): Promise<T[]> {
    return this.#submit((session) => session.request(type, body, decode)) as Promise<T[]>
  }

  #submit(start: (session: OpenFlowSession) => number): Promise<unknown> {
    const session = this.#session
    if (!session?.isUp) return Promise.reject(new Error(`not connected to ${this.#path}`))
    return new Promise((resolve, reject) => {
      this.#waiting.set(start(session), { resolve, reject })
      this.#pump()
    })
  }

  #connect(): void {
    const socket = connect(this.#path)
    const session = new OpenFlowSession(performance.now(), this.#controllerId)
    this.#socket = socket
    this.#session = session
    let reason = 'the switch closed the connection'
    socket.on('connect', () => {
      this.#pump()
    })
    socket.on('data', (chunk: Buffer) => {
      this.#handle(session, session.receive(chunk, performance.now()))
    })
    socket.on('drain', () => setImmediate(() => {
      this.#pump()
    }))
    socket.on('error', (error) => {
      reason = error.message
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#drop(reason)
    })
    // Timers run before sockets are read: after a long pause of ours the answer may be waiting unread. So look after reading.
    this.#ticker = setInterval(() => setImmediate(() => {
      this.#handle(session, session.tick(performance.now()))
    }), TICK_MS)
  }

  #handle(session: OpenFlowSession, events: readonly SessionEvent[]): void {
    for (const event of events) {
      if (this.#session !== session) return
      this.#dispatch(event)
    }
    this.#pump()
  }

  #dispatch(event: SessionEvent): void {
    switch (event.kind) {
      case 'up':
        this.#backoff = BACKOFF.first
        this.#isUp = true
        return this.#handlers.up(event.features)
      case 'down':
        return this.#drop(event.reason)
      case 'port_status':
        return this.#handlers.portStatus(event.reason, event.port)
      case 'packet_in':
        return this.#handlers.packetIn?.(event.packetIn)
      case 'flow_updates':
        return this.#handlers.flowUpdates?.(event.updates)
      case 'request_forward':
        return this.#handlers.requestForward?.(event.request)
      case 'applied':
        return this.#settle(event.id)?.resolve(event.result)
      case 'entries':
        return this.#settle(event.id)?.resolve(event.entries)
      case 'failed':
        return this.#settle(event.id)?.reject(event.error)
      case 'malformed':
        return this.#handlers.malformed?.(event.error, event.message)
      case 'message':
        return this.#handlers.message?.(event.message)
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  /** Writes as long as the socket takes it; `drain` calls again. */
  #pump(): void {
    const socket = this.#socket
    if (!socket || socket.connecting) return
    while (!socket.writableNeedDrain) {
      const bytes = this.#session?.output(WRITE_BYTES)
      if (!bytes) return
      socket.write(bytes)
    }
  }

  /** Forgets the connection, rejects what waits for it, and plans the next attempt. */
  #drop(reason: string): void {
    const wasUp = this.#isUp
    this.#isUp = false
    clearInterval(this.#ticker)
    this.#socket?.destroy()
    this.#socket = undefined
    this.#session = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(new Error(`the connection to ${this.#path} is lost, the outcome is unknown: ${reason}`))
    if (!this.#isStarted) return
    this.#retry = setTimeout(() => {
      this.#connect()
    }, this.#backoff)
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF.last)
    if (wasUp) this.#handlers.down(reason)
    else this.#handlers.unreachable?.(`${this.#path}: ${reason}`)
  }
}
