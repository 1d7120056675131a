// Counters of flows. OpenFlow 1.5 writes them as OXS TLVs (section 7.2.4): class 0x8002, field (7 bits), reserved (1), length (8).
import { Cursor, takeEntries } from './decode.js'
import { unwrapMatch } from './flow.js'

/** What a flow has counted. The duration is the time since it was added, in milliseconds. */
export interface Counters {
  readonly durationMs: number
  readonly packets: bigint
  readonly bytes: bigint
}

/** One entry of an OFPMP_FLOW_STATS reply. */
export interface FlowStats extends Counters {
  readonly tableId: number
  readonly priority: number
  readonly match: Buffer
}

/** An OFPMP_AGGREGATE reply. */
export interface AggregateStats {
  readonly flows: number
  readonly packets: bigint
  readonly bytes: bigint
}

const OXS_CLASS = 0x8002
const OXS = { duration: 0, flow_count: 3, packet_count: 4, byte_count: 5 } as const

/** The entries of an OFPMP_FLOW_STATS reply. */
export function decodeFlowStats(body: Buffer): FlowStats[] {
  return takeEntries(body, 'flow_stats', 24).map((entry) => {
    const cursor = new Cursor(entry, 'flow_stats', 4)
    const tableId = cursor.u8()
    cursor.skip(1)
    const priority = cursor.u16()
    const match = unwrapMatch(cursor)
    const { durationMs, packets, bytes } = decodeOxs(cursor)
    return { tableId, priority, match, durationMs, packets, bytes }
  })
}

/** The body of an OFPMP_AGGREGATE reply. */
export function decodeAggregateStats(body: Buffer): AggregateStats {
  const { flows, packets, bytes } = decodeOxs(new Cursor(body, 'aggregate_stats'))
  return { flows, packets, bytes }
}

function decodeOxs(cursor: Cursor): Counters & { flows: number } {
  const found = { durationMs: 0, packets: 0n, bytes: 0n, flows: 0 }
  cursor.skip(2)
  const length = cursor.u16()
  if (length < 4) return cursor.fail(`counters of ${length} bytes`)
  const list = cursor.inner(length - 4, 'OXS')
  while (list.left > 0) {
    const oxsClass = list.u16()
    const number = list.u8() >> 1
    const value = list.inner(list.u8())
    if (oxsClass !== OXS_CLASS) continue
    if (number === OXS.duration) found.durationMs = value.u32() * 1000 + Math.floor(value.u32() / 1e6)
    else if (number === OXS.flow_count) found.flows = value.u32()
    else if (number === OXS.packet_count) found.packets = value.u64()
    else if (number === OXS.byte_count) found.bytes = value.u64()
  }
  return found
}
