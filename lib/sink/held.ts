// What has to wait while a foreign group stands in the place of one of ours: whatever names it would hand it our packets.
import { encodeActions } from '../openflow/index.js'
import type { GroupValue } from './group-entry.js'
import type { Tracker } from './tracker.js'

const REASON = 'it names a group in whose place a foreign one stands'

/** Blocks every pending flow and group that names one of these groups, or a group that is held back itself. */
export function holdWhatNames(foreign: readonly string[], flows: Tracker<string>, groups: Tracker<GroupValue>): void {
  const names = foreign.map(groupAction)
  const isNaming = (actions: string) => names.some((name) => actions.includes(name))
  // Groups name groups: until a round finds no more.
  for (let held = -1; held !== names.length;) {
    held = names.length
    for (const { key, desired } of groups.pending(Infinity)) {
      if (desired === undefined || ![...desired.buckets.values()].some(isNaming)) continue
      groups.block(key, REASON)
      names.push(groupAction(key))
    }
  }
  for (const { key, desired } of flows.pending(Infinity)) {
    if (desired !== undefined && isNaming(desired)) flows.block(key, REASON)
  }
}

/** The action that hands a packet to a group, in the bytes in which trackers keep actions. */
function groupAction(id: string): string {
  return encodeActions([{ kind: 'group', group: Number(id) }]).toString('latin1')
}
