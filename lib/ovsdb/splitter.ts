// Framing: JSON-RPC over a stream has no lengths or separators (RFC 7047 section 4), so a message ends where its braces balance.
// Scans each byte once. Works on bytes: in UTF-8 the bytes of " \ { } [ ] never occur inside another character, so a character
// split between two reads needs no care until the message is complete.
import { OvsdbError, protocolError } from './error.js'

/** Bytes one message may have. The size is never taken from the peer: memory grows with what has arrived. */
export const MAX_MESSAGE_BYTES = 256 * 1024 * 1024

/** Nesting one message may have, the same as ovsdb-server's own limit (JSON_MAX_HEIGHT). Recursion over a message is then safe. */
export const MAX_DEPTH = 1000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const BLANKS: readonly number[] = [0x20, 0x09, 0x0a, 0x0d]

export class JsonSplitter {
  readonly #limit: number
  #pending: Buffer = Buffer.alloc(0)
  #length = 0
  #depth = 0
  #inString = false
  #escaped = false

  constructor(limit = MAX_MESSAGE_BYTES) {
    this.#limit = limit
  }

  /** True between two messages. */
  get idle(): boolean {
    return this.#depth === 0
  }

  /** The messages that these bytes complete, in order. Throws OvsdbError at the first one that is no JSON object; stop then. */
  * push(chunk: Uint8Array): Generator<unknown, void, void> {
    let start = 0
    while (start < chunk.length) {
      if (this.#depth === 0) {
        start = skipBlanks(chunk, start)
        if (start === chunk.length) return
        if (chunk[start] !== OPEN_BRACE) throw protocolError(`expected a JSON object, got byte 0x${chunk[start]?.toString(16)}`)
      }
      const end = this.#scan(chunk, start)
      const part = chunk.subarray(start, end)
      start = end
      if (this.#length + part.length > this.#limit) throw protocolError(`a message of more than ${this.#limit} bytes`)
      if (this.#depth > 0) this.#keep(part)
      else yield parseMessage(this.#complete(part))
    }
  }

  /** Index after the byte that closes the message, or the end of the chunk. */
  #scan(chunk: Uint8Array, start: number): number {
    let depth = this.#depth
    let inString = this.#inString
    let escaped = this.#escaped
    let index = start
    while (index < chunk.length) {
      const byte = chunk[index++]
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) {
        inString = true
      } else if (byte === OPEN_BRACE || byte === 0x5b) {
        if (++depth > MAX_DEPTH) throw protocolError(`a message nested deeper than ${MAX_DEPTH}`)
      } else if (byte === 0x7d || byte === 0x5d) {
        if (--depth === 0) break
      }
    }
    this.#depth = depth
    this.#inString = inString
    this.#escaped = escaped
    return index
  }

  /** Appends to the message in progress; the room doubles, so that many small reads stay linear. */
  #keep(part: Uint8Array): void {
    const needed = this.#length + part.length
    if (needed > this.#pending.length) {
      const room = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * this.#pending.length, this.#limit), 4096))
      this.#pending.copy(room, 0, 0, this.#length)
      this.#pending = room
    }
    this.#pending.set(part, this.#length)
    this.#length = needed
  }

  #complete(part: Uint8Array): Uint8Array {
    if (this.#length === 0) return part
    this.#keep(part)
    const message = this.#pending.subarray(0, this.#length)
    this.#pending = Buffer.alloc(0)
    this.#length = 0
    return message
  }
}

function skipBlanks(chunk: Uint8Array, start: number): number {
  let index = start
  while (index < chunk.length && BLANKS.includes(chunk[index] ?? 0)) index++
  return index
}

function parseMessage(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    throw new OvsdbError('protocol', `a message that is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
