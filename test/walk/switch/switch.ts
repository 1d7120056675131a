// A bridge of ovs-vswitchd: its ports, its tables, and a watch on every change that comes over OpenFlow:
// nothing outside our places is touched, nothing foreign overwritten, no group grows past what vswitchd survives.
import type { ApplyResult, FlowUpdate, PortDesc } from '../../../lib/openflow/index.js'
import { applyError } from './connection.js'
import { forgetLessons, lessonsOf } from './learned.js'
import { flowActions, flowMatch, groupsIn, isForeign, Refusal, Tables, type Change, type Flow, type FlowChange } from './tables.js'

/** The agent's places on the bridge, written down a second time here: the walk checks the code against them. */
const OURS = {
  firstTable: 200, lastTable: 223, entryPriority: 36864, firstGroup: 0x40000000, lastGroup: 0xff000000, maxGroupBytes: 60_000,
  firstMeter: 0x65760000, lastMeter: 0x6576ffff
} as const

/** What shall go wrong next. */
export interface SwitchFaults {
  /** Refuse the nth message from now on (0 = the next); negative = none. */
  refuseMessage: number
}

/** OFPT_METER_MOD: not in a bundle. */
const METER_MOD = 29

export class FakeSwitch {
  readonly name: string
  readonly ports = new Map<string, PortDesc>()
  readonly faults: SwitchFaults
  readonly #report: (violation: string) => void
  /** Told when messages are handed to a connection. */
  readonly onSend: () => void
  tables = new Tables()
  /** 0 = the datapath has no meters. */
  maxMeters = 262_144
  /** Groups in our range that somebody else made. */
  readonly foreignGroups = new Set<number>()
  /** Told what it learned and forgot. Replaced by whoever knows the connections. */
  tellLearned: (updates: readonly FlowUpdate[]) => void = () => undefined
  /** Messages carried out since the start. */
  mods = 0

  constructor(name: string, faults: SwitchFaults, report: (violation: string) => void, onSend: () => void) {
    this.name = name
    this.faults = faults
    this.#report = report
    this.onSend = onSend
  }

  /** All or nothing. */
  applyBundle(mods: readonly Buffer[]): ApplyResult {
    const next = new Tables(this.tables)
    const changes: Change[] = []
    for (const [index, mod] of mods.entries()) {
      const error = mod.readUInt8(1) === METER_MOD ? 'OFPBFC_MSG_UNSUP' : this.#try(next, mod, changes)
      if (error !== undefined) return { applied: false, errors: [applyError(index, error)] }
    }
    const lessons = lessonsOf(this.tables)
    this.tables = next
    this.mods += mods.length
    this.tellLearned(forgetLessons(lessons, next))
    this.#watch(changes)
    return { applied: true, errors: [] }
  }

  /** Each for itself. */
  applyPlain(mods: readonly Buffer[]): ApplyResult {
    const changes: Change[] = []
    const lessons = lessonsOf(this.tables)
    const errors = mods.flatMap((mod, index) => {
      const error = this.#try(this.tables, mod, changes)
      return error === undefined ? [] : [applyError(index, error)]
    })
    this.mods += mods.length - errors.length
    this.tellLearned(forgetLessons(lessons, this.tables))
    this.#watch(changes)
    return { applied: true, errors }
  }

  removeForeignGroups(): void {
    for (const id of this.foreignGroups) this.tables.dropGroup(id)
    this.foreignGroups.clear()
  }

  /** vswitchd starts anew: only what OVSDB holds comes back, on another datapath perhaps. */
  forget(hasMeters = true): void {
    this.maxMeters = hasMeters ? 262_144 : 0
    this.foreignGroups.clear()
    this.tables = new Tables()
    this.ports.clear()
  }

