// What a flow or bucket does with a packet: the actions this library can write, and `unknown` for those it only carries.
import type { FieldName } from './fields.js'
import type { Port } from './port.js'
import type { FieldValue } from './value.js'

/** Bits of a field. Without offset and bits: the whole field. */
export interface Subfield {
  readonly field: FieldName
  /** Lowest bit, 0 = least significant. */
  readonly offset?: number
  readonly bits?: number
}

/** Where learn() takes a value from: a field of the packet, or a constant for `dst`. */
export type LearnSource = Subfield | { readonly value: FieldValue }

/** One element of the flow that learn() makes: a match on `dst`, an action that loads `dst`, or an output. */
export type LearnSpec =
  | { readonly kind: 'match'; readonly dst: Subfield; readonly src: LearnSource }
  | { readonly kind: 'load'; readonly dst: Subfield; readonly src: LearnSource }
  | { readonly kind: 'output'; readonly src: Subfield }

/** Timeouts are in seconds, 0 = never. */
export interface LearnAction {
  readonly kind: 'learn'
  readonly table: number
  readonly idleTimeout?: number
  readonly hardTimeout?: number
  readonly finIdleTimeout?: number
  readonly finHardTimeout?: number
  /** Default 32768. */
  readonly priority?: number
  readonly cookie?: bigint
  readonly sendFlowRemoved?: boolean
  /** Deleting the flow with this action deletes what it learned. */
  readonly deleteLearned?: boolean
  /** At most this many learned flows, newcomers are refused silently; 0 = no limit. */
  readonly limit?: number
  readonly specs: readonly LearnSpec[]
}

/** Sends the packet to a controller. */
export interface ControllerAction {
  readonly kind: 'controller'
  /** Bytes of the packet to send; default 65535 = all. */
  readonly maxLen?: number
  readonly controllerId?: number
  /** OFPR_*; default 1 = action. */
  readonly reason?: number
  readonly userdata?: Buffer
  readonly pause?: boolean
  readonly meter?: number
}

export type Action =
  | { readonly kind: 'output'; readonly port: Port; readonly maxLen?: number }
  | { readonly kind: 'output_field'; readonly src: Subfield; readonly maxLen?: number }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'set_field'; readonly field: FieldName; readonly value: FieldValue; readonly mask?: FieldValue }
  | { readonly kind: 'move'; readonly src: Subfield; readonly dst: Subfield }
  | { readonly kind: 'resubmit'; readonly table?: number; readonly inPort?: number; readonly ct?: boolean }
  | { readonly kind: 'push_vlan'; readonly ethertype: number }
  | { readonly kind: 'pop_vlan' }
  | { readonly kind: 'dec_ttl' }
  | { readonly kind: 'meter'; readonly meter: number }
  | { readonly kind: 'set_queue'; readonly queue: number }
  | { readonly kind: 'conjunction'; readonly id: number; readonly clause: number; readonly clauses: number }
  /** Sets the one bit of `dst` when the packet has more than `bytes` bytes, its Ethernet header included. */
  | { readonly kind: 'check_pkt_larger'; readonly bytes: number; readonly dst: Subfield }
  | { readonly kind: 'clone'; readonly actions: readonly Action[] }
  | { readonly kind: 'exit' }
  | { readonly kind: 'ct_clear' }
  | LearnAction
  | ControllerAction
  | { readonly kind: 'unknown'; readonly bytes: Buffer }

/** OFPAT_* (OpenFlow 1.5.1 section 7.2.6). */
export const OFPAT = {
  output: 0,
  push_vlan: 17,
  pop_vlan: 18,
  set_queue: 21,
  group: 22,
  dec_ttl: 24,
  set_field: 25,
  copy_field: 28,
  meter: 29,
  experimenter: 0xffff
} as const

/** Nicira's experimenter id and the subtypes of its actions (NXAST_*). */
export const NICIRA = 0x00002320
export const NXAST = {
  resubmit: 1,
  resubmit_table: 14,
  output_reg: 15,
  learn: 16,
  exit: 17,
  controller: 20,
  output_reg2: 32,
  conjunction: 34,
  controller2: 37,
  clone: 42,
  ct_clear: 43,
  resubmit_table_ct: 44,
  learn2: 45,
  check_pkt_larger: 49
} as const

/** Properties of NXAST_CONTROLLER2. */
export const CONTROLLER2 = { maxLen: 0, controllerId: 1, reason: 2, userdata: 3, pause: 4, meter: 5 } as const

/** OFPR_ACTION: the packet was sent by an explicit action. */
export const REASON_ACTION = 1

/** The table number that means "the current one" to resubmit. */
export const CURRENT_TABLE = 255
