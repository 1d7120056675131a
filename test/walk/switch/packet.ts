// Runs one packet through a fake switch's tables, as Open vSwitch does: match by priority, set_field, resubmit, groups,
// output. What leaves, and with which tunnel fields, is the truth about forwarding.
import { ipToBytes } from '../../../lib/net/ip.js'
import type { Action } from '../../../lib/openflow/index.js'
import type { Lesson } from './learned.js'
import { flowActions, flowMatch, type Flow, type Tables } from './tables.js'

/** Fields as numbers, whatever their text form. Absent = 0. */
export type Packet = Readonly<Record<string, bigint>>

/** A packet that left by a port. */
export interface Sent {
  readonly port: number
  readonly packet: Packet
  /** Which translation it left in: a select group by dp_hash recirculates, and what follows is translated by itself. */
  readonly translation: number
  /** Of a bucket of a select group: its weight; each of them is tried, and shows as one that left. */
  readonly share: number
}

export interface Run {
  readonly sent: readonly Sent[]
  /** Flows that were hit, as `table priority`. */
  readonly path: readonly string[]
  /** What would have made the switch give up. */
  readonly problems: string[]
  /** Buckets of select groups from which nothing left. */
  readonly deadEnds: number
  /** What the packet teaches: whether it is learned is the caller's business. */
  readonly lessons: readonly Lesson[]
  /** Copies for the agent: what the action writes along, and the fields at that moment. */
  readonly toUs: readonly { readonly userdata: Buffer, readonly fields: Packet }[]
}

/** Open vSwitch allows as many resubmits in one translation; no flood of ours comes near it in sum. */
const MAX_HITS = 20_000

export function number(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return BigInt(value)
  if (typeof value !== 'string') throw new TypeError(`no field value: ${String(value)}`)
  const isMac = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(value)
  return BigInt(`0x${isMac ? value.replaceAll(':', '') : ipToBytes(value).toString('hex')}`)
}

export function packet(fields: Readonly<Record<string, unknown>>): Packet {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, number(value)]))
}

/** A flow as packets meet it. */
interface Compiled {
  readonly flow: Flow
  readonly terms: readonly Term[]
  readonly clauses: readonly { readonly id: number, readonly clause: number, readonly clauses: number }[]
  readonly actions: readonly Action[]
}

/** Flows never change, and stay in the tables of a walk from one look to the next. */
const compiled = new WeakMap<Flow, Compiled>()

function compile(flow: Flow): Compiled {
  const known = compiled.get(flow)
  if (known !== undefined) return known
  const actions = flowActions(flow.instructions)
  const made = { flow, terms: terms(flow), clauses: actions.flatMap((action) => (action.kind === 'conjunction' ? [action] : [])), actions }
  compiled.set(flow, made)
  return made
}

function hits({ terms }: Compiled, fields: Readonly<Record<string, bigint>>): boolean {
  return terms.every(({ name, value, mask }) => ((fields[name] ?? 0n) & mask) === value)
}

export class Pipeline {
  readonly #tables: Tables
  /** By descending priority. */
  readonly #byTable = new Map<number, Compiled[]>()

  constructor(tables: Tables) {
    this.#tables = tables
    for (const flow of tables.flows.values()) {
      const flows = this.#byTable.get(flow.table)
      if (flows === undefined) this.#byTable.set(flow.table, [compile(flow)])
      else flows.push(compile(flow))
    }
    for (const flows of this.#byTable.values()) flows.sort((a, b) => b.flow.priority - a.flow.priority)
  }

  run(start: Packet): Run {
    const run: Mutable = { sent: [], path: [], problems: [], toUs: [], lessons: [], translation: 0, translations: 1, share: 1, deadEnds: 0 }
    this.#table(0, { ...start }, run)
    return run
  }

  #table(table: number, fields: Record<string, bigint>, run: Mutable): void {
    if (run.path.length >= MAX_HITS) {
      run.problems.push('too many resubmits')
      return
    }
    const hit = this.#lookup(table, fields)
    if (hit === undefined) return
    run.path.push(`${table} ${hit.flow.priority}`)
    this.#actions(hit.actions, fields, run, table)
  }

