// Rows of the kernel's tables: what a routing daemon writes (as FRR does), what the kernel finds out by itself, and
// what others do by hand.
import { AF, NTF, NUD, type NeighRow } from '../../../lib/netlink/index.js'
import { ZERO_MAC } from '../../../lib/net/mac.js'
import type { Device } from '../kernel/rows.js'
import { ALL_MACS, REMOTE_MACS, SHARED_MACS, UDP_PORTS, VNIS, VTEPS, WORKLOAD_IPS } from '../pools.js'
import type { Random } from '../random.js'
import { devicesOf, svis } from './devices.js'
import type { Operation, Weighted } from './operation.js'

const ZEBRA = 11

type Where = Pick<NeighRow, 'port' | 'vni' | 'srcVni'>

/** The VLAN a row is written for: that of its VNI mostly, another of the port's, or none, which means all. */
function vlanOn({ vlans, pvid }: Device, srcVni: number | undefined, r: Random): Pick<NeighRow, 'vlan'> {
  const own = srcVni === undefined ? pvid : [...vlans].find(([, tunnelId]) => tunnelId === srcVni)?.[0]
  const vlan = r.chance(0.7) ? own : r.maybe([...vlans.keys()])
  return vlan === undefined || r.chance(0.1) ? {} : { vlan }
}

/** Which VNI a row is for, on a device of many, and now and then another one to encapsulate with. */
function vnis(device: Device, r: Random): Where {
  return {
    ...(device.vxlan?.external === true ? { srcVni: r.pick(VNIS) } : {}),
    ...(r.chance(0.07) ? { vni: r.pick([...VNIS, 777]) } : {})
  }
}

/** What tells a row from others of its MAC. */
function whereIs({ port, vni, srcVni }: { readonly port: number | undefined, readonly vni: number | undefined, readonly srcVni: number | undefined }): Where {
  return { ...(port === undefined ? {} : { port }), ...(vni === undefined ? {} : { vni }), ...(srcVni === undefined ? {} : { srcVni }) }
}

function vtepRow(device: Device, dst = '', where: Where = {}): NeighRow {
  const state = NUD.NOARP | NUD.PERMANENT
  const row = { family: AF.BRIDGE, ifindex: device.ifindex, state, flags: NTF.SELF, type: 0, lladdr: ZERO_MAC, dst }
  return { ...row, ...where }
}

function macRow(device: Device, mac: string, dst: string | undefined, more: Partial<NeighRow> = {}): NeighRow {
  const flags = NTF.SELF | NTF.MASTER | NTF.EXT_LEARNED
  const row = { family: AF.BRIDGE, ifindex: device.ifindex, state: NUD.REACHABLE, flags, type: 0, lladdr: mac, ...more }
  return dst === undefined ? row : { ...row, dst }
}

const announceVtep: Operation = (chassis, r) => {
  const device = r.maybe(devicesOf(chassis, 'vxlan'))
  if (device === undefined) return undefined
  const vteps = r.chance(0.2) ? r.some(VTEPS, 0.7) : [r.chance(0.97) ? r.pick(VTEPS) : '239.1.1.1']
  const port = r.chance(0.1) ? r.pick(UDP_PORTS) : undefined
  const where = { ...vnis(device, r), ...(port === undefined ? {} : { port }) }
  for (const vtep of vteps) chassis.kernel.write({ op: 'append', row: vtepRow(device, vtep, where) }, 'speaker')
  return `VTEP ${vteps.join(' ')}${port === undefined ? '' : ` port ${port}`} appears on ${device.name}${ofVnis(where)}`
}

const withdrawVtep: Operation = (chassis, r) => {
  const row = r.maybe(chassis.kernel.vxlans.all().filter(({ mac }) => mac === ZERO_MAC))
  const device = row && chassis.kernel.devices.get(row.ifindex)
  if (row === undefined || device === undefined) return undefined
  chassis.kernel.write({ op: 'delete', row: vtepRow(device, row.dst, whereIs(row)) }, 'speaker')
  return `VTEP ${row.dst} disappears from ${device.name}`
}

