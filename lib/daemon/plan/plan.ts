// What a change of the configuration would do, without doing it: the state is copied, with sinks that want the same and have it and a
// database with the change, and derived by the very functions that would serve the change. What is pending in those sinks then is
// the answer. Nothing of the copy is connected to anything.
import { setImmediate } from 'node:timers/promises'
import { tunnelName } from '../../config/tunnel-port.js'
import { parseSetting, settingCommand, withSettings, type Setting } from '../../config/setting.js'
import { NestedMap } from '../../mirror/nested.js'
import { planTunnels } from '../../sink/tunnel.js'
import { markPort } from '../affected.js'
import { Dirty } from '../dirty.js'
import { EvidenceAsSeen } from '../evidence.js'
import { History } from '../history.js'
import { planReport } from './report.js'
import type { PlanReport } from '../report/report.js'
import type { State } from '../state.js'
import { derive } from '../tick.js'

/** VTEPs, MACs and IPs derived in one go. */
const SLICE = 500

/** The plan, or why there is none, in a sentence. */
export async function plan(live: State, words: readonly string[]): Promise<PlanReport | string> {
  const { system } = live.database
  const parsed = words.map((word) => parseSetting(word, system.bridge, system.systemId))
  const refused = parsed.find((one) => typeof one === 'string')
  if (typeof refused === 'string') return refused
  const settings = parsed as readonly Setting[]
  if (live.database.bridgeUuid === undefined || live.database.standOff !== undefined) return live.database.standOff ?? `bridge ${system.bridge} does not exist`
  const table = withSettings(live.table, settings)
  if (typeof table === 'string') return table
  const warnings: string[] = []
  const copy = copyOf(live, table, (text) => warnings.push(text))
  copy.dirty.database = true
  copy.dirty.rows = undefined
  await deriveInSlices(copy)
  const why = whyNot(live, copy, settings)
  if (why !== undefined) return why
  const tunnels = tunnelChanges(live, copy)
  makeTunnelPorts(copy)
  await deriveInSlices(copy)
  return planReport(live, copy, { commands: settings.map(settingCommand), tunnels, warnings })
}

/** Shares what nobody changes, and has its own of what deriving writes to. */
function copyOf(live: State, table: State['table'], warn: (text: string) => void): State {
  const derived = Object.fromEntries(Object.entries(live).map(([name, value]: [string, unknown]) => [name, containerOf(value)])) as unknown as State
  const dirty = new Dirty()
  const copy: State = {
    ...derived, table, dirty,
    books: new Map([...live.books].map(([vni, book]) => [vni, book.copy()])),
    switch: live.switch.fork(warn), kernel: live.kernel.fork(), devices: live.devices.fork(),
    bridgePorts: live.bridgePorts.copy(),
    evidence: new EvidenceAsSeen(live.evidence),
    history: new History(),
    mirrors: {
      ...live.mirrors,
      ports: live.mirrors.ports.copy((name) => markPort(copy, name)),
      snooped: live.mirrors.snooped.copy((vni, mac, ip) => {
        dirty.macs.add(vni, mac)
        dirty.ips.add(vni, ip)
      })
    }
  }
  return copy
}

function containerOf(value: unknown): unknown {
  if (value instanceof NestedMap) return value.copy()
  if (value instanceof Map) return new Map(value)
  return value instanceof Set ? new Set(value) : value
}

/** Between two slices the daemon does its own work. */
async function deriveInSlices(state: State): Promise<void> {
  while (!state.dirty.isEmpty) {
    derive(state, SLICE)
    await setImmediate()
  }
}

/** What the parsers say of a value that they do not take, or not wholly. */
function whyNot(live: State, { database }: State, settings: readonly Setting[]): string | undefined {
  if (database.system.bridge !== live.database.system.bridge) return `what another bridge would get cannot be told: the ports of ${database.system.bridge} are not known`
  const bad = database.warnings.find(({ key, value }) => settings.some((setting) => setting.key === key && setting.value === value))
  return bad === undefined ? undefined : `${bad.key}=${bad.value}: ${bad.why}`
}

/** What would be done to tunnel ports, and is not about to be done anyway. */
function tunnelChanges(live: State, copy: State): string[] {
  const changesOf = (state: State): readonly string[] => {
    const { database: { bridgeUuid, system }, ipv6Vnis } = state
    return planTunnels(bridgeUuid, system.vxlanPorts, live.table, ipv6Vnis.size > 0).changes
  }
  const now = changesOf(live)
  return changesOf(copy).filter((change) => !now.includes(change))
}

/** Open vSwitch would make the ports that are missing, and give them numbers of its own. */
function makeTunnelPorts(copy: State): void {
  const { database, mirrors: { ports } } = copy
  const missing = database.system.vxlanPorts.map(tunnelName).filter((name) => !database.tunnels.has(name))
  if (missing.length === 0) return
  copy.database = { ...database, tunnels: new Set([...database.tunnels, ...missing]) }
  for (const name of missing) ports.put({ port: ports.free, name })
}
