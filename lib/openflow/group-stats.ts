// Counters of groups (OFPMP_GROUP_STATS, OpenFlow 1.5.1 section 7.3.5.9).
import { Cursor, takeEntries } from './decode.js'

/** What a group has counted. */
export interface GroupStats {
  readonly groupId: number
  readonly packets: bigint
  readonly bytes: bigint
  /** Packets by bucket, in the order of the group's buckets. */
  readonly buckets: readonly bigint[]
}

const BUCKET_BYTES = 16

/** The body of a request for one group's counters. */
export function encodeGroupStatsRequest(groupId: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(groupId, 0)
  return bytes
}

/** The entries of an OFPMP_GROUP_STATS reply. */
export function decodeGroupStats(body: Buffer): GroupStats[] {
  return takeEntries(body, 'group_stats', 40).map((entry) => {
    const cursor = new Cursor(entry, 'group_stats')
    cursor.skip(4)
    const groupId = cursor.u32()
    cursor.skip(8)
    const [packets, bytes] = [cursor.u64(), cursor.u64()]
    cursor.skip(8)
    const buckets: bigint[] = []
    while (cursor.left >= BUCKET_BYTES) {
      buckets.push(cursor.u64())
      cursor.skip(8)
    }
    return { groupId, packets, bytes, buckets }
  })
}