const announceMac: Operation = (chassis, r) => {
  const device = r.maybe(devicesOf(chassis, 'vxlan'))
  if (device === undefined) return undefined
  const mac = r.chance(0.4) ? r.pick(SHARED_MACS) : r.pick(REMOTE_MACS)
  const dst = r.pick(VTEPS)
  const sticky = r.chance(0.15)
  // FRR writes both drivers' rows in one request; some speakers write the device's alone.
  const master = r.chance(0.8) ? NTF.MASTER : 0
  const where = vnis(device, r)
  const row = macRow(device, mac, dst, {
    flags: NTF.SELF | master | (sticky ? NTF.STICKY : NTF.EXT_LEARNED), state: sticky ? NUD.REACHABLE | NUD.NOARP : NUD.REACHABLE,
    ...where, ...vlanOn(device, where.srcVni, r), ...(r.chance(0.1) ? { port: r.pick(UDP_PORTS) } : {})
  })
  const error = chassis.kernel.write({ op: 'replace', row }, 'speaker', r.chance(0.5))
  const how = `${sticky ? ', sticky' : ''}${master === 0 ? ', on the device only' : ''}`
  return `${mac} is announced by ${dst} on ${device.name}${ofVnis(row)}${how}${refused(error)}`
}

const withdrawMac: Operation = (chassis, r) => {
  const row = r.maybe(chassis.kernel.vxlans.all().filter(({ mac }) => mac !== ZERO_MAC))
  const device = row && chassis.kernel.devices.get(row.ifindex)
  if (row === undefined || device === undefined) return undefined
  const flags = NTF.SELF | NTF.EXT_LEARNED | (r.chance(0.9) ? NTF.MASTER : 0)
  const error = chassis.kernel.write({ op: 'delete', row: macRow(device, row.mac, row.dst, { flags, ...whereIs(row) }) }, 'speaker', r.chance(0.5))
  return `${row.mac} is withdrawn from ${device.name}${refused(error)}`
}

const announceIp: Operation = (chassis, r) => {
  const bridge = r.maybe(svis(chassis))
  if (bridge === undefined) return undefined
  const [ip, mac] = [r.pick(WORKLOAD_IPS), r.pick(ALL_MACS)]
  const flags = NTF.EXT_LEARNED | (r.chance(0.2) ? NTF.ROUTER : 0)
  chassis.kernel.write({ op: 'replace', row: neighbour(bridge, ip, { lladdr: mac, flags, protocol: ZEBRA }) }, 'speaker')
  return `${ip} is announced with ${mac} on ${bridge.name}`
}

const withdrawIp: Operation = (chassis, r) => {
  const row = r.maybe(chassis.kernel.neighbours.all().filter(({ writer }) => writer === 'speaker'))
  const bridge = row && chassis.kernel.devices.get(row.ifindex)
  if (row === undefined || bridge === undefined) return undefined
  chassis.kernel.write({ op: 'delete', row: neighbour(bridge, row.ip) }, 'speaker')
  return `${row.ip} is withdrawn from ${bridge.name}`
}

/** bgpd got a table from its peers. */
export const announceMany: Operation = (chassis, r) => {
  const device = r.maybe(devicesOf(chassis, 'vxlan'))
  if (device === undefined) return undefined
  const vteps = r.some(VTEPS, 0.6)
  if (vteps.length === 0) return undefined
  const macs = [...r.some(SHARED_MACS, 0.15), ...r.some(REMOTE_MACS, 0.7)].map((mac) => [mac, r.pick(vteps)] as const)
  const { srcVni } = vnis(device, r)
  const where = srcVni === undefined ? {} : { srcVni }
  for (const vtep of vteps) chassis.kernel.write({ op: 'append', row: vtepRow(device, vtep, where) }, 'speaker')
  for (const [mac, vtep] of macs) chassis.kernel.write({ op: 'replace', row: macRow(device, mac, vtep, where) }, 'speaker', r.chance(0.5))
  const told = macs.map(([mac, vtep]) => `${mac} at ${vtep}`)
  return `the routing daemon announces ${vteps.join(' ')}; ${told.join(', ')} on ${device.name}${ofVnis(where)}`
}

/** zebra lost bgpd: everything of it goes at once. */
export const withdrawAll: Operation = (chassis, r) => {
  const { kernel } = chassis
  for (const row of r.shuffle(kernel.vxlans.all())) {
    const device = kernel.devices.get(row.ifindex)
    if (device === undefined) continue
    const request = row.mac === ZERO_MAC ? vtepRow(device, row.dst, whereIs(row)) : macRow(device, row.mac, row.dst, whereIs(row))
    kernel.write({ op: 'delete', row: request }, 'speaker', r.chance(0.5))
  }
  for (const row of kernel.neighbours.all().filter(({ writer }) => writer === 'speaker')) {
    kernel.write({ op: 'delete', row: neighbour(kernel.devices.get(row.ifindex) as Device, row.ip) }, 'speaker')
  }
  return 'the routing daemon withdraws everything'
}

