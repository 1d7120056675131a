// Somebody else's claim on a MAC: which kernel rows it is made of, and whether it stands or has been overtaken.
import { isRemoteMacRow } from '../mirror/ownership.js'
import type { FdbRow } from '../mirror/fdb.js'
import { NTF, type NeighRow } from '../netlink/index.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Domain } from './domain.js'
import { bridgeRow, whereInBridge } from './remote-mac.js'
import type { FdbView } from './view.js'

/** What was seen and no row tells: the memory of claims (lib/daemon/evidence.ts), as an input like the mirrors. */
export interface EvidenceView {
  /** True for a row that says where an address was before it was seen, or held, here. A row written anew is another one. */
  isOutdated(row: NeighRow): boolean
  /** True when we announced the MAC since it is bound here. */
  wasHeld(vni: Vni, mac: Mac): boolean
  /** Seconds between the last claim over another's and the next one; undefined = the next one may come. */
  pauseOf(vni: Vni, mac: Mac): number | undefined
}

/**
 * The rows of another chassis' claim; empty = there is none. The bridge's row alone is a claim: the kernel reports the
 * two rows of one claim one after the other, and writing ours in between would steal the MAC back. So is the
 * device's alone: some speakers write no other.
 */
export function remoteClaim(domain: Domain, mac: Mac, fdb: FdbView): FdbRow[] {
  const where = whereInBridge(domain, mac, fdb)
  if (where === 'local') return []
  const row = where === 'remote' ? bridgeRow(domain, mac, fdb) : undefined
  return [...(row === undefined ? [] : [row]), ...deviceClaims(domain, mac, fdb)]
}

/** The vxlan devices' half of it, whatever the bridge says: what FRR leaves behind after a move to us, too. */
export function deviceClaims(domain: Domain, mac: Mac, fdb: FdbView): FdbRow[] {
  return domain.tables.map((table) => fdb.onDevice(table, mac)).filter((row) => row !== undefined && isRemoteMacRow(row)) as FdbRow[]
}

/** A claim stands while any row of it is newer than what was seen here. */
export function stands(claim: readonly FdbRow[], evidence: EvidenceView): boolean {
  return claim.some((row) => !evidence.isOutdated(row))
}

/** A sticky MAC may not move (RFC 7432 section 15.2): FRR refuses the local row, and kernel and speaker would disagree. */
export function isSticky(claim: readonly FdbRow[]): boolean {
  return claim.some((row) => (row.flags & NTF.STICKY) !== 0)
}
