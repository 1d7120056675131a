// Reading what came over the wire: the one error every decoder of this folder raises, and a bounds-checked position.

/** The bytes are no valid OpenFlow. The only error a decoder of this folder raises, whatever the bytes. */
export class OpenFlowDecodeError extends Error {
  override readonly name = 'OpenFlowDecodeError'
}

/** A position in received bytes. Every read is checked against the end; all integers are big-endian. */
export class Cursor {
  constructor(
    private readonly bytes: Buffer,
    /** What is being read, for the error message: `flow_mod`, `bucket`. */
    private readonly what: string,
    public offset = 0,
    private readonly end = bytes.length
  ) {}

  /** Bytes not yet read. */
  get left(): number {
    return this.end - this.offset
  }

  u8(): number {
    return this.bytes.readUInt8(this.advance(1))
  }

  u16(): number {
    return this.bytes.readUInt16BE(this.advance(2))
  }

  u32(): number {
    return this.bytes.readUInt32BE(this.advance(4))
  }

  u64(): bigint {
    return this.bytes.readBigUInt64BE(this.advance(8))
  }

  skip(length: number): void {
    this.advance(length)
  }

  /** The next `length` bytes: a view, not a copy. */
  take(length: number): Buffer {
    const start = this.advance(length)
    return this.bytes.subarray(start, start + length)
  }

  /** All that is left: a view, not a copy. */
  rest(): Buffer {
    return this.take(this.left)
  }

  /** A cursor over the next `length` bytes only. */
  inner(length: number, what = this.what): Cursor {
    const start = this.advance(length)
    return new Cursor(this.bytes, what, start, start + length)
  }

  fail(why: string): never {
    throw new OpenFlowDecodeError(`${this.what}: ${why}, at byte ${this.offset}`)
  }

  private advance(length: number): number {
    if (length < 0 || length > this.left) this.fail(`needs ${length} bytes, ${this.left} are left`)
    const start = this.offset
    this.offset += length
    return start
  }
}

/** `length` rounded up to a multiple of 8, the alignment of everything in OpenFlow 1.5. */
export function pad8(length: number): number {
  return (length + 7) & ~7
}

/** Cuts entries out of a list whose entries begin with (or carry at `lengthOffset`) their own 16-bit length. */
export function takeEntries(bytes: Buffer, what: string, minimum: number, lengthOffset = 0): Buffer[] {
  const entries: Buffer[] = []
  let offset = 0
  while (offset < bytes.length) {
    if (bytes.length - offset < minimum) throw new OpenFlowDecodeError(`${what}: ${bytes.length - offset} stray bytes after the last entry`)
    const length = bytes.readUInt16BE(offset + lengthOffset)
    if (length < minimum || length > bytes.length - offset) {
      throw new OpenFlowDecodeError(`${what}: an entry of ${length} bytes, at least ${minimum} and at most ${bytes.length - offset} can be`)
    }
    entries.push(bytes.subarray(offset, offset + length))
    offset += length
  }
  return entries
}
