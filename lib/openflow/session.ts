// One OpenFlow connection without I/O: bytes in, events out; the bytes to send are fetched with output(). Time is passed in.
import { OpenFlowDecodeError } from './decode.js'
import { decodeError, helloFailedText } from './errors.js'
import { decodeFlowUpdates, type FlowUpdate } from './flow-monitor.js'
import { decodeFeatures, decodeHello, encodeHello, encodeSetAsync, type Features } from './handshake.js'
import { encodeMessage, Framer, OFPT, VERSION, type Message } from './message.js'
import { decodeMultipart, encodeMultipart, OFPMP } from './multipart.js'
import { decodePacketIn, encodeSetControllerId, encodeSetPacketInFormat, type PacketIn } from './packet-in.js'
import { decodePortStatus, type PortDesc, type PortStatusReason } from './port.js'
import { decodeRequestForward, type RequestForward } from './request-forward.js'
import { Bundle, Plain, type ApplyResult, type Transaction } from './transaction.js'

export type SessionEvent =
  | { readonly kind: 'up'; readonly features: Features }
  /** The connection is of no more use and is to be closed. */
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'port_status'; readonly reason: PortStatusReason; readonly port: PortDesc }
  | { readonly kind: 'packet_in'; readonly packetIn: PacketIn }
  | { readonly kind: 'flow_updates'; readonly updates: readonly FlowUpdate[] }
  | { readonly kind: 'request_forward'; readonly request: RequestForward }
  | { readonly kind: 'applied'; readonly id: number; readonly result: ApplyResult }
  /** All entries of a multipart request. */
  | { readonly kind: 'entries'; readonly id: number; readonly entries: readonly unknown[] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Error }
  /** A message that came unasked and cannot be decoded: what it would have said is lost. */
  | { readonly kind: 'malformed'; readonly error: OpenFlowDecodeError; readonly message: Message }
  /** Any other message that came unasked. */
  | { readonly kind: 'message'; readonly message: Message }

interface Request {
  readonly type: number
  readonly decode: (body: Buffer) => readonly unknown[]
  readonly entries: unknown[]
  /** Received so far. */
  bytes: number
}

/** All replies to one request; a million flows have a fraction of it. A reply without end is not worth our memory. */
export const MAX_REPLY_BYTES = 1 << 29
/** Answers to echo requests that wait to be sent: a switch that asks on and on, and does not read, is given up. */
export const MAX_URGENT_BYTES = 1 << 22

/** Silence after which the switch is asked whether it is there, and how long it may take to answer, in ms. */
export const PROBE_MS = 5000
/** How long it may take while it works on something of ours: committing 500,000 flows takes it many seconds. */
export const BUSY_MS = 60_000

/** Messages that wait to be sent before the connection is up; the handshake has five. */
const MAX_GREETINGS = 100

export class OpenFlowSession {
  readonly #framer = new Framer()
  readonly #urgent: Buffer[] = []
  readonly #queue: Iterator<Buffer>[] = []
  readonly #requests = new Map<number, Request>()
  readonly #transactions = new Map<number, Transaction>()
  #nextXid = 1
  #nextBundle = 1
  #isGreeted = false
  #isUp = false
  #isDown = false
  #heardAt: number
  #probedAt: number | undefined
  readonly #controllerId: number

  /** controllerId: packets of controller actions with this id are meant for this connection. */
  constructor(now: number, controllerId = 0) {
    this.#controllerId = controllerId
    this.#heardAt = now
    this.#send(encodeHello(this.#takeXids(1)))
  }

  /** True from the features reply to the end of the connection. */
  get isUp(): boolean {
    return this.#isUp && !this.#isDown
  }

