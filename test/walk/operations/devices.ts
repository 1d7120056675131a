// Kernel devices come, go, and change, by hand or by a network manager.
import type { Chassis } from '../chassis.js'
import type { Device } from '../kernel/rows.js'
import { ALL_MACS, DEVICE_NAMES, KERNEL_UDP_PORT, LOCAL_IPS, VNIS } from '../pools.js'
import type { Random } from '../random.js'
import type { Operation, Weighted } from './operation.js'

let nextMac = 0

/** Forgets the addresses given to devices: each walk begins alike. */
export function resetDeviceMacs(): void {
  nextMac = 0
}

function newMac(): string {
  return `02:00:00:00:dd:${(nextMac++ & 0xff).toString(16).padStart(2, '0')}`
}

function create(chassis: Chassis, r: Random, kind: Device['kind'], name: string, vni: number): Device | undefined {
  const local = r.chance(0.7) ? { local: r.pick(LOCAL_IPS) } : {}
  const settings = { vni, port: KERNEL_UDP_PORT, learning: r.chance(0.1), external: r.chance(0.12), vnifilter: false, ...local }
  const vxlan = kind === 'vxlan' ? { vxlan: settings } : {}
  // Some devices have a workload's address, as anycast gateways do.
  const mac = kind === 'veth' && r.chance(0.15) ? r.pick(ALL_MACS) : newMac()
  const vlanFiltering = kind === 'bridge' && r.chance(0.3)
  return chassis.kernel.create({ name, kind, mac, lendsAddress: kind === 'veth' && r.chance(0.5), vlanFiltering, ...vxlan })
}

const ROLES = [['bridge', 'bridge'], ['vxlan', 'vxlan'], ['advertise', 'veth']] as const

const createVni: Operation = (chassis, r) => createDevicesOf(r.pick(VNIS), chassis, r)

/** Bridge, vxlan and advertise device of a VNI, as an administrator sets them up. */
export function createDevicesOf(vni: number, chassis: Chassis, r: Random): string | undefined {
  const made = ROLES.flatMap(([role, kind]) => {
    const name = r.chance(0.9) ? DEVICE_NAMES[role](vni)[0] as string : r.pick(DEVICE_NAMES[role](vni))
    return create(chassis, r, kind, name, vni) ?? []
  })
  const bridge = chassis.kernel.byName(`br-${vni}`)
  for (const device of made) {
    if (device.kind !== 'bridge' && bridge?.kind === 'bridge' && r.chance(0.95)) chassis.kernel.enslave(device, bridge)
    if (r.chance(0.95)) chassis.kernel.setUp(device, true)
  }
  if (r.chance(0.9)) putInVlan(chassis, vni)
  const names = made.map(({ name, ifindex }) => `${name} (${ifindex})`)
  return made.length === 0 ? undefined : `devices of VNI ${vni} are created: ${names.join(', ')}`
}

/** The VLAN that an administrator gives to a VNI. */
const vlanFor = (vni: number): number => 10 + VNIS.findIndex((one) => one === vni)

/** In a bridge that filters by VLAN: the ports of a VNI in its VLAN, and the VLAN's device. */
function putInVlan({ kernel }: Chassis, vni: number): void {
  const bridge = kernel.byName(`br-${vni}`)
  const vid = vlanFor(vni)
  if (bridge?.vlanFiltering !== true) return
  for (const port of [`vxlan-${vni}`, `lo-${vni}`].flatMap((name) => kernel.byName(name) ?? [])) {
    if (port.master !== bridge.ifindex) continue
    const isShared = port.vxlan?.external === true
    kernel.setVlan(port, vid, isShared ? vni : undefined, !isShared)
  }
  const svi = kernel.create({ name: `svi-${vni}`, kind: 'vlan', mac: newMac(), svi: { bridge: bridge.ifindex, vlan: vid } })
  if (svi !== undefined) kernel.setUp(svi, true)
}

