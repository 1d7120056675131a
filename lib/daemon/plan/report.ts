// A plan as rows: what the copy wants otherwise than the daemon does now.
import { describeFlowKey, describeFlowValue } from '../../sink/flow-entry.js'
import { describeGroup } from '../../sink/group-entry.js'
import type { Tracker } from '../../sink/tracker.js'
import { domainProblems } from '../refresh/index.js'
import type { PlanEntry, PlannedReport, PlanReport } from '../report/report.js'
import type { State } from '../state.js'
import type { Pause } from '../pace.js'

/** Entries told of each kind; all are counted. */
const TOLD = 1_000
/** Compared between two looks at the clock. */
const COMPARED = 200

export interface PlanFrame {
  readonly commands: readonly string[]
  /** Changes of tunnel ports, as planTunnels says them. */
  readonly tunnels: readonly string[]
  readonly warnings: readonly string[]
}

export async function planReport(live: State, copy: State, { commands, tunnels, warnings }: PlanFrame, pause: Pause): Promise<PlanReport> {
  const problemsOf = (state: State): string[] => [...state.domains.values()].flatMap((domain) => domainProblems(state, domain).map((text) => `VNI ${domain.vni}: ${text}`))
  const now = new Set(problemsOf(live))
  const device = rowText(live)
  return {
    commands,
    tunnel_ports: planned(tunnels.map(tunnelEntry)),
    devices: await compare(live.devices.rows, copy.devices.rows, (key) => key, pause),
    flows: await compare(live.switch.flows, copy.switch.flows, flowText, pause),
    groups: await compare(live.switch.groups, copy.switch.groups, describeGroup, pause),
    kernel_rows: await compare(live.kernel.rows, copy.kernel.rows, device, pause),
    problems: [...warnings, ...problemsOf(copy).filter((text) => !now.has(text))].slice(0, TOLD)
  }
}

/** What changed meanwhile, for whatever reason, is no part of the plan. `text` is told what stands beside a value: the other form of what changes. */
async function compare<V>(live: Tracker<V>, copy: Tracker<V>, text: (key: string, value: V, beside?: V) => string, pause: Pause): Promise<PlannedReport> {
  const counts = { added: 0, changed: 0, removed: 0, meanwhile: 0 }
  const entries: PlanEntry[] = []
  let seen = 0
  for (const { key, desired, realized } of copy.differences()) {
    if (++seen % COMPARED === 0) await pause()
    if (!live.isDesired(key, realized)) {
      if (!live.isDesired(key, desired)) counts.meanwhile++
      continue
    }
    const change = realized === undefined ? 'added' : desired === undefined ? 'removed' : 'changed'
    counts[change]++
    if (entries.length < TOLD) entries.push(entryOf(change, key, { desired, realized }, text))
  }
  return { ...counts, entries }
}

function entryOf<V>(
  change: PlanEntry['change'], key: string, { desired, realized }: { readonly desired: V | undefined, readonly realized: V | undefined }, text: (key: string, value: V, beside?: V) => string
): PlanEntry {
  if (desired !== undefined && realized !== undefined) return { change, what: text(key, desired, realized), was: text(key, realized, desired) }
  const value = desired ?? realized
  return { change, what: value === undefined ? key : text(key, value) }
}

function planned(entries: readonly PlanEntry[]): PlannedReport {
  const count = (change: PlanEntry['change']): number => entries.filter((one) => one.change === change).length
  return { added: count('added'), changed: count('changed'), removed: count('removed'), meanwhile: 0, entries }
}

function tunnelEntry(change: string): PlanEntry {
  const [, name = '', what = ''] = /^port (\S+) (is missing|is one too many|has .*)$/.exec(change) ?? []
  return what === 'is missing' ? { change: 'added', what: name } : what === 'is one too many' ? { change: 'removed', what: name } : { change: 'changed', what: change }
}

function flowText(key: string, value: string): string {
  return `${describeFlowKey(key)} actions=${describeFlowValue(value)}`
}

/** Rows as `bridge fdb` and `ip neigh` say them, with names of devices. */
function rowText({ mirrors: { links } }: State): (key: string, value: string) => string {
  return (key, value) => {
    const [kind = '', ifindex = '', address = '', vlan = ''] = key.split(' ')
    const dev = links.byIndex(Number(ifindex))?.name ?? `device ${ifindex}`
    return kind === 'fdb' ? `fdb ${address} dev ${dev}${vlan === '' || vlan === '0' ? '' : ` vlan ${vlan}`}` : `neigh ${address} lladdr ${value} dev ${dev}`
  }
}
