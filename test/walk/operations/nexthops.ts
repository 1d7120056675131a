// Nexthops as a routing daemon writes them for multihomed Ethernet segments: VTEPs, groups of them with weights, MACs
// behind groups; and everything that can become of them while MACs are there.
import { AF, NTF, NUD, type NexthopRow } from '../../../lib/netlink/index.js'
import { NEXTHOPS, NEXTHOP_GROUPS, REMOTE_MACS, SHARED_MACS, VNIS, VTEPS } from '../pools.js'
import type { Random } from '../random.js'
import { devicesOf } from './devices.js'
import type { Operation, Weighted } from './operation.js'

const BASE = { fdb: true, blackhole: false, protocol: 11 } as const

function single(id: number, gateway: string): NexthopRow {
  return { ...BASE, id, family: gateway.includes(':') ? AF.INET6 : AF.INET, gateway }
}

/** Mostly of one family, as the kernel wants it. */
function members(kernel: Parameters<Operation>[0]['kernel'], r: Random): NonNullable<NexthopRow['group']> {
  const isV6 = r.chance(0.3)
  const known = NEXTHOPS.filter((id) => kernel.nexthops.get(id)?.gateway?.includes(':') === isV6)
  return r.some(known, 0.7).map((id) => ({ id, weight: r.pick([1, 1, 2, 5]) }))
}

const pointNexthop: Operation = ({ kernel }, r) => {
  const id = r.pick(NEXTHOPS)
  const isV6 = kernel.nexthops.get(id)?.gateway?.includes(':') ?? r.chance(0.3)
  const gateway = r.pick(r.chance(0.7) ? VTEPS.filter((ip) => ip.includes(':') === isV6) : VTEPS)
  const error = kernel.writeNexthop(single(id, gateway))
  return `nexthop ${id} leads to ${gateway}${refused(error)}`
}

const setGroup: Operation = ({ kernel }, r) => {
  const [id, group] = [r.pick(NEXTHOP_GROUPS), members(kernel, r)]
  if (group.length === 0) return undefined
  const error = kernel.writeNexthop({ ...BASE, id, family: AF.UNSPEC, group, groupType: 0 })
  return `nexthop group ${id} is ${group.map((member) => `${member.id}/${member.weight}`).join(' ')}${refused(error)}`
}

const removeNexthop: Operation = ({ kernel }, r) => {
  const id = r.maybe(kernel.nexthops.all())?.id
  if (id === undefined) return undefined
  const rows = kernel.vxlans.all().length
  kernel.deleteNexthop(id)
  return `nexthop ${id} is deleted, and ${rows - kernel.vxlans.all().length} rows with it`
}

export const announceMultihomed: Operation = (chassis, r) => {
  const { kernel } = chassis
  const device = r.maybe(devicesOf(chassis, 'vxlan'))
  // The kernel wants a group of the family of the device's address.
  const isFitting = (id: number) => kernel.nexthops.hasV4(id) === (device?.vxlan?.local?.includes(':') !== true) || r.chance(0.05)
  const nhId = r.maybe(kernel.nexthops.all().filter(({ id, group }) => group !== undefined && isFitting(id)))?.id
  if (device === undefined || nhId === undefined) return undefined
  const macs = r.chance(0.5) ? r.some([...SHARED_MACS, ...REMOTE_MACS], 0.4) : [r.pick([...SHARED_MACS, ...REMOTE_MACS, ...REMOTE_MACS])]
  const told = macs.map((lladdr) => {
    const flags = NTF.SELF | NTF.EXT_LEARNED | (r.chance(0.8) ? NTF.MASTER : 0)
    const srcVni = device.vxlan?.external === true ? { srcVni: r.pick(VNIS) } : {}
    const row = { family: AF.BRIDGE, ifindex: device.ifindex, state: NUD.REACHABLE, flags, type: 0, lladdr, nhId, ...srcVni }
    // A row that has a remote must go before it can have a nexthop.
    if (kernel.vxlans.get(device.ifindex, lladdr)?.dst !== undefined) kernel.write({ op: 'delete', row: { ...row, flags: NTF.SELF } }, 'speaker')
    return `${lladdr}${refused(kernel.write({ op: 'replace', row }, 'speaker', r.chance(0.5)))}`
  })
  return `${told.join(', ')} announced behind nexthop ${nhId} on ${device.name}`
}

/** Several Ethernet segments at once. */
export const buildNexthops: Operation = (chassis, r) => {
  const { kernel } = chassis
  for (const id of NEXTHOPS) kernel.writeNexthop(single(id, r.pick(id > 3 ? VTEPS.slice(4) : VTEPS.slice(0, 4))))
  const texts = NEXTHOP_GROUPS.map((id) => {
    const group = members(kernel, r)
    if (group.length > 0) kernel.writeNexthop({ ...BASE, id, family: AF.UNSPEC, group, groupType: 0 })
    return `${id}: ${group.map((member) => kernel.nexthops.get(member.id)?.gateway).join(' ')}`
  })
  return `nexthop groups ${texts.join('; ')}`
}

function refused(error: string | undefined): string {
  return error === undefined ? '' : ` (${error})`
}

export const NEXTHOP_ROWS: Weighted = [[9, pointNexthop], [5, setGroup], [1, removeNexthop], [8, announceMultihomed], [1, buildNexthops]]

/** Nexthops go. */
export const SHRINK_NEXTHOPS: Weighted = [[2, removeNexthop]]
