// Instructions of a flow (OpenFlow 1.5.1 section 7.2.5). Flows of ours have one, apply_actions, or none (drop); foreign ones have any.
import type { Action } from './action.js'
import { decodeActions } from './action-decode.js'
import { encodeActions } from './action-encode.js'
import { Cursor, takeEntries } from './decode.js'

export type Instruction =
  | { readonly kind: 'apply_actions'; readonly actions: readonly Action[] }
  | { readonly kind: 'write_actions'; readonly actions: readonly Action[] }
  | { readonly kind: 'clear_actions' }
  | { readonly kind: 'goto_table'; readonly table: number }
  | { readonly kind: 'write_metadata'; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: 'unknown'; readonly bytes: Buffer }

const OFPIT = { goto_table: 1, write_metadata: 2, write_actions: 3, apply_actions: 4, clear_actions: 5 } as const

/** One apply_actions instruction; nothing at all for an empty list, which drops. */
export function encodeInstructions(actions: readonly Action[]): Buffer {
  if (actions.length === 0) return Buffer.alloc(0)
  const body = encodeActions(actions)
  const header = Buffer.alloc(8)
  header.writeUInt16BE(OFPIT.apply_actions, 0)
  header.writeUInt16BE(8 + body.length, 2)
  return Buffer.concat([header, body])
}

/** All instructions of a flow. Throws OpenFlowDecodeError. */
export function decodeInstructions(bytes: Buffer): Instruction[] {
  return takeEntries(bytes, 'instructions', 8, 2).map(decodeInstruction)
}

function decodeInstruction(bytes: Buffer): Instruction {
  const cursor = new Cursor(bytes, 'instruction')
  const type = cursor.u16()
  cursor.skip(2)
  switch (type) {
    case OFPIT.goto_table:
      return { kind: 'goto_table', table: cursor.u8() }
    case OFPIT.write_metadata:
      cursor.skip(4)
      return { kind: 'write_metadata', value: cursor.u64(), mask: cursor.u64() }
    case OFPIT.write_actions:
    case OFPIT.apply_actions:
      cursor.skip(4)
      return { kind: type === OFPIT.write_actions ? 'write_actions' : 'apply_actions', actions: decodeActions(cursor.rest()) }
    case OFPIT.clear_actions:
      return { kind: 'clear_actions' }
    default:
      return { kind: 'unknown', bytes }
  }
}
