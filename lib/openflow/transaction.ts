// One batch of changes under way: which messages to send with which transaction ids, and what the answers mean.
import { BUNDLE, decodeBundleControl, encodeBundleAdd, encodeBundleControl } from './bundle.js'
import { decodeError, type SwitchError } from './errors.js'
import { encodeMessage, OFPT, type Message } from './message.js'

/** What the switch said about one message of a batch. */
export interface ApplyError extends SwitchError {
  /** Place of the message in the batch; -1 = the bundle as a whole. */
  readonly index: number
}

export interface ApplyResult {
  /** False: a bundle failed and nothing of it was applied. True: everything was, except what `errors` names. */
  readonly applied: boolean
  readonly errors: readonly ApplyError[]
}

/** A batch: its messages, what an answer makes of it, and how many transaction ids it takes from `firstXid` on. */
export interface Transaction {
  readonly firstXid: number
  readonly xids: number
  /** Messages to send now, made one by one as the connection takes them. */
  start(): Iterable<Buffer>
  /** Takes an answer with one of the batch's ids; gives what to send next, or the result. */
  answer(message: Message): { readonly send?: Buffer; readonly result?: ApplyResult }
}

/** The messages one after the other, then a barrier: when it is answered, so is everything before it. */
export class Plain implements Transaction {
  readonly xids: number
  readonly #errors: ApplyError[] = []

  constructor(readonly firstXid: number, private readonly mods: readonly Buffer[]) {
    this.xids = mods.length + 1
  }

  *start(): Iterable<Buffer> {
    for (const [index, mod] of this.mods.entries()) {
      const bytes = Buffer.from(mod)
      bytes.writeUInt32BE(this.firstXid + index, 4)
      yield bytes
    }
    yield encodeMessage(OFPT.barrier_request, this.firstXid + this.mods.length)
  }

  answer(message: Message): { result?: ApplyResult } {
    if (message.type === OFPT.barrier_reply) return { result: { applied: true, errors: this.#errors } }
    if (message.type === OFPT.error) this.#errors.push({ index: message.xid - this.firstXid, ...decodeError(message.body) })
    return {}
  }
}

/**
 * A bundle: open, add each, close, then commit or discard. Open vSwitch answers a message it cannot even decode when it is added,
 * but would commit the others all the same: so the answer to the close is waited for before committing.
 */
export class Bundle implements Transaction {
  readonly xids: number
  readonly #errors: ApplyError[] = []

  constructor(readonly firstXid: number, private readonly bundleId: number, private readonly mods: readonly Buffer[]) {
    this.xids = mods.length + 3
  }

  *start(): Iterable<Buffer> {
    yield encodeBundleControl(this.firstXid, this.bundleId, BUNDLE.open_request)
    for (const [index, mod] of this.mods.entries()) yield encodeBundleAdd(this.firstXid + 1 + index, this.bundleId, mod)
    yield encodeBundleControl(this.#closeXid, this.bundleId, BUNDLE.close_request)
  }

  answer(message: Message): { send?: Buffer; result?: ApplyResult } {
    if (message.type === OFPT.error) this.#note(message)
    else if (message.type !== OFPT.bundle_control) return {}
    if (message.xid === this.#closeXid) return { send: this.#conclude() }
    if (message.xid !== this.#closeXid + 1) return {}
    const isCommitted = message.type === OFPT.bundle_control && decodeBundleControl(message.body).type === BUNDLE.commit_reply
    return { result: { applied: isCommitted, errors: this.#errors } }
  }

  get #closeXid(): number {
    return this.firstXid + this.mods.length + 1
  }

  #conclude(): Buffer {
    const type = this.#errors.length === 0 ? BUNDLE.commit_request : BUNDLE.discard_request
    return encodeBundleControl(this.#closeXid + 1, this.bundleId, type)
  }

  /** The errors that follow from a named culprit (OFPBFC_MSG_FAILED on commit) say nothing more. */
  #note(message: Message): void {
    const position = message.xid - this.firstXid - 1
    const isAdd = position >= 0 && position < this.mods.length
    if (isAdd || this.#errors.length === 0) this.#errors.push({ index: isAdd ? position : -1, ...decodeError(message.body) })
  }
}