  /** Takes bytes as they arrive, in any pieces. */
  receive(chunk: Buffer, now: number): SessionEvent[] {
    if (this.#isDown) return []
    this.#heardAt = now
    this.#probedAt = undefined
    try {
      return this.#framer.receive(chunk).flatMap((message) => (this.#isDown ? [] : this.#handle(message)))
    } catch (error) {
      if (error instanceof OpenFlowDecodeError) return this.#fail(error.message)
      throw error
    }
  }

  /** To be called about once a second: asks a silent switch for a sign of life, gives up on one that does not answer. */
  tick(now: number): SessionEvent[] {
    if (this.#isDown) return []
    if (this.#probedAt !== undefined) {
      const patience = this.#requests.size + this.#transactions.size > 0 ? BUSY_MS : PROBE_MS
      const silence = now - this.#probedAt
      return silence < patience ? [] : this.#fail(`no answer to an echo request for ${Math.round(silence / 1000)} s`)
    }
    if (now - this.#heardAt < PROBE_MS) return []
    this.#probedAt = now
    this.#urgent.push(encodeMessage(OFPT.echo_request, this.#takeXids(1)))
    return []
  }

  /** About `limit` bytes of whole messages to send next, or undefined. Messages are made only now: a batch waits unencoded. */
  output(limit: number): Buffer | undefined {
    const parts = this.#urgent.splice(0)
    let size = parts.reduce((sum, part) => sum + part.length, 0)
    while (size < limit) {
      const next = this.#queue[0]?.next()
      if (next === undefined) break
      if (next.done) this.#queue.shift()
      else size += parts[parts.push(next.value) - 1]?.length ?? 0
    }
    return parts.length === 0 ? undefined : Buffer.concat(parts, size)
  }

  /**
   * Starts a multipart request; `decode` is applied to each reply. Ends with the event `entries` or `failed` of that id.
   * A barrier follows, with the next transaction id: Open vSwitch 3.1 answers some refused flow monitors with an error whose header
   * is garbage, and would leave them waiting for ever.
   */
  request(type: number, body: Buffer, decode: (body: Buffer) => readonly unknown[]): number {
    const xid = this.#takeXids(2)
    this.#requests.set(xid, { type, decode, entries: [], bytes: 0 })
    this.#send(encodeMessage(OFPT.multipart_request, xid, encodeMultipart(type, body)))
    this.#send(encodeMessage(OFPT.barrier_request, xid + 1))
    return xid
  }

  /** Sends whole messages (encodeFlowMod and the like). Ends with the event `applied` of that id. */
  apply(mods: readonly Buffer[], isBundle: boolean): number {
    const xid = this.#takeXids(mods.length + 3)
    const transaction = isBundle ? new Bundle(xid, this.#nextBundle++, mods) : new Plain(xid, mods)
    this.#transactions.set(xid, transaction)
    this.#queue.push(transaction.start()[Symbol.iterator]())
    return xid
  }

  #send(message: Buffer): void {
    this.#queue.push([message][Symbol.iterator]())
  }

  /** Transaction ids in a row; they start again at 1 well before 32 bits are used up. 0 is what updates nobody asked for carry. */
  #takeXids(count: number): number {
    if (this.#nextXid + count > 0xffffffff) this.#nextXid = 1
    const xid = this.#nextXid
    this.#nextXid += count
    return xid
  }

  #fail(reason: string): SessionEvent[] {
    this.#isDown = true
    return [{ kind: 'down', reason }]
  }

  #handle(message: Message): SessionEvent[] {
    if (!this.#isUp) return this.#handshake(message)
    const request = this.#requests.get(message.xid)
    if (request) return this.#answerRequest(message, request)
    const transaction = this.#transactionOf(message.xid)
    if (transaction) return this.#answerTransaction(message, transaction)
    try {
      return this.#handleUnasked(message)
    } catch (error) {
      if (error instanceof OpenFlowDecodeError) return [{ kind: 'malformed', error, message }]
      throw error
    }
  }

  #handleUnasked(message: Message): SessionEvent[] {
    switch (message.type) {
      case OFPT.echo_request:
        return this.#echo(message)
      case OFPT.echo_reply:
        return []
      case OFPT.barrier_reply:
        return this.#requests.delete(message.xid - 1) ? [{ kind: 'failed', id: message.xid - 1, error: new Error(NO_ANSWER) }] : []
      case OFPT.port_status:
        return [{ kind: 'port_status', ...decodePortStatus(message.body) }]
      case OFPT.requestforward:
        return [{ kind: 'request_forward', request: decodeRequestForward(message.body) }]
      case OFPT.experimenter: {
        const packetIn = decodePacketIn(message.body)
        return packetIn === undefined ? [{ kind: 'message', message }] : [{ kind: 'packet_in', packetIn }]
      }
      case OFPT.multipart_reply: {
        const { type, body } = decodeMultipart(message.body)
        return type === OFPMP.flow_monitor ? [{ kind: 'flow_updates', updates: decodeFlowUpdates(body) }] : [{ kind: 'message', message }]
      }
      default:
        return [{ kind: 'message', message }]
    }
  }

  /**
   * hello, get_config, then what unasked messages are wanted and in which form, set_config, features. The order matters: a switch sends
   * nothing unasked to a service connection until set_config gave a non-zero miss_send_len, and by then it knows what we want.
   */
  #handshake(message: Message): SessionEvent[] {
    if (this.#queue.length > MAX_GREETINGS) return this.#fail('the switch begins the handshake again and again')
    switch (message.type) {
      case OFPT.hello:
        this.#isGreeted = true
        if (!decodeHello(message.bytes).includes(VERSION)) return this.#fail(NO_COMMON_VERSION)
        this.#send(encodeMessage(OFPT.get_config_request, this.#takeXids(1)))
        return []
      case OFPT.get_config_reply:
        this.#send(encodeSetAsync(this.#takeXids(1)))
        this.#send(encodeSetPacketInFormat(this.#takeXids(1)))
        this.#send(encodeSetControllerId(this.#takeXids(1), this.#controllerId))
        this.#send(encodeMessage(OFPT.set_config, this.#takeXids(1), message.body.subarray(0, 2), Buffer.from([0xff, 0xff])))
        this.#send(encodeMessage(OFPT.features_request, this.#takeXids(1)))
        return []
      case OFPT.features_reply:
        this.#isUp = true
        return [{ kind: 'up', features: decodeFeatures(message.body) }]
      case OFPT.error:
        return this.#fail(this.#isGreeted ? `the switch refused the handshake: ${decodeError(message.body).name}` : refusal(message.body))
      case OFPT.echo_request:
        return this.#echo(message)
      default:
        return []
    }
  }

  #echo({ xid, body }: Message): SessionEvent[] {
    this.#urgent.push(encodeMessage(OFPT.echo_reply, xid, body))
    const waiting = this.#urgent.reduce((sum, bytes) => sum + bytes.length, 0)
    return waiting > MAX_URGENT_BYTES ? this.#fail('the switch asks on and on, and does not read our answers') : []
  }

