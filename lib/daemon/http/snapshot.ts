// What the page draws: the chassis, its VNIs and ports, the VTEPs around it, and what is wrong, as plain data. It is made once a second
// while somebody looks, so it reads counts that are kept and walks only what it shows; the rest it counts.
import type { Domain } from '../../evpn/domain.js'
import { isElsewhere } from '../../evpn/claim.js'
import type { VtepKey } from '../../evpn/vtep.js'
import type { Vni } from '../../net/number.js'
import type { Agent } from '../agent.js'
import type { Transition } from '../history.js'
import { ipOrder, sortRows } from '../control/order.js'
import { transitionReport } from '../report/history.js'
import { domainProblems } from '../refresh/index.js'
import { firstProblems } from '../report/problems.js'
import type { DropReport } from '../report/report.js'
import { whyUnusable, type SessionStates } from '../report/reports.js'
import { staleVteps } from '../report/stale.js'
import { byText, changeText, eventText, latencyText, subjectText } from '../report/words.js'
import type { State } from '../state.js'
import type { Numbers } from './families.js'

/** How much of each is shown. */
export const SHOWN = { vnis: 50, ports: 24, addresses: 4, vteps: 200, vnisOfVtep: 12, nexthops: 50, elsewhere: 50, problems: 50, events: 12 } as const
/** With more FDB rows than this, it is not looked for which VTEPs are stale, only told how many rows are. */
const MAX_ROWS = 20_000

export interface Some<T> { readonly shown: readonly T[], readonly more: number }

export interface PortShown {
  readonly port: string
  readonly vlan?: number
  readonly isUp: boolean
  readonly learns: boolean
  /** Its bound MACs, with what became of announcing each. */
  readonly macs: Some<{ readonly mac: string, readonly state: string }>
}

export interface VniShown {
  readonly vni: number
  readonly vteps: number
  readonly macs: number
  readonly ips: number
  readonly contested: number
  readonly waiting: number
  readonly localIps: readonly string[]
  readonly ports: Some<PortShown>
  readonly drops: readonly { readonly reason: string, readonly packets: number }[]
  readonly problems: readonly string[]
}

export interface VtepShown {
  readonly ip: string
  readonly port: number
  readonly macs: number
  readonly state: 'ok' | 'stale' | 'unusable'
  readonly reason?: string
  readonly vnis: Some<{ readonly vni: number, readonly macs: number }>
}

/** A transition in the words of `ovs-evpnctl watch`, of which some may be empty. */
export interface EventShown {
  /** ISO 8601, UTC. */
  readonly time: string
  readonly vni?: number
  readonly what: string
  readonly subject: string
  /** The subject is a MAC, which can be explained. */
  readonly isMac: boolean
  readonly change: string
  readonly by: string
  readonly latency: string
}

export interface Snapshot {
  readonly version: string
  readonly chassis: string
  readonly bridge: string
  readonly sessions: SessionStates
  readonly speaker: string
  readonly staleRows: number
  readonly isSettled: boolean
  readonly vnis: Some<VniShown>
  readonly vteps: Some<VtepShown>
  /** Multihomed segments: their MACs are behind several VTEPs, and counted here. */
  readonly nexthops: Some<{ readonly id: number, readonly macs: number, readonly ips: readonly string[] }>
  /** Addresses of this chassis that another one announces. */
  readonly elsewhere: Some<{ readonly vni: number, readonly mac: string, readonly port: string, readonly state: string, readonly reason: string }>
  /** Where no VNI is known. */
  readonly portDrops: readonly DropReport[]
  /** False while the switch has not told of any: what comes then did not begin then. */
  readonly areDropsKnown: boolean
  readonly problems: Some<string>
  /** What happened last, the latest first. */
  readonly events: readonly EventShown[]
}

export function snapshot({ agent, version, sessions, drops = [], drops: told }: Numbers): Snapshot {
  const { state } = agent
  const { system } = state.database
  return {
    version, chassis: system.systemId ?? 'this chassis', bridge: system.bridge, sessions,
    speaker: state.stale.phase, staleRows: state.stale.size, isSettled: agent.isSettled,
    vnis: vnis(state, drops),
    vteps: vteps(state),
    nexthops: nexthops(state),
    elsewhere: elsewhere(state),
    portDrops: drops.filter(({ vni }) => vni === null),
    areDropsKnown: told !== undefined,
    problems: problems(agent),
    events: state.history.since(state.history.next - SHOWN.events).transitions.map(eventShown).reverse()
  }
}

/** The first of `count`, made into what is shown. */
function some<T, U>(items: Iterable<T>, count: number, limit: number, show: (item: T) => U): Some<U> {
  const shown: U[] = []
  for (const item of items) {
    if (shown.length === limit) break
    shown.push(show(item))
  }
  return { shown, more: count - shown.length }
}

function vnis(state: State, drops: readonly DropReport[]): Some<VniShown> {
  const domains = [...state.domains.values()].sort((a, b) => a.vni - b.vni)
  return some(domains, domains.length, SHOWN.vnis, (domain) => vniShown(state, domain, drops))
}

