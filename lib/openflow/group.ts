// Groups: changing them (OFPT_GROUP_MOD) and describing them (OFPMP_GROUP_DESC), in the form of OpenFlow 1.5.
import { Cursor, OpenFlowDecodeError, pad8, takeEntries } from './decode.js'
import { decodeMessage, encodeMessage, OFPT } from './message.js'

export type GroupType = 'all' | 'select' | 'indirect' | 'ff'

export type GroupCommand = 'add' | 'modify' | 'delete' | 'insert_bucket' | 'remove_bucket'

/** One bucket. `actions` as from encodeActions. Open vSwitch always sends a weight for the buckets of select groups: give one. */
export interface Bucket {
  /** 0..0xffffff00, unique in its group. */
  readonly id: number
  readonly actions: Buffer
  readonly weight?: number
  readonly watchPort?: number
  readonly watchGroup?: number
}

/** How a select group picks a bucket: Netronome's selection_method extension. */
export interface Selection {
  /** At most 15 characters: `dp_hash`, `hash`. */
  readonly method: string
  readonly param?: bigint
  /** OXMs of the fields to hash. */
  readonly fields?: Buffer
}

/** One change; `buckets` as from encodeBucket. */
export interface GroupMod {
  readonly command: GroupCommand
  readonly type: GroupType
  readonly groupId: number
  /** insert_bucket: behind this bucket, or first or last (the default). remove_bucket: this one, or first, last, all (the default). */
  readonly commandBucketId?: number | 'first' | 'last' | 'all'
  readonly buckets: readonly Buffer[]
  readonly selection?: Selection
}

/** An installed group: one entry of an OFPMP_GROUP_DESC reply. */
export interface GroupDesc {
  readonly groupId: number
  readonly type: GroupType
  readonly buckets: readonly Bucket[]
  readonly selection?: Selection
}

/** Stands for all groups in a delete and in a request. */
export const ALL_GROUPS = 0xfffffffc

const TYPES: readonly GroupType[] = ['all', 'select', 'indirect', 'ff']
const COMMANDS = { add: 0, modify: 1, delete: 2, insert_bucket: 3, remove_bucket: 5 } as const
const BUCKETS = { first: 0xfffffffd, last: 0xfffffffe, all: 0xffffffff } as const
const PROPERTY = { weight: 0, watchPort: 1, watchGroup: 2 } as const
const EXPERIMENTER = 0xffff
const NETRONOME = 0x0000154d
const SELECTION_METHOD = 1
const SELECTION_BYTES = 40
const DESC_BYTES = 16

/** One bucket, exactly as a GROUP_DESC reply carries it. */
export function encodeBucket(bucket: Bucket): Buffer {
  const properties = bucketProperties(bucket)
  const bytes = Buffer.alloc(8 + bucket.actions.length + 8 * properties.length)
  bytes.writeUInt16BE(bytes.length, 0)
  bytes.writeUInt16BE(bucket.actions.length, 2)
  bytes.writeUInt32BE(bucket.id, 4)
  let offset = 8 + bucket.actions.copy(bytes, 8)
  for (const [type, value] of properties) {
    bytes.writeUInt16BE(type, offset)
    bytes.writeUInt16BE(8, offset + 2)
    if (type === PROPERTY.weight) bytes.writeUInt16BE(value, offset + 4)
    else bytes.writeUInt32BE(value, offset + 4)
    offset += 8
  }
  return bytes
}

function bucketProperties(bucket: Bucket): (readonly [type: number, value: number])[] {
  const { weight, watchPort, watchGroup } = bucket
  const all = [[PROPERTY.weight, weight], [PROPERTY.watchPort, watchPort], [PROPERTY.watchGroup, watchGroup]] as const
  return all.flatMap(([type, value]) => (value === undefined ? [] : [[type, value] as const]))
}

/** Bytes of one bucket in a GROUP_DESC reply: 8, its actions, 8 for each of weight, watch port and watch group. */
export function bucketSize(bucket: Bucket): number {
  return 8 + bucket.actions.length + 8 * bucketProperties(bucket).length
}

/** Bytes of a group in a GROUP_DESC reply: 16, its buckets, 40 for a selection method (more with fields). */
export function groupDescSize(group: Pick<GroupDesc, 'buckets' | 'selection'>): number {
  const selection = group.selection ? encodeSelection(group.selection).length : 0
  return DESC_BYTES + group.buckets.reduce((sum, bucket) => sum + bucketSize(bucket), 0) + selection
}

/** A whole group_mod message with transaction id 0; the session fills it in. */
export function encodeGroupMod(mod: GroupMod): Buffer {
  const { command, type, groupId, buckets, selection } = mod
  const commandBucketId = mod.commandBucketId ?? (command === 'insert_bucket' ? 'last' : 'all')
  const length = buckets.reduce((sum, bucket) => sum + bucket.length, 0)
  const fixed = Buffer.alloc(16)
  fixed.writeUInt16BE(COMMANDS[command], 0)
  fixed.writeUInt8(TYPES.indexOf(type), 2)
  fixed.writeUInt32BE(groupId, 4)
  if (length > 0xffff) throw new RangeError(`group ${groupId}: ${length} bytes of buckets do not fit one message`)
  fixed.writeUInt16BE(length, 8)
  fixed.writeUInt32BE(typeof commandBucketId === 'number' ? commandBucketId : BUCKETS[commandBucketId], 12)
  return encodeMessage(OFPT.group_mod, 0, fixed, ...buckets, ...(selection ? [encodeSelection(selection)] : []))
}

