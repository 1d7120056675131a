// Checks of what carries the tunnels: our own address, the way to each VTEP, and how large a packet may be on it.
import type { Underlay } from '../explain/chain.js'
import { command } from '../shell.js'
import { isUserspace, linkNamed, type Facts, type InterfaceFact } from './facts.js'
import type { Check, Found } from './check.js'
import { familyOf, setLocalIp } from './local-ip.js'

function noLocalIp(facts: Facts): Found[] {
  const needed = new Map<string, Found>()
  for (const { vni, ip } of facts.vteps) {
    const family = familyOf(ip)
    const ours = facts.show.vnis.find((row) => row.vni === vni)?.local_ips ?? []
    if (ours.some((local) => familyOf(local) === family)) continue
    needed.set(`${vni} ${family}`, { subject: `VNI ${vni}`, what: `VNI ${vni} has VTEPs with IPv${family} addresses, and no IPv${family} address of its own`, mend: setLocalIp(facts, family, [vni]) })
  }
  return [...needed.values()]
}

/** Our addresses that no device which is up has, and their VNIs. */
function notUp({ show, addresses }: Facts): [ip: string, vnis: number[]][] {
  const wrong = new Map<string, number[]>()
  for (const { vni, local_ips: ips } of show.vnis) {
    for (const ip of ips) if (!addresses.has(ip)) wrong.set(ip, [...wrong.get(ip) ?? [], vni])
  }
  return [...wrong]
}

/** An address that no device of this machine has: answers never come back. Where addresses could not be read, nobody knows. */
function foreignLocalIp(facts: Facts): Found[] {
  if (facts.addresses.size + facts.downAddresses.size === 0) return []
  return notUp(facts).filter(([ip]) => !facts.downAddresses.has(ip)).map(([ip, vnis]) => ({
    subject: ip, what: `${ip}, the tunnels' own address in VNI ${vnis.join(', ')}, is on no device of this machine`, mend: setLocalIp(facts, familyOf(ip), vnis)
  }))
}

function localIpDown(facts: Facts): Found[] {
  return notUp(facts).flatMap(([ip, vnis]) => {
    const dev = facts.downAddresses.get(ip)
    return dev === undefined ? [] : [{ subject: ip, what: `${ip}, the tunnels' own address in VNI ${vnis.join(', ')}, is on ${dev}, which is down`, mend: [command`ip link set ${dev} up`] }]
  })
}

/** The device that has our address, or the one that other ways take. */
function uplink({ show, addresses, underlay }: Facts): string {
  const own = show.vnis.flatMap(({ local_ips: ips }) => ips).map((ip) => addresses.get(ip)).find((dev) => dev !== undefined)
  return own ?? underlay.find(({ route }) => route !== undefined)?.route?.dev ?? 'DEVICE'
}

/** The one that another way takes. ovs-vswitchd takes no route to an address on the link of which it has no address itself. */
function gatewayOf({ underlay }: Facts): string {
  return underlay.find(({ route }) => route?.gateway !== undefined)?.route?.gateway ?? 'GATEWAY'
}

const VXLAN_OVERHEAD = { 4: 50, 6: 70 } as const

function tooSmall(facts: Facts): Found[] {
  const inner = Math.max(0, ...facts.interfaces.filter(({ externalIds }) => externalIds.has('dynamic-routing-vni')).map(({ mtu = 0 }) => mtu))
  const found = facts.underlay.flatMap((way): Found[] => {
    const needed = inner + VXLAN_OVERHEAD[way.vtep.includes(':') ? 6 : 4]
    const narrow = devicesOf(facts, way).filter(({ mtu }) => mtu < needed)
    if (way.route === undefined || narrow.length === 0) return []
    const { name, mtu } = narrow.reduce((least, one) => (one.mtu < least.mtu ? one : least))
    return [{ subject: way.vtep, what: `packets of ${inner} bytes need ${needed} on the way to VTEP ${way.vtep}, and ${name} takes ${mtu}`, mend: narrow.map((one) => widen(facts.interfaces, one.name, needed)) }]
  })
  // All VTEPs behind one device have one cure.
  return [...new Map(found.map((one) => [one.mend.join('\n'), one])).values()]
}

interface Narrow { readonly name: string, readonly mtu: number }

/** The device of the route, with the MTU of the route; and, when it is a bridge of Open vSwitch, the devices that are its ports. */
function devicesOf(facts: Facts, { route }: Underlay): Narrow[] {
  if (route === undefined) return []
  const ports = facts.bridges.find(({ name }) => name === route.dev)?.ports ?? []
  return [
    ...(route.mtu === undefined ? [] : [{ name: route.dev, mtu: route.mtu }]),
    ...ports.filter((name) => name !== route.dev).flatMap((name) => {
      const link = linkNamed(facts, name)
      return link === undefined ? [] : [{ name, mtu: link.mtu }]
    })
  ]
}

/** Open vSwitch sets the MTU of its own devices itself. */
function widen(interfaces: readonly InterfaceFact[], name: string, mtu: number): string {
  const isInternal = interfaces.some((one) => one.name === name && one.type === 'internal')
  return isInternal ? command`ovs-vsctl set Interface ${name} mtu_request=${mtu}` : command`ip link set ${name} mtu ${mtu}`
}

/** The checks of this noun. */
export const UNDERLAY_CHECKS: readonly Check[] = [
  { id: 'local-ip-missing', severity: 'error', why: 'Without a source address no packet can be sent to those VTEPs.', find: noLocalIp },
  { id: 'local-ip-foreign', severity: 'error', why: 'Others would send their packets to a machine that is not this one.', find: foreignLocalIp },
  { id: 'local-ip-down', severity: 'error', why: 'Nobody can reach an address of a device that is down.', find: localIpDown },
  {
    id: 'vtep-no-route', severity: 'error', why: 'Packets to this VTEP are dropped.',
    find: (facts) => facts.underlay.filter(({ problem, route }) => problem === undefined && route === undefined).map(({ vtep, by }) => ({
      subject: vtep, what: `${by} has no route to VTEP ${vtep}`, mend: [command`ip route add ${vtep} via ${gatewayOf(facts)} dev ${uplink(facts)}`]
    }))
  },
  {
    id: 'vtep-no-neighbour', severity: 'error', why: 'Nobody answers ARP or ND for the next hop, so packets to this VTEP are dropped.',
    find: ({ underlay }) => underlay.flatMap(({ vtep, route, neighbour }) => (neighbour?.state !== 'failed' ? []
      : [{ subject: vtep, what: `${neighbour.ip}, the next hop to VTEP ${vtep}, does not answer on ${route?.dev}: ${neighbour.words}`, mend: [`ping -c 1 -W 5 ${neighbour.ip}`] }]))
  },
  { id: 'vtep-mtu', severity: 'warning', why: 'VXLAN adds 50 bytes over IPv4 and 70 over IPv6; packets that are too large afterwards vanish without a word.', find: tooSmall },
  {
    id: 'tx-checksum', severity: 'error', why: 'With the userspace datapath nobody fills in a checksum that was left to hardware, so no TCP connection from there comes up.',
    find: (facts) => isUserspace(facts) ? facts.offloaded.map((dev) => ({ subject: dev, what: `${dev} leaves TX checksums to hardware`, mend: [command`ethtool -K ${dev} tx off`] })) : []
  }
]