/** Of advertise devices VLANs are never taken: our rows there could not be deleted any more. */
const changeVlans: Operation = ({ kernel }, r) => {
  const port = r.maybe([...kernel.devices.values()].filter(({ master }) => master !== undefined && kernel.devices.get(master)?.vlanFiltering === true))
  const vid = vlanFor(r.pick(VNIS))
  if (port === undefined) return undefined
  if (port.kind === 'vxlan' && r.chance(0.4)) {
    kernel.deleteVlan(port, vid)
    return `VLAN ${vid} is taken from ${port.name}`
  }
  const [tunnelId, isPvid] = [port.kind === 'vxlan' && r.chance(0.7) ? r.pick(VNIS) : undefined, r.chance(0.5)]
  kernel.setVlan(port, vid, tunnelId, isPvid)
  return `${port.name} gets VLAN ${vid}${tunnelId === undefined ? '' : ` for VNI ${tunnelId}`}${isPvid ? ' as PVID' : ''}`
}

const makeSvi: Operation = ({ kernel }, r) => {
  const bridge = r.maybe([...kernel.devices.values()].filter(({ vlanFiltering }) => vlanFiltering))
  const vlan = vlanFor(r.pick(VNIS))
  const svi = bridge && kernel.create({ name: `svi${r.int(1, 3)}`, kind: 'vlan', mac: newMac(), svi: { bridge: bridge.ifindex, vlan } })
  if (svi === undefined) return undefined
  if (r.chance(0.8)) kernel.setUp(svi, true)
  return `${svi.name} (${svi.ifindex}) is made for VLAN ${vlan} of ${bridge?.name}`
}

const createOne: Operation = (chassis, r) => {
  const vni = r.pick(VNIS)
  const [role, kind] = r.pick(ROLES)
  const name = r.pick(DEVICE_NAMES[role](vni))
  const device = create(chassis, r, r.chance(0.9) ? kind : r.pick(['bridge', 'vxlan', 'veth']), name, r.chance(0.85) ? vni : r.pick(VNIS))
  if (device === undefined) return undefined
  if (r.chance(0.7)) chassis.kernel.setUp(device, true)
  return `${device.kind} ${name} (${device.ifindex})${device.vxlan === undefined ? '' : ` of VNI ${device.vxlan.vni}`} is created`
}

const createTap: Operation = (chassis, r) => {
  const bridge = r.maybe(devicesOf(chassis, 'bridge'))
  const tap = bridge && create(chassis, r, 'veth', `tap${r.int(1, 3)}`, 0)
  if (tap === undefined) return undefined
  chassis.kernel.enslave(tap, bridge)
  chassis.kernel.setUp(tap, true)
  return `${tap.name} (${tap.ifindex}), none of ours, joins ${bridge?.name}`
}

const destroy: Operation = (chassis, r) => {
  const device = anyDevice(chassis, r)
  if (device === undefined) return undefined
  const isMoved = r.chance(0.3)
  chassis.kernel.destroy(device, isMoved)
  return `${device.name} (${device.ifindex}) ${isMoved ? 'moves to another namespace' : 'is deleted'}`
}

const recreate: Operation = (chassis, r) => {
  const device = anyDevice(chassis, r)
  if (device === undefined) return undefined
  const master = device.master === undefined ? undefined : chassis.kernel.devices.get(device.master)
  const ports = chassis.kernel.ports(device.ifindex)
  chassis.kernel.destroy(device)
  const { name, kind, mac, lendsAddress, vlanFiltering, svi, vxlan } = device
  const fresh = chassis.kernel.create({ name, kind, mac, lendsAddress, vlanFiltering, svi, ...(vxlan === undefined ? {} : { vxlan }) })
  if (fresh === undefined) return undefined
  if (master !== undefined) chassis.kernel.enslave(fresh, master)
  for (const port of device.kind === 'bridge' ? ports : []) if (r.chance(0.9)) chassis.kernel.enslave(port, fresh)
  chassis.kernel.setUp(fresh, true)
  return `${device.name} (${device.ifindex}) is deleted and made anew (${fresh.ifindex})`
}

const rename: Operation = (chassis, r) => {
  const device = anyDevice(chassis, r)
  if (device === undefined) return undefined
  const vni = r.pick(VNIS)
  const name = r.pick([...DEVICE_NAMES.bridge(vni), ...DEVICE_NAMES.vxlan(vni), ...DEVICE_NAMES.advertise(vni), 'aside'])
  const old = device.name
  return chassis.kernel.rename(device, name) ? `${old} (${device.ifindex}) is renamed ${name}` : undefined
}

