// rtnetlink for a program: one socket for notifications, dumps and writes, so that all come in the kernel's order.
import { constants } from 'node:os'
import { align4 } from './attribute.js'
import { RTNLGRP } from './constants.js'
import { NetlinkError } from './error.js'
import { MESSAGE_HEADER_BYTES, type RtMessage } from './message.js'
import { dumpRequest, neighRequest, type DumpKind, type NetlinkRequest, type WriteRequest } from './request.js'
import { NetlinkSession, type Outcome, type Received } from './session.js'
import { NetlinkSocket } from './socket.js'

export interface NetlinkHandlers {
  /** Notifications, and the rows of dumps among them in the order of arrival; when they were read, as performance.now() tells. */
  messages(batch: readonly RtMessage[], readAt: number): void
  /**
   * The kernel dropped notifications: every mirrored table has to be dumped again. Told when all that it had queued before is read:
   * what comes after that is no older than what was dropped. A storm that never lets the queue empty does not put it off for ever.
   */
  overrun(): void
  /** The socket is unusable; the client is closed. */
  failed?(error: Error): void
}

export interface NetlinkOptions {
  readonly groups: readonly (keyof typeof GROUPS)[]
  readonly handlers: NetlinkHandlers
  /** Size asked for; the kernel counts its own overhead, several hundred bytes per notification, against twice that. */
  readonly receiveBufferBytes?: number
  /** Neighbour and FDB rows tell how old they are. */
  readonly withAges?: boolean
  /** Milliseconds a dump may take. */
  readonly dumpTimeout?: number
}

const RECEIVE_BUFFER_BYTES = 128 * 1024 * 1024
/** The kernel counts each datagram with its sk_buff and skb_shared_info, which are more than this, whatever is in it. */
const LEAST_TRUESIZE = 512
const DUMP_TIMEOUT = 30_000
/** A datagram of requests must fit the send buffer; the acknowledgements of those in flight must fit the receive buffer. */
const SEND_BYTES = 32 * 1024
const BATCH_REQUESTS = 256
const MAX_UNACKNOWLEDGED = 1024
/** Messages, and reads, before other work of the event loop gets its turn. */
const TURN_MESSAGES = 1024
const TURN_READS = 256

const GROUPS = { link: RTNLGRP.LINK, neigh: RTNLGRP.NEIGH, nexthop: RTNLGRP.NEXTHOP, vlan: RTNLGRP.BRVLAN } as const

type Settle = (outcome: Pick<Outcome, 'error' | 'interrupted'>) => void

interface Waiting {
  readonly request: NetlinkRequest
  readonly settle: Settle
}

/** Notifications were dropped, and what is older may be in the queue: how many datagrams had been read then, and which requests waited. */
interface Overrun {
  readonly at: number
  readonly unacknowledged: readonly number[]
}

export class NetlinkClient {
  readonly #socket: NetlinkSocket
  readonly #handlers: NetlinkHandlers
  readonly #dumpTimeout: number
  readonly #session: NetlinkSession
  readonly #settlers = new Map<number, Settle>()
  readonly #dumps: Waiting[] = []
  readonly #writes: Waiting[] = []
  #dumping = false
  #overruns = 0
  /** Datagrams that can wait in the queue at most. */
  readonly #mostQueued: number
  #datagrams = 0
  /** What was not told yet, and that it happened again since. */
  #overrun: Overrun | undefined
  #overrunAgain: Overrun | undefined
  #closed = false

  /**
   * Opens a socket in this thread's network namespace and starts to receive. Throws NetlinkError.
   * Each open client occupies one of libuv's worker threads (four unless UV_THREADPOOL_SIZE says otherwise): open few.
   */
  static open(options: NetlinkOptions): NetlinkClient {
    return new NetlinkClient(options)
  }

