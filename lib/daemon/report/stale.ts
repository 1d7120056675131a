// What is shown as stale: it stands only because its withdrawal does not count yet.
import type { Domain } from '../../evpn/domain.js'
import { remoteRow } from '../../evpn/remote-mac.js'
import { vtepKey, vtepKeyOfRemote, type VtepKey } from '../../evpn/vtep.js'
import { remoteKey } from '../../mirror/fdb.js'
import type { Ip } from '../../net/ip.js'
import { ZERO_MAC, type Mac } from '../../net/mac.js'
import type { State } from '../state.js'

/** The reason that is shown. */
export const KEPT = 'withdrawn by a routing daemon that was gone, kept for evpn-stale-time'

export function isStaleMac({ stale, mirrors }: State, domain: Domain, mac: Mac): boolean {
  if (stale.size === 0) return false
  const row = remoteRow(domain, mac, mirrors.fdb)
  return row !== undefined && stale.isStale(row)
}

export function isStaleIp({ stale, mirrors }: State, { svi }: Domain, ip: Ip): boolean {
  return stale.size > 0 && svi !== undefined && stale.isStale(mirrors.neighbours.get(svi, ip))
}

/** VTEPs of which nothing but stale rows tells. */
export function staleVteps(state: State, domain: Domain): Set<VtepKey> {
  const { stale, mirrors } = state
  if (stale.size === 0) return new Set()
  const vteps = new Set(state.vteps.under(domain.vni).keys())
  for (const table of domain.tables) {
    for (const row of mirrors.fdb.appendedRows(table)) {
      if (row.lladdr === ZERO_MAC && !stale.isStale(row)) vteps.delete(vtepKeyOfRemote(domain, remoteKey(row)))
    }
    for (const row of mirrors.fdb.deviceRows(table)) {
      if (stale.isStale(row)) continue
      if (row.dst !== undefined) vteps.delete(vtepKeyOfRemote(domain, remoteKey(row)))
      for (const { ip } of row.nhId === undefined ? [] : mirrors.nexthops.paths(row.nhId)) vteps.delete(vtepKey(ip, domain.udpPort))
    }
  }
  return vteps
}
