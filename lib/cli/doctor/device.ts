// Checks of the kernel devices: what the routing daemon reads and writes.
import type { VniReport } from '../../daemon/report/report.js'
import { IFF, type LinkRow } from '../../netlink/index.js'
import { naming, type Check, type Found } from './check.js'
import { linkNamed, type Facts } from './facts.js'

/** Looks at each device of one role in each VNI, where it exists. */
function eachDevice(facts: Facts, namesOf: (vni: VniReport) => readonly string[], look: (link: LinkRow, vni: VniReport) => Found | undefined): Found[] {
  return facts.show.vnis.flatMap((vni) => namesOf(vni).flatMap((name) => {
    const link = linkNamed(facts, name)
    return link === undefined ? [] : look(link, vni) ?? []
  }))
}

const vxlans = ({ vxlan }: VniReport): readonly string[] => vxlan
const ports = ({ vxlan, advertise }: VniReport): readonly string[] => [...vxlan, advertise]
const all = ({ bridge, vxlan, advertise }: VniReport): readonly string[] => [bridge, ...vxlan, advertise]

/** A UDP port for the kernel's device that no tunnel of Open vSwitch uses: 60000 and the VNI, kept below 65536. */
export function spareUdpPort(vni: number): number {
  return 60000 + vni % 5536
}

/** A vxlan device's VNI, port and kind of address cannot be changed: it is made anew. */
export function remake({ name, vxlan }: Pick<LinkRow, 'name' | 'vxlan'>, { vni, bridge, local_ips: localIps }: VniReport, local = vxlan?.local ?? localIps[0]): string[] {
  return [`ip link del ${name}`, ...makeVxlan(name, vni, bridge, local)]
}

function makeVxlan(name: string, vni: number, bridge: string, local: string | undefined): string[] {
  return [
    `ip link add ${name} type vxlan id ${vni}${local === undefined ? '' : ` local ${local}`} dstport ${spareUdpPort(vni)} nolearning`,
    `ip link set ${name} master ${bridge} addrgenmode none`, `ip link set ${name} type bridge_slave learning off`, `ip link set ${name} up`
  ]
}

function missing(facts: Facts): Found[] {
  return facts.show.vnis.flatMap((vni) => {
    const gone = (name: string): boolean => linkNamed(facts, name) === undefined
    const found = (name: string, what: string, mend: readonly string[]): Found[] => gone(name) ? [{ subject: name, what: `VNI ${vni.vni}: ${what} ${name} does not exist`, mend }] : []
    return [
      ...found(vni.bridge, 'bridge', [`ip link add ${vni.bridge} type bridge mcast_snooping 0 vlan_default_pvid 0`, `ip link set ${vni.bridge} addrgenmode none`, `ip link set ${vni.bridge} up`]),
      ...vni.vxlan.flatMap((name) => found(name, 'vxlan device', makeVxlan(name, vni.vni, vni.bridge, vni.local_ips[0] ?? [...facts.addresses.keys()][0]))),
      ...found(vni.advertise, 'advertise device', [
        `ip link add ${vni.advertise} type dummy || ip link add ${vni.advertise} type veth peer name ${`p${vni.advertise}`.slice(0, 15)}`,
        `ip link set ${vni.advertise} master ${vni.bridge} addrgenmode none`, `ip link set ${vni.advertise} type bridge_slave learning off`, `ip link set ${vni.advertise} up`
      ])
    ]
  })
}

/** The checks of this noun. */
export const DEVICE_CHECKS: readonly Check[] = [
  {
    id: 'device-missing', severity: 'error', why: 'The routing daemon writes what is remote to these devices and reads what is local from them.',
    covers: naming(/does not exist/),
    find: missing
  },
  {
    id: 'device-vni', severity: 'error', why: 'Its entries belong to another VNI, so they are not used, and nothing is learned.',
    covers: naming(/has VNI \d+, not/),
    find: (facts) => eachDevice(facts, vxlans, (link, vni) => link.vxlan === undefined || link.vxlan.external || link.vxlan.vni === vni.vni ? undefined
      : { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} has VNI ${link.vxlan.vni}`, mend: remake(link, vni) })
  },
  {
    id: 'device-learning', severity: 'warning', why: 'What the kernel learns from packets stands against what BGP says.',
    covers: naming(/has learning on/),
    find: (facts) => eachDevice(facts, vxlans, (link, vni) => link.vxlan?.learning !== true ? undefined
      : { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} has learning on`, mend: [`ip link set ${link.name} type vxlan nolearning`] })
  },
  {
    id: 'device-port-learning', severity: 'warning', why: 'A MAC that the bridge learns here is announced as one of this chassis.',
    find: (facts) => eachDevice(facts, ports, (link, vni) => link.bridgePort?.learning !== true ? undefined
      : { subject: link.name, what: `VNI ${vni.vni}: the bridge learns on its port ${link.name}`, mend: [`ip link set ${link.name} type bridge_slave learning off`] })
  },
  {
    id: 'device-not-in-bridge', severity: 'error', why: 'FRR ties a VNI to the bridge that its vxlan device is in, and reads local MACs from ports of that bridge.',
    covers: naming(/is not in bridge/),
    find: (facts) => eachDevice(facts, ports, (link, vni) => {
      const bridge = linkNamed(facts, vni.bridge)
      return bridge === undefined || link.master === bridge.ifindex ? undefined
        : { subject: link.name, what: `VNI ${vni.vni}: ${link.name} is not in bridge ${vni.bridge}`, mend: [`ip link set ${link.name} master ${vni.bridge}`, `ip link set ${link.name} type bridge_slave learning off`] }
    })
  },
  {
    id: 'device-down', severity: 'error', why: 'FRR has no use for a VNI whose devices are down, and neighbours cannot stand on a bridge that is.',
    covers: naming(/is down/),
    find: (facts) => eachDevice(facts, all, ({ name, flags }, vni) => (flags & IFF.UP) !== 0 ? undefined
      : { subject: name, what: `VNI ${vni.vni}: ${name} is down`, mend: [`ip link set ${name} up`] })
  },
  {
    id: 'device-udp-port', severity: 'warning', why: 'With the kernel datapath only one of the two can have the port: the other fails with "Address already in use".',
    find: (facts) => eachDevice(facts, vxlans, (link, vni) => link.vxlan === undefined || !facts.show.tunnels.some((tunnel) => tunnel.udp_port === link.vxlan?.port) ? undefined
      : { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} has UDP port ${link.vxlan.port}, which Open vSwitch's tunnel port needs`, mend: remake(link, vni) })
  },
  {
    id: 'device-local-ip', severity: 'error', why: 'FRR announces the device\'s address: others send there, and the switch takes packets for its own address only.',
    find: (facts) => eachDevice(facts, vxlans, (link, vni) => {
      const ours = vni.local_ips.find((ip) => ip.includes(':') === link.vxlan?.local?.includes(':'))
      return ours === undefined || link.vxlan?.local === ours ? undefined
        : { subject: link.name, what: `VNI ${vni.vni}: vxlan device ${link.name} has the address ${link.vxlan?.local}, our tunnels have ${ours}`, mend: remake(link, vni, ours) }
    })
  }
]