  #try(tables: Tables, mod: Buffer, changes: Change[]): string | undefined {
    if (this.faults.refuseMessage >= 0 && this.faults.refuseMessage-- === 0) {
      this.mayRefuse = true
      return 'OFPFMFC_TABLE_FULL'
    }
    try {
      changes.push(...tables.apply(mod))
      return undefined
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#onRefusal(error.message, mod)
      return error.message
    }
  }

  /** True while it may rightly refuse something, because the walk made it refuse something else that is needed first. */
  mayRefuse = false

  #onRefusal(name: string, mod: Buffer): void {
    if (!this.mayRefuse) this.#report(`the switch had to refuse a message: ${name} (${mod.toString('hex').slice(0, 120)})`)
  }

  #watch(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'meter') this.#watchMeter(change.id)
      else if (change.kind === 'group') this.#watchGroup(change.id, change.bytes)
      else this.#watchChange(change)
    }
  }

  #watchGroup(id: number, bytes: number): void {
    if (this.foreignGroups.has(id)) this.#report(`group ${id} is a foreign one and was changed`)
    if (id < OURS.firstGroup || id > OURS.lastGroup) this.#report(`group ${id} is not ours and was changed`)
    if (bytes > OURS.maxGroupBytes) this.#report(`group ${id} has ${bytes} bytes, which can end ovs-vswitchd`)
  }

  #watchMeter(id: number): void {
    if (id < OURS.firstMeter || id > OURS.lastMeter) this.#report(`meter ${id} is not ours and was changed`)
    if (this.maxMeters === 0) this.#report(`meter ${id} was sent to a switch without meters`)
  }

  #watchChange({ before, after }: FlowChange): void {
    for (const flow of before) this.#watchPlace(flow)
    if (after === undefined) return
    this.#watchPlace(after)
    this.#watchSplitHorizon(after)
    const foreign = groupsIn(flowActions(after.instructions)).filter((id) => this.foreignGroups.has(id))
    if (foreign.length > 0) this.#report(`a flow hands packets to foreign group ${foreign.join(' ')}: ${flowText(after)}`)
  }

  #watchPlace(flow: Flow): void {
    if (isForeign(flow)) this.#report(`a foreign flow was changed: ${flowText(flow)} cookie ${flow.cookie.toString(16)}`)
    const isInRange = flow.table >= OURS.firstTable && flow.table <= OURS.lastTable
    // In table 0: a match on in_port alone (OXM_OF_IN_PORT, 8 bytes).
    const isInPort = flow.match.length === 8 && flow.match.readUInt32BE(0) === 0x80000004
    const isEntry = flow.table === 0 && flow.priority === OURS.entryPriority && isInPort
    if (!isInRange && !isEntry) this.#report(`a flow outside our places was changed: ${flowText(flow)}`)
  }

  /** What came out of a tunnel enters none, whatever else is in the table at any moment. */
  #watchSplitHorizon(flow: Flow): void {
    if (flow.table !== ENCAP || !flowActions(flow.instructions).some(({ kind }) => kind === 'output')) return
    const { reg0 } = flowMatch(flow.match)
    const [bits, mask] = Array.isArray(reg0) ? reg0.map(Number) : [0, 0]
    const isSafe = ((mask ?? 0) & FROM_TUNNEL) !== 0 && ((bits ?? 0) & FROM_TUNNEL) === 0
    if (!isSafe) this.#report(`a flow takes packets from a tunnel into a tunnel: ${flowText(flow)}`)
  }
}

/** Bit of reg0: the packet came from a tunnel. */
const FROM_TUNNEL = 1
/** The table in which packets enter tunnels. */
const ENCAP = 205

/** Flows never change, and stand in the tables from one look to the next. */
const texts = new WeakMap<Flow, string>()

export function flowText(flow: Flow): string {
  const { table, priority, match, instructions } = flow
  const text = texts.get(flow) ?? `table=${table} priority=${priority} match=${match.toString('hex')} instructions=${instructions.toString('hex')}`
  texts.set(flow, text)
  return text
}

/** Flows and groups in a form that compares: sorted, buckets by id. */
export function tableTexts(tables: Tables): string[] {
  // The lower half of a cookie of ours means nothing, and cannot be changed in a flow that stands.
  const cookie = (flow: Flow) => (isForeign(flow) ? ` foreign, cookie=${flow.cookie.toString(16)}` : '')
  const flows = [...tables.flows.values()].map((flow) => flowText(flow) + cookie(flow))
  const groups = [...tables.groups.values()].map(({ groupId, type, buckets, selection }) => {
    const members = buckets.map(({ id, weight, actions }) => `${id}/${weight ?? ''}=${actions.toString('hex')}`).sort()
    return `group ${groupId} ${type} ${selection?.method ?? ''} ${members.join(' ')}`
  })
  const meters = [...tables.meters.values()].map(({ meterId, unit, rate, burst }) => `meter ${meterId} ${unit} ${rate} ${burst ?? ''}`)
  return [...flows, ...groups, ...meters].sort()
}
