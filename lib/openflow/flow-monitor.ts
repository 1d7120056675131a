// Watching flows (OFPMP_FLOW_MONITOR of OpenFlow 1.4 and later): the request, and the updates that follow it unasked.
import { Cursor, takeEntries } from './decode.js'
import { ALL_TABLES, ANY_GROUP, unwrapMatch, wrapMatch } from './flow.js'
import { RESERVED_PORTS } from './port.js'

/** What to watch. By default all tables, everything that happens, the flows that are there already, with instructions. */
export interface FlowMonitor {
  /** Chosen by the caller, unique among its monitors on this connection. */
  readonly id: number
  readonly tableId?: number
  /** Bare OXMs; flows that are more specific are meant too. */
  readonly match?: Buffer
  /** Report the flows that are there already. */
  readonly initial?: boolean
  readonly instructions?: boolean
  /** Report this connection's own changes in full, not as `abbrev`. */
  readonly ownInFull?: boolean
}

/** A flow that was there, was added, removed or changed. */
export interface FlowChange {
  readonly kind: 'initial' | 'added' | 'removed' | 'modified'
  readonly tableId: number
  /** OFPRR_* when removed: 0 = idle timeout, 1 = hard timeout, 2 = deleted; else 0. */
  readonly reason: number
  readonly priority: number
  readonly cookie: bigint
  readonly idleTimeout: number
  readonly hardTimeout: number
  readonly match: Buffer
  /** Empty when removed or not asked for. */
  readonly instructions: Buffer
}

/**
 * One update. `abbrev`: this connection's own message with that transaction id was applied. `paused`: the switch ran out of
 * buffer space, changes are being lost until `resumed`; what was lost comes as changes after it.
 */
export type FlowUpdate =
  | FlowChange
  | { readonly kind: 'abbrev'; readonly xid: number }
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }

/** Open vSwitch 3.1 refuses OFPFMF_NO_ABBREV (32); it reports own changes in full when OFPFMF_ONLY_OWN is set, and others' all the same. */
const FLAGS = { initial: 1, add: 2, removed: 4, modify: 8, instructions: 16, onlyOwn: 64 } as const
const COMMANDS = { add: 0, delete: 2 } as const
const CHANGES = ['initial', 'added', 'removed', 'modified'] as const
const EVENT = { abbrev: 4, paused: 5, resumed: 6 } as const

/** The body of a request that starts a monitor. */
export function encodeFlowMonitor(monitor: FlowMonitor): Buffer {
  const { initial = true, instructions = true, ownInFull = false } = monitor
  const flags = FLAGS.add | FLAGS.removed | FLAGS.modify
    | (initial ? FLAGS.initial : 0) | (instructions ? FLAGS.instructions : 0) | (ownInFull ? FLAGS.onlyOwn : 0)
  return encodeRequest(monitor, COMMANDS.add, flags)
}

/** The body of a request that ends a monitor. */
export function encodeFlowMonitorCancel(id: number): Buffer {
  return encodeRequest({ id }, COMMANDS.delete, 0)
}

function encodeRequest(monitor: FlowMonitor, command: number, flags: number): Buffer {
  const fixed = Buffer.alloc(16)
  fixed.writeUInt32BE(monitor.id, 0)
  fixed.writeUInt32BE(RESERVED_PORTS.none, 4)
  fixed.writeUInt32BE(ANY_GROUP, 8)
  fixed.writeUInt16BE(flags, 12)
  fixed.writeUInt8(monitor.tableId ?? ALL_TABLES, 14)
  fixed.writeUInt8(command, 15)
  return Buffer.concat([fixed, wrapMatch(monitor.match ?? Buffer.alloc(0))])
}

/** The updates of one OFPMP_FLOW_MONITOR reply. Match and instructions are views of the reply. */
export function decodeFlowUpdates(body: Buffer): FlowUpdate[] {
  return takeEntries(body, 'flow_update', 8).map(decodeFlowUpdate)
}

function decodeFlowUpdate(entry: Buffer): FlowUpdate {
  const cursor = new Cursor(entry, 'flow_update', 2)
  const event = cursor.u16()
  if (event === EVENT.abbrev) return { kind: 'abbrev', xid: cursor.u32() }
  if (event === EVENT.paused) return { kind: 'paused' }
  if (event === EVENT.resumed) return { kind: 'resumed' }
  const kind = CHANGES[event] ?? cursor.fail(`unknown event ${event}`)
  const [tableId, reason, idleTimeout, hardTimeout, priority] = [cursor.u8(), cursor.u8(), cursor.u16(), cursor.u16(), cursor.u16()]
  cursor.skip(4)
  const cookie = cursor.u64()
  const match = unwrapMatch(cursor)
  return { kind, tableId, reason, priority, cookie, idleTimeout, hardTimeout, match, instructions: cursor.rest() }
}
