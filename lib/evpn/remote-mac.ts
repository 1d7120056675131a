// A remote MAC: behind which VTEP, or which of several (a nexthop), the speaker says it is.
import type { FdbRow } from '../mirror/fdb.js'
import { isRemoteMacRow } from '../mirror/ownership.js'
import { NTF } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Domain } from './domain.js'
import type { FdbView } from './view.js'

/** Where a MAC is: behind one VTEP, or behind the members of a kernel nexthop, as the VNI uses them (leftOut). */
export type Via = { readonly kind: 'vtep', readonly ip: Ip } | { readonly kind: 'nexthop', readonly id: number }

export interface RemoteMac {
  readonly vni: Vni
  readonly mac: Mac
  readonly via: Via
  readonly udpPort: number
  /** The VNI its packets carry, where the entry brings another than ours (downstream VNI, RFC 8365 section 5.1.3). */
  readonly encapVni: Vni | undefined
  /** A speaker's sticky MAC: it may not move. */
  readonly sticky: boolean
}

/** Joins the device rows and the bridge row of one MAC; undefined = not remote. */
export function deriveRemoteMac(domain: Domain, mac: Mac, fdb: FdbView): RemoteMac | undefined {
  const row = remoteRow(domain, mac, fdb)
  const via = row && viaOf(row)
  if (row === undefined || via === undefined) return undefined
  const encapVni = row.vni === domain.vni ? undefined : row.vni
  return { vni: domain.vni, mac, via, udpPort: row.port ?? domain.udpPort, encapVni, sticky: (row.flags & NTF.STICKY) !== 0 }
}

/** The speaker's row for the MAC, on the first device that has one. */
export function remoteRow(domain: Domain, mac: Mac, fdb: FdbView): FdbRow | undefined {
  if (whereInBridge(domain, mac, fdb) === 'local') return undefined
  for (const table of domain.tables) {
    const row = fdb.onDevice(table, mac)
    if (row !== undefined && isRemoteMacRow(row)) return row
  }
  return undefined
}

function viaOf(row: FdbRow): Via | undefined {
  if (row.nhId !== undefined) return { kind: 'nexthop', id: row.nhId }
  return row.dst === undefined ? undefined : { kind: 'vtep', ip: row.dst }
}

/**
 * Where the bridge has a MAC. A row on a port that is no vxlan device makes it local, whatever the vxlan row says
 * (FRR leaves that one behind after a move); no row at all is fine, some speakers write device rows only. A vxlan device
 * that the VNI does not name says nothing of the VNI's MACs.
 */
export function whereInBridge(domain: Domain, mac: Mac, fdb: FdbView): 'local' | 'remote' | 'nowhere' {
  const row = bridgeRow(domain, mac, fdb)
  if (row === undefined) return 'nowhere'
  if (domain.vxlans.includes(row.ifindex)) return 'remote'
  return fdb.isVxlan(row.ifindex) ? 'nowhere' : 'local'
}

/** What the bridge says of a MAC in this VNI: in a bridge that serves many, its row in the VNI's VLAN. */
export function bridgeRow({ bridge, vlan }: Domain, mac: Mac, fdb: FdbView): FdbRow | undefined {
  return bridge === undefined || vlan === undefined ? undefined : fdb.inBridge(bridge, vlan, mac)
}
