// Flow and group tables of a switch, changed by whole OpenFlow messages by the rules of Open vSwitch (ofproto.c).
// A refusal is thrown as the error's name.
import {
  ALL_GROUPS, canonicalOxms, decodeBuckets, decodeFlowMod, decodeGroupMod, decodeInstructions, decodeMatch, decodeMeterMod, groupDescSize,
  type Action, type Bucket, type FlowDesc, type FlowMod, type GroupDesc, type GroupMod, type Match, type Meter, type MeterMod
} from '../../../lib/openflow/index.js'

/** OFPTT_ALL, OFPT_GROUP_MOD, OFPT_METER_MOD. */
const ALL_TABLES = 0xff
const GROUP_MOD = 15
const METER_MOD = 29

export interface Flow {
  readonly table: number
  readonly priority: number
  readonly cookie: bigint
  /** Canonical OXMs. */
  readonly match: Buffer
  readonly instructions: Buffer
}

export class Refusal extends Error {}

/** What one message did, for those who watch. */
export interface FlowChange { readonly kind: 'flow', readonly before: readonly Flow[], readonly after: Flow | undefined }
export interface GroupChange { readonly kind: 'group', readonly id: number, readonly bytes: number }
export interface MeterChange { readonly kind: 'meter', readonly id: number }
export type Change = FlowChange | GroupChange | MeterChange

export class Tables {
  flows: Map<string, Flow>
  groups: Map<number, GroupDesc>
  meters: Map<number, Meter>

  constructor(from?: Tables) {
    this.flows = new Map(from?.flows)
    this.groups = new Map(from?.groups)
    this.meters = new Map(from?.meters)
  }

  /** Applies one message. Throws Refusal. */
  apply(message: Buffer): Change[] {
    if (message.readUInt8(1) === METER_MOD) return [this.#meter(decodeMeterMod(message))]
    return message.readUInt8(1) === GROUP_MOD ? this.#group(decodeGroupMod(message)) : [this.#flow(decodeFlowMod(message))]
  }

  // --- flows

  #flow(mod: FlowMod): FlowChange {
    const match = remember(canonicalMatches, mod.match, () => canonicalOxms(mod.match))
    const key = flowKey(mod.tableId, mod.priority, match)
    const old = this.flows.get(key)
    switch (mod.command) {
      case 'add': {
        this.#checkGroups(mod.instructions)
        this.#checkMeters(mod.instructions)
        const flow = { table: mod.tableId, priority: mod.priority, cookie: mod.cookie, match, instructions: Buffer.from(mod.instructions) }
        // A flow of that identity is replaced, whatever its cookie.
        this.flows.set(key, flow)
        return { kind: 'flow', before: old === undefined ? [] : [old], after: flow }
      }
      case 'modify_strict': {
        if (old === undefined || !hasCookie(old, mod)) return { kind: 'flow', before: [], after: undefined }
        this.#checkGroups(mod.instructions)
        this.#checkMeters(mod.instructions)
        const flow = { ...old, instructions: Buffer.from(mod.instructions) }
        this.flows.set(key, flow)
        return { kind: 'flow', before: [old], after: flow }
      }
      case 'delete_strict': {
        const gone = old !== undefined && hasCookie(old, mod) ? [old] : []
        if (gone.length > 0) this.flows.delete(key)
        return { kind: 'flow', before: gone, after: undefined }
      }
      case 'delete': {
        if (match.length > 0) throw new Error('the fake switch knows DELETE only with an empty match')
        const isMeant = (flow: Flow) => (mod.tableId === ALL_TABLES || flow.table === mod.tableId) && hasCookie(flow, mod)
        const gone = [...this.flows].filter(([, flow]) => isMeant(flow))
        for (const [goneKey] of gone) this.flows.delete(goneKey)
        return { kind: 'flow', before: gone.map(([, flow]) => flow), after: undefined }
      }
      case 'modify':
        throw new Error('the fake switch does not know MODIFY')
    }
  }

