// The frame of every OpenFlow message: version, type, length, transaction id (OpenFlow 1.5.1 section 7.1).
import { OpenFlowDecodeError } from './decode.js'

/** OpenFlow 1.5. */
export const VERSION = 6

export const HEADER_BYTES = 8

/** A message's length field has 16 bits. */
export const MAX_MESSAGE_BYTES = 0xffff

/** OFPT_*. */
export const OFPT = {
  hello: 0,
  error: 1,
  echo_request: 2,
  echo_reply: 3,
  experimenter: 4,
  features_request: 5,
  features_reply: 6,
  get_config_request: 7,
  get_config_reply: 8,
  set_config: 9,
  packet_in: 10,
  flow_removed: 11,
  port_status: 12,
  packet_out: 13,
  flow_mod: 14,
  group_mod: 15,
  multipart_request: 18,
  multipart_reply: 19,
  barrier_request: 20,
  barrier_reply: 21,
  set_async: 28,
  meter_mod: 29,
  requestforward: 32,
  bundle_control: 33,
  bundle_add_message: 34
} as const

/** One message. `bytes` is all of it, `body` what follows the header; both are views of what was received. */
export interface Message {
  readonly version: number
  readonly type: number
  readonly xid: number
  readonly body: Buffer
  readonly bytes: Buffer
}

/** A whole message. Throws RangeError above 65,535 bytes. */
export function encodeMessage(type: number, xid: number, ...body: readonly Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, HEADER_BYTES)
  if (length > MAX_MESSAGE_BYTES) throw new RangeError(`an OpenFlow message has at most ${MAX_MESSAGE_BYTES} bytes, not ${length}`)
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt8(VERSION, 0)
  bytes.writeUInt8(type, 1)
  bytes.writeUInt16BE(length, 2)
  bytes.writeUInt32BE(xid, 4)
  let offset = HEADER_BYTES
  for (const part of body) offset += part.copy(bytes, offset)
  return bytes
}

/** Takes one whole message apart. Throws OpenFlowDecodeError when the bytes are not exactly one message. */
export function decodeMessage(bytes: Buffer): Message {
  const length = bytes.length < HEADER_BYTES ? HEADER_BYTES : bytes.readUInt16BE(2)
  if (length !== bytes.length) throw new OpenFlowDecodeError(`message: ${bytes.length} bytes, its header says ${length}`)
  return {
    version: bytes.readUInt8(0),
    type: bytes.readUInt8(1),
    xid: bytes.readUInt32BE(4),
    body: bytes.subarray(HEADER_BYTES),
    bytes
  }
}

/** Cuts messages out of a byte stream that arrives in any pieces. Holds only what has arrived. */
export class Framer {
  private chunks: Buffer[] = []
  private held = 0

  /** Whole messages that are complete now. Throws OpenFlowDecodeError on a length below 8: the stream cannot be followed any more. */
  receive(chunk: Buffer): Message[] {
    this.chunks.push(chunk)
    this.held += chunk.length
    const messages: Message[] = []
    if (this.held < this.wanted()) return messages
    let bytes = this.chunks.length === 1 ? this.chunks[0] ?? chunk : Buffer.concat(this.chunks)
    this.chunks = []
    this.held = 0
    while (bytes.length >= HEADER_BYTES) {
      const length = messageLength(bytes)
      if (bytes.length < length) break
      messages.push(decodeMessage(bytes.subarray(0, length)))
      bytes = bytes.subarray(length)
    }
    if (bytes.length > 0) this.chunks = [bytes]
    this.held = bytes.length
    return messages
  }

  /** Bytes needed before there is anything to cut. */
  private wanted(): number {
    if (this.held < HEADER_BYTES) return HEADER_BYTES
    // Once only: a switch that sends byte by byte must not make us copy what we hold with every byte.
    if ((this.chunks[0]?.length ?? 0) < HEADER_BYTES) this.chunks = [Buffer.concat(this.chunks)]
    const [first] = this.chunks
    return first === undefined ? HEADER_BYTES : messageLength(first)
  }
}

function messageLength(bytes: Buffer): number {
  const length = bytes.readUInt16BE(2)
  if (length < HEADER_BYTES) throw new OpenFlowDecodeError(`message: a length of ${length} bytes, the header alone has ${HEADER_BYTES}`)
  return length
}
