// Flows: changing them (OFPT_FLOW_MOD) and describing them (OFPMP_FLOW_DESC).
import { Cursor, OpenFlowDecodeError, pad8, takeEntries } from './decode.js'
import { decodeMessage, encodeMessage, OFPT } from './message.js'
import { RESERVED_PORTS } from './port.js'

export type FlowCommand = 'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict'

/** One change. `match` is bare OXMs (encodeMatch), `instructions` as from encodeInstructions; timeouts in seconds, 0 = never. */
export interface FlowMod {
  readonly command: FlowCommand
  readonly tableId: number
  readonly priority: number
  readonly cookie: bigint
  /** For modify and delete: only flows whose cookie agrees in these bits. Ignored by add. */
  readonly cookieMask: bigint
  readonly match: Buffer
  readonly instructions: Buffer
  readonly idleTimeout?: number
  readonly hardTimeout?: number
  /** OFPFF_*. */
  readonly flags?: number
  /** For delete: only flows with an output to this port. */
  readonly outPort?: number
  readonly outGroup?: number
  readonly importance?: number
}

/** An installed flow without counters: one entry of an OFPMP_FLOW_DESC reply. `match` is bare OXMs, without padding. */
export interface FlowDesc {
  readonly tableId: number
  readonly priority: number
  readonly cookie: bigint
  readonly match: Buffer
  readonly instructions: Buffer
  readonly idleTimeout: number
  readonly hardTimeout: number
  readonly flags: number
  readonly importance: number
}

/** Which flows to describe; nothing given = all. */
export interface FlowFilter {
  readonly tableId?: number
  readonly cookie?: bigint
  readonly cookieMask?: bigint
  /** Bare OXMs; flows that are more specific are meant too. */
  readonly match?: Buffer
}

const COMMANDS: readonly FlowCommand[] = ['add', 'modify', 'modify_strict', 'delete', 'delete_strict']

/** OFPTT_ALL, OFPG_ANY, OFP_NO_BUFFER. */
export const ALL_TABLES = 0xff
export const ANY_GROUP = 0xffffffff
const NO_BUFFER = 0xffffffff
const FLOW_MOD_BYTES = 40
const FLOW_DESC_BYTES = 24

/** A whole flow_mod message with transaction id 0; the session fills it in. */
export function encodeFlowMod(mod: FlowMod): Buffer {
  const fixed = Buffer.allocUnsafe(FLOW_MOD_BYTES)
  fixed.writeBigUInt64BE(mod.cookie, 0)
  fixed.writeBigUInt64BE(mod.command === 'add' ? 0n : mod.cookieMask, 8)
  fixed.writeUInt8(mod.tableId, 16)
  fixed.writeUInt8(COMMANDS.indexOf(mod.command), 17)
  fixed.writeUInt16BE(mod.idleTimeout ?? 0, 18)
  fixed.writeUInt16BE(mod.hardTimeout ?? 0, 20)
  fixed.writeUInt16BE(mod.priority, 22)
  fixed.writeUInt32BE(NO_BUFFER, 24)
  fixed.writeUInt32BE(mod.outPort ?? RESERVED_PORTS.none, 28)
  fixed.writeUInt32BE(mod.outGroup ?? ANY_GROUP, 32)
  fixed.writeUInt16BE(mod.flags ?? 0, 36)
  fixed.writeUInt16BE(mod.importance ?? 0, 38)
  return encodeMessage(OFPT.flow_mod, 0, fixed, wrapMatch(mod.match), mod.instructions)
}

/** A whole flow_mod message; what is default is left out. Throws OpenFlowDecodeError. */
export function decodeFlowMod(bytes: Buffer): FlowMod {
  const message = decodeMessage(bytes)
  if (message.type !== OFPT.flow_mod) throw new OpenFlowDecodeError(`flow_mod: message type ${message.type}`)
  const cursor = new Cursor(message.body, 'flow_mod')
  const [cookie, cookieMask, tableId] = [cursor.u64(), cursor.u64(), cursor.u8()]
  const command = COMMANDS[cursor.u8()] ?? cursor.fail('unknown command')
  const [idleTimeout, hardTimeout, priority] = [cursor.u16(), cursor.u16(), cursor.u16()]
  cursor.skip(4)
  const [outPort, outGroup, flags, importance] = [cursor.u32(), cursor.u32(), cursor.u16(), cursor.u16()]
  return {
    ...{ command, tableId, priority, cookie, cookieMask, match: unwrapMatch(cursor), instructions: cursor.rest() },
    ...(idleTimeout && { idleTimeout }),
    ...(hardTimeout && { hardTimeout }),
    ...(flags && { flags }),
    ...(outPort !== RESERVED_PORTS.none && { outPort }),
    ...(outGroup !== ANY_GROUP && { outGroup }),
    ...(importance && { importance })
  }
}