function vniShown(state: State, domain: Domain, drops: readonly DropReport[]): VniShown {
  const { vni, localIps } = domain
  const bindings = state.bindings.under(vni)
  return {
    vni, vteps: state.vteps.under(vni).size, macs: state.macs.under(vni).size, ips: state.ips.under(vni).size,
    contested: state.claimCounts.get(vni, 'contested') ?? 0, waiting: state.claimCounts.get(vni, 'waiting') ?? 0,
    localIps: Object.values(localIps),
    ports: some(bindings.values(), bindings.size, SHOWN.ports, ({ port, vlan, addresses: { bound, unknown } }) => ({
      port, ...(vlan === undefined ? {} : { vlan }), isUp: state.mirrors.ports.ofport(port) !== undefined, learns: unknown,
      macs: some(bound, bound.length, SHOWN.addresses, ({ mac }) => ({ mac, state: state.claims.get(vni, mac)?.state ?? 'ignored' }))
    })),
    drops: drops.filter((drop) => drop.vni === vni).map(({ reason, packets }) => ({ reason, packets })),
    problems: domainProblems(state, domain)
  }
}

function vteps(state: State): Some<VtepShown> {
  const isStale = staleLookup(state)
  const { shown, more } = some(state.vnisOfVtep.outers(), state.vnisOfVtep.outerCount, SHOWN.vteps, (key) => vtepShown(state, key, isStale))
  return { shown: sortRows(shown.map((vtep) => ({ ...vtep, vni: null })), ({ ip, port }) => `${ipOrder(ip)} ${port}`).map(({ vni: _, ...vtep }) => vtep), more }
}

/** Tells whether nothing but stale rows tells of a VTEP. */
export function staleLookup(state: State): (vni: Vni, key: VtepKey) => boolean {
  const stale = new Map<Vni, ReadonlySet<VtepKey>>()
  return (vni, key) => {
    const domain = state.domains.get(vni)
    if (domain === undefined || state.stale.size === 0 || state.mirrors.fdb.size > MAX_ROWS) return false
    const known = stale.get(vni) ?? staleVteps(state, domain)
    stale.set(vni, known)
    return known.has(key)
  }
}

function vtepShown(state: State, key: VtepKey, isStale: ReturnType<typeof staleLookup>): VtepShown {
  const [ip = '', port = ''] = key.split(' ')
  const [known, behind] = [state.vnisOfVtep.under(key), state.macsBehind.under(key)]
  let macs = 0
  for (const count of behind.values()) macs += count
  const vnis = some(known.keys(), known.size, SHOWN.vnisOfVtep, (vni) => ({ vni, macs: behind.get(vni) ?? 0 }))
  const reasons = vnis.shown.flatMap(({ vni }) => {
    const vtep = state.vteps.get(vni, key)
    return (vtep && whyUnusable(state, vtep)) ?? []
  })
  const stale = vnis.shown.some(({ vni }) => isStale(vni, key))
  return { ip, port: Number(port), macs, state: reasons[0] !== undefined ? 'unusable' : stale ? 'stale' : 'ok', ...(reasons[0] === undefined ? {} : { reason: reasons[0] }), vnis }
}

function nexthops({ nexthopMacs, mirrors }: State): Snapshot['nexthops'] {
  return some(nexthopMacs.outers(), nexthopMacs.outerCount, SHOWN.nexthops, (id) => ({
    id, macs: [...nexthopMacs.under(id).values()].reduce((sum, count) => sum + count, 0), ips: mirrors.nexthops.paths(id).map(({ ip }) => ip)
  }))
}

/** Looked for in the VNIs that have some, until there are enough. */
function elsewhere({ claims, claimCounts }: State): Snapshot['elsewhere'] {
  let [count, shown] = [0, [] as Snapshot['elsewhere']['shown']]
  for (const vni of claimCounts.outers()) {
    const here = (claimCounts.get(vni, 'contested') ?? 0) + (claimCounts.get(vni, 'waiting') ?? 0)
    count += here
    if (here === 0 || shown.length >= SHOWN.elsewhere) continue
    for (const { local: { mac, port = '-' }, state, reason = '' } of claims.under(vni).values()) {
      if (isElsewhere(state) && shown.length < SHOWN.elsewhere) shown = [...shown, { vni, mac, port, state, reason }]
    }
  }
  return { shown, more: count - shown.length }
}

/** A warning about the configuration names the record itself. */
function problems(agent: Agent): Some<string> {
  const { shown, more } = firstProblems(agent, SHOWN.problems)
  return { shown: shown.map(({ record, what }) => (record === 'configuration' ? what : `${record}: ${what}`)), more }
}

function eventShown(one: Transition): EventShown {
  const event = transitionReport(one)
  const { time, kind, vni } = event
  return {
    time, ...(vni === undefined ? {} : { vni }), what: eventText(event), subject: subjectText(event), isMac: kind === 'mac' || kind === 'claim',
    change: changeText(event), by: byText(event), latency: latencyText(event)
  }
}