  private constructor({ groups, handlers, receiveBufferBytes = RECEIVE_BUFFER_BYTES, dumpTimeout = DUMP_TIMEOUT, withAges = false }: NetlinkOptions) {
    // Each socket is new, but its port id may have been another's; a random start keeps late replies from being taken for ours.
    this.#session = new NetlinkSession(1 + Math.floor(Math.random() * 0x7fffffff), withAges)
    this.#handlers = handlers
    this.#dumpTimeout = dumpTimeout
    // The kernel doubles what it is asked for.
    this.#mostQueued = Math.ceil(2 * receiveBufferBytes / LEAST_TRUESIZE)
    this.#socket = NetlinkSocket.open(groups.map(name => GROUPS[name]), receiveBufferBytes)
    this.#wait()
  }

  /** How often the kernel dropped messages because they were not read in time. */
  get overruns(): number {
    return this.#overruns
  }

  /**
   * Reads a whole table. Its rows go to `handlers.messages`; resolves after the last one was delivered. `interrupted`: the table changed
   * while it was read, or an overrun happened (reported to `handlers.overrun` as well): dump again. Rejects with NetlinkError.
   * The kernel runs one dump at a time on a socket: further ones wait for their turn. With `ifindex`, of the FDB that device's rows only.
   */
  dump(kind: DumpKind, ifindex?: number): Promise<{ readonly interrupted: boolean }> {
    return new Promise((resolve, reject) => {
      const settle: Settle = ({ error, interrupted }) => error === undefined ? resolve({ interrupted }) : reject(error)
      this.#dumps.push({ request: dumpRequest(kind, ifindex), settle })
      this.#nextDump()
    })
  }

  /** Writes rows, in order. One outcome per request: undefined for success. A failed one does not stop those behind it. */
  write(requests: readonly WriteRequest[]): Promise<readonly (NetlinkError | undefined)[]> {
    return this.request(requests.map(neighRequest))
  }

  /** Sends any acknowledged requests (devices, nexthops, rows), in order, with outcomes as `write`. Never rejects. */
  request(requests: readonly NetlinkRequest[]): Promise<readonly (NetlinkError | undefined)[]> {
    const outcomes = requests.map(request => new Promise<NetlinkError | undefined>(resolve => {
      this.#writes.push({ request, settle: ({ error }) => resolve(error) })
    }))
    this.#sendWrites()
    return Promise.all(outcomes)
  }

  /**
   * Reads and delivers what the kernel has queued up to now, without waiting for a turn of the event loop: who is about to write
   * knows then all that the kernel had to say. Bounded like a turn; what a storm leaves behind comes in the turns that follow.
   * Not to be called by a handler.
   */
  drain(): void {
    if (this.#closed) return
    const received: Received = { messages: [], outcomes: [] }
    const readAt = performance.now()
    let read: { readonly empty: boolean, readonly overrun: boolean }
    try {
      read = this.#read(received)
    } catch (error) {
      return this.#broken(error instanceof Error ? error : new Error(String(error)))
    }
    this.#deliver(received, read, readAt)
  }

  /** Ends everything: requests under way fail with ECANCELED, no handler is called any more, the process can exit. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
    const settlers = [...this.#settlers.values(), ...[...this.#dumps.splice(0), ...this.#writes.splice(0)].map(({ settle }) => settle)]
    this.#settlers.clear()
    for (const settle of settlers) settle({ error: failure('netlink request', constants.errno.ECANCELED), interrupted: true })
  }

  #nextDump(): void {
    if (this.#dumping) return
    const next = this.#dumps.shift()
    if (next === undefined) return
    if (this.#closed) return next.settle({ error: failure(next.request.text, constants.errno.ECANCELED), interrupted: true })
    this.#dumping = true
    const { seq, bytes } = this.#session.request(next.request)
    const timer = setTimeout(() => this.#fail(seq, failure(next.request.text, constants.errno.ETIMEDOUT)), this.#dumpTimeout)
    this.#settlers.set(seq, outcome => {
      clearTimeout(timer)
      this.#dumping = false
      next.settle(outcome)
      this.#nextDump()
    })
    this.#send([seq], bytes)
  }

  /** Sends what is queued, several requests to a datagram, while there is room for their acknowledgements. */
  #sendWrites(): void {
    while (this.#writes.length > 0 && this.#session.pending < MAX_UNACKNOWLEDGED) {
      const batch = this.#writes.splice(0, batchLength(this.#writes))
      if (this.#closed) {
        for (const { request, settle } of batch) settle({ error: failure(request.text, constants.errno.ECANCELED), interrupted: true })
        continue
      }
      const numbered = batch.map(({ request, settle }) => {
        const { seq, bytes } = this.#session.request(request)
        this.#settlers.set(seq, settle)
        return { seq, bytes }
      })
      this.#send(numbered.map(({ seq }) => seq), Buffer.concat(numbered.map(({ bytes }) => bytes)))
    }
  }

