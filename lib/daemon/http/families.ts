// What Prometheus is told, as a table: each family's name, meaning, labels, and where its numbers are. Each is read when somebody
// asks, from a count that is kept anyway; nothing here walks over MACs, flows or rows. A label is a VNI, a reason, a kind: never an
// address.
import { CLAIM_STATES } from '../../evpn/claim.js'
import type { Tracker } from '../../sink/tracker.js'
import type { Agent } from '../agent.js'
import type { DropReport } from '../report/report.js'
import { countProblems } from '../report/problems.js'
import type { SessionStates } from '../report/reports.js'
import { isConnected } from '../report/session.js'

export interface Numbers {
  readonly agent: Agent
  readonly version: string
  readonly sessions: SessionStates
  /** Undefined while the switch has not told. */
  readonly drops: readonly DropReport[] | undefined
}

export type Sample = readonly [labels: Readonly<Record<string, string | number>>, value: number]

export interface Family {
  readonly kind: 'gauge' | 'counter'
  /** Without the prefix that all have. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly read: (numbers: Numbers) => Iterable<Sample>
}

export const FAMILIES: readonly Family[] = [
  {
    kind: 'gauge', name: 'info', help: 'Always 1: the version, the chassis and its integration bridge.', labels: ['version', 'system_id', 'bridge'],
    read: ({ agent: { state: { database: { system } } }, version }) => [[{ version, system_id: system.systemId ?? '', bridge: system.bridge }, 1]]
  },
  {
    kind: 'gauge', name: 'session_up', help: '1 while the session to OVSDB, the switch (openflow) or the kernel (netlink) stands and is up to date.', labels: ['session'],
    read: ({ sessions: { ovsdb, openflow, netlink } }) => [
      [{ session: 'ovsdb' }, Number(isConnected(ovsdb))], [{ session: 'openflow' }, Number(isConnected(openflow))], [{ session: 'netlink' }, Number(netlink === 'synced')]
    ]
  },
  single('gauge', 'settled', '1 when the switch and the kernel hold all that is wanted, as far as is known.', ({ isSettled }) => Number(isSettled)),
  {
    kind: 'gauge', name: 'routing_daemon_up', help: '1 while the routing daemon lives and has settled, 0 while what it withdrew is kept; absent when nobody knows.', labels: [],
    read: ({ agent: { state: { stale } } }) => (stale.phase === 'unknown' ? [] : [[{}, Number(stale.phase === 'alive')]])
  },
  single('gauge', 'stale_rows', 'Kernel rows that stand only because the routing daemon that withdrew them is away (evpn-stale-time).', ({ state }) => state.stale.size),
  ofEachVni('vteps', 'Remote VTEPs of a VNI.', ({ state }, vni) => state.vteps.under(vni).size),
  ofEachVni('macs', 'Remote MACs of a VNI.', ({ state }, vni) => state.macs.under(vni).size),
  ofEachVni('ips', 'Remote IPs of a VNI.', ({ state }, vni) => state.ips.under(vni).size),
  ofEachVni('ports', 'Workload ports of a VNI.', ({ state }, vni) => state.bindings.under(vni).size),
  {
    kind: 'gauge', name: 'claims', help: 'Addresses of this chassis by what became of announcing them; contested and waiting: another chassis announces them.', labels: ['vni', 'state'],
    read: ({ agent: { state: { domains, claimCounts } } }) =>
      [...domains.keys()].flatMap((vni) => CLAIM_STATES.map((state): Sample => [{ vni, state }, claimCounts.get(vni, state) ?? 0]))
  },
  ofEachKind('entries_desired', 'What is wanted in the switch and the kernel, by kind.', (tracker) => tracker.desiredCount),
  ofEachKind('entries_realized', 'What of ours is there.', (tracker) => tracker.realizedCount),
  ofEachKind('entries_pending', 'Where what is wanted and what is there differ.', (tracker) => tracker.pendingCount),
  {
    kind: 'gauge', name: 'problems', labels: ['kind'],
    help: 'What ovs-evpnctl problems names: warnings that stand (notice), tunnel ports refused or altered (tunnel_port), foreign entries in our places (conflict), entries refused ' +
      'or held back (blocked), two of ours that want one place (collision), more than can be served (limit).',
    read: ({ agent }) => Object.entries(countProblems(agent)).map(([kind, count]): Sample => [{ kind }, count])
  },
  {
    kind: 'counter', name: 'drops_total', help: 'Packets dropped, by reason; by port where no VNI is known. A series begins with its first packet.', labels: ['vni', 'port', 'reason'],
    read: ({ drops = [] }) => drops.map(({ vni, port, reason, packets }): Sample => [{ ...(vni === null ? {} : { vni }), ...(port === undefined ? {} : { port }), reason }, packets])
  },
  single('counter', 'netlink_messages_total', 'Messages of the kernel.', ({ feed }) => feed.counters.messages),
  single('counter', 'netlink_malformed_total', 'Messages of the kernel that could not be read.', ({ feed }) => feed.counters.malformed),
  single('counter', 'netlink_overruns_total', 'Times that the kernel dropped notifications because we read too slowly.', ({ feed }) => feed.counters.overruns),
  by('resyncs_total', 'Times that everything was read again.', 'of', ({ feed, state }) => ({ kernel: feed.counters.resyncs, switch: state.switch.counters.readBacks })),
  by('writes_total', 'Changes sent.', 'kind', ({ state }) => ({
    flow: state.switch.counters.flowMods, group: state.switch.counters.groupMods, meter: state.switch.counters.meterMods,
    kernel_row: state.kernel.counters.writes, kernel_device: state.devices.counters.writes
  })),
  by('refused_total', 'Changes refused.', 'by', ({ state }) => ({ switch: state.switch.counters.refused, kernel: state.kernel.counters.refused + state.devices.counters.refused })),
  by('drift_total', 'Entries of ours that somebody else changed.', 'of', ({ state, tunnels }) => ({
    switch: state.switch.drift.counters.found, kernel: state.kernel.drift.counters.found, devices: state.devices.drift.counters.found, tunnels: tunnels.counters.drift
  })),
  single('counter', 'audits_total', 'Parts of the switch that were read again to find what changed without notice.', ({ state }) => state.switch.counters.audits)
]

function single(kind: Family['kind'], name: string, help: string, read: (agent: Agent) => number): Family {
  return { kind, name, help, labels: [], read: ({ agent }) => [[{}, read(agent)]] }
}

function by(name: string, help: string, label: string, read: (agent: Agent) => Readonly<Record<string, number>>): Family {
  return { kind: 'counter', name, help, labels: [label], read: ({ agent }) => Object.entries(read(agent)).map(([value, count]): Sample => [{ [label]: value }, count]) }
}

function ofEachVni(name: string, help: string, read: (agent: Agent, vni: number) => number): Family {
  return { kind: 'gauge', name, help, labels: ['vni'], read: ({ agent }) => [...agent.state.domains.keys()].map((vni): Sample => [{ vni }, read(agent, vni)]) }
}

function ofEachKind(name: string, help: string, read: (tracker: Tracker<unknown>) => number): Family {
  return { kind: 'gauge', name, help, labels: ['kind'], read: ({ agent: { state } }) => Object.entries(trackersOf(state)).map(([kind, tracker]): Sample => [{ kind }, read(tracker)]) }
}

function trackersOf({ switch: { flows, groups, meters }, kernel, devices }: Agent['state']): Readonly<Record<string, Tracker<unknown>>> {
  return { flow: flows, group: groups, meter: meters, kernel_row: kernel.rows, kernel_device: devices.rows } as Readonly<Record<string, Tracker<unknown>>>
}
