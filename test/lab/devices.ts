// The lab's namespaces and kernel devices, as `ip -batch` text (pure), and the one function that runs such text.
import { ipFamily } from '../../lib/net/ip.js'
import type { Vni } from '../../lib/net/number.js'
import { labEnv } from './process.js'
import { run } from './run.js'
import { labMac, sviAddresses, withoutPrefix, type LabPlan, type Vtep, type Workload } from './spec.js'

/** VXLAN adds 50 bytes over IPv4 and 70 over IPv6: workloads keep 1500. */
export const UNDERLAY_MTU = 1600

/** In hundredths of a second, the unit of a bridge's ageing_time. */
const ONE_DAY = 24 * 3600 * 100

/** Runs lines of `ip` commands, in a namespace or in the root one, in one process. Throws with ip's own message. */
export async function ipBatch(labId: string, netns: string | undefined, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return
  const where = netns === undefined ? [] : ['-n', netns]
  await run(['ip', ...where, '-batch', '-'], { input: lines.join('\n') + '\n', env: labEnv(labId) })
}

/** Every namespace of the lab. */
export function namespaces(plan: LabPlan): string[] {
  return [plan.underlayNetns, ...plan.vteps.map(({ netns }) => netns), ...plan.workloads.map(({ netns }) => netns)]
}

/** In the underlay's namespace: one bridge, one veth to every VTEP, where the other end is eth0. */
export function underlayLines(plan: LabPlan): string[] {
  return [
    'link add name underlay type bridge mcast_snooping 0',
    `link set underlay mtu ${UNDERLAY_MTU}`,
    ...quietlyUp('underlay'),
    ...plan.vteps.flatMap(({ name, netns }) => [
      `link add name ${name} mtu ${UNDERLAY_MTU} type veth peer name eth0 mtu ${UNDERLAY_MTU} netns ${netns}`,
      `link set dev ${name} master underlay`,
      ...quietlyUp(name)
    ])
  ]
}

/** In a VTEP's namespace: the underlay port; on a Linux VTEP it has the address, on a chassis br-phy will have it. */
export function uplinkLines(vtep: Vtep): string[] {
  const up = ['link set lo up', ...quietlyUp('eth0')]
  return vtep.kind === 'linux' ? [...up, `addr add ${uplinkAddress(vtep)} dev eth0 nodad`] : up
}

/** Up without a link-local address: two commands, because the kernel looks at `up` before `addrgenmode`. */
function quietlyUp(device: string): string[] {
  return [`link set dev ${device} addrgenmode none`, `link set dev ${device} up`]
}

/** The VTEP's underlay address with prefix length. */
export function uplinkAddress(vtep: Vtep): string {
  return `${vtep.ip}/${ipFamily(vtep.ip) === 4 ? 24 : 64}`
}

/** In a chassis' namespace: what FRR needs to see of a VNI. No packet ever takes these devices. */
export function decoyLines(vtep: Vtep, vni: Vni): string[] {
  return [
    ...bridgeLines(vtep, vni),
    // 60000 + VNI, wrapped into the valid ports: the kernel must not hold the UDP port OVS uses.
    ...vxlanLines(vtep, vni, 60000 + vni % 5536),
    // A veth stands in for a dummy device, which not every kernel has. Its peer stays down and learning off, or FRR
    // would advertise the peer's own MAC.
    `link add name lo-${vni} type veth peer name lop-${vni}`,
    `link set lo-${vni} master br-${vni}`,
    `link set lo-${vni} type bridge_slave learning off`,
    ...quietlyUp(`lo-${vni}`)
  ]
}

/** In a Linux VTEP's namespace: a VNI that carries packets, with an address of its own so that it resolves its workloads. */
export function linuxVniLines(vtep: Vtep, vni: Vni, vniIndex: number): string[] {
  return [
    ...bridgeLines(vtep, vni),
    ...vxlanLines(vtep, vni, 4789),
    ...sviAddresses(vtep, vniIndex).map((address) => `addr add ${address} dev br-${vni} nodad`)
  ]
}

function bridgeLines(vtep: Vtep, vni: Vni): string[] {
  return [
    // Aging would withdraw the MACs of workloads that have been silent for five minutes.
    `link add name br-${vni} type bridge mcast_snooping 0 vlan_default_pvid 0 ageing_time ${ONE_DAY}`,
    // A bridge otherwise takes the lowest MAC of its ports and changes it as they come and go.
    `link set br-${vni} address ${labMac(vtep, 0, vni % 250)}`,
    ...quietlyUp(`br-${vni}`)
  ]
}

function vxlanLines(vtep: Vtep, vni: Vni, udpPort: number): string[] {
  return [
    `link add name vxlan-${vni} type vxlan id ${vni} local ${vtep.ip} dstport ${udpPort} nolearning`,
    `link set vxlan-${vni} master br-${vni}`,
    `link set vxlan-${vni} type bridge_slave learning off`,
    ...quietlyUp(`vxlan-${vni}`)
  ]
}

/** In a VTEP's namespace: the workload's port. On a chassis Open vSwitch takes it into br-int. */
export function portLines(vtep: Vtep, workload: Workload): string[] {
  const { name, vni, mac, netns } = workload
  return [
    `link add name ${name} type veth peer name eth0 address ${mac} netns ${netns}`,
    ...(vtep.kind === 'linux' ? [`link set dev ${name} master br-${vni}`] : []),
    ...quietlyUp(name)
  ]
}

/** In a Linux VTEP's namespace: the kernel asks for the workload's MAC, as traffic from its own address would make it. */
export function resolveLines(workload: Workload): string[] {
  return workload.addresses.map((address) => `neigh replace ${withoutPrefix(address)} dev br-${workload.vni} use`)
}

/** In a workload's namespace, before `announceSysctls` and after. IPv6 addresses do not survive a link that is down. */
export function workloadLines(workload: Workload): string[] {
  const add = (address: string): string => `addr add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`
  const isIpv6 = (address: string): boolean => address.includes(':')
  return [
    'link set lo up',
    ...workload.addresses.filter((address) => !isIpv6(address)).map(add),
    'link set eth0 up',
    ...workload.addresses.filter(isIpv6).map(add)
  ]
}

/** A workload that comes up says so (gratuitous ARP, unsolicited NA), as a virtual machine after migration does. */
export const announceSysctls = ['net.ipv4.conf.eth0.arp_notify=1', 'net.ipv6.conf.eth0.ndisc_notify=1'] as const

/** A Linux VTEP must not answer in one VNI for its address in another. */
export const linuxVtepSysctls = ['net.ipv4.conf.all.arp_ignore=1'] as const

/** Makes checksums real: behind the userspace datapath nobody fills in one that was left to hardware. */
export function checksumOff(device: string): string[] {
  return ['ethtool', '-K', device, 'tx', 'off']
}
