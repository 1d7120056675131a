// Checks of the kernel devices: what the routing daemon reads and writes.
import type { VniReport } from '../../daemon/report/report.js'
import { IFF, IN6_ADDR_GEN_MODE, type LinkRow } from '../../netlink/index.js'
import { command } from '../shell.js'
import { naming, type Check, type Found } from './check.js'
import { linkNamed, type Facts } from './facts.js'
import { configuredIps, familyOf, isManaged } from './local-ip.js'
import { makeMissing, namesOf, ownDevice, remake, setLocal, sharers } from './mend-device.js'

/** Looks at each device of one role in each VNI, where it exists. */
function eachDevice(facts: Facts, namesOf: (vni: VniReport) => readonly string[], look: (link: LinkRow, vni: VniReport) => Found | undefined): Found[] {
  return facts.show.vnis.flatMap((vni) => namesOf(vni).flatMap((name) => {
    const link = linkNamed(facts, name)
    return link === undefined ? [] : look(link, vni) ?? []
  }))
}

const vxlans = ({ vxlan }: VniReport): readonly string[] => vxlan
const ports = ({ vxlan, advertise }: VniReport): readonly string[] => [...vxlan, advertise]

function missing(facts: Facts): Found[] {
  return facts.show.vnis.flatMap((vni) => namesOf(vni).filter((name) => linkNamed(facts, name) === undefined).map((name) => {
    const noun = name === vni.bridge ? 'bridge' : vni.vxlan.includes(name) ? 'vxlan device' : 'advertise device'
    const mend = makeMissing(facts, name, vni)
    const whose = isManaged(facts, vni.vni) ? `, which ovs-evpnd makes itself (evpn-manage-devices)${mend.length === 0 ? '; why it cannot: ovs-evpnctl problems' : ' once it has an address for it'}` : ''
    return { subject: name, what: `VNI ${vni.vni}: ${noun} ${name} does not exist${whose}`, mend }
  }))
}

/** Of a device that other VNIs use as well: which. */
function alsoOf(others: readonly number[]): string {
  return others.length === 0 ? '' : `; VNI ${others.join(', ')} uses it, too`
}

function wrongVni(facts: Facts): Found[] {
  return eachDevice(facts, vxlans, (link, vni) => link.vxlan === undefined || link.vxlan.external || link.vxlan.vni === vni.vni ? undefined
    : { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} has VNI ${link.vxlan.vni}${alsoOf(sharers(facts, link.name, vni))}`, mend: remake(facts, link, vni) })
}

/** Another bridge's port may be there because another VNI has it there. */
function notInBridge(facts: Facts): Found[] {
  return eachDevice(facts, ports, (link, vni) => {
    const bridge = linkNamed(facts, vni.bridge)
    if (bridge === undefined || link.master === bridge.ifindex) return undefined
    const others = sharers(facts, link.name, vni)
    const own = vni.vxlan.includes(link.name) ? ownDevice(facts, vni) : []
    const move = [command`ip link set ${link.name} master ${vni.bridge}`, command`ip link set ${link.name} type bridge_slave learning off`]
    return { subject: link.name, what: `VNI ${vni.vni}: ${link.name} is not in bridge ${vni.bridge}${alsoOf(others)}`, mend: others.length > 0 ? own : move }
  })
}

/** Without an address of the device FRR announces its router-id. */
function wrongLocal(facts: Facts): Found[] {
  return eachDevice(facts, vxlans, (link, vni) => {
    const local = link.vxlan?.local
    const wanted = Object.values(configuredIps(facts, vni.vni))
    const ours = local === undefined ? wanted[0] : vni.local_ips.find((ip) => familyOf(ip) === familyOf(local))
    if (link.vxlan === undefined || ours === undefined || local === ours) return undefined
    const has = local === undefined ? 'has no address' : `has the address ${local}`
    return { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} ${has}, our tunnels have ${ours}`, mend: setLocal(facts, link.name, vni, ours) }
  })
}

function linkLocal(facts: Facts): Found[] {
  return eachDevice(facts, namesOf, ({ name, addrGenMode = IN6_ADDR_GEN_MODE.NONE }, vni) => addrGenMode === IN6_ADDR_GEN_MODE.NONE ? undefined
    : { subject: name, what: `VNI ${vni.vni}: ${name} gives itself an IPv6 link-local address`, mend: [command`ip link set ${name} addrgenmode none`, command`ip -6 address flush dev ${name} scope link`] })
}

/** The checks of this noun. */
export const DEVICE_CHECKS: readonly Check[] = [
  {
    id: 'device-missing', severity: 'error', why: 'The routing daemon writes what is remote to these devices and reads what is local from them.',
    covers: (problem, found) => naming(/does not exist/)(problem, found)
      || (problem.what.startsWith(`${found.what.split(':')[0]}: evpn-manage-devices makes no vxlan device`) && found.what.includes(': vxlan device ')),
    find: missing
  },
  {
    id: 'device-vni', severity: 'error', why: 'Its entries belong to another VNI, so they are not used, and nothing is learned.',
    covers: naming(/has VNI \d+, not/),
    find: wrongVni
  },
  {
    id: 'device-learning', severity: 'warning', why: 'What the kernel learns from packets stands against what BGP says.',
    covers: naming(/has learning on/),
    find: (facts) => eachDevice(facts, vxlans, (link, vni) => link.vxlan?.learning !== true ? undefined
      : { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} has learning on`, mend: [command`ip link set ${link.name} type vxlan nolearning`] })
  },
  {
    id: 'device-port-learning', severity: 'warning', why: 'A MAC that the bridge learns here is announced as one of this chassis.',
    find: (facts) => eachDevice(facts, ports, (link, vni) => link.bridgePort?.learning !== true ? undefined
      : { subject: link.name, what: `VNI ${vni.vni}: the bridge learns on its port ${link.name}`, mend: [command`ip link set ${link.name} type bridge_slave learning off`] })
  },
  {
    id: 'device-not-in-bridge', severity: 'error', why: 'FRR ties a VNI to the bridge that its vxlan device is in, and reads local MACs from ports of that bridge.',
    covers: naming(/is not in bridge/),
    find: notInBridge
  },
  {
    id: 'device-down', severity: 'error', why: 'FRR has no use for a VNI whose devices are down, and neighbours cannot stand on a bridge that is.',
    covers: naming(/is down/),
    find: (facts) => eachDevice(facts, namesOf, ({ name, flags }, vni) => (flags & IFF.UP) !== 0 ? undefined
      : { subject: name, what: `VNI ${vni.vni}: ${name} is down`, mend: [command`ip link set ${name} up`] })
  },
  {
    id: 'device-udp-port', severity: 'warning', why: 'With the kernel datapath only one of the two can have the port: the other fails with "Address already in use".',
    find: (facts) => eachDevice(facts, vxlans, (link, vni) => link.vxlan === undefined || !facts.show.tunnels.some((tunnel) => tunnel.udp_port === link.vxlan?.port) ? undefined
      : { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} has UDP port ${link.vxlan.port}, which Open vSwitch's tunnel port needs`, mend: remake(facts, link, vni) })
  },
  {
    id: 'device-local-ip', severity: 'error', why: 'FRR announces the device\'s address: others send there, and the switch takes packets for its own address only.',
    find: wrongLocal
  },
  {
    id: 'device-link-local', severity: 'warning', why: 'The kernel speaks ND and MLD from it, and FRR announces it as an address of this chassis.', find: linkLocal
  }
]
