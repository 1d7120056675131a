// What an operator should look at: found in one place for `ovs-evpnctl problems`, for the metrics and for the page. Thousands of flows
// may be refused at once, so that each problem is put into words only for whoever reads it.
import { MAX_PATHS } from '../../evpn/nexthop.js'
import type { FloodSet } from '../../evpn/flood.js'
import { MAX_LEARNED } from '../../mirror/learned.js'
import { describeFlowKey } from '../../sink/flow-entry.js'
import type { Agent } from '../agent.js'
import { nexthopCollisions } from '../refresh/index.js'
import type { State } from '../state.js'
import type { Problem } from './report.js'
import { tunnelReports } from './tunnels.js'

/**
 * notice: a warning that stands; tunnel_port: one that Open vSwitch refuses, or that somebody altered; conflict: a foreign entry in a place
 * of ours; blocked: an entry refused or held back; collision: two of ours that want one place; limit: more than can be served.
 */
export const PROBLEM_KINDS = ['notice', 'tunnel_port', 'conflict', 'blocked', 'collision', 'limit'] as const

export type ProblemKind = (typeof PROBLEM_KINDS)[number]

interface Found {
  readonly kind: ProblemKind
  readonly describe: () => Problem
}

/** All there are. */
export function problemReports(agent: Agent): Problem[] {
  return firstProblems(agent, Infinity).shown
}

/** The first ones, and how many more there are. */
export function firstProblems(agent: Agent, limit: number): { readonly shown: Problem[], readonly more: number } {
  const shown: Problem[] = []
  let more = 0
  for (const { describe } of findProblems(agent)) {
    if (shown.length < limit) shown.push(describe())
    else more++
  }
  return { shown, more }
}

export function countProblems(agent: Agent): Record<ProblemKind, number> {
  const counts: Record<ProblemKind, number> = { notice: 0, tunnel_port: 0, conflict: 0, blocked: 0, collision: 0, limit: 0 }
  for (const { kind } of findProblems(agent)) counts[kind]++
  return counts
}

function found(kind: ProblemKind, record: string, what: string): Found {
  return { kind, describe: () => ({ severity: 'warning', record, what }) }
}

function * findProblems(agent: Agent): IterableIterator<Found> {
  const { notices, state } = agent
  for (const [what, since] of notices.standing) yield { kind: 'notice', describe: () => ({ severity: 'warning', record: 'configuration', what, since: since.toISOString() }) }
  yield * tunnelProblems(agent)
  for (const what of state.switch.conflicts) yield found('conflict', 'switch', what)
  yield * blockedEntries(state)
  yield * collisions(state)
  for (const problem of nexthopLimits(state)) yield { kind: 'limit', describe: () => problem }
  if (state.mirrors.learned.refused > 0) yield found('limit', 'switch', `it has learned more than ${MAX_LEARNED} MACs; the others are not announced`)
  for (const vni of [...state.floods.keys()].sort((a, b) => a - b)) {
    const what = floodShortage(state.floods.get(vni))
    if (what !== undefined) yield found('limit', `VNI ${vni}`, what)
  }
}

function * tunnelProblems(agent: Agent): IterableIterator<Found> {
  const { left } = agent.tunnels
  for (const { name, state, reason = '' } of tunnelReports(agent)) {
    // A tunnel port can work with what somebody else made of it.
    if (state === 'refused') yield found('tunnel_port', `port ${name}`, reason)
    else if (state === 'up' && left?.includes(`port ${name} `) === true) yield found('tunnel_port', `port ${name}`, left)
  }
}

/**
 * What is refused, or held back because of others. What is not yet seen to be done, and what stands a moment longer than it is wanted
 * because packets may need it, is as it should be.
 */
function * blockedEntries({ switch: { flows, groups, meters }, kernel, devices }: State): IterableIterator<Found> {
  const isOthers = (what: string): boolean => /^(refused|somebody)/.test(what)
  for (const [key, what] of flows.blocked()) {
    if (flows.desired(key) !== undefined) yield { kind: 'blocked', describe: () => ({ severity: 'warning', record: `flow ${describeFlowKey(key)}`, what }) }
  }
  for (const [key, what] of groups.blocked()) yield found('blocked', `group ${key}`, what)
  for (const [key, what] of meters.blocked()) yield found('blocked', key, what)
  for (const [key, what] of kernel.rows.blocked()) if (kernel.rows.desired(key) !== undefined && isOthers(what)) yield found('blocked', `kernel row ${key}`, what)
  for (const [key, what] of devices.rows.blocked()) if (isOthers(what)) yield found('blocked', `kernel ${key}`, what)
}

function * collisions(state: State): IterableIterator<Found> {
  const { switch: { flows, groups }, devices } = state
  for (const [first, ...others] of nexthopCollisions(state)) {
    yield found('collision', `nexthop ${first}`, `and nexthop ${others.join(' and ')} have one group id by their hash; each has a group of its own all the same`)
  }
  for (const [, winner, losers] of [...groups.collisions(), ...flows.collisions()]) {
    yield found('collision', winner, `wants the same place in the switch as ${losers.join(', ')}`)
  }
  for (const [key, winner, losers] of devices.rows.collisions()) {
    yield found('collision', `kernel ${key}`, `is wanted by ${[winner, ...losers].join(' and ').replaceAll('devices', 'VNI')}; it is made for the first`)
  }
}

/** Nexthop groups with more members than one group in the switch takes. */
export function nexthopLimits({ nexthopUsers, mirrors }: State): Problem[] {
  return [...nexthopUsers.outers()].flatMap((id): Problem[] => {
    const { length } = mirrors.nexthops.paths(id)
    const what = `has ${length} members; ${MAX_PATHS} are used, Open vSwitch has no more values of dp_hash`
    return length <= MAX_PATHS ? [] : [{ severity: 'warning', record: `nexthop ${id}`, what }]
  })
}

/** What a flood lacks, in words. */
export function floodShortage(set: FloodSet | undefined): string | undefined {
  if (set === undefined || set.left.length === 0) return undefined
  const members = set.parts.reduce((sum, part) => sum + part.members.length, set.left.length)
  return `${set.left.length} of ${members} members found no place in the flood`
}
