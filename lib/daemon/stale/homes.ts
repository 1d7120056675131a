// Which rows may be stale, for how long, and in which mirror they stand: the stale set's way to the mirrors.
import { fdbTable, isDeviceRow, type FdbRow } from '../../mirror/fdb.js'
import type { NeighbourRow } from '../../mirror/neighbours.js'
import { isRemoteMacRow, isRemoteNeighbour, isReplicationRow } from '../../mirror/ownership.js'
import type { NexthopRow } from '../../netlink/index.js'
import type { Vni } from '../../net/number.js'
import type { Home } from './stale.js'
import type { State } from '../state.js'

export interface Homes {
  readonly fdb: Home<FdbRow>
  readonly neighbours: Home<NeighbourRow>
  readonly nexthops: Home<NexthopRow>
}

/** `state` may be incomplete yet: it is read when a row is asked about. */
export function homesOf(state: () => State): Homes {
  const mirrors = () => state().mirrors
  // The rows of a device that somebody deleted, or took away, do not come back.
  const isThere = ({ ifindex }: { readonly ifindex: number }) => mirrors().links.byIndex(ifindex) !== undefined
  return {
    fdb: {
      // What the bridge says of the MAC may go: without it the device's row counts.
      isRemote: (row) => isDeviceRow(row) && (isRemoteMacRow(row) || isReplicationRow(row)),
      seconds: (row) => longestOf(state(), state().vnisOfTable.under(fdbTable(row.ifindex, row.srcVni)).keys()),
      release: (row) => mirrors().fdb.release(row),
      restore: (row) => isThere(row) && mirrors().fdb.restore(row)
    },
    neighbours: {
      isRemote: isRemoteNeighbour,
      seconds: (row) => longestOf(state(), state().vnisOfSvi.under(row.ifindex).keys()),
      release: (row) => mirrors().neighbours.release(row),
      restore: (row) => isThere(row) && mirrors().neighbours.restore(row)
    },
    nexthops: {
      isRemote: () => true,
      // Shared by all VNIs.
      seconds: () => longestStaleTime(state()),
      release: (row) => mirrors().nexthops.release(row),
      restore: (row) => mirrors().nexthops.restore(row)
    }
  }
}

/** Seconds. */
export function longestStaleTime(state: State): number {
  return longestOf(state, state.domains.keys())
}

function longestOf({ domains }: State, vnis: Iterable<Vni>): number {
  let longest = 0
  for (const vni of vnis) longest = Math.max(longest, domains.get(vni)?.options.staleTime ?? 0)
  return longest
}