const swapNames: Operation = (chassis, r) => {
  const [a, b] = r.shuffle([...chassis.kernel.devices.values()])
  if (a === undefined || b === undefined) return undefined
  const [first, second] = [a.name, b.name]
  if (!chassis.kernel.rename(a, 'swap')) return undefined
  chassis.kernel.rename(b, first)
  chassis.kernel.rename(a, second)
  return `${first} (${a.ifindex}) and ${second} (${b.ifindex}) swap names`
}

const move: Operation = (chassis, r) => {
  const device = r.maybe([...chassis.kernel.devices.values()].filter(({ kind }) => kind !== 'bridge' && kind !== 'vlan'))
  if (device === undefined) return undefined
  const bridge = r.chance(0.3) ? undefined : r.maybe(devicesOf(chassis, 'bridge'))
  if (device.master === bridge?.ifindex) return undefined
  chassis.kernel.enslave(device, bridge)
  return bridge === undefined ? `${device.name} leaves its bridge` : `${device.name} moves into ${bridge.name}`
}

const repair: Operation = (chassis, r) => {
  const vni = r.pick(VNIS)
  const bridge = chassis.kernel.byName(`br-${vni}`)
  const ports = [`vxlan-${vni}`, `lo-${vni}`].flatMap((name) => chassis.kernel.byName(name) ?? [])
  if (bridge?.kind !== 'bridge') return undefined
  for (const port of ports) {
    if (port.kind === 'bridge' || port.kind === 'vlan') continue
    if (port.master !== bridge.ifindex) chassis.kernel.enslave(port, bridge)
    chassis.kernel.setUp(port, true)
  }
  chassis.kernel.setUp(bridge, true)
  putInVlan(chassis, vni)
  return `the devices of VNI ${vni} are put in order`
}

const upDown: Operation = (chassis, r) => {
  const device = anyDevice(chassis, r)
  if (device === undefined) return undefined
  chassis.kernel.setUp(device, !device.up)
  return `${device.name} goes ${device.up ? 'up' : 'down'}`
}

const changeVxlan: Operation = (chassis, r) => {
  const device = r.maybe(devicesOf(chassis, 'vxlan'))
  if (device?.vxlan === undefined) return undefined
  const { local: _local, ...vxlan } = device.vxlan
  const local = r.chance(0.8) ? { local: r.pick(LOCAL_IPS) } : {}
  chassis.kernel.change(device, () => {
    device.vxlan = { ...vxlan, ...local, learning: r.chance(0.1) }
  })
  return `${device.name} gets local address ${local.local ?? 'none'}`
}

const changeAddress: Operation = (chassis, r) => {
  const bridge = r.maybe(devicesOf(chassis, 'bridge'))
  if (bridge === undefined) return undefined
  chassis.kernel.changeAddress(bridge)
  return `${bridge.name} gets another MAC address`
}

const loseCarrier: Operation = (chassis, r) => {
  const bridge = r.maybe(devicesOf(chassis, 'bridge'))
  if (bridge === undefined) return undefined
  chassis.kernel.loseCarrier(bridge)
  return `${bridge.name} loses its carrier for a moment`
}

const flush: Operation = (chassis, r) => {
  const bridge = r.maybe(devicesOf(chassis, 'bridge'))
  if (bridge === undefined) return undefined
  chassis.kernel.flush(bridge)
  return `somebody flushes the FDB of ${bridge.name}`
}

/** Where neighbours can stand: bridges and their VLAN devices. */
export function svis(chassis: Chassis): Device[] {
  return [...devicesOf(chassis, 'bridge'), ...devicesOf(chassis, 'vlan')]
}

export function devicesOf(chassis: Chassis, kind: Device['kind']): Device[] {
  return [...chassis.kernel.devices.values()].filter((device) => device.kind === kind)
}

function anyDevice(chassis: Chassis, r: Random): Device | undefined {
  return r.maybe([...chassis.kernel.devices.values()])
}

export const BUILD_DEVICES: Weighted = [[10, createVni], [2, createOne], [1, createTap]]

export const CHANGE_DEVICES: Weighted = [
  ...BUILD_DEVICES, [2, destroy], [2, recreate], [2, rename], [1, swapNames], [3, move], [6, repair], [4, upDown], [2, changeVxlan],
  [3, changeVlans], [1, makeSvi], [1, changeAddress], [1, loseCarrier], [1, flush]
]
