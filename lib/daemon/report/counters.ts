// The numbers behind memory/show and coverage/show.
import type { LatencySummary } from '../../sink/latency.js'
import type { Agent } from '../agent.js'

/** How much of everything is held. */
export function memoryOf({ state }: Agent): Record<string, number> {
  const sum = (maps: Iterable<{ readonly size: number }>) => [...maps].reduce((total, { size }) => total + size, 0)
  const vnis = [...state.domains.keys()]
  return {
    vnis: vnis.length,
    fdb_rows: state.mirrors.fdb.size,
    nexthops: state.mirrors.nexthops.size,
    vteps: sum(vnis.map((vni) => state.vteps.under(vni))),
    macs: sum(vnis.map((vni) => state.macs.under(vni))),
    ips: sum(vnis.map((vni) => state.ips.under(vni))),
    ports: state.database.ports.size,
    learned_macs: state.mirrors.learned.size,
    snooped_ips: state.mirrors.snooped.size,
    flows_desired: state.switch.flows.desiredCount,
    flows_realized: state.switch.flows.realizedCount,
    groups_desired: state.switch.groups.desiredCount,
    groups_realized: state.switch.groups.realizedCount,
    meters_desired: state.switch.meters.desiredCount,
    meters_realized: state.switch.meters.realizedCount,
    kernel_rows_desired: state.kernel.rows.desiredCount,
    kernel_rows_realized: state.kernel.rows.realizedCount,
    kernel_devices_desired: state.devices.rows.desiredCount,
    kernel_devices_realized: state.devices.rows.realizedCount
  }
}

/** What happened since the start. */
export function countersOf({ state, feed, tunnels }: Agent): Record<string, number> {
  return {
    netlink_messages: feed.counters.messages,
    netlink_malformed: feed.counters.malformed,
    netlink_overruns: feed.counters.overruns,
    netlink_resyncs: feed.counters.resyncs,
    kernel_writes: state.kernel.counters.writes,
    kernel_refused: state.kernel.counters.refused,
    device_writes: state.devices.counters.writes,
    device_refused: state.devices.counters.refused,
    flow_mods: state.switch.counters.flowMods,
    group_mods: state.switch.counters.groupMods,
    meter_mods: state.switch.counters.meterMods,
    switch_read_backs: state.switch.counters.readBacks,
    switch_refused: state.switch.counters.refused,
    switch_audits: state.switch.counters.audits,
    switch_drift: state.switch.drift.counters.found,
    kernel_drift: state.kernel.drift.counters.found,
    device_drift: state.devices.drift.counters.found,
    tunnel_drift: tunnels.counters.drift,
    drift_paused: state.switch.drift.counters.paused + state.kernel.drift.counters.paused + state.devices.drift.counters.paused,
    ...latencies(state.switch.latency.summaries())
  }
}

/** From the kernel's message to the switch's answer; counters are whole numbers, so in us. */
function latencies(summaries: readonly LatencySummary[]): Record<string, number> {
  return Object.fromEntries(summaries.flatMap(({ change, events, ...times }) => [
    [`${change}_events`, events] as const, ...Object.entries(times).map(([name, ms]) => [`${change}_${name}_us`, Math.round(ms * 1_000)] as const)
  ]))
}
