// One kernel nexthop that MACs are behind: the groups that VNIs share, and which of them each VNI uses.
import type { Domain } from '../../evpn/domain.js'
import { fitWeights, leftOut, usablePaths, type LeftOut } from '../../evpn/nexthop.js'
import type { RemoteMac } from '../../evpn/remote-mac.js'
import { vtepKey } from '../../evpn/vtep.js'
import { addCount } from '../../mirror/nested.js'
import type { Ip } from '../../net/ip.js'
import type { Vni } from '../../net/number.js'
import { nexthopFlow, nexthopGroup, nexthopGroupId } from '../../pipeline/nexthop.js'
import type { State } from '../state.js'

/** A group stands while a VNI uses it, with no bucket when nothing is left: that way no flow changes with the paths. */
export function refreshNexthop(state: State, id: number): void {
  const paths = state.mirrors.nexthops.paths(id)
  const groups = [...state.nexthopUsers.under(id).keys()].map((without) => nexthopGroup(groupIdOf(state, id, without), fitWeights(usablePaths(paths, without))))
  state.switch.setGroups(`nexthop ${id}`, groups)
}

/** What one VNI leaves out of a nexthop that MACs of it are behind: one flow, however many they are. */
export function refreshNexthopUse(state: State, vni: Vni, id: number): void {
  const domain = state.nexthopMacs.get(id, vni) === undefined ? undefined : state.domains.get(vni)
  const [old, without] = [state.nexthopUses.get(vni, id), domain && leftOutBy(state, domain, id)]
  if (old !== without) {
    if (without === undefined) state.nexthopUses.delete(vni, id)
    else state.nexthopUses.set(vni, id, without)
    if (old !== undefined) countUser(state, id, old, -1)
    if (without !== undefined) countUser(state, id, without, +1)
  }
  const flows = domain === undefined || without === undefined ? [] : [nexthopFlow(vni, id, groupIdOf(state, id, without), domain.udpPort)]
  state.switch.setFlows(`nexthop-use ${vni} ${id}`, flows)
}

function leftOutBy(state: State, { vni, localIps, udpPort }: Domain, id: number): LeftOut {
  return leftOut(state.mirrors.nexthops.paths(id), localIps, (ip) => state.vteps.get(vni, vtepKey(ip, udpPort)))
}

/** A VTEP came into the VNI, or left it: that concerns the nexthops that lead to it. */
export function markNexthopsTo(state: State, vni: Vni, ip: Ip): void {
  for (const id of state.mirrors.fdb.nexthopsTo(ip)) if (state.nexthopUses.get(vni, id) !== undefined) state.dirty.nexthopUses.add(vni, id)
}

/** The group in the switch that a VNI uses for a nexthop; undefined = it uses none. */
export function groupUsedBy(state: State, vni: Vni, id: number): number | undefined {
  const without = state.nexthopUses.get(vni, id)
  return without === undefined ? undefined : groupIdOf(state, id, without)
}

/** Of those whose hashed group ids are one, each gets a group of its own. */
function groupIdOf({ nexthopSlots }: State, id: number, without: LeftOut): number {
  const [slot, name] = [nexthopGroupId(id, without), nameOf(id, without)]
  let rank = 0
  for (const other of nexthopSlots.under(slot).keys()) if (other < name) rank++
  return rank === 0 ? slot : nexthopGroupId(id, without, rank)
}

function nameOf(id: number, without: LeftOut): string {
  return `${id} ${without}`
}

/** A VNI uses a group, or no longer does. When it is the first or was the last, groups with the same hashed id may have other ranks. */
function countUser(state: State, id: number, without: LeftOut, step: 1 | -1): void {
  const { nexthopUsers, nexthopSlots, dirty } = state
  const before = nexthopUsers.get(id, without) ?? 0
  addCount(nexthopUsers, id, without, step)
  if (before !== 0 && before + step !== 0) return
  dirty.nexthops.add(id)
  const slot = nexthopGroupId(id, without)
  if (before === 0) nexthopSlots.set(slot, nameOf(id, without), id)
  else nexthopSlots.delete(slot, nameOf(id, without))
  for (const [name, other] of nexthopSlots.under(slot)) {
    if (name === nameOf(id, without)) continue
    dirty.nexthops.add(other)
    for (const vni of state.nexthopMacs.under(other).keys()) dirty.nexthopUses.add(vni, other)
  }
}

/** Nexthops whose hashed group ids are one. */
export function nexthopCollisions({ nexthopSlots }: State): number[][] {
  return [...nexthopSlots.outers()].map((slot) => [...new Set(nexthopSlots.under(slot).values())].sort((a, b) => a - b)).filter(({ length }) => length > 1)
}

/** A remote MAC became another: which nexthops are used by a VNI, for how many MACs. */
export function countNexthopMac({ nexthopMacs, dirty }: State, old: RemoteMac | undefined, current: RemoteMac | undefined): void {
  for (const [mac, step] of [[old, -1], [current, +1]] as const) {
    if (mac?.via.kind !== 'nexthop') continue
    const { vni, via: { id } } = mac
    const before = nexthopMacs.get(id, vni) ?? 0
    addCount(nexthopMacs, id, vni, step)
    if (before === 0 || before + step === 0) dirty.nexthopUses.add(vni, id)
  }
}
