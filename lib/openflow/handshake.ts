// The messages of a connection's first round trips: hello, features, which messages to send unasked
// (OpenFlow 1.5.1 sections 7.5.1, 7.3.1, 7.3.10).
import { REASON_ACTION } from './action.js'
import { Cursor } from './decode.js'
import { encodeMessage, OFPT, VERSION } from './message.js'

/** What a switch says of itself. */
export interface Features {
  readonly datapathId: bigint
  readonly tables: number
}

const HELLO_VERSION_BITMAP = 1

/** Properties of set_async for the roles that may write (equal and master). */
const ASYNC = { packet_in: 1, port_status: 3, flow_removed: 5, role_status: 7, table_status: 9, requestforward: 11 } as const

/** What is asked for, as bits of OFPPR_* (add, delete and modify), OFPR_* (the controller action) and OFPRFR_* (groups, meters). */
const REASONS: Partial<Record<keyof typeof ASYNC, number>> = { port_status: 7, packet_in: 1 << REASON_ACTION, requestforward: 3 }

/** Offers OpenFlow 1.5 and nothing else. */
export function encodeHello(xid: number): Buffer {
  const element = Buffer.alloc(8)
  element.writeUInt16BE(HELLO_VERSION_BITMAP, 0)
  element.writeUInt16BE(8, 2)
  element.writeUInt32BE(1 << VERSION, 4)
  return encodeMessage(OFPT.hello, xid, element)
}

/** The versions a hello offers: those of its bitmap (the first 32), without one all up to the version in its header. */
export function decodeHello(bytes: Buffer): number[] {
  const cursor = new Cursor(bytes, 'hello')
  const version = cursor.u8()
  cursor.skip(7)
  while (cursor.left >= 4) {
    const [type, length] = [cursor.u16(), cursor.u16()]
    if (length < 4) return cursor.fail(`an element of ${length} bytes`)
    const element = cursor.inner(length - 4)
    if (type === HELLO_VERSION_BITMAP && element.left >= 4) return bitsOf(element.u32())
    cursor.skip(Math.min(cursor.left, (8 - (length % 8)) % 8))
  }
  return Array.from({ length: version }, (_, i) => i + 1)
}

/** Ask for port changes, packets that a flow sends on purpose, and what others do to groups and meters; want no removed flows, no role and table changes. */
export function encodeSetAsync(xid: number): Buffer {
  const properties = (Object.keys(ASYNC) as (keyof typeof ASYNC)[]).map((name) => {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt16BE(ASYNC[name], 0)
    bytes.writeUInt16BE(8, 2)
    bytes.writeUInt32BE(REASONS[name] ?? 0, 4)
    return bytes
  })
  return encodeMessage(OFPT.set_async, xid, ...properties)
}

/** The body of an OFPT_FEATURES_REPLY message. */
export function decodeFeatures(body: Buffer): Features {
  const cursor = new Cursor(body, 'features')
  const datapathId = cursor.u64()
  cursor.skip(4)
  return { datapathId, tables: cursor.u8() }
}

function bitsOf(bitmap: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => ((bitmap >>> bit) & 1) === 1)
}
