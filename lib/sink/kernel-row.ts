// The kernel rows we write: a static FDB row on an advertise device, a NOARP neighbour on a bridge device.
// As tracker entries, as netlink requests, and as what a mirror's row realizes.
import { PROTOCOL_OVS_EVPN, isOurFdbRow, isOurNeighbour } from '../mirror/ownership.js'
import { AF, NTF, NUD, type NeighRow, type WriteRequest } from '../netlink/index.js'
import { ipFamily, type Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Pending } from './tracker.js'

/** The content half of an entry; the key holds the identity. */
export type KernelValue = string

export type KernelEntry = readonly [key: string, value: KernelValue]

const STATIC = 'static'

/** In VLAN 0 for a bridge without VLAN filtering. */
export function fdbKey(ifindex: number, vlan: number, mac: Mac): string {
  return `fdb ${ifindex} ${mac} ${vlan}`
}

export function neighbourKey(ifindex: number, ip: Ip): string {
  return `neigh ${ifindex} ${ip}`
}

/** A MAC we announce. */
export function fdbEntry(ifindex: number, vlan: number, mac: Mac): KernelEntry {
  return [fdbKey(ifindex, vlan, mac), STATIC]
}

/** An IP we announce. */
export function neighbourEntry(ifindex: number, ip: Ip, mac: Mac): KernelEntry {
  return [neighbourKey(ifindex, ip), mac]
}

/** What a bridge-level row on an advertise device counts as; lingering flags of a moved row do not matter. */
export function realizedFdb(row: NeighRow | undefined): KernelValue | undefined {
  if (row === undefined || !isOurFdbRow(row)) return undefined
  return (row.state & NUD.NOARP) !== 0 ? STATIC : `state ${row.state}`
}

/**
 * NOARP, so that the kernel never asks for it and zebra takes it as it is; and PERMANENT, because the kernel's garbage
 * collector throws plain NOARP neighbours away when the machine (all namespaces together) has more than gc_thresh1 = 128.
 */
const NEIGHBOUR_STATE = NUD.NOARP | NUD.PERMANENT

/** What a neighbour counts as: its MAC when it is ours and static, something else that must be rewritten, or not ours. */
export function realizedNeighbour(row: NeighRow | undefined): KernelValue | undefined {
  if (row === undefined || !isOurNeighbour(row)) return undefined
  return row.state === NEIGHBOUR_STATE ? row.lladdr ?? '' : `state ${row.state}`
}

/** The request that brings one entry about. Never EXT_LEARNED or STICKY, they are the speaker's; no PERMANENT FDB row, it is the device's. */
export function kernelRequest(pending: Pending<KernelValue>): WriteRequest {
  const [kind, index, address = '', vlan = '0'] = pending.key.split(' ')
  const op = pending.desired === undefined ? 'delete' : 'replace'
  const ifindex = Number(index)
  // Without a VLAN the kernel writes and deletes the row in every VLAN of the port as well.
  const inVlan = vlan === '0' ? {} : { vlan: Number(vlan) }
  if (kind === 'fdb') return { op, row: { family: AF.BRIDGE, ifindex, state: NUD.NOARP, flags: NTF.MASTER, type: 0, lladdr: address, ...inVlan } }
  const family = ipFamily(address) === 4 ? AF.INET : AF.INET6
  const row = { family, ifindex, state: NEIGHBOUR_STATE, flags: 0, type: 0, dst: address, protocol: PROTOCOL_OVS_EVPN }
  return { op, row: pending.desired === undefined ? row : { ...row, lladdr: pending.desired } }
}

/** FDB rows are written before neighbours and deleted after them: zebra keeps a neighbour without its MAC inactive. */
export function kernelOrder(pending: Pending<KernelValue>): number {
  const isFdb = pending.key.startsWith('fdb')
  if (pending.desired === undefined) return isFdb ? 3 : 2
  return isFdb ? 0 : 1
}
