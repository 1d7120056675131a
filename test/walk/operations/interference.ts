// What other programs do to our places on the switch while we are connected: the switch tells it, as flow monitors and forwarded
// requests do, and what was ours is put back.
import { encodeMatch, type FlowUpdate, type RequestForward } from '../../../lib/openflow/index.js'
import type { Chassis } from '../chassis.js'
import type { Random } from '../random.js'
import type { FakeSwitch } from '../switch/switch.js'
import { forgetLessons, isLearned, lessonsOf, updateOf } from '../switch/learned.js'
import { flowKey, foreignFlow, isForeign, Tables, type Flow } from '../switch/tables.js'
import type { Operation, Weighted } from './operation.js'

/** Does something to the switch we are connected to, and has the switch tell it. What is on its way to it may be refused then. */
function interfere(chassis: Chassis, act: (fake: FakeSwitch) => string | undefined): string | undefined {
  const connection = chassis.life?.connection
  const fake = connection && chassis.vswitchd.connections.get(connection)
  if (connection === undefined || fake === undefined) return undefined
  const before = new Tables(fake.tables)
  const text = act(fake)
  if (text === undefined) return undefined
  fake.mayRefuse = true
  for (const request of [...requests('group', before.groups, fake.tables.groups), ...requests('meter', before.meters, fake.tables.meters)]) connection.tellRequest(request)
  const updates = flowUpdates(before.flows, fake.tables.flows)
  if (updates.length > 0) connection.tellFlows(updates)
  fake.tellLearned(forgetLessons(lessonsOf(before), fake.tables))
  return `while we are connected to ${fake.name}, somebody ${text}`
}

function requests(kind: RequestForward['kind'], before: ReadonlyMap<number, unknown>, after: ReadonlyMap<number, unknown>): RequestForward[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((id) => before.get(id) !== after.get(id))
    .map((id) => ({ kind, id, isDeletion: !after.has(id) }))
}

function flowUpdates(before: ReadonlyMap<string, Flow>, after: ReadonlyMap<string, Flow>): FlowUpdate[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key): FlowUpdate[] => {
    const [old, current] = [before.get(key), after.get(key)]
    if (old === current) return []
    if (current !== undefined) return [updateOf(old === undefined ? 'added' : 'modified', current)]
    return old === undefined ? [] : [updateOf('removed', old)]
  })
}

function ours(fake: FakeSwitch, r: Random, share: number): [string, Flow][] {
  return r.some([...fake.tables.flows].filter(([, flow]) => !isForeign(flow) && !isLearned(flow)), share)
}

const deleteFlows: Operation = (chassis, r) => interfere(chassis, (fake) => {
  const gone = ours(fake, r, 0.05)
  for (const [key] of gone) fake.tables.flows.delete(key)
  return gone.length === 0 ? undefined : `deletes ${gone.length} flows of ours`
})

const alterFlows: Operation = (chassis, r) => interfere(chassis, (fake) => {
  const altered = ours(fake, r, 0.05)
  for (const [key, flow] of altered) fake.tables.flows.set(key, { ...flow, instructions: Buffer.alloc(0) })
  return altered.length === 0 ? undefined : `makes ${altered.length} flows of ours drop`
})

const addUnderOurCookie: Operation = (chassis, r) => interfere(chassis, (fake) => {
  const flow = { ...foreignFlow(r.int(200, 215), 77, encodeMatch({ metadata: r.int(1, 9) })), cookie: 0x6576706e_00000000n }
  fake.tables.flows.set(flowKey(flow.table, flow.priority, flow.match), flow)
  return `adds a flow to table ${flow.table} under our cookie`
})

/** Over one that stands: an ADD of ours on its way to an empty place would replace it, which nobody can prevent. */
const replaceFlow: Operation = (chassis, r) => interfere(chassis, (fake) => {
  const found = r.maybe(ours(fake, r, 0.2))
  if (found === undefined) return undefined
  const [key, { table, priority, match }] = found
  fake.tables.flows.set(key, foreignFlow(table, priority, match))
  return `replaces a flow of ours in table ${table}`
})

const deleteGroups: Operation = (chassis, r) => interfere(chassis, (fake) => {
  const gone = r.some([...fake.tables.groups.keys()].filter((id) => !fake.foreignGroups.has(id)), 0.2)
  for (const id of gone) fake.tables.dropGroup(id)
  return gone.length === 0 ? undefined : `deletes groups ${gone.join(' ')}`
})

const alterGroups: Operation = (chassis, r) => interfere(chassis, (fake) => {
  const altered = r.some([...fake.tables.groups].filter(([id]) => !fake.foreignGroups.has(id)), 0.2)
  // In a form that looks like ours: before we have read it, any other is a foreign group.
  for (const [groupId, { buckets }] of altered) fake.tables.groups.set(groupId, { groupId, type: 'all', buckets: r.some(buckets, 0.5) })
  return altered.length === 0 ? undefined : `alters groups ${altered.map(([id]) => id).join(' ')}`
})

const alterMeters: Operation = (chassis, r) => interfere(chassis, (fake) => {
  const altered = r.some([...fake.tables.meters], 0.3)
  for (const [id, meter] of altered) fake.tables.meters.set(id, { ...meter, rate: 1 })
  return altered.length === 0 ? undefined : `alters meters ${altered.map(([id]) => id).join(' ')}`
})

export const INTERFERENCE: Weighted = [
  [3, deleteFlows], [2, alterFlows], [1, addUnderOurCookie], [2, replaceFlow], [2, deleteGroups], [2, alterGroups], [1, alterMeters]
]
