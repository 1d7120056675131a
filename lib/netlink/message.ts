// Netlink messages: the framing of a datagram (struct nlmsghdr), and what an rtnetlink message says about links, neighbours, nexthops and VLANs.
import { align4, readHostU16, readHostU32, writeHostU16, writeHostU32 } from './attribute.js'
import { AF, RTM } from './constants.js'
import { NetlinkDecodeError } from './error.js'
import { decodeBridgePortNews, decodeLink, encodeLink, type BridgePortInfo, type LinkRow } from './link.js'
import { decodeNeigh, encodeNeigh, type DecodeOptions, type NeighRow } from './neigh.js'
import { decodeNexthop, encodeNexthop, type NexthopRow } from './nexthop.js'
import { decodeRoute, type RouteRow } from './route.js'
import { decodeVlan, encodeVlan, type VlanRow } from './vlan.js'

export const MESSAGE_HEADER_BYTES = 16

/** One message of a datagram: its header, and where in the datagram its payload is. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly seq: number
  /** Port id of the socket that asked; 0 in plain notifications. */
  readonly pid: number
  readonly start: number
  readonly end: number
}

/** What an rtnetlink message says. */
export type RtMessage = RowMessage
  /** The answer to a question for a route; routes are not mirrored. */
  | { readonly kind: 'route', readonly row: RouteRow }
  /** A message whose bytes make no sense: only it is lost, and whoever mirrors that table has to read it again. */
  /** `isReply`: it came in answer to a request of ours, so it is a row that cannot be read, not the news of a change. */
  | { readonly kind: 'malformed', readonly type: number, readonly error: string, readonly isReply?: true }
  /** How the bridge driver treats a port of a bridge. */
  | { readonly kind: 'bridge_port', readonly ifindex: number, readonly info: BridgePortInfo }
  /** Anything else. */
  | { readonly kind: 'other', readonly type: number }

export type RowMessage =
  | { readonly kind: 'link', readonly op: 'new' | 'del', readonly row: LinkRow }
  | { readonly kind: 'neigh', readonly op: 'new' | 'del', readonly row: NeighRow }
  | { readonly kind: 'nexthop', readonly op: 'new' | 'del', readonly row: NexthopRow }
  | { readonly kind: 'vlan', readonly op: 'new' | 'del', readonly row: VlanRow }

/** The messages of a datagram, in order. Throws NetlinkDecodeError where the framing breaks, after yielding what came before. */
export function* frames(datagram: Buffer): Generator<Frame, void, undefined> {
  for (let at = 0; at < datagram.length;) {
    const left = datagram.length - at
    if (left < MESSAGE_HEADER_BYTES) throw new NetlinkDecodeError('datagram', `${left} bytes left where a message should begin`, at)
    const length = readHostU32(datagram, at)
    if (length < MESSAGE_HEADER_BYTES || length > left) {
      throw new NetlinkDecodeError('datagram', `a message claims ${length} bytes of ${left}`, at)
    }
    yield {
      type: readHostU16(datagram, at + 4),
      flags: readHostU16(datagram, at + 6),
      seq: readHostU32(datagram, at + 8),
      pid: readHostU32(datagram, at + 12),
      start: at + MESSAGE_HEADER_BYTES,
      end: at + length
    }
    at += align4(length)
  }
}

/** One message as bytes, padded so that another can follow. */
export function encodeFrame(header: Pick<Frame, 'type' | 'flags' | 'seq'> & { readonly pid?: number }, payload: Uint8Array): Buffer {
  const length = MESSAGE_HEADER_BYTES + payload.length
  const bytes = Buffer.alloc(align4(length))
  writeHostU32(bytes, length, 0)
  writeHostU16(bytes, header.type, 4)
  writeHostU16(bytes, header.flags, 6)
  writeHostU32(bytes, header.seq, 8)
  writeHostU32(bytes, header.pid ?? 0, 12)
  bytes.set(payload, MESSAGE_HEADER_BYTES)
  return bytes
}

/**
 * What a message says; bytes that make no sense become `malformed`, never an exception. `withAges`: see decodeNeigh.
 * AF_BRIDGE RTM_NEWLINK and RTM_DELLINK are the bridge driver's news about a port, not about the device: such a DELLINK only
 * says that the device left the bridge, which the AF_UNSPEC message sent along says with IFLA_MASTER. How the bridge treats a port
 * may be told by such a NEWLINK alone (`bridge link set`).
 */
export function decodeMessage(type: number, data: Buffer, start: number, end: number, how?: DecodeOptions): RtMessage {
  try {
    switch (type) {
      case RTM.NEWLINK:
      case RTM.DELLINK:
        if (data[start] === AF.BRIDGE && end > start) return type === RTM.NEWLINK ? { kind: 'bridge_port', ...decodeBridgePortNews(data, start, end) } : { kind: 'other', type }
        return { kind: 'link', op: type === RTM.NEWLINK ? 'new' : 'del', row: decodeLink(data, start, end) }
      case RTM.NEWNEIGH:
      case RTM.DELNEIGH:
        return { kind: 'neigh', op: type === RTM.NEWNEIGH ? 'new' : 'del', row: decodeNeigh(data, start, end, how) }
      case RTM.NEWROUTE:
        return { kind: 'route', row: decodeRoute(data, start, end) }
      case RTM.NEWNEXTHOP:
      case RTM.DELNEXTHOP:
        return { kind: 'nexthop', op: type === RTM.NEWNEXTHOP ? 'new' : 'del', row: decodeNexthop(data, start, end) }
      case RTM.NEWVLAN:
      case RTM.DELVLAN:
        return { kind: 'vlan', op: type === RTM.NEWVLAN ? 'new' : 'del', row: decodeVlan(data, start, end) }
      default:
        return { kind: 'other', type }
    }
  } catch (error) {
    if (error instanceof NetlinkDecodeError) return { kind: 'malformed', type, error: error.message }
    throw error
  }
}

/** Type and payload of a message about a row, as the kernel would notify it. */
export function encodeMessage(message: RowMessage): { readonly type: number, readonly payload: Buffer } {
  const isNew = message.op === 'new'
  switch (message.kind) {
    case 'link': return { type: isNew ? RTM.NEWLINK : RTM.DELLINK, payload: encodeLink(message.row) }
    case 'neigh': return { type: isNew ? RTM.NEWNEIGH : RTM.DELNEIGH, payload: encodeNeigh(message.row) }
    case 'nexthop': return { type: isNew ? RTM.NEWNEXTHOP : RTM.DELNEXTHOP, payload: encodeNexthop(message.row) }
    case 'vlan': return { type: isNew ? RTM.NEWVLAN : RTM.DELVLAN, payload: encodeVlan(message.row) }
  }
}