  #answerRequest(message: Message, request: Request): SessionEvent[] {
    try {
      if (message.type === OFPT.error) throw new Error(`the switch refused the request: ${decodeError(message.body).name}`)
      if (message.type !== OFPT.multipart_reply) return []
      const { type, more, body } = decodeMultipart(message.body)
      if (type !== request.type) throw new OpenFlowDecodeError(`multipart: reply of type ${type} to a request of type ${request.type}`)
      request.bytes += body.length
      if (request.bytes > MAX_REPLY_BYTES) throw new OpenFlowDecodeError(`multipart: a reply of more than ${MAX_REPLY_BYTES} bytes`)
      for (const entry of request.decode(body)) request.entries.push(entry)
      if (more) return []
      this.#requests.delete(message.xid)
      return [{ kind: 'entries', id: message.xid, entries: request.entries }]
    } catch (error) {
      this.#requests.delete(message.xid)
      return [{ kind: 'failed', id: message.xid, error: error instanceof Error ? error : new Error(String(error)) }]
    }
  }

  #transactionOf(xid: number): Transaction | undefined {
    for (const transaction of this.#transactions.values()) {
      if (xid >= transaction.firstXid && xid < transaction.firstXid + transaction.xids) return transaction
    }
    return undefined
  }

  #answerTransaction(message: Message, transaction: Transaction): SessionEvent[] {
    const { send, result } = transaction.answer(message)
    if (send) this.#send(send)
    if (!result) return []
    this.#transactions.delete(transaction.firstXid)
    return [{ kind: 'applied', id: transaction.firstXid, result }]
  }
}

const NO_ANSWER = 'the switch refused the request without saying why'
const NO_COMMON_VERSION = 'the bridge does not speak OpenFlow 1.5; add OpenFlow15 to its protocols column, or clear that column'

function refusal(body: Buffer): string {
  const text = helloFailedText(body)
  return text === '' ? `the switch refused the connection: ${decodeError(body).name}` : `${NO_COMMON_VERSION} (${text})`
}
