// What must be true at the end of every walk, once nothing is on its way any more.
import type { Chassis } from './chassis.js'
import type { DeviceRow } from './kernel/rows.js'
import { withdrawAll } from './operations/rows.js'
import { textOf } from './ovsdb/database.js'
import { VNIS } from './pools.js'
import type { Random } from './random.js'
import { settle, settleFor } from './slips.js'
import { isLearned } from './switch/learned.js'
import { tableTexts, type FakeSwitch } from './switch/switch.js'
import { isForeign, type Flow } from './switch/tables.js'
import { readConfig, trueVnis, type TrueConfig } from './truth/config.js'
import { checkCounts } from './truth/counts.js'
import { checkForwarding } from './truth/forwarding.js'
import { checkOurRows, ourRows } from './truth/rows.js'
import { checkTunnels } from './truth/tunnels.js'

/** All that the agent has brought about. */
interface Tables { readonly flows: readonly string[], readonly rows: readonly string[], readonly ports: readonly string[] }

/** In ms: long enough to see that the routing daemon is dead, and shorter than any time that what it withdrew is kept. */
const DYING = 2_000

/** Brings the walk to its end and gives what is wrong. */
export async function checkEnd(chassis: Chassis, r: Random): Promise<string[]> {
  heal(chassis)
  const settled = await arrive(chassis, 'the walk')
  if (settled.length > 0) return settled
  for (const fake of chassis.vswitchd.switches.values()) fake.mayRefuse = false
  const failures = [...checkTruth(chassis, r)]
  if (failures.length > 0) return failures
  const end = tables(chassis)
  return [
    ...await recompute(chassis, end),
    ...await restart(chassis, end, r),
    ...await fromScratch(chassis, end, r),
    ...await failStatic(chassis, r)
  ]
}

/** In the middle of a walk, with all that is broken: once it is quiet, what can be right is right. */
export async function checkNow(chassis: Chassis, r: Random): Promise<string[]> {
  const isQuiet = await settle(chassis)
  if (chassis.violations.length > 0) return [...chassis.violations]
  if (!isQuiet) return ['a quiet time never comes to rest']
  const fake = chassis.vswitchd.switches.get(readConfig(chassis.database).bridge)
  const hasForeign = fake !== undefined && (fake.foreignGroups.size > 0 || [...fake.tables.flows.values()].some(isInOurPlace))
  const isHindered = chassis.life === undefined || !chassis.vswitchd.isRunning || hasForeign
  return isHindered ? [] : checkTruth(chassis, r)
}

/** What was broken by the walk works again; the daemon runs. */
function heal(chassis: Chassis): void {
  chassis.clearFaults()
  if (chassis.speaker !== undefined) chassis.speaker.isAlive = true
  if (!chassis.vswitchd.isRunning) chassis.vswitchd.start(false)
  for (const fake of chassis.vswitchd.switches.values()) removeForeign(fake)
  chassis.start()
}

/** Foreign entries in our places go: what would be there in their stead is checked, too. */
function removeForeign(fake: FakeSwitch): void {
  fake.removeForeignGroups()
  const { flows } = fake.tables
  for (const [key, flow] of flows) if (isInOurPlace(flow)) flows.delete(key)
}

function isInOurPlace(flow: Flow): boolean {
  return isForeign(flow) && ((flow.table >= 200 && flow.table <= 223) || (flow.table === 0 && flow.priority === 36864))
}

async function arrive(chassis: Chassis, what: string): Promise<string[]> {
  const isQuiet = await settle(chassis)
  if (chassis.violations.length > 0) return [...chassis.violations]
  if (!isQuiet) return [`${what} never comes to rest`]
  const config = readConfig(chassis.database)
  const agent = chassis.life?.agent
  if (config.exists && !config.isOvns && agent?.isSettled !== true) return [`${what} comes to rest, but the agent is not settled`]
  return []
}

function checkTruth(chassis: Chassis, r: Random): string[] {
  return [...checkTunnels(chassis), ...checkOurRows(chassis), ...checkForwarding(chassis, r), ...checkCounts(chassis)]
}

function tables(chassis: Chassis): Tables {
  const fake = chassis.vswitchd.switches.get(readConfig(chassis.database).bridge)
  return { flows: fake === undefined ? [] : tableTexts(fake.tables), rows: ourRows(chassis), ports: portTexts(chassis) }
}

function portTexts({ database }: Chassis): string[] {
  return database.layout().flatMap(([bridge, interfaces]) => interfaces.map(([, row]) => {
    const options = [...row['options'] as ReadonlyMap<string, string>].sort().join(' ')
    return `${bridge} ${textOf(row['name'])} ${textOf(row['type'])} ${options}`
  })).sort()
}

