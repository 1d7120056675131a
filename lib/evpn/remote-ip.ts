// A remote IP: which MAC the speaker bound it to, and whether it belongs to a router (RFC 9047 R flag).
import { isRemoteNeighbour } from '../mirror/ownership.js'
import { NTF } from '../netlink/index.js'
import { isLinkLocalIp, type Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Domain } from './domain.js'
import type { NeighbourView } from './view.js'

export interface RemoteIp {
  readonly vni: Vni
  readonly ip: Ip
  readonly mac: Mac
  readonly router: boolean
}

/** The speaker's neighbour on the VNI's bridge device, or on that of its VLAN; undefined = none. */
export function deriveRemoteIp(domain: Domain, ip: Ip, neighbours: NeighbourView): RemoteIp | undefined {
  const row = domain.svi === undefined || isLinkLocalIp(ip) ? undefined : neighbours.get(domain.svi, ip)
  if (row?.lladdr === undefined || !isRemoteNeighbour(row)) return undefined
  return { vni: domain.vni, ip, mac: row.lladdr, router: (row.flags & NTF.ROUTER) !== 0 }
}
