// Packets that a flow's controller action sends here: Nicira's NXT_PACKET_IN2, the one form that carries the action's userdata,
// and the two messages that ask for it (ovs-fields(7), include/openflow/nicira-ext.h).
import { NICIRA } from './action.js'
import { Cursor, pad8 } from './decode.js'
import { encodeMessage, OFPT } from './message.js'

/** A packet, and what the switch knew of it. Buffers are views of what was received. */
export interface PacketIn {
  /** The frame, from its destination MAC on; cut off where the action's max_len says so. */
  readonly packet: Buffer
  /** Bytes the frame had before it was cut. */
  readonly length: number
  readonly tableId: number
  /** Of the flow whose action sent it. */
  readonly cookie: bigint
  /** OFPR_*; 1 = a controller action. */
  readonly reason: number
  /** Bare OXMs: in_port, metadata and registers that are not 0, tunnel fields. */
  readonly match: Buffer
  /** What the action wrote along; empty = nothing. */
  readonly userdata: Buffer
}

/** NXT_*. */
const NXT = { set_packet_in_format: 16, set_controller_id: 20, packet_in2: 30 } as const
/** NXPIF_NXT_PACKET_IN2. */
const FORMAT_PACKET_IN2 = 2
/** NXPINT_*; buffer_id and continuation are of no use here. */
const PROPERTY = { packet: 0, full_len: 1, table_id: 3, cookie: 4, reason: 5, metadata: 6, userdata: 7 } as const

/** Asks for packets as NXT_PACKET_IN2. */
export function encodeSetPacketInFormat(xid: number): Buffer {
  const format = Buffer.alloc(4)
  format.writeUInt32BE(FORMAT_PACKET_IN2)
  return encodeMessage(OFPT.experimenter, xid, experimenter(NXT.set_packet_in_format), format)
}

/** Says which controller_id of controller actions is meant for this connection; 0 = those that name none. */
export function encodeSetControllerId(xid: number, id: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16BE(id, 6)
  return encodeMessage(OFPT.experimenter, xid, experimenter(NXT.set_controller_id), bytes)
}

/** The body of an OFPT_EXPERIMENTER message; undefined when it is another of them. */
export function decodePacketIn(body: Buffer): PacketIn | undefined {
  const cursor = new Cursor(body, 'packet_in')
  if (cursor.u32() !== NICIRA || cursor.u32() !== NXT.packet_in2) return undefined
  const found: { -readonly [K in keyof PacketIn]: PacketIn[K] } = { packet: EMPTY, length: 0, tableId: 0, cookie: 0n, reason: 0, match: EMPTY, userdata: EMPTY }
  while (cursor.left > 0) {
    const [type, length] = [cursor.u16(), cursor.u16()]
    if (length < 4) return cursor.fail(`a property of ${length} bytes`)
    const value = cursor.inner(length - 4)
    cursor.skip(Math.min(cursor.left, pad8(length) - length))
    if (type === PROPERTY.packet) found.packet = value.rest()
    else if (type === PROPERTY.full_len) found.length = value.u32()
    else if (type === PROPERTY.table_id) found.tableId = value.u8()
    else if (type === PROPERTY.cookie) found.cookie = wide(value)
    else if (type === PROPERTY.reason) found.reason = value.u8()
    else if (type === PROPERTY.metadata) found.match = value.rest()
    else if (type === PROPERTY.userdata) found.userdata = value.rest()
  }
  return { ...found, length: Math.max(found.length, found.packet.length) }
}

/** A whole message, as a switch sends it (fakes use it). */
export function encodePacketIn(packetIn: PacketIn): Buffer {
  const { packet, length, tableId, cookie, reason, match, userdata } = packetIn
  const number = (bytes: number, value: bigint) => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
  const properties = [
    property(PROPERTY.packet, packet),
    ...(length > packet.length ? [property(PROPERTY.full_len, number(4, BigInt(length)))] : []),
    property(PROPERTY.table_id, number(1, BigInt(tableId))),
    property(PROPERTY.cookie, Buffer.concat([Buffer.alloc(4), number(8, cookie)])),
    property(PROPERTY.reason, number(1, BigInt(reason))),
    property(PROPERTY.metadata, match),
    ...(userdata.length > 0 ? [property(PROPERTY.userdata, userdata)] : [])
  ]
  return encodeMessage(OFPT.experimenter, 0, experimenter(NXT.packet_in2), ...properties)
}

const EMPTY = Buffer.alloc(0)

/** A 64-bit value is aligned to 8 bytes: 4 bytes of padding stand before it. */
function wide(value: Cursor): bigint {
  value.skip(4)
  return value.u64()
}

function property(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(pad8(4 + value.length))
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(4 + value.length, 2)
  value.copy(bytes, 4)
  return bytes
}

function experimenter(type: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(NICIRA, 0)
  bytes.writeUInt32BE(type, 4)
  return bytes
}