/** Computing everything anew changes nothing and sends nothing. */
async function recompute(chassis: Chassis, end: Tables): Promise<string[]> {
  const sent = work(chassis)
  chassis.life?.agent.recompute()
  const what = 'a recomputation'
  return [...await arrive(chassis, what), ...same(what, end, tables(chassis)), ...nothingSent(what, sent, chassis)]
}

/** A new agent on the same world changes nothing and sends nothing. */
async function restart(chassis: Chassis, end: Tables, r: Random): Promise<string[]> {
  chassis.kill(r)
  const sent = work(chassis)
  chassis.start()
  const what = 'a restart'
  return [...await arrive(chassis, what), ...same(what, end, tables(chassis)), ...nothingSent(what, sent, chassis)]
}

/** A new agent on a switch and in a kernel that hold nothing of ours brings about the same. */
async function fromScratch(chassis: Chassis, end: Tables, r: Random): Promise<string[]> {
  if (readConfig(chassis.database).isOvns) return []
  chassis.kill(r)
  for (const fake of chassis.vswitchd.switches.values()) {
    // What it has learned is an input, not a result.
    for (const [key, flow] of fake.tables.flows) if (!isForeign(flow) && !isLearned(flow)) fake.tables.flows.delete(key)
    fake.tables.groups.clear()
    fake.tables.meters.clear()
  }
  removeOurRows(chassis)
  chassis.start()
  return [...await arrive(chassis, 'a start from scratch'), ...same('a start from scratch', end, tables(chassis))]
}

/** A routing daemon that dies takes nothing with it, for a while; when evpn-stale-time is over, what it withdrew is gone. */
async function failStatic(chassis: Chassis, r: Random): Promise<string[]> {
  const config = readConfig(chassis.database)
  const isOff = VNIS.some((vni) => config.option('evpn-stale-time', vni) === '0')
  if (chassis.speaker === undefined || config.isOvns || isOff || !chassis.kernel.vxlans.all().every((row) => isOfVni(row, config, chassis))) return []
  const before = tables(chassis)
  await withdrawAll(chassis, r)
  chassis.speaker.isAlive = false
  await settleFor(chassis, DYING)
  const kept = same('the death of the routing daemon', before, tables(chassis))
  chassis.speaker.isAlive = r.chance(0.5)
  return [...kept, ...await arrive(chassis, 'the time after it'), ...checkTruth(chassis, r)]
}

/** What is said on a device that no VNI has, or of a VNI that is not here, is nothing to keep. */
function isOfVni({ ifindex, srcVni = 0 }: DeviceRow, config: TrueConfig, { kernel }: Chassis): boolean {
  const device = kernel.devices.get(ifindex)
  return trueVnis(config).some((vni) => vni === (device?.vxlan?.external === true ? srcVni : device?.vxlan?.vni) &&
    (config.option('dynamic-routing-vxlan-ifname', vni) ?? `vxlan-${vni}`).split(',').includes(device?.name ?? ''))
}

/** Silently. A MAC that others announce too stays with whoever holds it now: that is an input, not a result. */
function removeOurRows(chassis: Chassis): void {
  const { kernel } = chassis
  const announced = new Set(kernel.vxlans.all().map(({ mac }) => mac))
  for (const text of ourRows(chassis)) {
    const [kind, index, address = '', vlan] = text.split(' ')
    const ifindex = Number(index)
    if (kind === 'neigh') kernel.neighbours.remove(ifindex, address, () => undefined)
    if (kind === 'neigh' || announced.has(address)) continue
    for (const row of kernel.bridges.all()) if (row.port === ifindex && row.mac === address && row.vlan === Number(vlan)) kernel.bridges.drop(row, () => undefined)
  }
}

function work({ writes, database, vswitchd }: Chassis): Record<string, number> {
  const mods = [...vswitchd.switches.values()].reduce((sum, fake) => sum + fake.mods, 0)
  return { 'kernel requests': writes, 'OVSDB transactions': database.transactions, 'OpenFlow messages': mods }
}

function nothingSent(what: string, before: Record<string, number>, chassis: Chassis): string[] {
  return Object.entries(work(chassis)).filter(([name, count]) => count !== before[name])
    .map(([name, count]) => `${what} sends ${count - (before[name] ?? 0)} ${name}, and should send nothing`)
}

function same(what: string, before: Tables, after: Tables): string[] {
  return (['flows', 'rows', 'ports'] as const).flatMap((part) => {
    const gone = before[part].filter((line) => !after[part].includes(line))
    const fresh = after[part].filter((line) => !before[part].includes(line))
    return [
      ...gone.slice(0, 5).map((line) => `after ${what} this is gone: ${line}`),
      ...fresh.slice(0, 5).map((line) => `after ${what} this is new: ${line}`)
    ]
  })
}
