// One batch of messages to the switch, in the only order that never leaves a flow without its group:
// groups come first, then flows, then flows that go, and a group goes when no flow change is left that might name it.
// Groups that go come last for another reason too: a bundle that deletes a group which a flow still names, and then fails
// over a later message, ends ovs-vswitchd (measured on 3.1.0).
import { flowMod } from './flow-entry.js'
import { groupMods, type GroupValue } from './group-entry.js'
import type { Pending, Tracker } from './tracker.js'

export interface Batch {
  readonly flows: readonly Pending<string>[]
  readonly groups: readonly Pending<GroupValue>[]
  readonly mods: readonly Buffer[]
  /** For each message: the index of its entry in flows, or flows.length + its index in groups. */
  readonly entryOfMod: readonly number[]
}

/** Large enough that a bundle's fixed cost vanishes, small enough that ours is not the only voice the switch hears. */
const MAX_FLOWS = 1000
const MAX_GROUPS = 200

/** The next batch; empty when nothing is pending that may be sent. `holds` blocks a flow that may not go yet, and says so. */
export function planBatch(flows: Tracker<string>, groups: Tracker<GroupValue>, holds: (pending: Pending<string>) => boolean = () => false): Batch {
  // Chosen from all that is pending: neither a group that goes nor one that names others may take the place of one that is named.
  const groupChanges = groups.pending(Infinity).sort(byPartBeforeWhole)
  const raised = groupChanges.filter((pending) => pending.desired !== undefined).slice(0, MAX_GROUPS)
  // A flow that names a group waits for it: with more groups than a batch takes, groups go alone.
  const candidates = raised.length === MAX_GROUPS ? [] : flows.pending(MAX_FLOWS)
  const changes = candidates.filter((pending) => !holds(pending))
  // OVS deletes the flows that name a group with the group. While a change of a flow is held back, it may still name any.
  const isLast = candidates.length < MAX_FLOWS && raised.length < MAX_GROUPS && !flows.isHeldBack
  const dropped = isLast ? groupChanges.filter((pending) => pending.desired === undefined).reverse().slice(0, MAX_GROUPS) : []
  const ordered = [...changes.filter((pending) => pending.desired !== undefined), ...changes.filter((pending) => pending.desired === undefined)]
  return assemble(ordered, raised, dropped)
}

function assemble(flows: readonly Pending<string>[], raised: readonly Pending<GroupValue>[], dropped: readonly Pending<GroupValue>[]): Batch {
  const mods: Buffer[] = []
  const entryOfMod: number[] = []
  const push = (entry: number, messages: readonly Buffer[]) => {
    for (const message of messages) {
      mods.push(message)
      entryOfMod.push(entry)
    }
  }
  raised.forEach((pending, i) => push(flows.length + i, groupMods(pending)))
  flows.forEach((pending, i) => push(i, [flowMod(pending)]))
  dropped.forEach((pending, i) => push(flows.length + raised.length + i, groupMods(pending)))
  return { flows, groups: [...raised, ...dropped], mods, entryOfMod }
}

/** A VNI's parts have higher ids than the flood groups that name them, and the trampoline the highest of all. */
function byPartBeforeWhole(a: Pending<GroupValue>, b: Pending<GroupValue>): number {
  return Number(b.key) - Number(a.key)
}
