// What a change of the configuration would do, without doing it: the state is copied, with sinks that want the same and have it and a
// database with the change, and derived by the very functions that would serve the change. What is pending in those sinks then is
// the answer. Nothing of the copy is connected to anything.
import { tunnelName } from '../../config/tunnel-port.js'
import { parseSetting, settingCommand, withSettings, type Setting } from '../../config/setting.js'
import { NestedMap } from '../../mirror/nested.js'
import { Copies } from '../../net/copies.js'
import { planTunnels } from '../../sink/tunnel.js'
import { markPort } from '../affected.js'
import { Dirty } from '../dirty.js'
import { EvidenceAsSeen } from '../evidence.js'
import { History } from '../history.js'
import { planReport } from './report.js'
import type { PlanReport } from '../report/report.js'
import type { State } from '../state.js'
import { deriveSome } from '../tick.js'
import { paced, type Pause } from '../pace.js'

/** Entries copied, and VTEPs, MACs and IPs derived, between two looks at the clock. */
const [COPIED, DERIVED] = [1_000, 50]

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
  const pause = paced()
  const copy = await copyOf(live, table, (text) => warnings.push(text), pause)
  copy.dirty.database = true
  copy.dirty.rows = undefined
  await deriveAll(copy, pause)
  const why = whyNot(live, copy, settings)
  if (why !== undefined) return why
  const tunnels = tunnelChanges(live, copy)
  makeTunnelPorts(copy)
  await deriveAll(copy, pause)
  return await planReport(live, copy, { commands: settings.map(settingCommand), tunnels, warnings }, pause)
}

/** What the state is now, even if it changes while it is copied. */
async function copyOf(live: State, table: State['table'], warn: (text: string) => void, pause: Pause): Promise<State> {
  const copies = new Copies()
  try {
    const copy = startCopy(live, table, warn, copies)
    while (copies.step(COPIED)) await pause()
    return copy
  } finally {
    copies.end()
  }
}

/** Shares what nobody changes, and has its own of what deriving writes to, complete when `copies` are. */
function startCopy(live: State, table: State['table'], warn: (text: string) => void, copies: Copies): State {
  const derived = Object.fromEntries(Object.entries(live).map(([name, value]: [string, unknown]) => [name, containerOf(value, copies)])) as unknown as State
  const dirty = new Dirty()
  const copy: State = {
    ...derived, table, dirty,
    books: new Map([...live.books].map(([vni, book]) => [vni, book.copy()])),
    switch: live.switch.fork(warn, copies), kernel: live.kernel.fork(copies), devices: live.devices.fork(copies),
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

function containerOf(value: unknown, copies: Copies): unknown {
  if (value instanceof NestedMap) return value.copy(copies)
  if (value instanceof Map) return new Map(value)
  return value instanceof Set ? new Set(value) : value
}

async function deriveAll(state: State, pause: Pause): Promise<void> {
  while (!state.dirty.isEmpty) {
    deriveSome(state, DERIVED)
    await pause()
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
