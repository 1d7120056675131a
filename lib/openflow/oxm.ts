// OXM TLVs, the form in which matches and set_field carry values (OpenFlow 1.5.1 section 7.2.3.2).
// A header is class (16 bits), field (7), has-mask (1), length (8), then the experimenter id when the class is 0xffff.
import { OpenFlowDecodeError } from './decode.js'
import { fieldByCode, type Field, type OxmCode } from './fields.js'

/** One TLV taken apart. `field` is undefined for a field this library does not know. */
export interface Oxm {
  readonly field: Field | undefined
  readonly value: Buffer
  readonly mask: Buffer | undefined
  /** The whole TLV. */
  readonly bytes: Buffer
}

const EXPERIMENTER_CLASS = 0xffff

/** Bytes of a header. */
export function headerLength(code: OxmCode): number {
  return code.experimenter === undefined ? 4 : 8
}

/** Writes a header at `offset` and gives the offset behind it. `payload` is the length of value and mask. */
export function writeHeader(target: Buffer, offset: number, code: OxmCode, hasMask: boolean, payload: number): number {
  target.writeUInt16BE(code.oxmClass, offset)
  target.writeUInt8((code.number << 1) | (hasMask ? 1 : 0), offset + 2)
  target.writeUInt8(headerLength(code) - 4 + payload, offset + 3)
  if (code.experimenter !== undefined) target.writeUInt32BE(code.experimenter, offset + 4)
  return offset + headerLength(code)
}

/** A header alone, as copy_field and learn name a field. */
export function encodeHeader(code: OxmCode, payload: number): Buffer {
  const bytes = Buffer.alloc(headerLength(code))
  writeHeader(bytes, 0, code, false, payload)
  return bytes
}

/** One TLV. */
export function encodeOxm(code: OxmCode, value: Buffer, mask?: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headerLength(code) + value.length + (mask?.length ?? 0))
  const offset = writeHeader(bytes, 0, code, mask !== undefined, value.length + (mask?.length ?? 0))
  value.copy(bytes, offset)
  mask?.copy(bytes, offset + value.length)
  return bytes
}

/** A field header at `offset`: which field, and how many bytes the header has. */
export function readHeader(bytes: Buffer, offset: number): { field: Field | undefined; hasMask: boolean; header: number; payload: number } {
  if (bytes.length - offset < 4) throw new OpenFlowDecodeError(`OXM: ${bytes.length - offset} bytes are no header, at byte ${offset}`)
  const oxmClass = bytes.readUInt16BE(offset)
  const fieldAndMask = bytes.readUInt8(offset + 2)
  const length = bytes.readUInt8(offset + 3)
  const header = oxmClass === EXPERIMENTER_CLASS ? 8 : 4
  if (bytes.length - offset < header || length < header - 4) {
    throw new OpenFlowDecodeError(`OXM: no room for the experimenter id, at byte ${offset}`)
  }
  const experimenter = header === 8 ? bytes.readUInt32BE(offset + 4) : undefined
  const field = fieldByCode(oxmClass, fieldAndMask >> 1, experimenter)
  return { field, hasMask: (fieldAndMask & 1) === 1, header, payload: length - (header - 4) }
}

/** The TLV at `offset`. Throws OpenFlowDecodeError when it does not fit or a known field has another length. */
export function readOxm(bytes: Buffer, offset: number): Oxm {
  const { field, hasMask, header, payload } = readHeader(bytes, offset)
  const start = offset + header
  if (payload > bytes.length - start) {
    throw new OpenFlowDecodeError(`OXM: ${payload} bytes of payload, ${bytes.length - start} are left, at byte ${offset}`)
  }
  const width = hasMask ? payload / 2 : payload
  if (field ? width !== field.bytes : !Number.isInteger(width)) {
    throw new OpenFlowDecodeError(`OXM: ${payload} bytes of payload do not fit ${field?.name ?? 'a masked field'}, at byte ${offset}`)
  }
  const value = bytes.subarray(start, start + width)
  const mask = hasMask ? bytes.subarray(start + width, start + payload) : undefined
  return { field, value, mask, bytes: bytes.subarray(offset, start + payload) }
}

/** All TLVs of a match. */
export function readOxms(bytes: Buffer): Oxm[] {
  const oxms: Oxm[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const oxm = readOxm(bytes, offset)
    oxms.push(oxm)
    offset += oxm.bytes.length
  }
  return oxms
}
