// What was dropped between two looks at the counters. The daemon does not look by itself: only while somebody watches.
import type { DropReport } from '../../daemon/report/report.js'
import type { DropEvent } from './words.js'

type Counters = ReadonlyMap<string, DropReport>

export function counters(rows: readonly DropReport[]): Counters {
  return new Map(rows.map((row) => [`${row.vni ?? ''} ${row.port ?? ''} ${row.reason}`, row]))
}

/** A counter that is smaller than it was began anew. */
export function dropsBetween(before: Counters, now: Counters, time: string): DropEvent[] {
  return [...now].flatMap(([key, { vni, port, reason, packets, bytes }]): DropEvent[] => {
    const old = before.get(key)
    const isOn = old !== undefined && old.packets <= packets
    const more = packets - (isOn ? old.packets : 0)
    if (more === 0) return []
    return [{ time, kind: 'drops', ...(vni === null ? {} : { vni }), ...(port === undefined ? {} : { port }), reason, packets: more, bytes: bytes - (isOn ? old.bytes : 0) }]
  })
}
