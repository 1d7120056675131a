// The VLAN of a VNI in a VLAN-filtering bridge, and the device on which its neighbours stand: as FRR finds them.
import { command } from '../config/shell.js'
import type { LinkRow } from '../netlink/index.js'
import type { Vni } from '../net/number.js'

/** The part of the VLAN mirror a domain is derived from. */
export interface VlanView {
  isMember(ifindex: number, vid: number): boolean
  pvid(ifindex: number): number | undefined
  vidOfTunnel(ifindex: number, tunnelId: number): number | undefined
}

/** The VLAN of rows in a bridge that does not filter by VLAN. */
export const NO_VLAN = 0

/** Names a VLAN of a bridge. */
export function vlanKey(bridge: number, vlan: number): string {
  return `${bridge} ${vlan}`
}

/**
 * Which of the bridge's VLANs is the VNI's: on a device of many VNIs (external) the one with the VNI as tunnel key, else the PVID of
 * the VNI's own device. undefined = nobody can say, which is said: what the bridge knows may then be another VNI's.
 */
export function findVlan(vni: Vni, bridge: LinkRow | undefined, vxlans: readonly LinkRow[], vlans: VlanView, problems: string[]): number | undefined {
  if (bridge === undefined) return undefined
  // One that is elsewhere is said to be, and has no VLAN here.
  const ports = vxlans.filter(({ master }) => master === bridge.ifindex)
  const shared = vxlans.find(({ vxlan }) => vxlan?.external === true)
  if (bridge.vlanFiltering !== true) {
    if (shared !== undefined) problems.push(`vxlan device ${shared.name} is one of many VNIs, and ${bridge.name} has no VLAN filtering to tell them apart: ${UNKNOWN}`)
    return shared === undefined ? NO_VLAN : undefined
  }
  const found = ports.map((port) => vlanOf(vni, port, vlans, bridge, problems))
  const vids = new Set(found.filter((vid) => vid !== undefined))
  const [vid] = vids
  if (vids.size > 1) problems.push(`the vxlan devices have VNI ${vni} in several VLANs of bridge ${bridge.name}: ${[...vids].join(' ')}; only ${vid} is used`)
  return vid
}

const UNKNOWN = 'nothing is announced there, and neighbours are not read'

function vlanOf(vni: Vni, port: LinkRow, vlans: VlanView, bridge: LinkRow, problems: string[]): number | undefined {
  const isShared = port.vxlan?.external === true
  const vid = isShared ? vlans.vidOfTunnel(port.ifindex, vni) : vlans.pvid(port.ifindex)
  if (vid === undefined) {
    problems.push(isShared
      ? `vxlan device ${port.name} has no VLAN of bridge ${bridge.name} for VNI ${vni}: ${UNKNOWN}; set it with: ${command`bridge vlan add vid VLAN dev ${port.name} tunnel_info id ${vni}`}`
      : `vxlan device ${port.name} has no PVID in bridge ${bridge.name}, which filters by VLAN: ${UNKNOWN}; set it with: ${command`bridge vlan add vid VLAN dev ${port.name} pvid untagged`}`)
  }
  return vid
}

/** The device of a VLAN on a bridge. */
export interface SviView {
  svi(bridge: number, vid: number): LinkRow | undefined
}

/** Where neighbours stand: on the bridge, or on its device of the VLAN. */
export function findSvi(bridge: LinkRow | undefined, vlan: number | undefined, links: SviView, problems: string[]): LinkRow | undefined {
  if (bridge === undefined || vlan === undefined || vlan === NO_VLAN) return vlan === undefined ? undefined : bridge
  const svi = links.svi(bridge.ifindex, vlan)
  if (svi === undefined) problems.push(`bridge ${bridge.name} has no device for VLAN ${vlan}: no IPs are announced or read; make one with: ${command`ip link add link ${bridge.name} name NAME type vlan id ${vlan}`}`)
  return svi
}
