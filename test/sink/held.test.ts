// While a foreign group stands in one of our places, nothing of ours may hand it packets.
import t from 'tap'
import type { Flow, Group } from '../../lib/pipeline/flow.js'
import { FIRST_GROUP } from '../../lib/pipeline/slots.js'
import { compileFlow } from '../../lib/sink/flow-entry.js'
import { compileGroup, isEqualGroup, type GroupValue } from '../../lib/sink/group-entry.js'
import { holdWhatNames } from '../../lib/sink/held.js'
import { Tracker } from '../../lib/sink/tracker.js'

function flow(priority: number, group: number): Flow {
  return { table: 203, priority, match: { metadata: 1000 }, actions: [{ kind: 'set_field', field: 'reg1', value: 1 }, { kind: 'group', group: FIRST_GROUP + group }] }
}

function group(id: number, ...names: readonly number[]): Group {
  return { id: FIRST_GROUP + id, type: 'all', buckets: names.map((named, i) => ({ id: i, actions: [{ kind: 'group', group: FIRST_GROUP + named }] })) }
}

await t.test('what names a foreign group waits, and what names that; everything else goes on', (t) => {
  const flows = new Tracker<string>((a, b) => a === b)
  const groups = new Tracker<GroupValue>(isEqualGroup)
  groups.setOwned('o', [group(1, 2), group(2, 3), group(4, 5), group(6)].map((group) => compileGroup(group)))
  flows.setOwned('o', [flow(1, 1), flow(3, 3), flow(4, 4), flow(6, 6)].map((one) => compileFlow(one)))
  holdWhatNames([String(FIRST_GROUP + 3)], flows, groups)
  t.strictSame(groups.pending(9).map(({ key }) => Number(key) - FIRST_GROUP), [4, 6])
  t.strictSame(flows.pending(9).map(({ key }) => key), [flow(4, 4), flow(6, 6)].map((one) => compileFlow(one)[0]))
  t.end()
})

await t.test('what goes is not held back, nor what already is as it should be', (t) => {
  const flows = new Tracker<string>((a, b) => a === b)
  const groups = new Tracker<GroupValue>(isEqualGroup)
  flows.replaceRealized([flow(1, 3), flow(2, 3)].map((one) => compileFlow(one)))
  flows.setOwned('o', [flow(2, 3)].map((one) => compileFlow(one)))
  holdWhatNames([String(FIRST_GROUP + 3)], flows, groups)
  t.strictSame(flows.pending(9).map(({ key, desired }) => [key, desired]), [[compileFlow(flow(1, 3))[0], undefined]])
  t.equal(flows.blocked().size, 0)
  t.end()
})
