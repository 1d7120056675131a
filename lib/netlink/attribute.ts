// Netlink attributes (struct nlattr): reading with bounds, writing with padding, and tables that bind an attribute to a row's field,
// so that one line states a fact for decoder and encoder alike. Byte order is in each codec's name: `host` or `net`.
import { endianness } from 'node:os'
import type { AddressCache } from '../net/address-cache.js'
import { ipToBytes, ipFromBytes, type Ip } from '../net/ip.js'
import { macFromBytes, macToBytes, type Mac } from '../net/mac.js'
import { NLA } from './constants.js'
import { NetlinkDecodeError } from './error.js'

const LITTLE = endianness() === 'LE'

export const ATTRIBUTE_HEADER_BYTES = 4

/** The next multiple of 4, which netlink aligns messages and attributes to. */
export function align4(length: number): number {
  return (length + 3) & ~3
}

export function readHostU16(data: Buffer, at: number): number {
  return LITTLE ? data.readUInt16LE(at) : data.readUInt16BE(at)
}

export function readHostU32(data: Buffer, at: number): number {
  return LITTLE ? data.readUInt32LE(at) : data.readUInt32BE(at)
}

export function writeHostU16(data: Buffer, value: number, at: number): void {
  if (LITTLE) data.writeUInt16LE(value, at)
  else data.writeUInt16BE(value, at)
}

export function writeHostU32(data: Buffer, value: number, at: number): void {
  if (LITTLE) data.writeUInt32LE(value, at)
  else data.writeUInt32BE(value, at)
}

/** Walks the attributes in data[start, end) without allocating: `next()` moves on and sets `type`, `start` and `end` of the payload. */
export class AttributeReader {
  type = 0
  start = 0
  end = 0
  #next: number

  constructor(readonly data: Buffer, start: number, readonly limit: number, readonly path: string, readonly addresses?: AddressCache) {
    this.#next = start
  }

  /** False at the end. Throws NetlinkDecodeError when a length leaves the range. */
  next(): boolean {
    const at = this.#next
    if (at >= this.limit) return false
    if (this.limit - at < ATTRIBUTE_HEADER_BYTES) throw this.error(`${this.limit - at} bytes left where an attribute should begin`, at)
    const length = readHostU16(this.data, at)
    this.type = readHostU16(this.data, at + 2) & NLA.TYPE_MASK
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > this.limit) {
      throw this.error(`attribute ${this.type} claims ${length} bytes of ${this.limit - at}`, at)
    }
    this.start = at + ATTRIBUTE_HEADER_BYTES
    this.end = at + length
    this.#next = at + align4(length)
    return true
  }

  /** A reader for the attributes nested in the present one. */
  nested(name: string): AttributeReader {
    return new AttributeReader(this.data, this.start, this.end, `${this.path}.${name}`, this.addresses)
  }

  error(problem: string, offset = this.start): NetlinkDecodeError {
    return new NetlinkDecodeError(this.path, problem, offset)
  }
}

/** How one attribute's payload is read and written. `bytes` is the least a payload must have. */
export interface Codec<T> {
  readonly bytes: number
  /** undefined: well-formed, but not a value of this type (a hardware address that is no MAC). RangeError: malformed. */
  read(data: Buffer, start: number, end: number, addresses?: AddressCache): T | undefined
  write(value: T): Uint8Array
}

export const u8: Codec<number> = { bytes: 1, read: (data, start) => data[start], write: value => Buffer.of(value) }

/** A boolean carried as one byte. */
export const u8Boolean: Codec<boolean> = { bytes: 1, read: (data, start) => data[start] !== 0, write: value => Buffer.of(value ? 1 : 0) }

export const hostU16: Codec<number> = {
  bytes: 2,
  read: readHostU16,
  write: value => written(2, bytes => writeHostU16(bytes, value, 0))
}

export const hostU32: Codec<number> = {
  bytes: 4,
  read: readHostU32,
  write: value => written(4, bytes => writeHostU32(bytes, value, 0))
}

