// One kernel nexthop that MACs are behind: the group that all of them share.
import { fitWeights, isMixed, usablePaths, type Members } from '../../evpn/nexthop.js'
import { fdbTable } from '../../mirror/fdb.js'
import { nexthopGroup, nexthopGroupId } from '../../pipeline/nexthop.js'
import type { RemoteMac } from '../../evpn/remote-mac.js'
import type { State } from '../state.js'

const EVERY_KIND: readonly Members[] = ['all', 4, 6]

/** The group stands while a MAC is behind it, with no bucket when nothing is left: that way no flow changes with the paths. */
export function refreshNexthop(state: State, id: number): void {
  const paths = state.mirrors.nexthops.paths(id)
  for (const members of EVERY_KIND) {
    const isUsed = state.nexthopUsers.get(id, members) !== undefined
    state.switch.setGroups(`nexthop ${id} ${members}`, isUsed ? [nexthopGroup(id, members, fitWeights(usablePaths(paths, members)), rankOf(state, id, members))] : [])
  }
  // Only whether it has members of both families decides which of these groups a MAC is sent to.
  if (isMixed(paths) === state.mixedNexthops.has(id)) return
  if (isMixed(paths)) state.mixedNexthops.add(id)
  else state.mixedNexthops.delete(id)
  markMacsBehind(state, id)
}

function markMacsBehind(state: State, id: number): void {
  for (const { ifindex, srcVni, lladdr } of state.mirrors.fdb.rowsOfNexthop(id)) {
    for (const vni of state.vnisOfTable.under(fdbTable(ifindex, srcVni)).keys()) state.dirty.macs.add(vni, lladdr)
  }
}

/** Of two whose hashed group ids are one, each gets a group of its own. */
function rankOf({ nexthopSlots }: State, id: number, members: Members): number {
  const name = nexthopName(id, members)
  let rank = 0
  for (const other of nexthopSlots.under(nexthopGroupId(id, members)).keys()) if (other < name) rank++
  return rank
}

function nexthopName(id: number, members: Members): string {
  return `${id} ${members}`
}

/** The remote MAC with the rank of the nexthop that it is behind. */
export function ranked(state: State, remote: RemoteMac | undefined): RemoteMac | undefined {
  if (remote?.via.kind !== 'nexthop') return remote
  const rank = rankOf(state, remote.via.id, remote.via.members)
  return rank === 0 ? remote : { ...remote, via: { ...remote.via, rank } }
}

/** What is used came or went: those that have the same hashed group id may have other ranks now, and their MACs other groups. */
function indexSlot({ nexthopSlots, dirty }: State, id: number, members: Members, isUsed: boolean): number[] {
  const slot = nexthopGroupId(id, members)
  if (isUsed) nexthopSlots.set(slot, nexthopName(id, members), id)
  else nexthopSlots.delete(slot, nexthopName(id, members))
  const others = [...nexthopSlots.under(slot).values()].filter((other) => other !== id)
  for (const other of others) dirty.nexthops.add(other)
  return others
}

/** Nexthops whose hashed group ids are one. */
export function nexthopCollisions({ nexthopSlots }: State): number[][] {
  return [...nexthopSlots.outers()].map((slot) => [...new Set(nexthopSlots.under(slot).values())].sort((a, b) => a - b)).filter(({ length }) => length > 1)
}

/** A remote MAC became another: which nexthop groups are used, by how many MACs. */
export function countNexthopUse(state: State, old: RemoteMac | undefined, current: RemoteMac | undefined): void {
  for (const [mac, step] of [[old, -1], [current, +1]] as const) {
    if (mac?.via.kind !== 'nexthop') continue
    const { id, members } = mac.via
    const before = state.nexthopUsers.get(id, members) ?? 0
    if (before + step === 0) state.nexthopUsers.delete(id, members)
    else state.nexthopUsers.set(id, members, before + step)
    if (before !== 0 && before + step !== 0) continue
    state.dirty.nexthops.add(id)
    for (const other of indexSlot(state, id, members, before === 0)) markMacsBehind(state, other)
  }
}
