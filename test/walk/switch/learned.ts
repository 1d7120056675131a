// What a switch learns: flows that learn() actions make from packets, and that go when no flow has such an action any more
// (delete_learned). Told by a flow monitor as Open vSwitch tells it.
import { canonicalOxms, encodeInstructions, encodeMatch, type Action, type FlowUpdate, type LearnAction, type LearnSpec } from '../../../lib/openflow/index.js'
import type { Packet } from './packet.js'
import { flowActions, flowKey, type Flow, type Tables } from './tables.js'

/** The table of MACs learned on local ports, which the agent watches, and that of those behind VTEPs. */
export const [LEARNED, LEARNED_REMOTE] = [209, 215]

/** A learn() action that a packet met, and the packet's fields then. */
export interface Lesson { readonly learn: LearnAction, readonly fields: Packet }

export function isLearned({ table, cookie }: Flow): boolean {
  return (table === LEARNED || table === LEARNED_REMOTE) && (cookie & 0x80000000n) !== 0n
}

/** The flow that a lesson makes. */
export function lessonFlow({ learn, fields }: Lesson): Flow {
  const value = ({ src }: LearnSpec) => ('value' in src ? BigInt(src.value) : fields[src.field] ?? 0n)
  const match = Object.fromEntries(learn.specs.flatMap((spec) => (spec.kind === 'match' ? [[spec.dst.field, asField(spec.dst.field, value(spec))]] : [])))
  const actions = learn.specs.flatMap((spec): Action[] => {
    if (spec.kind === 'output') return [{ kind: 'output', port: Number(value(spec)) }]
    if (spec.kind === 'match') return []
    const { field, offset = 0, bits } = spec.dst
    const given = value(spec) << BigInt(offset)
    return [{ kind: 'set_field', field, value: asField(field, given), ...(bits === undefined ? {} : { mask: Number(((1n << BigInt(bits)) - 1n) << BigInt(offset)) }) }]
  })
  return {
    table: learn.table, priority: learn.priority ?? 0x8000, cookie: learn.cookie ?? 0n,
    match: canonicalOxms(encodeMatch(match)), instructions: encodeInstructions(actions)
  }
}

/** Learns it; what a monitor tells of it. Known already = nothing. */
export function learn(tables: Tables, lesson: Lesson): FlowUpdate[] {
  const flow = lessonFlow(lesson)
  const key = flowKey(flow.table, flow.priority, flow.match)
  const old = tables.flows.get(key)
  if (old?.cookie === flow.cookie && old.instructions.equals(flow.instructions)) return []
  tables.flows.set(key, flow)
  return [updateOf(old === undefined ? 'added' : 'modified', flow)]
}

/** The cookies of what learn() actions with delete_learned make. */
export function lessonsOf(tables: Tables): Set<string> {
  const cookies = new Set<string>()
  for (const flow of tables.flows.values()) for (const cookie of lessonsOfFlow(flow)) cookies.add(cookie)
  return cookies
}

/** Flows never change, and all of them are asked for their lessons at every message. */
const known = new WeakMap<Flow, readonly string[]>()

function lessonsOfFlow(flow: Flow): readonly string[] {
  const lessons = known.get(flow) ?? flowActions(flow.instructions)
    .flatMap((action) => (action.kind === 'learn' && action.deleteLearned === true ? [`${action.table} ${action.cookie}`] : []))
  known.set(flow, lessons)
  return lessons
}

/** Forgets what was learned by actions that were there before and are not any more. */
export function forgetLessons(before: ReadonlySet<string>, tables: Tables): FlowUpdate[] {
  const after = lessonsOf(tables)
  return forget(tables, (flow) => before.has(`${flow.table} ${flow.cookie}`) && !after.has(`${flow.table} ${flow.cookie}`))
}

/** Forgets learned flows. */
export function forget(tables: Tables, isMeant: (flow: Flow) => boolean): FlowUpdate[] {
  const gone = [...tables.flows].filter(([, flow]) => isLearned(flow) && isMeant(flow))
  for (const [key] of gone) tables.flows.delete(key)
  return gone.map(([, flow]) => updateOf('removed', flow))
}

/** All that was learned on local ports, as a monitor tells it when it starts. */
export function allLearned(tables: Tables): FlowUpdate[] {
  return [...tables.flows.values()].filter((flow) => flow.table === LEARNED && isLearned(flow)).map((flow) => updateOf('initial', flow))
}

export function updateOf(kind: 'initial' | 'added' | 'modified' | 'removed', { table, priority, cookie, match, instructions }: Flow): FlowUpdate {
  const told = kind === 'removed' ? Buffer.alloc(0) : instructions
  return { kind, tableId: table, reason: 0, priority, cookie, idleTimeout: 0, hardTimeout: 0, match, instructions: told }
}

/** A number as the codec wants it for this field. */
function asField(field: string, value: bigint): string | number | bigint {
  const hex = (digits: number) => value.toString(16).padStart(digits, '0')
  if (field.startsWith('eth_')) return hex(12).match(/../g)?.join(':') ?? ''
  if (field.startsWith('tun_ipv6')) return hex(32).match(/..../g)?.join(':') ?? ''
  if (field === 'tun_src' || field === 'tun_dst') return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  return Number(value)
}
