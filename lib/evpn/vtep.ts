// A remote VTEP of one VNI. Its identity is (IP, UDP port, VNI): the same address on two ports is two VTEPs.
import { ipFamily, isMulticastIp, isUnspecifiedIp, type Ip } from '../net/ip.js'
import type { Vni } from '../net/number.js'
import type { Domain } from './domain.js'
import type { FdbView } from './view.js'

export interface Vtep {
  readonly vni: Vni
  readonly ip: Ip
  readonly udpPort: number
  /** Announced for flooding (it has a zero-MAC row); one known from unicast rows only gets no BUM. */
  readonly flood: boolean
  /** Our address towards it; undefined = unusable, there is no address of its family. */
  readonly localIp: Ip | undefined
}

/** Names a VTEP within its VNI. */
export type VtepKey = string

export function vtepKey(ip: Ip, udpPort: number): VtepKey {
  return `${ip} ${udpPort}`
}

/** The VTEP a remote of an FDB row is (see remoteKey), with the VNI's UDP port where the row names none. */
export function vtepKeyOfRemote(domain: Pick<Domain, 'udpPort'>, remote: string): VtepKey {
  return remote.includes(' ') ? remote : vtepKey(remote, domain.udpPort)
}

/** Joins all rows that point at one VTEP; undefined = nothing does. */
export function deriveVtep(domain: Domain, key: VtepKey, fdb: FdbView): Vtep | undefined {
  const [ip = '', port = ''] = key.split(' ')
  const udpPort = Number(port)
  // A multicast group as a zero-MAC remote is the underlay's multicast, not a VTEP (RFC 7348 section 4.2).
  if (isMulticastIp(ip) || isUnspecifiedIp(ip)) return undefined
  // Rows that name the port and, where it is the VNI's own, rows that name none.
  const remotes = udpPort === domain.udpPort ? [key, ip] : [key]
  const any = (has: (ifindex: number, remote: string) => boolean) => domain.vxlans.some((ifindex) => remotes.some((remote) => has(ifindex, remote)))
  const flood = any((ifindex, remote) => fdb.replicates(ifindex, remote))
  if (!flood && !any((ifindex, remote) => fdb.uses(ifindex, remote))) return undefined
  return { vni: domain.vni, ip, udpPort, flood, localIp: domain.localIps[ipFamily(ip)] }
}