export const netU16: Codec<number> = {
  bytes: 2,
  read: (data, start) => data.readUInt16BE(start),
  write: value => written(2, bytes => bytes.writeUInt16BE(value, 0))
}

/** A hardware address; those of other lengths (tunnels have 0, 4 or 16 bytes, InfiniBand 20) are no MACs and are left out. */
export const mac: Codec<Mac> = {
  bytes: 0,
  read: (data, start, end, addresses) => end - start === 6 ? addresses?.mac(data, start) ?? macFromBytes(data, start) : undefined,
  write: macToBytes
}

/** An IP address; its length decides the family, as AF_BRIDGE rows carry both. */
export const ip: Codec<Ip> = {
  bytes: 4,
  read: (data, start, end, addresses) => addresses?.ip(data, start, end) ?? ipFromBytes(data.subarray(start, end)),
  write: ipToBytes
}

/** NUL-terminated text. */
export const text: Codec<string> = {
  bytes: 0,
  read(data, start, end) {
    const nul = data.indexOf(0, start)
    return data.toString('utf8', start, nul === -1 || nul > end ? end : nul)
  },
  write: value => Buffer.from(value + '\0')
}

function written(length: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.allocUnsafe(length).fill(0)
  fill(bytes)
  return bytes
}

/** One attribute as bytes: header, payload, padding. */
export function encodeAttribute(type: number, payload: Uint8Array): Buffer {
  const length = ATTRIBUTE_HEADER_BYTES + payload.length
  if (length > 0xffff) throw new RangeError(`attribute ${type} would have ${length} bytes; netlink allows 65535`)
  return written(align4(length), bytes => {
    writeHostU16(bytes, length, 0)
    writeHostU16(bytes, type, 2)
    bytes.set(payload, ATTRIBUTE_HEADER_BYTES)
  })
}

/** An attribute that holds attributes. */
export function encodeNested(type: number, attributes: readonly Uint8Array[]): Buffer {
  return encodeAttribute(type | NLA.F_NESTED, Buffer.concat(attributes))
}

/** One line of a table: attribute type, the row's field that carries it, how it is read and written. */
export type AttributeLine<Row> = {
  [Name in keyof Row]-?: readonly [type: number, name: Name, codec: Codec<Exclude<Row[Name], undefined>>]
}[keyof Row]

export interface AttributeTable<Row> {
  readonly lines: readonly AttributeLine<Row>[]
  readonly byType: readonly (AttributeLine<Row> | undefined)[]
}

/** A table of attributes, in the order they are written. */
export function attributeTable<Row>(lines: readonly AttributeLine<Row>[]): AttributeTable<Row> {
  const byType: (AttributeLine<Row> | undefined)[] = []
  for (const line of lines) byType[line[0]] = line
  return { lines, byType }
}

/** Stores the reader's present attribute in its field of `row`; false when the table does not know it. */
export function decodeField<Row>(table: AttributeTable<Row>, reader: AttributeReader, row: Partial<Row>): boolean {
  const line = table.byType[reader.type]
  if (line === undefined) return false
  const [type, name, codec] = line
  const length = reader.end - reader.start
  if (length < codec.bytes) throw reader.error(`attribute ${type} (${String(name)}) has ${length} bytes, needs ${codec.bytes}`)
  try {
    const value = codec.read(reader.data, reader.start, reader.end, reader.addresses)
    if (value !== undefined) row[name] = value
  } catch (error) {
    throw reader.error(`attribute ${type} (${String(name)}): ${error instanceof Error ? error.message : String(error)}`)
  }
  return true
}

/** The attributes of those fields that the row has. */
export function encodeFields<Row>(table: AttributeTable<Row>, row: Partial<Row>): Buffer[] {
  const attributes: Buffer[] = []
  for (const [type, name, codec] of table.lines) {
    const value = row[name]
    if (value !== undefined) attributes.push(encodeAttribute(type, (codec as Codec<unknown>).write(value)))
  }
  return attributes
}
