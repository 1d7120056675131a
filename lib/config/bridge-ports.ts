// The ports of the integration bridge, parsed, and kept up with the replica row by row: of 10,000 ports, what one costs that comes,
// changes or goes does not depend on the others. One pass over Bridge.ports is left, which compares strings that are the same objects.
import type { Row } from '../ovsdb/index.js'
import { atoms, text, textMap, uuids } from './columns.js'
import { parsePort, type PortConfig } from './port.js'
import { isTunnelPort } from './tunnel-port.js'
import type { Warning } from './warning.js'

export interface WorkloadPort extends PortConfig {
  /** Why Open vSwitch cannot use the port; undefined = it can. */
  readonly problem: string | undefined
}

/** An interface as it was read before, and as it reads now; undefined = no workload port. */
export interface PortChange { readonly old: WorkloadPort | undefined, readonly current: WorkloadPort | undefined }

interface ParsedInterface { readonly port: WorkloadPort | undefined, readonly warnings: readonly Warning[], readonly isOvn: boolean }

/** A Port row and its interfaces. */
interface ParsedPort {
  readonly name: string
  readonly isTunnel: boolean
  /** A tunnel of ovn-controller. */
  readonly isOvnTunnel: boolean
  /** Uuids of its interfaces, whether their rows are there yet or not. */
  readonly listed: readonly string[]
  readonly interfaces: readonly ParsedInterface[]
}

type PortTables = (name: 'Port' | 'Interface') => ReadonlyMap<string, Row>

export class BridgePorts {
  /** Bridge.ports, as it was last seen. */
  #listed: readonly string[] = []
  /** The same, to be asked. */
  readonly #members = new Set<string>()
  /** By uuid of the Port row. */
  readonly #parsed = new Map<string, ParsedPort>()
  /** Those of them that are more than workloads: few, for they are walked. */
  readonly #special = new Map<string, ParsedPort>()
  /** Which Port row has an interface, by uuids. */
  readonly #portOf = new Map<string, string>()
  readonly #workloads = new Map<string, WorkloadPort>()
  /** The replica replaces a row object when, and only when, the row changed. */
  #interfaces = new WeakMap<Row, ParsedInterface>()

  /** Ports that name a VNI, by Interface name, in no order. Always those of now: it is not a copy. */
  get workloads(): ReadonlyMap<string, WorkloadPort> {
    return this.#workloads
  }