  #send(seqs: readonly number[], bytes: Buffer): void {
    try {
      this.#socket.send(bytes)
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error
      for (const seq of seqs) this.#fail(seq, error)
    }
  }

  #fail(seq: number, error: NetlinkError): void {
    this.#session.forget(seq)
    this.#settle({ seq, error, interrupted: true })
  }

  #settle(outcome: Outcome): void {
    const settle = this.#settlers.get(outcome.seq)
    this.#settlers.delete(outcome.seq)
    settle?.(outcome)
  }

  #wait(): void {
    this.#socket.wait(error => {
      if (this.#closed) return
      if (error === undefined) this.#turn()
      else this.#broken(error)
    })
  }

  /** Reads until the queue is empty or others should have their turn, delivers, and goes on waiting or reading. */
  #turn(): void {
    if (this.#closed) return
    const received: Received = { messages: [], outcomes: [] }
    const readAt = performance.now()
    let read: { readonly empty: boolean, readonly overrun: boolean }
    try {
      read = this.#read(received)
    } catch (error) {
      return this.#broken(error instanceof Error ? error : new Error(String(error)))
    }
    try {
      this.#deliver(received, read, readAt)
    } finally {
      if (this.#closed) { /* closed by a handler */ }
      else if (read.empty) this.#wait()
      else setImmediate(() => this.#turn())
    }
  }

  #read(received: Received): { readonly empty: boolean, readonly overrun: boolean } {
    let overrun = false
    for (let reads = 0; reads < TURN_READS && received.messages.length < TURN_MESSAGES; reads++) {
      const result = this.#socket.read(datagram => {
        this.#datagrams++
        this.#session.receive(datagram, received)
      })
      if (result === 'overrun') {
        overrun = true
        this.#session.overrun()
      }
      if (result === 'empty') {
        this.#session.drained(received)
        return { empty: true, overrun }
      }
    }
    return { empty: false, overrun }
  }

  #deliver(received: Received, { empty, overrun }: { readonly empty: boolean, readonly overrun: boolean }, readAt: number): void {
    if (received.messages.length > 0) this.#handlers.messages(received.messages, readAt)
    if (overrun) {
      const now = { at: this.#datagrams, unacknowledged: this.#session.unacknowledged }
      if (this.#overrun === undefined) this.#overrun = now
      else this.#overrunAgain = now
    }
    this.#tellOverrun(empty, received)
    for (const outcome of received.outcomes) this.#settle(outcome)
    this.#sendWrites()
  }

  #tellOverrun(isEmpty: boolean, into: Received): void {
    if (this.#overrun === undefined || this.#closed) return
    if (!isEmpty && this.#datagrams - this.#overrun.at < this.#mostQueued) return
    this.#session.passed(this.#overrun.unacknowledged, into)
    this.#overrun = isEmpty ? undefined : this.#overrunAgain
    this.#overrunAgain = undefined
    this.#overruns++
    this.#handlers.overrun()
  }

  #broken(error: Error): void {
    this.close()
    this.#handlers.failed?.(error)
  }
}

function failure(request: string, errno: number): NetlinkError {
  return new NetlinkError({ request, errno })
}

/** How many of the queued requests go into the next datagram. */
function batchLength(queue: readonly Waiting[]): number {
  let bytes = 0
  let count = 0
  for (const { request } of queue) {
    bytes += MESSAGE_HEADER_BYTES + align4(request.payload.length)
    if (count > 0 && (bytes > SEND_BYTES || count === BATCH_REQUESTS)) break
    count++
  }
  return count
}
