// How many flows each table has (OFPMP_TABLE, OpenFlow 1.5.1 section 7.3.5.3). Open vSwitch keeps that as a counter: it walks no flows for
// the answer, as it does for OFPMP_AGGREGATE.
import { Cursor } from './decode.js'

/** One entry of an OFPMP_TABLE reply. */
export interface TableStats {
  readonly tableId: number
  readonly flows: number
}

/** ofp_table_stats: table_id, padding, active_count, lookup_count, matched_count. The last two are of no use: a cached packet is not counted. */
export function decodeTableStats(body: Buffer): TableStats[] {
  const cursor = new Cursor(body, 'table_stats')
  const stats: TableStats[] = []
  while (cursor.left > 0) {
    const tableId = cursor.u8()
    cursor.skip(3)
    stats.push({ tableId, flows: cursor.u32() })
    cursor.skip(16)
  }
  return stats
}
