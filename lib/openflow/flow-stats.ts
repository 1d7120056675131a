// Counters of flows. OpenFlow 1.5 writes them as OXS TLVs (section 7.2.4): class 0x8002, field (7 bits), reserved (1), length (8).
// Open vSwitch 3.1 does not know OFPMP_FLOW_STATS; its flow descriptions carry the counters.
import { takeEntries, type Cursor } from './decode.js'
import { decodeFlowDesc, type FlowDesc } from './flow.js'

/** A flow with what it has counted. Times in milliseconds: since it was added, and since it was last hit. */
export interface FlowStats extends FlowDesc {
  readonly durationMs: number
  readonly idleMs: number
  readonly packets: bigint
  readonly bytes: bigint
}

const OXS_CLASS = 0x8002
const OXS = { duration: 0, idle_time: 1, packet_count: 4, byte_count: 5 } as const

/** The entries of an OFPMP_FLOW_DESC reply with their counters. */
export function decodeFlowStats(body: Buffer): FlowStats[] {
  return takeEntries(body, 'flow_desc', 40).map((entry) => {
    const [desc, oxs] = decodeFlowDesc(entry)
    const { durationMs, idleMs, packets, bytes } = decodeOxs(oxs)
    return { ...desc, durationMs, idleMs, packets, bytes }
  })
}

function decodeOxs(cursor: Cursor): { durationMs: number; idleMs: number; packets: bigint; bytes: bigint } {
  const found = { durationMs: 0, idleMs: 0, packets: 0n, bytes: 0n }
  while (cursor.left > 0) {
    const oxsClass = cursor.u16()
    const number = cursor.u8() >> 1
    const value = cursor.inner(cursor.u8())
    if (oxsClass !== OXS_CLASS) continue
    if (number === OXS.duration) found.durationMs = milliseconds(value)
    else if (number === OXS.idle_time) found.idleMs = milliseconds(value)
    else if (number === OXS.packet_count) found.packets = value.u64()
    else if (number === OXS.byte_count) found.bytes = value.u64()
  }
  return found
}

/** Seconds and nanoseconds. */
function milliseconds(value: Cursor): number {
  return value.u32() * 1000 + Math.floor(value.u32() / 1e6)
}
