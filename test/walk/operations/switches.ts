// What befalls the switch and the connection to it, and what other programs put there. Foreign entries in our places
// come while no connection stands: the agent can know of them only from reading back.
import type { Chassis } from '../chassis.js'
import { encodeActions, encodeMatch, type Bucket } from '../../../lib/openflow/index.js'
import { VNIS } from '../pools.js'
import type { Random } from '../random.js'
import type { FakeSwitch } from '../switch/switch.js'
import { forgetLessons, isLearned, lessonsOf } from '../switch/learned.js'
import { flowKey, foreignFlow, isForeign, type Flow } from '../switch/tables.js'
import type { Operation, Weighted } from './operation.js'

const disconnect: Operation = (chassis, r) => {
  if (chassis.life?.connection === undefined) return undefined
  chassis.disconnect(r)
  return 'the OpenFlow connection is lost'
}

const restartVswitchd: Operation = ({ vswitchd }, r) => {
  if (!vswitchd.isRunning) {
    const renumber = r.chance(0.3)
    vswitchd.start(renumber)
    return `ovs-vswitchd starts${renumber ? ', with other port numbers' : ''}`
  }
  vswitchd.stop(r)
  if (r.chance(0.5)) return 'ovs-vswitchd stops'
  vswitchd.start(false)
  return 'ovs-vswitchd restarts'
}

function anySwitch({ vswitchd }: Chassis, r: Random): FakeSwitch | undefined {
  return r.maybe([...vswitchd.switches.values()])
}

/** Loses the connection to this switch, if there is one. */
function cutOff(chassis: Chassis, fake: FakeSwitch, r: Random): void {
  const connection = chassis.life?.connection
  if (connection !== undefined && chassis.vswitchd.connections.get(connection) === fake) chassis.disconnect(r)
}

function put(fake: FakeSwitch, flow: Flow): void {
  fake.tables.flows.set(flowKey(flow.table, flow.priority, flow.match), flow)
}

const foreignOutside: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  if (fake === undefined) return undefined
  const [table, priority] = r.pick([[0, 0], [0, 100], [0, 36863], [0, 36865], [10, 36864], [199, 200], [224, 200]] as const)
  // Above ours it would rightly win: there it is about a port nobody has.
  const match = priority > 36864 ? { in_port: 900 } : r.chance(0.5) ? { in_port: r.int(1, 9) } : {}
  put(fake, foreignFlow(table, priority, encodeMatch(match)))
  return `somebody adds a flow in table ${table} of ${fake.name}, priority ${priority}`
}

const foreignInside: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  if (fake === undefined) return undefined
  cutOff(chassis, fake, r)
  const ours = r.maybe([...fake.tables.flows.values()].filter((flow) => !isForeign(flow) && !isLearned(flow)))
  const lessons = lessonsOf(fake.tables)
  const flow = r.weighted<() => Flow>([
    [2, () => (ours === undefined ? foreignFlow(200, 200, encodeMatch({ in_port: 1 })) : foreignFlow(ours.table, ours.priority, ours.match))],
    [1, () => foreignFlow(0, 36864, encodeMatch({ in_port: r.int(1, 9) }))],
    [1, () => foreignFlow(r.int(200, 206), r.pick([50, 100, 200, 300]), encodeMatch({ metadata: 100 }))]
  ])()
  put(fake, flow)
  forgetLessons(lessons, fake.tables)
  const match = flow.match.toString('hex')
  return `somebody puts a flow in our place in table ${flow.table} of ${fake.name} (${match}), while we are not connected`
}

const foreignGroup: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  if (fake === undefined) return undefined
  cutOff(chassis, fake, r)
  const groupId = 0x40000000 + r.pick(VNIS) * 128 + r.pick([0, 1, 4, 5, 6, 8, 100])
  fake.tables.dropGroup(groupId)
  fake.tables.groups.set(groupId, { groupId, type: 'all', buckets: [{ id: 1, actions: encodeActions([{ kind: 'output', port: 900 }]) }] })
  fake.foreignGroups.add(groupId)
  return `somebody puts group ${groupId} in our range of ${fake.name}, while we are not connected`
}

const removeForeign: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  if (fake === undefined) return undefined
  if (r.chance(0.7)) fake.removeForeignGroups()
  const gone = r.some([...fake.tables.flows].filter(([, flow]) => isForeign(flow)), 0.7)
  for (const [key] of gone) fake.tables.flows.delete(key)
  return gone.length === 0 ? undefined : `somebody removes ${gone.length} foreign flows from ${fake.name}`
}

/** Buckets of the same ids with each other's actions. */
function mixUp(buckets: readonly Bucket[], r: Random): Bucket[] {
  return buckets.map((bucket) => ({ ...bucket, actions: r.pick(buckets).actions }))
}

/** The switch is found in another state than it was left in: entries of ours missing, changed, or too many. */
const drift: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  if (fake === undefined) return undefined
  cutOff(chassis, fake, r)
  const { flows, groups, meters } = fake.tables
  const lessons = lessonsOf(fake.tables)
  for (const [id, meter] of r.some([...meters], 0.2)) meters.set(id, { ...meter, rate: 1 })
  const meterId = 0x65760000 + r.int(1, 9)
  if (r.chance(0.2) && fake.maxMeters > 0) meters.set(meterId, { meterId, unit: 'pktps', rate: 5, burst: 5 })
  for (const [key, flow] of r.some([...flows].filter(([, one]) => !isForeign(one) && !isLearned(one)), 0.1)) {
    if (r.chance(0.5)) flows.delete(key)
    else flows.set(key, { ...flow, cookie: flow.cookie | BigInt(r.int(0, 1)), instructions: r.pick([flow.instructions, Buffer.alloc(0)]) })
  }
  for (const [id, group] of r.some([...groups].filter(([one]) => !fake.foreignGroups.has(one)), 0.2)) {
    if (r.chance(0.3)) fake.tables.dropGroup(id)
    else if (r.chance(0.5)) groups.set(id, { ...group, buckets: r.some(group.buckets, 0.7) })
    else if (r.chance(0.5)) groups.set(id, { ...group, buckets: mixUp(group.buckets, r) })
    else groups.set(id, { groupId: id, type: r.pick(['all', 'select', 'indirect', 'ff']), buckets: group.buckets })
  }
  const groupId = 0x40000000 + r.int(0, 1000)
  if (r.chance(0.5) && !fake.foreignGroups.has(groupId)) groups.set(groupId, { groupId, type: 'all', buckets: [] })
  forgetLessons(lessons, fake.tables)
  const left = { ...foreignFlow(r.int(200, 215), 77, encodeMatch({ metadata: r.int(1, 9) })), cookie: 0x6576706e_00000000n }
  put(fake, left)
  return `${fake.name} is in disorder: flows and groups of ours missing, changed, left over; we are not connected`
}

const refuse: Operation = ({ faults }, r) => {
  faults.refuseMessage = r.chance(0.5) ? r.int(0, 5) : r.int(0, 40)
  return `the switch will refuse message ${faults.refuseMessage} from now`
}

export const CHANGE_SWITCHES: Weighted = [
  [3, disconnect], [2, restartVswitchd], [1, foreignOutside], [2, foreignInside], [1, foreignGroup], [2, removeForeign], [1, drift], [4, refuse]
]
