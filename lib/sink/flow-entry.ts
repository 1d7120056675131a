// Flows as the tracker keeps them: identity and content as byte strings in exactly the form the switch sends back,
// so that comparing desired with realized is comparing strings.
import {
  canonicalOxms, decodeInstructions, decodeMatch, encodeFlowMod, encodeInstructions, encodeMatch, formatInstructions, formatMatch, OpenFlowDecodeError,
  type Action, type FlowDesc
} from '../openflow/index.js'
import type { Flow, FlowPlace } from '../pipeline/flow.js'
import { COOKIE, COOKIE_MASK } from '../pipeline/slots.js'
import type { Pending } from './tracker.js'

/** [identity: table, priority, canonical match; content: instructions], each a latin1 string of bytes. */
export type FlowEntry = readonly [key: string, value: string]

/** Lists of actions that were encoded already: many flows share one. */
export type Encoded = WeakMap<readonly Action[], string>

/** The tracker's entry for a flow we want. */
export function compileFlow(flow: Flow, encoded?: Encoded): FlowEntry {
  return [compilePlace(flow), compileActions(flow.actions, encoded)]
}

/** Its identity. */
export function compilePlace({ table, priority, match }: FlowPlace): string {
  return flowKey(table, priority, encodeMatch(match))
}

/** Its content. */
export function compileActions(actions: readonly Action[], encoded?: Encoded): string {
  const known = encoded?.get(actions)
  if (known !== undefined) return known
  const value = encodeInstructions(actions).toString('latin1')
  encoded?.set(actions, value)
  return value
}

/** The tracker's entry for a flow the switch has. */
export function entryOfDesc(desc: Pick<FlowDesc, 'tableId' | 'priority' | 'match' | 'instructions'>): FlowEntry {
  return [flowKey(desc.tableId, desc.priority, canonicalOxms(desc.match)), desc.instructions.toString('latin1')]
}

/** The flow that an entry stands for. Throws OpenFlowDecodeError for one that we could not have made. */
export function decompileFlow([key, value]: FlowEntry): Flow {
  const { tableId, priority, match } = splitKey(key)
  const actions = decodeInstructions(Buffer.from(value, 'latin1')).flatMap((instruction) => (instruction.kind === 'apply_actions' ? instruction.actions : []))
  return { table: tableId, priority, match: decodeMatch(match), actions }
}

/** The table an identity is in. */
export function tableOfKey(key: string): number {
  return key.charCodeAt(0)
}

/** An identity in words, as ovs-ofctl prints it. */
export function describeFlowKey(key: string): string {
  const { tableId, priority, match } = splitKey(key)
  return `table=${tableId}, priority=${priority},${describeMatch(match)}`
}

/** What a flow does, as ovs-ofctl prints it. */
export function describeFlowValue(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  try {
    return formatInstructions(decodeInstructions(bytes))
  } catch (error) {
    if (error instanceof OpenFlowDecodeError) return `instructions 0x${bytes.toString('hex')}`
    throw error
  }
}

/** A foreign flow may match on fields we have no words for. */
function describeMatch(match: Buffer): string {
  try {
    return formatMatch(decodeMatch(match))
  } catch (error) {
    if (error instanceof OpenFlowDecodeError) return `match 0x${match.toString('hex')}`
    throw error
  }
}

/**
 * The message that brings one flow about. A flow that exists is changed by MODIFY_STRICT, which keeps its duration,
 * counters and cookie; an ADD would replace it. Cookie and mask stand on everything that could touch another's flow.
 */
export function flowMod(pending: Pending<string>): Buffer {
  const command = pending.desired === undefined ? 'delete_strict' : pending.realized === undefined ? 'add' : 'modify_strict'
  return encodeFlowMod({
    command,
    ...splitKey(pending.key),
    cookie: COOKIE,
    cookieMask: command === 'add' ? 0n : COOKIE_MASK,
    instructions: Buffer.from(pending.desired ?? '', 'latin1')
  })
}

function flowKey(tableId: number, priority: number, match: Buffer): string {
  // In one piece: strings put together keep their pieces, and there is one for each flow.
  const bytes = Buffer.allocUnsafe(3 + match.length)
  bytes.writeUInt8(tableId, 0)
  bytes.writeUInt16BE(priority, 1)
  match.copy(bytes, 3)
  return bytes.toString('latin1')
}

function splitKey(key: string): { tableId: number; priority: number; match: Buffer } {
  const bytes = Buffer.from(key, 'latin1')
  return { tableId: bytes.readUInt8(0), priority: bytes.readUInt16BE(1), match: bytes.subarray(3) }
}
