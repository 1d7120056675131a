// The learn action (NXAST_LEARN, NXAST_LEARN2): a header and a list of flow_mod_specs, each with a 16-bit header
// src (1 bit, 13) | dst (2 bits, 11..12) | number of bits (11). Its field headers are the older NXM ones.
import { NXAST, type LearnAction, type LearnSource, type LearnSpec, type Subfield } from './action.js'
import { nicira, resolve, uint } from './action-bytes.js'
import { OpenFlowDecodeError, type Cursor } from './decode.js'
import { encodeHeader, readHeader } from './oxm.js'
import { portFrom16, portTo16 } from './port.js'
import { isAllZeros, numberFromBytes, valueFromBytes, valueToBytes, type FieldValue } from './value.js'

const SRC_IMMEDIATE = 1 << 13
const DST = { match: 0, load: 1 << 11, output: 2 << 11 } as const
const BITS = 0x7ff
const FLAGS = { sendFlowRemoved: 1, deleteLearned: 2, writeResult: 4 } as const
const DEFAULT_PRIORITY = 0x8000

/** One learn action. NXAST_LEARN2 only where a limit needs it. */
export function encodeLearn(learn: LearnAction): Buffer {
  const flags = (learn.sendFlowRemoved ? FLAGS.sendFlowRemoved : 0) | (learn.deleteLearned ? FLAGS.deleteLearned : 0)
  const fixed = [
    uint(learn.idleTimeout ?? 0, 2),
    uint(learn.hardTimeout ?? 0, 2),
    uint(learn.priority ?? DEFAULT_PRIORITY, 2),
    uint(learn.cookie ?? 0n, 8),
    uint(flags, 2),
    uint(learn.table, 1),
    Buffer.alloc(1),
    uint(learn.finIdleTimeout ?? 0, 2),
    uint(learn.finHardTimeout ?? 0, 2)
  ]
  const limit = learn.limit ? [uint(learn.limit, 4), Buffer.alloc(4)] : []
  return nicira(learn.limit ? NXAST.learn2 : NXAST.learn, ...fixed, ...limit, ...learn.specs.map(encodeSpec))
}

/** The rest of a learn action behind its subtype; undefined for the one form not carried here (result_dst). */
export function decodeLearn(cursor: Cursor, hasLimit: boolean): LearnAction | undefined {
  const [idleTimeout, hardTimeout, priority, cookie] = [cursor.u16(), cursor.u16(), cursor.u16(), cursor.u64()]
  const [flags, table] = [cursor.u16(), cursor.u8()]
  cursor.skip(1)
  const [finIdleTimeout, finHardTimeout] = [cursor.u16(), cursor.u16()]
  const limit = hasLimit ? cursor.u32() : 0
  if (hasLimit) cursor.skip(4)
  if (flags & ~(FLAGS.sendFlowRemoved | FLAGS.deleteLearned)) return undefined
  return {
    kind: 'learn',
    table,
    ...(idleTimeout && { idleTimeout }),
    ...(hardTimeout && { hardTimeout }),
    ...(finIdleTimeout && { finIdleTimeout }),
    ...(finHardTimeout && { finHardTimeout }),
    ...(priority !== DEFAULT_PRIORITY && { priority }),
    ...(cookie !== 0n && { cookie }),
    ...(flags & FLAGS.sendFlowRemoved && { sendFlowRemoved: true }),
    ...(flags & FLAGS.deleteLearned && { deleteLearned: true }),
    ...(limit && { limit }),
    specs: decodeSpecs(cursor)
  }
}

function encodeSpec(spec: LearnSpec): Buffer {
  if (spec.kind === 'output') {
    const { bits } = resolve(spec.src)
    return Buffer.concat([uint(DST.output | bits, 2), encodeSubfield(spec.src)])
  }
  const { bits } = resolve(spec.dst)
  const immediate = 'value' in spec.src ? SRC_IMMEDIATE : 0
  const src = 'value' in spec.src ? encodeImmediate(spec.dst, spec.src.value) : encodeSource(spec.src, bits)
  return Buffer.concat([uint(immediate | DST[spec.kind] | bits, 2), src, encodeSubfield(spec.dst)])
}

