// struct rtmsg and its RTA_* attributes: which way the kernel sends packets to one address.
import { ipFamily, type Ip } from '../net/ip.js'
import { AttributeReader, attributeTable, decodeField, encodeAttribute, hostU32, ip, type Codec } from './attribute.js'
import { AF, RTA, RTAX } from './constants.js'
import { NetlinkDecodeError } from './error.js'

/** What the kernel answers when it is asked for the route to an address. */
export interface RouteRow {
  readonly family: number
  /** RTN_*: unicast, local, blackhole ... */
  readonly type: number
  readonly dst?: Ip
  /** Absent: the destination is on the link. */
  readonly gateway?: Ip
  readonly oif?: number
  /** The source address that would be taken. */
  readonly src?: Ip
  /** Of the route, or found out for this path. */
  readonly mtu?: number
}

const HEADER_BYTES = 12

/** RTA_METRICS holds RTAX_* attributes; of those, the MTU. */
const mtu: Codec<number> = {
  bytes: 0,
  read(data, start, end) {
    const metrics = new AttributeReader(data, start, end, 'route.metrics')
    while (metrics.next()) if (metrics.type === RTAX.MTU) return hostU32.read(data, metrics.start, metrics.end)
    return undefined
  },
  write: value => encodeAttribute(RTAX.MTU, hostU32.write(value))
}

const ATTRIBUTES = attributeTable<Omit<RouteRow, 'family' | 'type'>>([
  [RTA.DST, 'dst', ip],
  [RTA.OIF, 'oif', hostU32],
  [RTA.GATEWAY, 'gateway', ip],
  [RTA.PREFSRC, 'src', ip],
  [RTA.METRICS, 'mtu', mtu]
])

/** Decodes the payload data[start, end) of RTM_NEWROUTE. Throws NetlinkDecodeError. */
export function decodeRoute(data: Buffer, start: number, end: number): RouteRow {
  if (end - start < HEADER_BYTES) throw new NetlinkDecodeError('route', `rtmsg has ${end - start} bytes, needs ${HEADER_BYTES}`, start)
  const row: RouteRow = { family: data[start] ?? 0, type: data[start + 7] ?? 0 }
  const attributes = new AttributeReader(data, start + HEADER_BYTES, end, 'route')
  while (attributes.next()) decodeField(ATTRIBUTES, attributes, row)
  return row
}

/** The payload of RTM_GETROUTE that asks for the way to one address. */
export function encodeRouteQuery(destination: Ip): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  const isV4 = ipFamily(destination) === 4
  header[0] = isV4 ? AF.INET : AF.INET6
  header[1] = isV4 ? 32 : 128
  return Buffer.concat([header, encodeAttribute(RTA.DST, ip.write(destination))])
}
