// The rows of the benchmark, by number, in the forms FRR writes them: the n-th MAC, its VTEP, its IP.
import { AF, NTF, NUD, type NeighRow, type NexthopRow, type WriteRequest } from '../../lib/netlink/index.js'
import type { Ip } from '../../lib/net/ip.js'
import { ZERO_MAC, type Mac } from '../../lib/net/mac.js'

/** VTEPs that the MACs are spread over. */
export const VTEPS = 10

export interface Devices {
  readonly vxlan: number
  readonly bridge: number
}

export function macOf(n: number): Mac {
  return ['02', '10', ...[24, 16, 8, 0].map((shift) => ((n >>> shift) & 0xff).toString(16).padStart(2, '0'))].join(':')
}

export function ipOf(n: number): Ip {
  return `10.${(n >> 16) & 0xff}.${(n >> 8) & 0xff}.${n & 0xff}`
}

/** The n-th of the VTEPs nobody answers for; up to 65,000. */
export function vtepOf(n: number): Ip {
  return `198.18.${n >> 8}.${n & 0xff}`
}

/** One request that writes both rows of a remote MAC, the vxlan device's and the bridge's, as `bridge fdb replace ... self master` does. */
export function macRow(op: 'replace' | 'delete', { vxlan }: Devices, n: number, vtep = n % VTEPS, nexthop?: number): WriteRequest {
  const row: NeighRow = {
    family: AF.BRIDGE, ifindex: vxlan, state: NUD.REACHABLE, flags: NTF.SELF | NTF.MASTER | NTF.EXT_LEARNED, type: 0, lladdr: macOf(n)
  }
  if (op === 'delete') return { op, row }
  return { op, row: nexthop === undefined ? { ...row, dst: vtepOf(vtep) } : { ...row, nhId: nexthop } }
}

export function ipRow(op: 'replace' | 'delete', { bridge }: Devices, n: number): WriteRequest {
  const row: NeighRow = {
    family: AF.INET, ifindex: bridge, state: NUD.NOARP, flags: NTF.EXT_LEARNED, type: 1, lladdr: macOf(n), dst: ipOf(n), protocol: 11
  }
  return { op, row }
}

/** With `vni`, on a device of many: the row of that VNI. */
export function vtepRow(op: 'append' | 'delete', { vxlan }: Pick<Devices, 'vxlan'>, n: number, vni?: number): WriteRequest {
  const row: NeighRow = {
    family: AF.BRIDGE, ifindex: vxlan, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, type: 0, lladdr: ZERO_MAC, dst: vtepOf(n),
    ...(vni === undefined ? {} : { vni, srcVni: vni })
  }
  return { op, row }
}

/** The nexthop that is the n-th VTEP; group: one of several. */
export function nexthopRow(n: number): NexthopRow {
  return { id: n, family: AF.INET, fdb: true, blackhole: false, gateway: vtepOf(n), protocol: 0 }
}

export function groupRow(id: number, members: readonly number[]): NexthopRow {
  return { id, family: AF.UNSPEC, fdb: true, blackhole: false, protocol: 0, group: members.map((member) => ({ id: member, weight: 1 })) }
}

/** `bridge -batch` lines of the same MAC rows. */
export function macLines(device: string, from: number, to: number): string {
  let text = ''
  for (let n = from; n < to; n++) text += `fdb replace ${macOf(n)} dev ${device} dst ${vtepOf(n % VTEPS)} self master dynamic extern_learn\n`
  return text
}

/** `ip -batch` lines of the same neighbours. */
export function ipLines(device: string, from: number, to: number): string {
  let text = ''
  for (let n = from; n < to; n++) text += `neigh replace ${ipOf(n)} lladdr ${macOf(n)} dev ${device} nud noarp extern_learn protocol zebra\n`
  return text
}