function encodeSource(src: Subfield, bits: number): Buffer {
  if (resolve(src).bits !== bits) throw new RangeError(`learn: ${src.field} gives ${resolve(src).bits} bits, ${bits} are wanted`)
  return encodeSubfield(src)
}

function encodeSubfield(subfield: Subfield): Buffer {
  const { field, offset } = resolve(subfield)
  if (field.nxm.experimenter !== undefined) throw new RangeError(`learn cannot name ${field.name}: its header has 8 bytes`)
  return Buffer.concat([encodeHeader(field.nxm, field.bytes), uint(offset, 2)])
}

/** A constant, in whole 16-bit words, right-aligned. */
function encodeImmediate(dst: Subfield, value: FieldValue): Buffer {
  const { field, bits } = resolve(dst)
  const length = 2 * Math.ceil(bits / 16)
  if (bits !== field.bits) return uint(BigInt(value), length)
  const bytes = valueToBytes(field, field.name === 'in_port' ? portTo16(Number(value)) : value)
  if (bytes.length <= length) return Buffer.concat([Buffer.alloc(length - bytes.length), bytes])
  return bytes.subarray(bytes.length - length)
}

/** Specs up to the end, or up to a header of zero, which is padding. */
function decodeSpecs(cursor: Cursor): LearnSpec[] {
  const specs: LearnSpec[] = []
  while (cursor.left >= 2) {
    const header = cursor.u16()
    if (header === 0) break
    specs.push(decodeSpec(cursor, header))
  }
  if (!isAllZeros(cursor.rest())) throw new OpenFlowDecodeError('learn: the padding is not zero')
  return specs
}

function decodeSpec(cursor: Cursor, header: number): LearnSpec {
  const bits = header & BITS
  const destination = header & ~BITS & ~SRC_IMMEDIATE
  const kind = destination === DST.match ? 'match' : destination === DST.load ? 'load' : destination === DST.output ? 'output' : undefined
  if (kind === undefined || bits === 0) return cursor.fail(`unknown spec ${header}`)
  if (!(header & SRC_IMMEDIATE)) {
    const src = decodeSubfield(cursor, bits)
    return kind === 'output' ? { kind, src } : { kind, src, dst: decodeSubfield(cursor, bits) }
  }
  if (kind === 'output') return cursor.fail('output of a constant')
  const immediate = cursor.take(2 * Math.ceil(bits / 16))
  const dst = decodeSubfield(cursor, bits)
  return { kind, dst, src: decodeImmediate(dst, immediate) }
}

function decodeImmediate(dst: Subfield, immediate: Buffer): LearnSource {
  const { field, bits } = resolve(dst)
  if (bits !== field.bits) return { value: numberFromBytes(immediate) }
  const missing = Math.max(0, field.bytes - immediate.length)
  const bytes = Buffer.concat([Buffer.alloc(missing), immediate.subarray(Math.max(0, immediate.length - field.bytes))])
  const value = valueFromBytes(field, bytes)
  return { value: field.name === 'in_port' ? portFrom16(Number(value)) : value }
}

function decodeSubfield(cursor: Cursor, bits: number): Subfield {
  const header = cursor.take(4)
  return subfieldOf(header, cursor.u16(), bits)
}

/** A subfield from a field header; whole fields come without offset and bits. */
export function subfieldOf(header: Buffer, offset: number, bits: number): Subfield {
  const { field } = readHeader(header, 0)
  if (!field) throw new OpenFlowDecodeError(`action: unknown field ${header.toString('hex')}`)
  if (bits === 0 || offset + bits > field.bits) {
    throw new OpenFlowDecodeError(`action: ${field.name} has ${field.bits} bits, not ${bits} from bit ${offset}`)
  }
  return offset === 0 && bits === field.bits ? { field: field.name } : { field: field.name, offset, bits }
}
