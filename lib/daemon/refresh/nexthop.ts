// One kernel nexthop that MACs are behind: the group that all of them share.
import { fitWeights, isMixed, usablePaths, type Members } from '../../evpn/nexthop.js'
import { fdbTable } from '../../mirror/fdb.js'
import { nexthopGroup } from '../../pipeline/nexthop.js'
import type { RemoteMac } from '../../evpn/remote-mac.js'
import type { State } from '../state.js'

const EVERY_KIND: readonly Members[] = ['all', 4, 6]

/** The group stands while a MAC is behind it, with no bucket when nothing is left: that way no flow changes with the paths. */
export function refreshNexthop(state: State, id: number): void {
  const paths = state.mirrors.nexthops.paths(id)
  for (const members of EVERY_KIND) {
    const isUsed = state.nexthopUsers.get(id, members) !== undefined
    state.switch.setGroups(`nexthop ${id} ${members}`, isUsed ? [nexthopGroup(id, members, fitWeights(usablePaths(paths, members)))] : [])
  }
  // Only whether it has members of both families decides which of these groups a MAC is sent to.
  if (isMixed(paths) === state.mixedNexthops.has(id)) return
  if (isMixed(paths)) state.mixedNexthops.add(id)
  else state.mixedNexthops.delete(id)
  for (const { ifindex, srcVni, lladdr } of state.mirrors.fdb.rowsOfNexthop(id)) {
    for (const vni of state.vnisOfTable.under(fdbTable(ifindex, srcVni)).keys()) state.dirty.macs.add(vni, lladdr)
  }
}

/** A remote MAC became another: which nexthop groups are used, by how many MACs. */
export function countNexthopUse(state: State, old: RemoteMac | undefined, current: RemoteMac | undefined): void {
  for (const [mac, step] of [[old, -1], [current, +1]] as const) {
    if (mac?.via.kind !== 'nexthop') continue
    const { id, members } = mac.via
    const before = state.nexthopUsers.get(id, members) ?? 0
    if (before + step === 0) state.nexthopUsers.delete(id, members)
    else state.nexthopUsers.set(id, members, before + step)
    if (before === 0 || before + step === 0) state.dirty.nexthops.add(id)
  }
}