function neighbour(bridge: Device, ip: string, more: Partial<NeighRow> = {}): NeighRow {
  return { family: ip.includes(':') ? AF.INET6 : AF.INET, ifindex: bridge.ifindex, state: NUD.NOARP, flags: 0, type: 0, dst: ip, ...more }
}

function ofVnis({ srcVni, vni }: Where): string {
  return `${srcVni === undefined ? '' : ` for VNI ${srcVni}`}${vni === undefined ? '' : ` as VNI ${vni}`}`
}

function refused(error: string | undefined): string {
  return error === undefined ? '' : ` (${error})`
}

// --- others

const staticRow: Operation = (chassis, r) => {
  const port = r.maybe([...chassis.kernel.devices.values()].filter(({ kind, master }) => kind === 'veth' && master !== undefined))
  if (port === undefined) return undefined
  const mac = r.pick(ALL_MACS)
  const state = r.pick([NUD.NOARP, NUD.REACHABLE])
  const row = { family: AF.BRIDGE, ifindex: port.ifindex, state, flags: NTF.MASTER, type: 0, lladdr: mac, ...vlanOn(port, undefined, r) }
  chassis.kernel.write({ op: 'replace', row }, 'foreign')
  return `somebody puts ${mac} on ${port.name}`
}

const deleteRow: Operation = (chassis, r) => {
  const row = r.maybe(chassis.kernel.bridges.all())
  if (row === undefined) return undefined
  const request = { family: AF.BRIDGE, ifindex: row.port, state: 0, flags: NTF.MASTER, type: 0, lladdr: row.mac, ...(row.vlan === 0 ? {} : { vlan: row.vlan }) }
  chassis.kernel.write({ op: 'delete', row: request }, 'foreign')
  return `somebody deletes ${row.mac} from port ${row.port}`
}

const staticNeighbour: Operation = (chassis, r) => {
  const bridge = r.maybe(svis(chassis))
  if (bridge === undefined) return undefined
  const [ip, mac] = [r.pick(WORKLOAD_IPS), r.pick(SHARED_MACS)]
  const protocol = r.chance(0.5) ? { protocol: 4 } : {}
  const state = r.pick([NUD.NOARP, NUD.PERMANENT])
  chassis.kernel.write({ op: 'replace', row: neighbour(bridge, ip, { lladdr: mac, state, ...protocol }) }, 'foreign')
  return `somebody sets ${ip} to ${mac} on ${bridge.name}`
}

const deleteNeighbour: Operation = (chassis, r) => {
  const row = r.maybe(chassis.kernel.neighbours.all())
  const device = row && chassis.kernel.devices.get(row.ifindex)
  if (row === undefined || device === undefined) return undefined
  chassis.kernel.write({ op: 'delete', row: neighbour(device, row.ip) }, 'foreign')
  return `somebody deletes neighbour ${row.ip} from ${device.name}`
}

const resolve: Operation = (chassis, r) => {
  const bridge = r.maybe(svis(chassis).filter(({ up }) => up))
  if (bridge === undefined) return undefined
  const [ip, mac] = [r.pick(WORKLOAD_IPS), r.pick(ALL_MACS)]
  const isDone = chassis.kernel.resolve(bridge, ip, mac, r.pick([NUD.REACHABLE, NUD.STALE]))
  return isDone ? `the kernel resolves ${ip} to ${mac} on ${bridge.name}` : undefined
}

const repeat: Operation = (chassis, r) => {
  const rows = r.some(chassis.kernel.rows(), 0.2)
  for (const row of rows) chassis.kernel.repeat(row)
  return rows.length === 0 ? undefined : `the kernel tells ${rows.length} rows once more`
}

export const SPEAKER: Weighted = [
  [6, announceVtep], [3, withdrawVtep], [10, announceMac], [4, withdrawMac], [6, announceIp], [3, withdrawIp], [3, announceMany],
  [1, withdrawAll]
]

export const OTHERS_ROWS: Weighted = [[2, staticRow], [2, deleteRow], [2, staticNeighbour], [2, deleteNeighbour], [2, resolve], [1, repeat]]

/** Rows go. */
export const SHRINK: Weighted = [[2, withdrawVtep], [3, withdrawMac], [2, withdrawIp], [2, deleteRow], [2, deleteNeighbour]]
