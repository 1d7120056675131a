// The parts actions are written with: headers, numbers, properties, subfields.
import { NICIRA, OFPAT, type Subfield } from './action.js'
import { pad8 } from './decode.js'
import { fieldOf, type Field } from './fields.js'
import { numberToBytes } from './value.js'

/** A standard action: type, length, then the parts, padded with zeros. */
export function standard(type: number, ...parts: readonly Buffer[]): Buffer {
  const used = parts.reduce((sum, part) => sum + part.length, 4)
  const bytes = Buffer.alloc(pad8(used))
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(bytes.length, 2)
  let offset = 4
  for (const part of parts) offset += part.copy(bytes, offset)
  return bytes
}

/** A Nicira action: at least 16 bytes. */
export function nicira(subtype: number, ...parts: readonly Buffer[]): Buffer {
  const used = parts.reduce((sum, part) => sum + part.length, 0)
  const filler = used < 6 ? [Buffer.alloc(6 - used)] : []
  return standard(OFPAT.experimenter, uint(NICIRA, 4), uint(subtype, 2), ...parts, ...filler)
}

/** A number in network order. Throws RangeError when it does not fit. */
export function uint(value: number | bigint, length: number): Buffer {
  const bytes = numberToBytes(value, length)
  if (!bytes) throw new RangeError(`${value} does not fit ${length} bytes`)
  return bytes
}

/** A property: type, length without padding (unless `counted` bytes are counted in it), payload, zeros up to 8. */
export function property(type: number, payload: Buffer, counted = 4 + payload.length): Buffer {
  const bytes = Buffer.alloc(pad8(counted))
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(counted, 2)
  payload.copy(bytes, 4)
  return bytes
}

/** A subfield with nothing left open. Throws RangeError when it reaches past the end of the field. */
export function resolve(subfield: Subfield): { field: Field; offset: number; bits: number } {
  const field = fieldOf(subfield.field)
  const offset = subfield.offset ?? 0
  const bits = subfield.bits ?? field.bits - offset
  if (offset < 0 || bits < 1 || offset + bits > field.bits) {
    throw new RangeError(`${subfield.field} has ${field.bits} bits: there are no ${bits} bits from bit ${offset}`)
  }
  return { field, offset, bits }
}
