// The public face of the netlink library: rtnetlink rows, codec, sans-io session and client. It knows nothing of EVPN.
export * from './constants.js'
export { NetlinkDecodeError, NetlinkError, errnoName } from './error.js'
export { decodeLink, encodeLink, type BridgePortInfo, type LinkRow, type VxlanInfo } from './link.js'
export { decodeNeigh, encodeNeigh, neighText, type NeighRow } from './neigh.js'
export { decodeNexthop, encodeNexthop, encodeNexthopId, type NexthopMember, type NexthopRow } from './nexthop.js'
export { decodeRoute, type RouteRow } from './route.js'
export { decodeVlan, encodeVlan, isPvid, type VlanRange, type VlanRow } from './vlan.js'
export { decodeMessage, encodeFrame, encodeMessage, frames, type Frame, type RowMessage, type RtMessage } from './message.js'
export {
  changeLinkRequest, createLinkRequest, deleteLinkRequest, deleteNexthopRequest, dumpRequest, neighQuery, neighRequest, nexthopRequest, routeQuery,
  type DumpKind, type NetlinkRequest, type WriteRequest
} from './request.js'
export { NetlinkSession, type Outcome, type Received } from './session.js'
export { NetlinkClient, type NetlinkHandlers, type NetlinkOptions } from './client.js'
