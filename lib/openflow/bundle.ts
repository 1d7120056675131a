// Bundles (OpenFlow 1.5.1 section 7.3.9): messages collected by the switch and applied together or not at all.
import { Cursor } from './decode.js'
import { encodeMessage, OFPT } from './message.js'

/** OFPBCT_*. */
export const BUNDLE = {
  open_request: 0,
  open_reply: 1,
  close_request: 2,
  close_reply: 3,
  commit_request: 4,
  commit_reply: 5,
  discard_request: 6,
  discard_reply: 7
} as const

/** OFPBF_ATOMIC | OFPBF_ORDERED: Open vSwitch can do both for flow_mod and group_mod. Every message of a bundle repeats them. */
const FLAGS = 3

/** Bytes in front of a message that is added to a bundle: a header of its own, bundle id, flags. */
export const BUNDLE_ADD_BYTES = 16

export function encodeBundleControl(xid: number, bundleId: number, type: number): Buffer {
  return encodeMessage(OFPT.bundle_control, xid, bundleHeader(bundleId, type))
}

/** Adds one message. Its transaction id, inner and outer, is `xid`: errors about it carry that id. */
export function encodeBundleAdd(xid: number, bundleId: number, message: Buffer): Buffer {
  const bytes = encodeMessage(OFPT.bundle_add_message, xid, bundleHeader(bundleId, 0), message)
  bytes.writeUInt32BE(xid, BUNDLE_ADD_BYTES + 4)
  return bytes
}

/** The body of an OFPT_BUNDLE_CONTROL message. */
export function decodeBundleControl(body: Buffer): { bundleId: number; type: number } {
  const cursor = new Cursor(body, 'bundle_control')
  return { bundleId: cursor.u32(), type: cursor.u16() }
}

function bundleHeader(bundleId: number, type: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(bundleId, 0)
  bytes.writeUInt16BE(type, 4)
  bytes.writeUInt16BE(FLAGS, 6)
  return bytes
}
