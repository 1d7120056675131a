// What the joins read: the narrow face of the mirrors. No join reads anything else, and none writes.
import type { FdbRow, FdbTable } from '../mirror/fdb.js'
import type { NeighbourRow } from '../mirror/neighbours.js'
import type { LinkRow } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'

export interface FdbView {
  inBridge(bridge: number, vlan: number, mac: Mac): FdbRow | undefined
  onDevice(table: FdbTable, mac: Mac): FdbRow | undefined
  replicates(table: FdbTable, remote: string): { readonly vni: Vni | undefined } | undefined
  names(table: FdbTable, remote: string): boolean
  uses(table: FdbTable, remote: string): boolean
  /** True for a port that is a vxlan device, of whichever VNI. */
  isVxlan(ifindex: number): boolean
}

export interface NeighbourView {
  get(ifindex: number, ip: Ip): NeighbourRow | undefined
}

export interface LinkByIndex {
  byIndex(ifindex: number): LinkRow | undefined
}
