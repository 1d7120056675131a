// Commands that make the kernel devices of a VNI. None takes a device away from another VNI.
import type { VniReport } from '../../daemon/report/report.js'
import { kernelUdpPort } from '../../evpn/device.js'
import type { LinkRow } from '../../netlink/index.js'
import { command } from '../shell.js'
import { linkNamed, type Facts } from './facts.js'
import { candidate, configuredIps, familyOf, isManaged, setLocalIp } from './local-ip.js'

/** Other VNIs that use the device of this name; a vxlan device of one VNI is of no use to any other that names it. */
export function sharers(facts: Facts, name: string, { vni }: VniReport): number[] {
  const vxlan = linkNamed(facts, name)?.vxlan
  const canUse = (other: number): boolean => vxlan === undefined || vxlan.external || vxlan.vni === other
  return facts.show.vnis.filter((other) => other.vni !== vni && namesOf(other).includes(name) && canUse(other.vni)).map((other) => other.vni)
}

export function namesOf({ bridge, vxlan, advertise }: VniReport): readonly string[] {
  return [bridge, ...vxlan, advertise]
}

/** A vxlan device's VNI, port and kind of address cannot be changed: it is made anew; one that serves others is left, and the VNI gets one of its own. */
export function remake(facts: Facts, { name, vxlan }: Pick<LinkRow, 'name' | 'vxlan'>, vni: VniReport, local = vxlan?.local ?? ownLocal(facts, vni)): string[] {
  if (vxlan?.external === true || sharers(facts, name, vni).length > 0) return ownDevice(facts, vni, local)
  return [command`ip link del ${name}`, ...makeVxlan(facts, name, vni, local)]
}

/** A vxlan device of the VNI alone: one that there is, or a new one by a name that nobody has. */
export function ownDevice(facts: Facts, vni: VniReport, local = ownLocal(facts, vni)): string[] {
  const isOthers = (name: string): boolean => facts.show.vnis.some((other) => other.vni !== vni.vni && namesOf(other).includes(name))
  const existing = facts.links.find(({ name, vxlan }) => vxlan?.external === false && vxlan.vni === vni.vni && !isOthers(name))?.name
  const free = ['', 'a', 'b', 'c', 'd'].map((suffix) => `vxlan-${vni.vni}${suffix}`).find((name) => !isOthers(name) && linkNamed(facts, name) === undefined)
  const name = existing ?? free ?? 'NAME'
  const use = command`ovs-vsctl set Bridge ${facts.show.bridge} external_ids:dynamic-routing-vxlan-ifname-${vni.vni}=${name}`
  return existing !== undefined || isManaged(facts, vni.vni) ? [use] : [...makeVxlan(facts, name, vni, local), use]
}

/** The commands for a device that does not exist. What the daemon makes itself it makes as soon as it has an address for it. */
export function makeMissing(facts: Facts, name: string, vni: VniReport): string[] {
  const family = 4
  if (isManaged(facts, vni.vni)) return vni.vxlan.includes(name) && Object.keys(configuredIps(facts, vni.vni)).length === 0 ? setLocalIp(facts, family, [vni.vni]) : []
  if (vni.vxlan.includes(name)) return makeVxlan(facts, name, vni, ownLocal(facts, vni))
  return name === vni.bridge ? makeBridge(name) : makeAdvertise(name, vni.bridge)
}

/** As configured, as other devices of the VNI have it, or as the way to its VTEPs says; else the operator fills it in. */
function ownLocal(facts: Facts, { vni, local_ips: ips }: VniReport): string {
  const configured = configuredIps(facts, vni)
  return configured[4] ?? configured[6] ?? ips[0] ?? candidate(facts, 4) ?? 'IP'
}

function makeVxlan(facts: Facts, name: string, { vni, bridge }: VniReport, local: string): string[] {
  return [
    command`ip link add ${name} type vxlan id ${vni} local ${local} dstport ${kernelUdpPort(vni, facts.show.tunnels.map((tunnel) => tunnel.udp_port))} nolearning`,
    command`ip link set ${name} master ${bridge} addrgenmode none`, command`ip link set ${name} type bridge_slave learning off`, command`ip link set ${name} up`
  ]
}

function makeBridge(name: string): string[] {
  return [command`ip link add ${name} type bridge mcast_snooping 0 vlan_default_pvid 0`, command`ip link set ${name} addrgenmode none`, command`ip link set ${name} up`]
}

function makeAdvertise(name: string, bridge: string): string[] {
  return [
    command`ip link add ${name} type dummy || ip link add ${name} type veth peer name ${`p${name}`.slice(0, 15)}`,
    command`ip link set ${name} master ${bridge} addrgenmode none`, command`ip link set ${name} type bridge_slave learning off`, command`ip link set ${name} up`
  ]
}

/** Changes where the tunnels of a device begin, in place; `undefined` when other VNIs that use it would have another address. */
export function setLocal(facts: Facts, name: string, vni: VniReport, local: string): string[] {
  const others = facts.show.vnis.filter((other) => sharers(facts, name, vni).includes(other.vni))
  const agree = others.every(({ local_ips: ips }) => ips.every((ip) => familyOf(ip) !== familyOf(local) || ip === local))
  return agree ? [command`ip link set ${name} type vxlan local ${local}`] : ownDevice(facts, vni, local)
}
