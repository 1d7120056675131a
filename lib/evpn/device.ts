// The kernel devices of a VNI with evpn-manage-devices, as they should be: a bridge, a vxlan device for each address family,
// an advertise device. No packet takes them: they are there for the speaker to write to and to read from.
import type { VniOptions } from '../config/option.js'
import type { SystemConfig } from '../config/system.js'
import type { LinkRow } from '../netlink/index.js'
import { hash32 } from '../net/hash.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'

interface Common {
  readonly name: string
  /** Pinned: a bridge would otherwise take the lowest address of its ports, and the speaker see it change. */
  readonly address: Mac
  /** Says whose the device is, to us and to whoever reads `ip link`. */
  readonly alias: string
}

/** `bridge`: ifindex of the bridge it belongs to; undefined while there is none. An advertise device is a dummy, or a veth where the kernel has none. */
export type Device =
  | Common & { readonly kind: 'bridge' }
  | Common & { readonly kind: 'vxlan', readonly bridge: number | undefined, readonly vni: Vni, readonly local: Ip, readonly udpPort: number }
  | Common & { readonly kind: 'advertise', readonly bridge: number | undefined }

/** The part of the link mirror that matters here. */
export interface DeviceView {
  byName(name: string): LinkRow | undefined
}

const ALIAS = 'ovs-evpn VNI '
/** UDP ports of the kernel's devices: 60000 + VNI as with OVN, and round again. Devices of several VNIs can share one. */
const FIRST_UDP_PORT = 60000
const UDP_PORTS = 5536

/**
 * What a VNI needs, from scratch; why something cannot be made goes to `problems`. A device that exists and is not ours is
 * used as it is. `all`: the options that every VNI has.
 */
export function deriveDevices(
  vni: Vni, options: VniOptions, all: Partial<VniOptions>, system: SystemConfig, links: DeviceView, problems: string[]
): readonly Device[] {
  if (!options.manageDevices) return []
  const { bridgeIfname, vxlanIfnames, advertiseIfname } = options
  if (bridgeIfname === all.bridgeIfname || advertiseIfname === all.advertiseIfname || vxlanIfnames === all.vxlanIfnames) {
    problems.push(`evpn-manage-devices makes devices for each VNI, and a name without VNI is the same for all; name those of this one: dynamic-routing-bridge-ifname-${vni} and so on`)
    return []
  }
  const locals = Object.values({ ...system.localIps, ...system.localIpsOfVni.get(vni) })
  if (locals.length === 0) problems.push('evpn-manage-devices makes no vxlan device without a local address; set it with: ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip=IP')
  const common = (name: string): Common => ({ name, address: deviceMac(system, name), alias: `${ALIAS}${vni}` })
  const bridge = links.byName(bridgeIfname)?.ifindex
  const udpPort = kernelUdpPort(vni, system.vxlanPorts)
  const devices: readonly Device[] = [
    { ...common(bridgeIfname), kind: 'bridge' },
    ...locals.slice(0, vxlanIfnames.length).map((local, i): Device => ({ ...common(vxlanIfnames[i] ?? ''), kind: 'vxlan', bridge, vni, local, udpPort })),
    { ...common(advertiseIfname), kind: 'advertise', bridge }
  ]
  return devices.filter(({ name }) => isFree(links.byName(name), system))
}

function isFree(link: LinkRow | undefined, system: SystemConfig): boolean {
  return link === undefined || isOurDevice(link, system)
}

/** Made by us: marked, or with the address that only we would give it, because we ended before we marked it. */
export function isOurDevice({ alias, name, address }: LinkRow, system: SystemConfig): boolean {
  return alias === undefined || alias === '' ? address === deviceMac(system, name) : alias.startsWith(ALIAS)
}

/** Never one that Open vSwitch receives tunnels on: the kernel gives a UDP port to one of the two. */
export function kernelUdpPort(vni: Vni, taken: readonly number[]): number {
  for (let i = 0; i < UDP_PORTS; i++) {
    const port = FIRST_UDP_PORT + (vni + i) % UDP_PORTS
    if (!taken.includes(port)) return port
  }
  return FIRST_UDP_PORT
}

/** Locally administered, another one on each chassis and for each device, the same after a restart. */
function deviceMac(system: SystemConfig, name: string): Mac {
  const hash = hash32(`${system.systemId ?? Object.values(system.localIps).join()} ${name}`)
  const octets = [0x02, 0x65, ...[24, 16, 8, 0].map((shift) => (hash >>> shift) & 0xff)]
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':')
}
