// Requests to rtnetlink as data: type, flags, payload, and the words an error uses for them.
import { AF, IFLA, NLM_F, RTEXT_FILTER_SKIP_STATS, RTM } from './constants.js'
import { encodeAttribute, hostU32, writeHostU32 } from './attribute.js'
import { encodeLink, type LinkRow } from './link.js'
import { encodeNeigh, neighText, type NeighRow } from './neigh.js'
import { encodeNexthop, encodeNexthopId, type NexthopRow } from './nexthop.js'
import { encodeRouteQuery } from './route.js'
import type { Ip } from '../net/ip.js'

export interface NetlinkRequest {
  readonly type: number
  /** NLM_F_* without REQUEST and ACK, which the session adds. */
  readonly flags: number
  readonly payload: Uint8Array
  /** What is asked for, in words. */
  readonly text: string
}

/** What can be dumped: all links; AF_BRIDGE forwarding rows; AF_INET and AF_INET6 neighbours; nexthops and groups; VLANs of bridges and their ports. */
export type DumpKind = 'link' | 'fdb' | 'neigh' | 'nexthop' | 'vlan'

/**
 * A change to a neighbour or FDB row. `replace` creates or replaces; `append` adds one more remote to a zero or multicast MAC of a
 * vxlan device, which `replace` would reduce to one. For a bridge-level row set NTF.MASTER, for a vxlan device's own NTF.SELF:
 * the kernel's notifications carry MASTER never, requests must.
 */
export interface WriteRequest {
  readonly op: 'replace' | 'append' | 'delete'
  readonly row: NeighRow
}

const WRITE_FLAGS = { replace: NLM_F.CREATE | NLM_F.REPLACE, append: NLM_F.CREATE | NLM_F.APPEND, delete: 0 } as const

export function neighRequest({ op, row }: WriteRequest): NetlinkRequest {
  return {
    type: op === 'delete' ? RTM.DELNEIGH : RTM.NEWNEIGH,
    flags: WRITE_FLAGS[op],
    payload: encodeNeigh(row),
    text: `${op} ${row.family === AF.BRIDGE ? 'FDB row' : 'neighbour'} ${neighText(row)}`
  }
}

/**
 * Asks for one row by its key; the answer is an RTM_NEWNEIGH, the outcome ENOENT where there is none. A vxlan device's row: its
 * ifindex, NTF.SELF and the MAC; a bridge's: `master`, NTF.MASTER, the MAC, the VLAN if not 0; a neighbour: its device and IP.
 */
export function neighQuery(row: Pick<NeighRow, 'family' | 'ifindex' | 'flags' | 'lladdr' | 'dst' | 'vlan' | 'vni' | 'master'>): NetlinkRequest {
  return { type: RTM.GETNEIGH, flags: 0, payload: encodeNeigh({ state: 0, type: 0, ...row }), text: `ask for ${row.lladdr ?? row.dst}` }
}

/** Asks which way packets to an address go; the answer is a `route` message, the outcome ENETUNREACH where there is no way. */
export function routeQuery(destination: Ip): NetlinkRequest {
  return { type: RTM.GETROUTE, flags: 0, payload: encodeRouteQuery(destination), text: `ask for the route to ${destination}` }
}

/** Creates or replaces a nexthop or group. */
export function nexthopRequest(row: NexthopRow): NetlinkRequest {
  return { type: RTM.NEWNEXTHOP, flags: NLM_F.CREATE | NLM_F.REPLACE, payload: encodeNexthop(row), text: `replace nexthop ${row.id}` }
}

export function deleteNexthopRequest(id: number): NetlinkRequest {
  return { type: RTM.DELNEXTHOP, flags: 0, payload: encodeNexthopId(id), text: `delete nexthop ${id}` }
}

/** Creates a device; fails with EEXIST when the name is taken. */
export function createLinkRequest(row: Partial<LinkRow> & Pick<LinkRow, 'name' | 'kind'>): NetlinkRequest {
  return {
    type: RTM.NEWLINK,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    payload: encodeLink(row, row.flags),
    text: `create device ${row.name} of kind ${row.kind}`
  }
}

/**
 * Changes the given fields of a device named by ifindex; of `flags`, only the bits in `change`. A name is for the request's text: sent
 * beside an ifindex it is a new name, and a kernel before 6.2 answers EBUSY for a device that is up, even to the name it has.
 */
export function changeLinkRequest({ name, ...row }: Partial<LinkRow> & Pick<LinkRow, 'ifindex'>, change = 0): NetlinkRequest {
  return { type: RTM.NEWLINK, flags: 0, payload: encodeLink(row, change), text: `change device ${name ?? row.ifindex}` }
}

export function deleteLinkRequest(ifindex: number): NetlinkRequest {
  return { type: RTM.DELLINK, flags: 0, payload: encodeLink({ ifindex }), text: `delete device ${ifindex}` }
}

/** struct ndmsg, ifinfomsg, nhmsg, br_vlan_msg: all zero but the family, which comes first in each; with `ifindex`, the FDB rows of that device only. */
export function dumpRequest(kind: DumpKind, ifindex = 0): NetlinkRequest {
  const text = `dump ${kind} table${ifindex === 0 ? '' : ` of device ${ifindex}`}`
  switch (kind) {
    case 'link': {
      const skipStatistics = encodeAttribute(IFLA.EXT_MASK, hostU32.write(RTEXT_FILTER_SKIP_STATS))
      return { type: RTM.GETLINK, flags: NLM_F.DUMP, payload: Buffer.concat([header(16, AF.UNSPEC), skipStatistics]), text }
    }
    case 'fdb': return { type: RTM.GETNEIGH, flags: NLM_F.DUMP, payload: header(12, AF.BRIDGE, ifindex), text }
    case 'neigh': return { type: RTM.GETNEIGH, flags: NLM_F.DUMP, payload: header(12, AF.UNSPEC), text }
    case 'nexthop': return { type: RTM.GETNEXTHOP, flags: NLM_F.DUMP, payload: header(8, AF.UNSPEC), text }
    case 'vlan': return { type: RTM.GETVLAN, flags: NLM_F.DUMP, payload: header(8, AF.BRIDGE, ifindex), text }
  }
}

function header(length: number, family: number, ifindex = 0): Buffer {
  const bytes = Buffer.alloc(length)
  bytes[0] = family
  writeHostU32(bytes, ifindex, 4)
  return bytes
}
