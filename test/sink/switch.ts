// A switch for the tests of this folder: it holds flows and groups, applies messages as Open vSwitch does,
// and refuses, hangs or breaks when told to. Tables of what it was sent are kept in words.
import {
  decodeBuckets, decodeFlowMod, decodeGroupMod, decodeMessage, decodeMeterMod, encodeMatch, type ApplyError, type ApplyResult, type Bucket, type FlowDesc, type FlowMod,
  type GroupDesc, type GroupMod, type Match, type Meter, type MeterFeatures, type MeterMod
} from '../../lib/openflow/index.js'
import type { SwitchConnection } from '../../lib/sink/switch.js'

const FLOW_MOD = 14
const METER_MOD = 29

/** The description of a flow that a flow_mod ADD installs. */
export function installed({ tableId, priority, cookie, match, instructions }: FlowMod): FlowDesc {
  return { tableId, priority, cookie, match, instructions, idleTimeout: 0, hardTimeout: 0, flags: 0, importance: 0 }
}

export function foreignFlow(tableId: number, priority: number, match: Match): FlowDesc {
  return { tableId, priority, cookie: 0xabcn, match: encodeMatch(match), instructions: Buffer.alloc(0), idleTimeout: 0, hardTimeout: 0, flags: 0, importance: 0 }
}

export class FakeSwitch implements SwitchConnection {
  readonly flows = new Map<string, FlowDesc>()
  readonly groups = new Map<number, GroupDesc>()
  readonly meterTable = new Map<number, Meter>()
  /** 0 = a datapath without meters. */
  maxMeters = 262_144
  /** One entry for each batch: how it was sent, and its messages in words. */
  readonly batches: { readonly bundle: boolean, readonly messages: readonly string[] }[] = []
  /** Answers for the next batches instead of the honest one. */
  readonly nextAnswers: (() => ApplyResult)[] = []
  /** The name of the error for a message to refuse; undefined = take it. */
  refuse: (words: string) => string | undefined = () => undefined
  /** When set, every request waits for it. */
  gate: Promise<void> | undefined

  get messages(): string[] {
    return this.batches.flatMap((batch) => batch.messages)
  }

  put(flow: FlowDesc): void {
    this.flows.set(identity(flow), flow)
  }

  async groupDescs(): Promise<readonly GroupDesc[]> {
    await this.gate
    return [...this.groups.values()]
  }

  async meters(): Promise<readonly Meter[]> {
    await this.gate
    return [...this.meterTable.values()]
  }

  async meterFeatures(): Promise<MeterFeatures> {
    await this.gate
    return { maxMeters: this.maxMeters, maxBands: this.maxMeters > 0 ? 8 : 0 }
  }

  async flowDescs({ tableId }: { readonly tableId?: number }): Promise<readonly FlowDesc[]> {
    await this.gate
    return [...this.flows.values()].filter((flow) => tableId === undefined || flow.tableId === tableId)
  }

  /** Nothing counts here. */
  groupStats(): Promise<readonly never[]> {
    return Promise.resolve([])
  }

  flowStats(): Promise<readonly never[]> {
    return Promise.resolve([])
  }

  async apply(mods: readonly Buffer[], { bundle }: { readonly bundle: boolean }): Promise<ApplyResult> {
    const messages = mods.map(words)
    this.batches.push({ bundle, messages })
    await this.gate
    const answer = this.nextAnswers.shift()
    if (answer !== undefined) return answer()
    const errors = messages.flatMap((message, index): ApplyError[] => {
      const name = this.refuse(message)
      return name === undefined ? [] : [{ index, type: 5, code: 0, name }]
    })
    if (bundle && errors.length > 0) return { applied: false, errors }
    const refused = new Set(errors.map((error) => error.index))
    mods.forEach((mod, index) => {
      if (!refused.has(index)) this.#apply(mod)
    })
    return { applied: true, errors }
  }

  #apply(bytes: Buffer): void {
    const { type } = decodeMessage(bytes)
    if (type === FLOW_MOD) this.#flowMod(decodeFlowMod(bytes))
    else if (type === METER_MOD) this.#meterMod(decodeMeterMod(bytes))
    else this.#groupMod(decodeGroupMod(bytes))
  }

  #flowMod(mod: FlowMod): void {
    const key = identity(mod)
    const held = this.flows.get(key)
    const isMeant = held !== undefined && (held.cookie & mod.cookieMask) === (mod.cookie & mod.cookieMask)
    if (mod.command === 'add') this.flows.set(key, installed(mod))
    else if (mod.command === 'modify_strict' && isMeant) this.flows.set(key, { ...held, instructions: mod.instructions })
    else if (mod.command === 'delete_strict' && isMeant) this.flows.delete(key)
    else if (mod.command === 'delete') {
      for (const [one, flow] of this.flows) if ((flow.cookie & mod.cookieMask) === (mod.cookie & mod.cookieMask)) this.flows.delete(one)
    }
  }

  #meterMod({ command, ...meter }: MeterMod): void {
    if (command === 'delete') this.meterTable.delete(meter.meterId)
    else this.meterTable.set(meter.meterId, meter)
  }

  #groupMod({ command, groupId, type, buckets, selection, commandBucketId }: GroupMod): void {
    const held = this.groups.get(groupId)
    const given: Bucket[] = decodeBuckets(Buffer.concat(buckets))
    const put = (all: readonly Bucket[]) => this.groups.set(groupId, { groupId, type, buckets: all, ...(selection && { selection }) })
    if (command === 'delete') this.groups.delete(groupId)
    else if (command === 'add' || command === 'modify') put(given)
    else if (command === 'insert_bucket') put([...held?.buckets ?? [], ...given])
    else put((held?.buckets ?? []).filter((bucket) => bucket.id !== commandBucketId))
  }
}

function identity({ tableId, priority, match }: Pick<FlowDesc, 'tableId' | 'priority' | 'match'>): string {
  return `${tableId} ${priority} ${match.toString('hex')}`
}

/** A message in few words: `add flow 202 300`, `modify group 0x40000004`. */
export function words(bytes: Buffer): string {
  const { type } = decodeMessage(bytes)
  if (type === FLOW_MOD) {
    const { command, tableId, priority } = decodeFlowMod(bytes)
    return `${command} flow ${tableId} ${priority}`
  }
  if (type === METER_MOD) {
    const { command, meterId } = decodeMeterMod(bytes)
    return `${command} meter ${meterId}`
  }
  const { command, groupId } = decodeGroupMod(bytes)
  return `${command} group ${groupId}`
}
