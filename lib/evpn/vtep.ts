// A remote VTEP of one VNI. Its identity is (IP, UDP port, VNI): the same address on two ports is two VTEPs.
import type { FdbTable } from '../mirror/fdb.js'
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
  /** A row names it itself, for flooding or as the place of a MAC; else it is known as a member of nexthop groups alone. */
  readonly own: boolean
  /** VNI that its flood copies carry, where it asked for another than ours (downstream VNI, RFC 8365 section 5.1.3). */
  readonly floodVni: Vni | undefined
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
  const remotes = remotesOf(domain, key)
  const replicas = domain.tables.flatMap((table) => remotes.flatMap((remote) => fdb.replicates(table, remote) ?? []))
  const flood = replicas.length > 0
  const isPointedAt = (by: (table: FdbTable, remote: string) => boolean) => domain.tables.some((table) => remotes.some((remote) => by(table, remote)))
  const own = flood || isPointedAt((table, remote) => fdb.names(table, remote))
  if (!own && !isPointedAt((table, remote) => fdb.uses(table, remote))) return undefined
  return { vni: domain.vni, ip, udpPort, flood, own, floodVni: floodVni(domain, replicas), localIp: domain.localIps[ipFamily(ip)] }
}

/** True when a zero-MAC row names a multicast group. */
export function namesMulticastGroup(domain: Domain, key: VtepKey, fdb: FdbView): boolean {
  const remotes = isMulticastIp(key.split(' ')[0] ?? '') ? remotesOf(domain, key) : []
  return remotes.some((remote) => domain.tables.some((table) => fdb.replicates(table, remote) !== undefined))
}

/** Rows that name the port and, where it is the VNI's own, rows that name none. */
function remotesOf(domain: Domain, key: VtepKey): string[] {
  const [ip = '', port = ''] = key.split(' ')
  return Number(port) === domain.udpPort ? [key, ip] : [key]
}

/** Of rows that disagree, one for our own VNI counts, or the one for the lowest. */
function floodVni({ vni }: Domain, replicas: readonly { readonly vni: Vni | undefined }[]): Vni | undefined {
  const vnis = replicas.map((replica) => replica.vni ?? vni)
  return vnis.length === 0 || vnis.includes(vni) ? undefined : Math.min(...vnis)
}