/** Bare OXMs with the header of ofp_match (type 1 = OXM, length without padding) and padding. */
export function wrapMatch(oxms: Buffer): Buffer {
  const bytes = Buffer.alloc(pad8(4 + oxms.length))
  bytes.writeUInt16BE(1, 0)
  bytes.writeUInt16BE(4 + oxms.length, 2)
  oxms.copy(bytes, 4)
  return bytes
}

/** Reads an ofp_match and its padding; gives the bare OXMs. */
export function unwrapMatch(cursor: Cursor): Buffer {
  const type = cursor.u16()
  const length = cursor.u16()
  if (type !== 1 || length < 4) return cursor.fail(`match of type ${type} and length ${length}`)
  const oxms = cursor.take(length - 4)
  cursor.skip(pad8(length) - length)
  return oxms
}

/** The body of a request for flows (OFPMP_FLOW_DESC). */
export function encodeFlowRequest(filter: FlowFilter): Buffer {
  const fixed = Buffer.alloc(32)
  fixed.writeUInt8(filter.tableId ?? ALL_TABLES, 0)
  fixed.writeUInt32BE(RESERVED_PORTS.none, 4)
  fixed.writeUInt32BE(ANY_GROUP, 8)
  fixed.writeBigUInt64BE(filter.cookie ?? 0n, 16)
  fixed.writeBigUInt64BE(filter.cookieMask ?? (filter.cookie === undefined ? 0n : 0xffffffffffffffffn), 24)
  return Buffer.concat([fixed, wrapMatch(filter.match ?? Buffer.alloc(0))])
}

/** The entries of an OFPMP_FLOW_DESC reply. Match and instructions are views of the reply. */
export function decodeFlowDescs(body: Buffer): FlowDesc[] {
  return takeEntries(body, 'flow_desc', FLOW_DESC_BYTES + 16).map((entry) => decodeFlowDesc(entry)[0])
}

/** One entry, and the OXS TLVs of its counters. */
export function decodeFlowDesc(entry: Buffer): [desc: FlowDesc, oxs: Cursor] {
  const cursor = new Cursor(entry, 'flow_desc', 4)
  const tableId = cursor.u8()
  cursor.skip(1)
  const [priority, idleTimeout, hardTimeout, flags] = [cursor.u16(), cursor.u16(), cursor.u16(), cursor.u16()]
  const [importance, cookie] = [cursor.u16(), cursor.u64()]
  const match = unwrapMatch(cursor)
  const oxs = takeOxs(cursor)
  return [{ tableId, priority, cookie, match, instructions: cursor.rest(), idleTimeout, hardTimeout, flags, importance }, oxs]
}

/** An ofp_stats: 16 bits reserved, 16 bits length, TLVs, padding. */
function takeOxs(cursor: Cursor): Cursor {
  cursor.skip(2)
  const length = cursor.u16()
  if (length < 4) return cursor.fail(`counters of ${length} bytes`)
  const oxs = cursor.inner(length - 4, 'counters')
  cursor.skip(pad8(length) - length)
  return oxs
}

/** One entry of an OFPMP_FLOW_DESC reply, with an empty list of counters. */
export function encodeFlowDesc(desc: FlowDesc): Buffer {
  const match = wrapMatch(desc.match)
  const counters = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0])
  const fixed = Buffer.alloc(FLOW_DESC_BYTES)
  fixed.writeUInt16BE(FLOW_DESC_BYTES + match.length + counters.length + desc.instructions.length, 0)
  fixed.writeUInt8(desc.tableId, 4)
  fixed.writeUInt16BE(desc.priority, 6)
  fixed.writeUInt16BE(desc.idleTimeout, 8)
  fixed.writeUInt16BE(desc.hardTimeout, 10)
  fixed.writeUInt16BE(desc.flags, 12)
  fixed.writeUInt16BE(desc.importance, 14)
  fixed.writeBigUInt64BE(desc.cookie, 16)
  return Buffer.concat([fixed, match, counters, desc.instructions])
}