  /** Names of the tunnel ports of ours. */
  get tunnels(): ReadonlySet<string> {
    return new Set([...this.#special.values()].filter(({ isTunnel }) => isTunnel).map(({ name }) => name))
  }

  /** Name of the first port that is a tunnel of ovn-controller's; undefined = there is none. */
  get ovnTunnel(): string | undefined {
    return [...this.#special.values()].filter(({ isOvnTunnel }) => isOvnTunnel).map(({ name }) => name).sort()[0]
  }

  /** True when ovn-controller has bound an interface here. */
  get isOvn(): boolean {
    return [...this.#special.values()].some(({ interfaces }) => interfaces.some(({ isOvn }) => isOvn))
  }

  get warnings(): Warning[] {
    return [...this.#special.values()].flatMap(({ interfaces }) => interfaces.flatMap(({ warnings }) => warnings))
  }

  /** Others that say the same. */
  copy(): BridgePorts {
    const copy = new BridgePorts()
    copy.#listed = this.#listed
    copy.#interfaces = this.#interfaces
    for (const uuid of this.#members) copy.#members.add(uuid)
    for (const [uuid, port] of this.#parsed) copy.#remember(uuid, port)
    return copy
  }

  /**
   * Reads what is no longer as it was: ports that came to Bridge.ports or left it, and the rows whose uuids are in `changed`
   * (undefined = any row may have changed). What became of the workload ports among them.
   */
  update(listed: readonly string[], table: PortTables, changed: ReadonlySet<string> | undefined): PortChange[] {
    const { added, removed } = differenceOf(this.#listed, listed)
    this.#listed = listed
    for (const uuid of removed) this.#members.delete(uuid)
    for (const uuid of added) this.#members.add(uuid)
    const named = changed === undefined ? this.#members : [...changed].map((uuid) => (this.#members.has(uuid) ? uuid : this.#portOf.get(uuid)))
    const touched = new Set([...removed, ...added, ...named].filter((uuid) => uuid !== undefined))
    // A name may go from one row to another: all are forgotten before any is remembered.
    const before = new Map<string, WorkloadPort | undefined>([...touched].flatMap((uuid) => this.#forget(uuid)).map((port) => [port.name, port] as const))
    for (const uuid of touched) {
      const row = this.#members.has(uuid) ? table('Port').get(uuid) : undefined
      if (row === undefined) continue
      for (const { name } of this.#remember(uuid, this.#parse(row, table))) if (!before.has(name)) before.set(name, undefined)
    }
    return [...before].map(([name, old]) => ({ old, current: this.#workloads.get(name) })).filter(({ old, current }) => old !== current)
  }

  #parse(row: Row, table: PortTables): ParsedPort {
    const listed = uuids(row['interfaces'])
    return {
      name: text(row['name']),
      isTunnel: isTunnelPort(row),
      isOvnTunnel: isOvnTunnel(row),
      listed,
      interfaces: listed.map((uuid) => table('Interface').get(uuid)).filter((iface) => iface !== undefined).map((iface) => this.#parseInterface(iface))
    }
  }

  #parseInterface(row: Row): ParsedInterface {
    const known = this.#interfaces.get(row)
    if (known !== undefined) return known
    const externalIds = textMap(row['external_ids'])
    const { config, warnings } = parsePort(text(row['name']), externalIds)
    const parsed = { port: config && { ...config, problem: portProblem(row) }, warnings, isOvn: externalIds.has('ovn-installed') }
    this.#interfaces.set(row, parsed)
    return parsed
  }

  #remember(uuid: string, port: ParsedPort): WorkloadPort[] {
    this.#parsed.set(uuid, port)
    if (port.isTunnel || port.isOvnTunnel || port.interfaces.some(({ warnings, isOvn }) => isOvn || warnings.length > 0)) this.#special.set(uuid, port)
    for (const iface of port.listed) this.#portOf.set(iface, uuid)
    const workloads = workloadsOf(port)
    for (const workload of workloads) this.#workloads.set(workload.name, workload)
    return workloads
  }

  #forget(uuid: string): WorkloadPort[] {
    const port = this.#parsed.get(uuid)
    if (port === undefined) return []
    this.#parsed.delete(uuid)
    this.#special.delete(uuid)
    for (const iface of port.listed) this.#portOf.delete(iface)
    const workloads = workloadsOf(port)
    for (const { name } of workloads) this.#workloads.delete(name)
    return workloads
  }
}

/** True for a Port row that ovn-controller made for a tunnel of its own. */
export function isOvnTunnel(port: Row): boolean {
  return textMap(port['external_ids']).has('ovn-chassis-id')
}

function workloadsOf({ interfaces }: ParsedPort): WorkloadPort[] {
  return interfaces.flatMap(({ port }) => port ?? [])
}

/** What one list has and the other has not. Where they begin and end alike, they are only compared. */
function differenceOf(old: readonly string[], current: readonly string[]): { readonly added: readonly string[], readonly removed: readonly string[] } {
  let begin = 0
  while (begin < old.length && old[begin] === current[begin]) begin++
  let end = 0
  while (end < Math.min(old.length, current.length) - begin && old[old.length - 1 - end] === current[current.length - 1 - end]) end++
  const [before, after] = [new Set(old.slice(begin, old.length - end)), new Set(current.slice(begin, current.length - end))]
  return { added: [...after].filter((uuid) => !before.has(uuid)), removed: [...before].filter((uuid) => !after.has(uuid)) }
}

/** ofport is empty until ovs-vswitchd looked at the port, -1 when it could not make it (ovs-vswitchd.conf.db(5)). */
function portProblem(row: Row): string | undefined {
  const [ofport] = atoms(row['ofport'])
  const [error] = atoms(row['error'])
  if (error !== undefined) return `Open vSwitch reports: ${error}`
  if (ofport === undefined) return 'Open vSwitch has not made the port yet'
  return Number(ofport) < 0 ? 'Open vSwitch could not make the port' : undefined
}
