// A domain: one VNI on this chassis, its options joined with the kernel devices that carry it.
import { optionsOf, type BridgeConfig } from '../config/bridge.js'
import type { VniOptions } from '../config/option.js'
import { command } from '../config/shell.js'
import type { LocalIps, SystemConfig } from '../config/system.js'
import { fdbTable, type FdbTable } from '../mirror/fdb.js'
import type { LinkRow } from '../netlink/index.js'
import { ipFamily } from '../net/ip.js'
import type { Vni } from '../net/number.js'
import { deriveDevices, type Device } from './device.js'
import { findSvi, findVlan, NO_VLAN, type SviView, type VlanView } from './vlan.js'

export interface Domain {
  readonly vni: Vni
  readonly options: VniOptions
  /** ifindex of the kernel bridge; undefined = missing. */
  readonly bridge: number | undefined
  /** The VNI's VLAN in the bridge; NO_VLAN in one without VLAN filtering; undefined = nobody can say which of the bridge's rows are the VNI's. */
  readonly vlan: number | undefined
  /** ifindex of the device on which the VNI's neighbours stand: the bridge, or its VLAN device; undefined = none. */
  readonly svi: number | undefined
  /** Neighbours can stand there only while it is up. */
  readonly sviUp: boolean
  /** Usable vxlan devices, in the order configured. */
  readonly vxlans: readonly number[]
  /** What those devices hold for this VNI, in the same order. */
  readonly tables: readonly FdbTable[]
  /** ifindex of the advertise device, when it exists and is a port of the bridge, in the VNI's VLAN. */
  readonly advertise: number | undefined
  /** Source address of our tunnels, by family. */
  readonly localIps: LocalIps
  /** UDP port of remotes whose kernel entry names none. */
  readonly udpPort: number
  /** The kernel devices that we make and keep (evpn-manage-devices). */
  readonly devices: readonly Device[]
  /** What is wrong with the kernel devices, a sentence each; the rest of the domain works. */
  readonly problems: readonly string[]
}

/** The part of the link mirror a domain is derived from. */
export interface LinkView extends SviView {
  byName(name: string): LinkRow | undefined
}

const IFF_UP = 1

function isUp({ flags }: LinkRow): boolean {
  return (flags & IFF_UP) !== 0
}

/** Joins configuration and devices of one VNI, always from scratch. */
export function deriveDomain(vni: Vni, system: SystemConfig, bridgeConfig: BridgeConfig, links: LinkView, vlans: VlanView): Domain {
  const options = optionsOf(bridgeConfig, vni)
  const problems: string[] = []
  const devices = deriveDevices(vni, options, bridgeConfig.all, system, links, problems)
  const bridge = findBridge(options.bridgeIfname, links, problems)
  const vxlans = options.vxlanIfnames.flatMap((name) => findVxlan(name, vni, bridge, links, problems))
  const vlan = findVlan(vni, bridge, vxlans, vlans, problems)
  const svi = findSvi(bridge, vlan, links, problems)
  const sviUp = svi !== undefined && isUp(svi)
  const down = [bridge, svi].find((link) => link !== undefined && !isUp(link))
  if (down !== undefined) problems.push(`${down === bridge ? 'bridge' : 'VLAN device'} ${down.name} is down: no IPs are announced or read; set it with: ${command`ip link set ${down.name} up`}`)
  const advertise = findAdvertise(options.advertiseIfname, bridge, links, problems)
  return {
    vni,
    options,
    bridge: bridge?.ifindex,
    vlan,
    svi: svi?.ifindex,
    sviUp,
    vxlans: vxlans.map((link) => link.ifindex),
    tables: vxlans.map(({ ifindex, vxlan }) => (vxlan?.external === true && vni !== 0 ? fdbTable(ifindex, vni) : fdbTable(ifindex))),
    advertise: advertise !== undefined && isInVlan(advertise, vlan, vlans, problems) ? advertise.ifindex : undefined,
    localIps: { ...deviceIps(vxlans), ...system.localIps, ...system.localIpsOfVni.get(vni) },
    udpPort: options.vxlanPort ?? system.vxlanPorts[0],
    devices,
    problems
  }
}

function findBridge(name: string, links: LinkView, problems: string[]): LinkRow | undefined {
  const link = links.byName(name)
  if (link?.kind === 'bridge') return link
  problems.push(link === undefined ? `bridge ${name} does not exist` : `${name} is no bridge`)
  return undefined
}

/**
 * A device of another VNI would leak that VNI's entries into this one: it is not used. One of many VNIs (external, collect
 * metadata) says of each entry whose it is. Anything else is only said.
 */
function findVxlan(name: string, vni: Vni, bridge: LinkRow | undefined, links: LinkView, problems: string[]): LinkRow[] {
  const link = links.byName(name)
  if (link?.kind !== 'vxlan' || link.vxlan === undefined) {
    problems.push(link === undefined ? `vxlan device ${name} does not exist` : `${name} is no vxlan device`)
    return []
  }
  if (!link.vxlan.external && link.vxlan.vni !== vni) {
    problems.push(`vxlan device ${name} has VNI ${link.vxlan.vni}, not ${vni}`)
    return []
  }
  if (link.vxlan.learning) problems.push(`vxlan device ${name} has learning on; set it with: ${command`ip link set ${name} type vxlan nolearning`}`)
  if (!isUp(link)) problems.push(`vxlan device ${name} is down: it holds no MACs; set it with: ${command`ip link set ${name} up`}`)
  if (bridge !== undefined && link.master !== bridge.ifindex) problems.push(`vxlan device ${name} is not in bridge ${bridge.name}`)
  return [link]
}

/** Every row on an advertise device counts as ours; a vxlan device's and a bridge's own are the speaker's and the kernel's. */
export function canAdvertise(link: LinkRow): boolean {
  return link.kind !== 'vxlan' && link.kind !== 'bridge'
}

/** Outside the bridge our rows would mean nothing to the speaker, so nothing is written there. */
function findAdvertise(name: string, bridge: LinkRow | undefined, links: LinkView, problems: string[]): LinkRow | undefined {
  const link = links.byName(name)
  if (link === undefined) problems.push(`advertise device ${name} does not exist`)
  else if (!canAdvertise(link)) problems.push(`${name} is a ${link.kind} and cannot be the advertise device: its rows are not ours`)
  else if (bridge === undefined) return undefined
  else if (link.master !== bridge.ifindex) problems.push(`advertise device ${name} is not in bridge ${bridge.name}`)
  else return link
  return undefined
}

/** The kernel takes no row of a port in a VLAN that it is no member of; without a VLAN, a row would count in all of them. */
function isInVlan({ ifindex, name }: LinkRow, vlan: number | undefined, vlans: VlanView, problems: string[]): boolean {
  if (vlan === undefined) return false
  const isMember = vlan === NO_VLAN || vlans.isMember(ifindex, vlan)
  if (!isMember) problems.push(`advertise device ${name} is not in VLAN ${vlan}; set it with: ${command`bridge vlan add vid ${vlan} dev ${name}`}`)
  return isMember
}

function deviceIps(vxlans: readonly LinkRow[]): LocalIps {
  const ips = vxlans.flatMap((link) => link.vxlan?.local === undefined ? [] : [link.vxlan.local])
  return Object.fromEntries(ips.reverse().map((ip) => [ipFamily(ip), ip]))
}
