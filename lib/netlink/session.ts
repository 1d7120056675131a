// The protocol between us and rtnetlink without a socket: numbers requests, tells replies from notifications, knows when a dump has
// ended and what each request's outcome is. Bytes in, messages and outcomes out.
import { constants } from 'node:os'
import { AddressCache } from '../net/address-cache.js'
import { NLM_F, NLMSG } from './constants.js'
import { NetlinkDecodeError, NetlinkError } from './error.js'
import { decodeMessage, encodeFrame, frames, type Frame, type RtMessage } from './message.js'
import { decodeReply } from './reply.js'
import type { DecodeOptions } from './neigh.js'
import type { NetlinkRequest } from './request.js'

/** How a request ended. */
export interface Outcome {
  readonly seq: number
  readonly error?: NetlinkError
  /** Dumps only: the table changed underneath (NLM_F_DUMP_INTR), or notifications were lost meanwhile: its rows may miss some. */
  readonly interrupted: boolean
}

/** What datagrams brought, in the kernel's order. Dump rows stand among the notifications as they came. */
export interface Received {
  readonly messages: RtMessage[]
  readonly outcomes: Outcome[]
}

interface Pending {
  readonly text: string
  readonly dump: boolean
  interrupted: boolean
}

export class NetlinkSession {
  readonly #pending = new Map<number, Pending>()
  readonly #decode: DecodeOptions
  #seq: number
  #overrun = false

  /** `firstSeq`: replies to an earlier session on the same socket must not be taken for ours. `withAges`: neighbour and FDB rows have theirs. */
  constructor(firstSeq = 1, withAges = false) {
    this.#seq = firstSeq
    this.#decode = { withAges, addresses: new AddressCache() }
  }

  /** Requests whose outcome is not known yet. */
  get pending(): number {
    return this.#pending.size
  }

  /** Numbers a request; it is pending from now on. Dumps end with NLMSG_DONE, all others ask for an acknowledgement. */
  request(request: NetlinkRequest): { readonly seq: number, readonly bytes: Buffer } {
    const dump = (request.flags & NLM_F.DUMP) === NLM_F.DUMP && isGet(request.type)
    const seq = this.#nextSeq()
    this.#pending.set(seq, { text: request.text, dump, interrupted: false })
    const flags = request.flags | NLM_F.REQUEST | (dump ? 0 : NLM_F.ACK)
    return { seq, bytes: encodeFrame({ type: request.type, flags, seq }, request.payload) }
  }

  /** Drops a request that was not sent, or is waited for no longer; what still comes in reply has no outcome. */
  forget(seq: number): void {
    this.#pending.delete(seq)
  }

  /** Takes one datagram. Never throws for what the bytes are: broken ones become `malformed` messages. */
  receive(datagram: Buffer, into: Received): void {
    try {
      for (const frame of frames(datagram)) this.#frame(datagram, frame, into)
    } catch (error) {
      if (!(error instanceof NetlinkDecodeError)) throw error
      into.messages.push({ kind: 'malformed', type: 0, error: error.message })
    }
  }

  /** The socket lost messages (ENOBUFS): dumps under way may miss rows that changed meanwhile. */
  overrun(): void {
    this.#overrun = true
    for (const pending of this.#pending.values()) pending.interrupted = true
  }

  /**
   * The socket's queue is empty. rtnetlink acknowledges within send(2), so after an overrun an acknowledgement still missing now
   * was lost, and the request's outcome is unknown. Dumps go on: the kernel sends their next part when the last one was read.
   */
  drained(into: Received): void {
    if (!this.#overrun) return
    this.#overrun = false
    this.passed(this.unacknowledged, into)
  }

  /** Requests that wait for an acknowledgement. */
  get unacknowledged(): readonly number[] {
    return [...this.#pending].flatMap(([seq, { dump }]) => dump ? [] : [seq])
  }

  /** All that was queued when an overrun was noticed is read: those of the requests sent before it that still wait have lost their acknowledgement. */
  passed(seqs: readonly number[], into: Received): void {
    for (const seq of seqs) {
      const pending = this.#pending.get(seq)
      if (pending !== undefined) this.#lost(seq, pending, into)
    }
  }

  #lost(seq: number, { text }: Pending, into: Received): void {
    const error = new NetlinkError({ request: text, errno: constants.errno.ENOBUFS, extack: 'acknowledgement lost, outcome unknown' })
    this.#settle(seq, { seq, error, interrupted: true }, into)
  }

  #frame(datagram: Buffer, frame: Frame, into: Received): void {
    switch (frame.type) {
      case NLMSG.NOOP: return
      case NLMSG.OVERRUN: this.overrun(); return
      case NLMSG.ERROR:
      case NLMSG.DONE: this.#reply(datagram, frame, into); return
      default:
        if ((frame.flags & NLM_F.DUMP_INTR) !== 0) this.#interrupted(frame.seq)
        into.messages.push(this.#message(datagram, frame))
    }
  }

  #message(datagram: Buffer, frame: Frame): RtMessage {
    const message = decodeMessage(frame.type, datagram, frame.start, frame.end, this.#decode)
    return message.kind === 'malformed' && this.#pending.has(frame.seq) ? { ...message, isReply: true } : message
  }

  #reply(datagram: Buffer, frame: Frame, into: Received): void {
    const pending = this.#pending.get(frame.seq)
    if (pending === undefined) return
    if ((frame.flags & NLM_F.DUMP_INTR) !== 0) pending.interrupted = true
    const error = replyError(datagram, frame, pending.text)
    // A dump is over when it says so; an acknowledgement of success would only say that it began.
    if (pending.dump && frame.type === NLMSG.ERROR && error === undefined) return
    this.#settle(frame.seq, { seq: frame.seq, interrupted: pending.interrupted, ...error === undefined ? {} : { error } }, into)
  }

  #interrupted(seq: number): void {
    const pending = this.#pending.get(seq)
    if (pending?.dump === true) pending.interrupted = true
  }

  #settle(seq: number, outcome: Outcome, into: Received): void {
    this.#pending.delete(seq)
    into.outcomes.push(outcome)
  }

  /** 1..2^32-1: notifications carry 0. */
  #nextSeq(): number {
    const seq = this.#seq
    this.#seq = seq === 0xffffffff ? 1 : seq + 1
    return seq
  }
}

/** A reply that makes no sense ends its request all the same: nothing else will. */
function replyError(datagram: Buffer, frame: Frame, request: string): NetlinkError | undefined {
  try {
    return decodeReply(datagram, frame, request)
  } catch (error) {
    if (!(error instanceof NetlinkDecodeError)) throw error
    return new NetlinkError({ request, errno: constants.errno.EBADMSG, extack: error.message })
  }
}

/** rtnetlink types come in fours: NEW, DEL, GET, SET. NLM_F_DUMP means a dump in GET only (else REPLACE|EXCL). */
function isGet(type: number): boolean {
  return (type & 3) === 2
}
