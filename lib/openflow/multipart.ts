// Multipart requests and replies (OpenFlow 1.5.1 section 7.3.5): one request, any number of replies with the same transaction id.
import { Cursor } from './decode.js'

/** OFPMP_*. */
export const OFPMP = { flow_desc: 1, table: 3, group_stats: 6, group_desc: 7, meter_desc: 10, meter_features: 11, port_desc: 13, flow_monitor: 16 } as const

const REPLY_MORE = 1

/** The body of a multipart message. */
export function encodeMultipart(type: number, body: Buffer, more = false): Buffer {
  const fixed = Buffer.alloc(8)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(more ? REPLY_MORE : 0, 2)
  return Buffer.concat([fixed, body])
}

/** Type, whether more replies follow, and the entries of one multipart message. */
export function decodeMultipart(bytes: Buffer): { type: number; more: boolean; body: Buffer } {
  const cursor = new Cursor(bytes, 'multipart')
  const type = cursor.u16()
  const flags = cursor.u16()
  cursor.skip(4)
  return { type, more: (flags & REPLY_MORE) !== 0, body: cursor.rest() }
}

/** The body of a request for ports: all of them. */
export function encodePortRequest(): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(0xffffffff, 0)
  return bytes
}
