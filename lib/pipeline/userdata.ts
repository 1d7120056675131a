// What our flows write along with a packet they send to us: one byte that says what for, then what that kind needs.
import type { Action } from '../openflow/index.js'
import { CONTROLLER_ID } from './slots.js'

/** The kinds; a number is never used again for something else: flows of an earlier version may still stand. */
export const PACKET_KIND = { SNOOP: 1, WITNESS: 2 } as const

export type PacketKind = keyof typeof PACKET_KIND

/** The action that sends a copy of the packet to us, within a meter. */
export function toUs(kind: PacketKind, meter: number, payload = Buffer.alloc(0)): Action {
  return { kind: 'controller', controllerId: CONTROLLER_ID, userdata: Buffer.concat([Buffer.from([PACKET_KIND[kind]]), payload]), meter }
}

/** What a packet's userdata says; undefined when it is not of this scheme. */
export function readUserdata(userdata: Buffer): { readonly kind: PacketKind; readonly payload: Buffer } | undefined {
  const kind = (Object.keys(PACKET_KIND) as PacketKind[]).find((name) => PACKET_KIND[name] === userdata[0])
  return kind && { kind, payload: userdata.subarray(1) }
}