  #checkGroups(instructions: Buffer): void {
    for (const group of groupsIn(flowActions(instructions))) {
      if (!this.groups.has(group)) throw new Refusal('OFPBAC_BAD_OUT_GROUP')
    }
  }

  #checkMeters(instructions: Buffer): void {
    for (const meter of metersIn(flowActions(instructions))) {
      if (!this.meters.has(meter)) throw new Refusal('OFPMMFC_INVALID_METER')
    }
  }

  // --- meters

  #meter({ command, ...meter }: MeterMod): MeterChange {
    const { meterId } = meter
    if (command === 'add' && this.meters.has(meterId)) throw new Refusal('OFPMMFC_METER_EXISTS')
    if (command === 'modify' && !this.meters.has(meterId)) throw new Refusal('OFPMMFC_UNKNOWN_METER')
    if (command !== 'delete') {
      this.meters.set(meterId, meter)
      return { kind: 'meter', id: meterId }
    }
    this.meters.delete(meterId)
    // The flows that name it go with it.
    for (const [key, flow] of this.flows) if (metersIn(flowActions(flow.instructions)).includes(meterId)) this.flows.delete(key)
    return { kind: 'meter', id: meterId }
  }

  // --- groups

  #group(mod: GroupMod): Change[] {
    if (mod.command === 'delete') return this.#deleteGroup(mod)
    const old = this.groups.get(mod.groupId)
    if (mod.command === 'add' && old !== undefined) throw new Refusal('OFPGMFC_GROUP_EXISTS')
    if (mod.command !== 'add' && old === undefined) throw new Refusal('OFPGMFC_UNKNOWN_GROUP')
    const sent = mod.buckets.flatMap((bucket) => decodeBuckets(bucket))
    const selection = mod.selection === undefined ? {} : { selection: mod.selection }
    const whole: GroupDesc = { groupId: mod.groupId, type: mod.type, buckets: sent, ...selection }
    const group = mod.command === 'insert_bucket' ? { ...old as GroupDesc, buckets: insert(old as GroupDesc, mod, sent) }
      : mod.command === 'remove_bucket' ? { ...old as GroupDesc, buckets: remove(old as GroupDesc, mod) }
        : whole
    if (new Set(group.buckets.map(({ id }) => id)).size !== group.buckets.length) throw new Refusal('OFPGMFC_BUCKET_EXISTS')
    this.groups.set(mod.groupId, group)
    return [{ kind: 'group', id: mod.groupId, bytes: groupDescSize(group) }]
  }

  #deleteGroup(mod: GroupMod): Change[] {
    const ids = mod.groupId === ALL_GROUPS ? [...this.groups.keys()] : [mod.groupId]
    const gone = ids.flatMap((id) => this.dropGroup(id))
    return [{ kind: 'group', id: mod.groupId, bytes: 0 }, ...gone.map((flow): Change => ({ kind: 'flow', before: [flow], after: undefined }))]
  }

  /** Deletes a group, and the flows that name it with it: those are returned. */
  dropGroup(id: number): Flow[] {
    if (!this.groups.delete(id)) return []
    const gone = [...this.flows].filter(([, flow]) => groupsIn(flowActions(flow.instructions)).includes(id))
    for (const [key] of gone) this.flows.delete(key)
    return gone.map(([, flow]) => flow)
  }

  // --- what is there

  flowDescs(filter: { readonly tableId?: number }): FlowDesc[] {
    return [...this.flows.values()].filter(({ table }) => filter.tableId === undefined || table === filter.tableId)
      .map(({ table, priority, cookie, match, instructions }) =>
        ({ tableId: table, priority, cookie, match, instructions, idleTimeout: 0, hardTimeout: 0, flags: 0, importance: 0 }))
  }

  groupDescs(): GroupDesc[] {
    return [...this.groups.values()]
  }
}

/** Tables as a switch describes them. */
export function canonicalTables(flows: readonly FlowDesc[], groups: readonly GroupDesc[]): Tables {
  const tables = new Tables()
  for (const { tableId: table, priority, cookie, match, instructions } of flows) {
    const flow = { table, priority, cookie, match: canonicalOxms(match), instructions }
    tables.flows.set(flowKey(table, priority, flow.match), flow)
  }
  for (const group of groups) tables.groups.set(group.groupId, group)
  return tables
}

export function flowKey(table: number, priority: number, match: Buffer): string {
  return `${table} ${priority} ${match.toString('latin1')}`
}

function hasCookie(flow: Flow, mod: FlowMod): boolean {
  return (flow.cookie & mod.cookieMask) === (mod.cookie & mod.cookieMask)
}

function insert(old: GroupDesc, mod: GroupMod, sent: readonly Bucket[]): Bucket[] {
  if (mod.commandBucketId === 'first') return [...sent, ...old.buckets]
  if (mod.commandBucketId === 'last') return [...old.buckets, ...sent]
  const at = old.buckets.findIndex(({ id }) => id === mod.commandBucketId)
  if (at < 0) throw new Refusal('OFPGMFC_UNKNOWN_BUCKET')
  return [...old.buckets.slice(0, at + 1), ...sent, ...old.buckets.slice(at + 1)]
}

function remove(old: GroupDesc, mod: GroupMod): Bucket[] {
  if (mod.commandBucketId === 'all') return []
  if (mod.commandBucketId === 'first') return old.buckets.slice(1)
  if (mod.commandBucketId === 'last') return old.buckets.slice(0, -1)
  if (!old.buckets.some(({ id }) => id === mod.commandBucketId)) throw new Refusal('OFPGMFC_UNKNOWN_BUCKET')
  return old.buckets.filter(({ id }) => id !== mod.commandBucketId)
}

const canonicalMatches = new Map<string, Buffer>()
const decodedActions = new Map<string, readonly Action[]>()
const decodedMatches = new Map<string, Match>()

/** The actions of a flow's apply_actions; walks see the same few thousand texts again and again, so they are kept. */
export function flowActions(instructions: Buffer): readonly Action[] {
  return remember(decodedActions, instructions, () =>
    decodeInstructions(instructions).flatMap((instruction) => (instruction.kind === 'apply_actions' ? instruction.actions : [])))
}

export function flowMatch(match: Buffer): Match {
  return remember(decodedMatches, match, () => decodeMatch(match))
}

function remember<T>(memory: Map<string, T>, bytes: Buffer, decode: () => T): T {
  const key = bytes.toString('latin1')
  let value = memory.get(key)
  if (value === undefined) memory.set(key, value = decode())
  return value
}

export function groupsIn(actions: readonly Action[]): number[] {
  return actions.flatMap((action) => (action.kind === 'group' ? [action.group] : []))
}

/**
 * Meters that actions name. Open vSwitch lets a controller action name one that is missing, and then never meters it: here
 * that is refused, so that a walk finds it.
 */
function metersIn(actions: readonly Action[]): number[] {
  return actions.flatMap((action) => (action.kind === 'meter' ? [action.meter] : action.kind === 'controller' && action.meter !== undefined ? [action.meter] : []))
}

/** Flows of a program that is not ours. */
export function foreignFlow(table: number, priority: number, match: Buffer, cookie = 0xf0_0dn, instructions = Buffer.alloc(0)): Flow {
  return { table, priority, cookie, match: canonicalOxms(match), instructions }
}

/** The upper half of every cookie of ours, in ASCII. */
export const OUR_COOKIE = 0x6576706en

export function isForeign(flow: Flow): boolean {
  return flow.cookie >> 32n !== OUR_COOKIE
}
