// The outside as the joins see it: mirrors filled with rows, and a domain on usual devices.
import { parseBridge } from '../../lib/config/bridge.js'
import { parseSystem } from '../../lib/config/system.js'
import { deriveDomain, type Domain } from '../../lib/evpn/domain.js'
import { FdbMirror } from '../../lib/mirror/fdb.js'
import { LinkMirror } from '../../lib/mirror/links.js'
import { NeighbourMirror } from '../../lib/mirror/neighbours.js'
import { VlanMirror } from '../../lib/mirror/vlans.js'
import type { LinkRow, NeighRow, VlanRow } from '../../lib/netlink/index.js'
import { link } from '../mirror/rows.js'

export const VNI = 1000

/** ifindexes of the devices of VNI 1000. */
export const [BRIDGE, VXLAN, ADVERTISE, OTHER_PORT, VXLAN6] = [10, 11, 12, 13, 14] as const

export function vxlan(more: Partial<NonNullable<LinkRow['vxlan']>> = {}): LinkRow {
  const info = { vni: VNI, local: '192.0.2.1', port: 61000, learning: false, external: false, vnifilter: false, ...more }
  return link(VXLAN, 'vxlan-1000', { kind: 'vxlan', master: BRIDGE, vxlan: info })
}

export const BRIDGE_LINK = link(BRIDGE, 'br-1000', { kind: 'bridge' })
export const ADVERTISE_LINK = link(ADVERTISE, 'lo-1000', { kind: 'veth', master: BRIDGE })

/** What a VNI needs in the kernel, all as it should be. */
export const DEVICES: readonly LinkRow[] = [BRIDGE_LINK, vxlan(), ADVERTISE_LINK]

/** The domain of a VNI under these devices and external_ids. */
export function domainOf(devices: readonly LinkRow[], config: { readonly bridge?: Record<string, string>, readonly system?: Record<string, string>, readonly vni?: number, readonly vlans?: readonly VlanRow[] } = {}): Domain {
  const links = new LinkMirror(() => undefined)
  for (const row of devices) links.put(row)
  const vlans = new VlanMirror(() => undefined)
  for (const row of config.vlans ?? []) vlans.put(row)
  const system = parseSystem(new Map(Object.entries(config.system ?? {}))).config
  const bridge = parseBridge('br-int', new Map(Object.entries(config.bridge ?? {}))).config
  return deriveDomain(config.vni ?? VNI, system, bridge, links, vlans)
}

export function fdbOf(...rows: readonly NeighRow[]): FdbMirror {
  const isVxlan = (ifindex: number) => [VXLAN, VXLAN6].some((one) => one === ifindex)
  const fdb = new FdbMirror({ bridgeRow: () => undefined, deviceRow: () => undefined, nexthopUse: () => undefined }, undefined, isVxlan)
  for (const row of rows) fdb.put(row)
  return fdb
}

export function neighboursOf(...rows: readonly NeighRow[]): NeighbourMirror {
  const neighbours = new NeighbourMirror(() => undefined)
  for (const row of rows) neighbours.put(row)
  return neighbours
}