  /** The flow of highest priority; a conjunction of which every clause hits counts as a hit with its id (ovs-fields(7)). */
  #lookup(table: number, fields: Readonly<Record<string, bigint>>): Compiled | undefined {
    const flows = this.#byTable.get(table) ?? []
    const hard = flows.find((flow) => flow.clauses.length === 0 && hits(flow, fields))
    const soft = flows.filter((flow) => flow.clauses.length > 0 && flow.flow.priority > (hard?.flow.priority ?? -1) && hits(flow, fields))
    for (const { id, clauses } of soft.flatMap((flow) => flow.clauses)) {
      const met = new Set(soft.flatMap((flow) => flow.clauses).filter((clause) => clause.id === id).map(({ clause }) => clause))
      if (met.size === clauses) return flows.find((flow) => flow.clauses.length === 0 && hits(flow, { ...fields, conj_id: BigInt(id) }))
    }
    return hard
  }

  #actions(actions: readonly Action[], fields: Record<string, bigint>, run: Mutable, table: number): void {
    for (const action of actions) {
      switch (action.kind) {
        case 'set_field': {
          const mask = action.mask === undefined ? -1n : number(action.mask)
          fields[action.field] = ((fields[action.field] ?? 0n) & ~mask) | (number(action.value) & mask)
          break
        }
        case 'push_vlan':
          pushTag(fields, run)
          break
        case 'pop_vlan':
          popTag(fields)
          break
        case 'move': {
          const mask = (1n << BigInt(action.src.bits ?? action.dst.bits ?? 128)) - 1n
          const value = ((fields[nameIn(action.src.field)] ?? 0n) >> BigInt(action.src.offset ?? 0)) & mask
          const shift = BigInt(action.dst.offset ?? 0)
          fields[nameIn(action.dst.field)] = ((fields[nameIn(action.dst.field)] ?? 0n) & ~(mask << shift)) | (value << shift)
          break
        }
        case 'meter':
          break
        // No packet of a walk is longer than it must be.
        case 'check_pkt_larger':
          fields[action.dst.field] = (fields[action.dst.field] ?? 0n) & ~(1n << BigInt(action.dst.offset ?? 0))
          break
        case 'learn':
          run.lessons.push({ learn: action, fields: { ...fields } })
          break
        case 'resubmit':
          this.#table(action.table ?? table, fields, run)
          break
        case 'group':
          this.#group(action.group, fields, run, table)
          break
        case 'output':
          // A packet never goes out where it came in.
          if (typeof action.port !== 'number') run.problems.push(`output to ${action.port}`)
          else if (action.port !== Number(fields['in_port'] ?? 0n)) run.sent.push({ port: action.port, packet: { ...fields }, translation: run.translation, share: run.share })
          break
        case 'controller':
          run.toUs.push({ userdata: action.userdata ?? Buffer.alloc(0), fields: { ...fields } })
          break
        default:
          run.problems.push(`action ${action.kind} is not known to the walk`)
      }
    }
  }

  /** Each bucket works on a copy. A select group recirculates, and takes one of its buckets: here every one is tried. */
  #group(id: number, fields: Record<string, bigint>, run: Mutable, table: number): void {
    const group = this.#tables.groups.get(id)
    if (group === undefined) {
      run.problems.push(`group ${id} does not exist`)
      return
    }
    const { translation, share } = run
    for (const bucket of group.buckets) {
      const before = run.sent.length
      if (group.type === 'select') Object.assign(run, { translation: run.translations++, share: bucket.weight ?? 1 })
      this.#actions(bucketActions(bucket.actions), { ...fields }, run, table)
      if (group.type === 'select' && group.buckets.length > 1 && run.sent.length === before) run.deadEnds++
    }
    Object.assign(run, { translation, share })
  }
}

function pushTag(fields: Record<string, bigint>, run: Mutable): void {
  const isTagged = (fields['vlan_vid'] ?? 0n) !== 0n
  if (isTagged && (fields['below'] ?? 0n) !== 0n) run.problems.push('a third tag is not known to the walk')
  if (isTagged) fields['below'] = (fields['vlan_vid'] ?? 0n) | ((fields['vlan_pcp'] ?? 0n) << 13n)
  fields['vlan_vid'] = 0x1000n
  fields['vlan_pcp'] = 0n
}

/** With vlan-limit 1, as Open vSwitch has it by default, the tag below shows as an Ethernet type only: `below` is what it is. */
function popTag(fields: Record<string, bigint>): void {
  fields['vlan_vid'] = 0n
  fields['vlan_pcp'] = 0n
  if ((fields['below'] ?? 0n) !== 0n) fields['eth_type'] = 0x8100n
}

interface Mutable {
  sent: Sent[], path: string[], problems: string[], lessons: Lesson[], toUs: { userdata: Buffer, fields: Packet }[]
  translation: number, translations: number, share: number, deadEnds: number
}

interface Term { readonly name: string, readonly value: bigint, readonly mask: bigint }

function terms(flow: Flow): Term[] {
  return Object.entries(flowMatch(flow.match)).map(([name, given]) => {
    const [value, mask] = Array.isArray(given) ? given as [unknown, unknown] : [given, undefined]
    return { name, value: number(value), mask: mask === undefined ? -1n : number(mask) }
  })
}

const bucketsSeen = new WeakMap<Buffer, readonly Action[]>()

function bucketActions(actions: Buffer): readonly Action[] {
  const known = bucketsSeen.get(actions) ?? decodeBucketActions(actions)
  bucketsSeen.set(actions, known)
  return known
}

/** The same decoder and memory as for flows: a bucket's actions as an instruction. */
function decodeBucketActions(actions: Buffer): readonly Action[] {
  if (actions.length === 0) return []
  const header = Buffer.alloc(8)
  header.writeUInt16BE(4, 0)
  header.writeUInt16BE(8 + actions.length, 2)
  return flowActions(Buffer.concat([header, actions]))
}

/** One field has two names on the wire. */
function nameIn(field: string): string {
  return field === 'in_port_oxm' ? 'in_port' : field
}
