// Field values: numbers and canonical text on our side, bytes in network order on the wire.
import { ipFromBytes, ipToBytes } from '../net/ip.js'
import { macFromBytes, macToBytes, parseMac } from '../net/mac.js'
import type { Field } from './fields.js'

/** A number for numeric fields (decoders give a bigint above 32 bits), canonical text for MAC and IP addresses. */
export type FieldValue = number | bigint | string

/** Bytes of a value in network order, `field.bytes` long. Throws RangeError when the value does not fit the field. */
export function valueToBytes(field: Field, value: FieldValue): Buffer {
  const bytes = typeof value === 'string' ? textToBytes(field, value) : numberToBytes(value, field.bytes)
  if (bytes?.length !== field.bytes) throw new RangeError(`${field.name} cannot be ${String(value)}: it takes ${VALUE_FORMS[field.kind]}`)
  return bytes
}

/** The value in canonical form: text for addresses, a number up to 32 bits, a bigint above. */
export function valueFromBytes(field: Field, bytes: Buffer): FieldValue {
  switch (field.kind) {
    case 'mac':
      return macFromBytes(bytes)
    case 'ipv4':
    case 'ipv6':
      return ipFromBytes(bytes)
    default:
      return numberFromBytes(bytes)
  }
}

/** A whole number in `length` bytes, or undefined when it does not fit. */
export function numberToBytes(value: number | bigint, length: number): Buffer | undefined {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined
  if (value < 0) return undefined
  return typeof value === 'number' ? smallToBytes(value, length) : bigToBytes(value, length)
}

function smallToBytes(value: number, length: number): Buffer | undefined {
  if (length < 8 && value >= 2 ** (8 * length)) return undefined
  const bytes = Buffer.allocUnsafe(length)
  let word = value >>> 0
  for (let i = 1; i <= length; i++, word >>>= 8) {
    if (i === 5) word = Math.floor(value / 2 ** 32)
    bytes[length - i] = word & 0xff
  }
  return bytes
}

function bigToBytes(value: bigint, length: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(length)
  let left = value
  for (let i = length - 1; i >= 0; i--, left >>= 8n) bytes[i] = Number(left & 0xffn)
  return left === 0n ? bytes : undefined
}

/** Up to 4 bytes as a number, more as a bigint. */
export function numberFromBytes(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0
  if (bytes.length <= 4) return bytes.readUIntBE(0, bytes.length)
  return bytes.length === 8 ? bytes.readBigUInt64BE() : BigInt(`0x${bytes.toString('hex')}`)
}

export function isAllOnes(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0xff) return false
  return true
}

export function isAllZeros(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false
  return true
}

const VALUE_FORMS = {
  decimal: 'a whole number that fits',
  hex: 'a whole number that fits',
  port: 'a port number',
  mac: 'a MAC address like 02:00:00:00:00:01',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address'
} as const

function textToBytes(field: Field, text: string): Buffer | undefined {
  switch (field.kind) {
    case 'mac':
      return parseMac(text) === undefined ? undefined : macToBytes(text)
    case 'ipv4':
    case 'ipv6':
      return addressToBytes(text)
    default:
      return undefined
  }
}

function addressToBytes(text: string): Buffer | undefined {
  try {
    return ipToBytes(text)
  } catch {
    return undefined
  }
}