/** A whole group_mod message. Throws OpenFlowDecodeError. */
export function decodeGroupMod(bytes: Buffer): GroupMod {
  const message = decodeMessage(bytes)
  if (message.type !== OFPT.group_mod) throw new OpenFlowDecodeError(`group_mod: message type ${message.type}`)
  const cursor = new Cursor(message.body, 'group_mod')
  const number = cursor.u16()
  const command = keyOf(COMMANDS, number) ?? cursor.fail(`unknown command ${number}`)
  const type = TYPES[cursor.u8()] ?? cursor.fail('unknown type')
  cursor.skip(1)
  const groupId = cursor.u32()
  const length = cursor.u16()
  cursor.skip(2)
  const bucketId = cursor.u32()
  const buckets = takeEntries(cursor.take(length), 'bucket', 8)
  const selection = decodeSelection(cursor.rest())
  return { command, type, groupId, commandBucketId: keyOf(BUCKETS, bucketId) ?? bucketId, buckets, ...(selection && { selection }) }
}

function keyOf<K extends string>(table: Readonly<Record<K, number>>, value: number): K | undefined {
  return (Object.keys(table) as K[]).find((key) => table[key] === value)
}

/** The body of a request for groups. */
export function encodeGroupRequest(groupId = ALL_GROUPS): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(groupId, 0)
  return bytes
}

/** The entries of an OFPMP_GROUP_DESC reply. */
export function decodeGroupDescs(body: Buffer): GroupDesc[] {
  return takeEntries(body, 'group_desc', DESC_BYTES).map((entry) => {
    const cursor = new Cursor(entry, 'group_desc', 2)
    const type = TYPES[cursor.u8()] ?? cursor.fail('unknown type')
    cursor.skip(1)
    const groupId = cursor.u32()
    const length = cursor.u16()
    cursor.skip(6)
    const buckets = decodeBuckets(cursor.take(length))
    const selection = decodeSelection(cursor.rest())
    return { groupId, type, buckets, ...(selection && { selection }) }
  })
}

/** One entry of an OFPMP_GROUP_DESC reply. Throws RangeError above 65,535 bytes. */
export function encodeGroupDesc(group: GroupDesc): Buffer {
  const buckets = Buffer.concat(group.buckets.map(encodeBucket))
  const length = groupDescSize(group)
  if (length > 0xffff) throw new RangeError(`group ${group.groupId} has ${length} bytes, a description holds at most 65535`)
  const fixed = Buffer.alloc(DESC_BYTES)
  fixed.writeUInt16BE(length, 0)
  fixed.writeUInt8(TYPES.indexOf(group.type), 2)
  fixed.writeUInt32BE(group.groupId, 4)
  fixed.writeUInt16BE(buckets.length, 8)
  return Buffer.concat([fixed, buckets, ...(group.selection ? [encodeSelection(group.selection)] : [])])
}

/** A list of buckets. Throws OpenFlowDecodeError. */
export function decodeBuckets(bytes: Buffer): Bucket[] {
  return takeEntries(bytes, 'bucket', 8).map((entry) => {
    const cursor = new Cursor(entry, 'bucket', 2)
    const length = cursor.u16()
    const bucket: { id: number; actions: Buffer; weight?: number; watchPort?: number; watchGroup?: number } =
      { id: cursor.u32(), actions: cursor.take(length) }
    for (const property of takeProperties(cursor.rest(), 'bucket property')) {
      const value = new Cursor(property, 'bucket property', 4)
      const type = property.readUInt16BE(0)
      if (type === PROPERTY.weight) bucket.weight = value.u16()
      else if (type === PROPERTY.watchPort) bucket.watchPort = value.u32()
      else if (type === PROPERTY.watchGroup) bucket.watchGroup = value.u32()
    }
    return bucket
  })
}

/** Properties: type, length without padding, payload, zeros up to a multiple of 8. */
function takeProperties(bytes: Buffer, what: string): Buffer[] {
  const properties: Buffer[] = []
  const cursor = new Cursor(bytes, what)
  while (cursor.left > 0) {
    const start = cursor.offset
    cursor.skip(2)
    const length = cursor.u16()
    if (length < 4) return cursor.fail(`a length of ${length}`)
    cursor.skip(Math.min(pad8(length), bytes.length - start) - 4)
    if (length > bytes.length - start) return cursor.fail(`a length of ${length}`)
    properties.push(bytes.subarray(start, start + length))
  }
  return properties
}

function encodeSelection(selection: Selection): Buffer {
  const { method, param = 0n, fields = Buffer.alloc(0) } = selection
  if (Buffer.byteLength(method) > 15) throw new RangeError(`the name of selection method ${method} has more than 15 bytes`)
  const length = SELECTION_BYTES + fields.length
  const bytes = Buffer.alloc(pad8(length))
  bytes.writeUInt16BE(EXPERIMENTER, 0)
  bytes.writeUInt16BE(length, 2)
  bytes.writeUInt32BE(NETRONOME, 4)
  bytes.writeUInt32BE(SELECTION_METHOD, 8)
  bytes.write(method, 16, 'latin1')
  bytes.writeBigUInt64BE(param, 32)
  fields.copy(bytes, SELECTION_BYTES)
  return bytes
}

function decodeSelection(properties: Buffer): Selection | undefined {
  for (const property of takeProperties(properties, 'group property')) {
    const cursor = new Cursor(property, 'group property')
    if (cursor.u16() !== EXPERIMENTER || property.length < SELECTION_BYTES) continue
    cursor.skip(2)
    if (cursor.u32() !== NETRONOME || cursor.u32() !== SELECTION_METHOD) continue
    cursor.skip(4)
    const method = cursor.take(16).toString('latin1').replace(/\0.*$/s, '')
    const param = cursor.u64()
    const fields = cursor.rest()
    return { method, ...(param !== 0n && { param }), ...(fields.length > 0 && { fields }) }
  }
  return undefined
}
