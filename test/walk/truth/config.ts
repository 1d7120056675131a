// What the configuration means, read from the fake database in the plainest way: the walk's own opinion, which shares
// no code with the agent's. It understands only what walks write.
import { textOf, texts, type FakeDatabase } from '../ovsdb/database.js'
import type { Row } from '../ovsdb/types.js'
import { VNIS } from '../pools.js'

/** `sources`: all IPs written behind the MAC, those never told to others included; empty = none written. */
export interface Address { readonly mac: string, readonly ips: readonly string[], readonly sources: readonly string[] }

/** A port in one VNI. */
export interface TruePort {
  readonly name: string
  readonly vni: number
  /** A trunk's: the frames of this VLAN; 0 = untagged. */
  readonly vlan: number | undefined
  readonly addresses: readonly Address[]
  readonly unknown: boolean
  readonly advertise: boolean
  /** ovs-vswitchd has made it. */
  readonly isMade: boolean
}

export interface TrueConfig {
  readonly bridge: string
  readonly exists: boolean
  readonly isOvns: boolean
  readonly udpPorts: readonly number[]
  readonly localIps: readonly string[]
  readonly ports: readonly TruePort[]
  /** UDP ports of which the tunnel port on the bridge is the agent's. */
  readonly tunnels: readonly number[]
  readonly option: (key: string, vni: number) => string | undefined
  /** Every device that an option gives to the agent. */
  readonly advertiseNames: readonly string[]
  /** Addresses without a port; undefined = the VNI is not named. */
  readonly virtual: (vni: number) => readonly Address[] | undefined
}

export function readConfig(database: FakeDatabase): TrueConfig {
  const system = keys(database.table('Open_vSwitch').get(database.root))
  const of = (key: string) => (system.has('system-id') ? system.get(`${key}-${system.get('system-id')}`) : undefined) ?? system.get(key)
  const bridge = of('ovn-bridge') ?? 'br-int'
  const row = database.table('Bridge').get(database.find('Bridge', bridge) ?? '')
  const bridgeKeys = keys(row)
  const interfaces = texts(row?.['ports']).flatMap((port) => texts(database.table('Port').get(port)?.['interfaces']))
    .map((uuid) => database.table('Interface').get(uuid)).filter((row) => row !== undefined)
  const udpPorts = items(of('ovn-evpn-vxlan-ports')).map(Number)
  return {
    bridge,
    exists: row !== undefined,
    isOvns: bridgeKeys.has('ct-zone-x'),
    udpPorts: udpPorts.length === 0 ? [4789] : udpPorts,
    localIps: items(of('ovn-evpn-local-ip')).filter((item) => item !== 'nonsense'),
    ports: interfaces.flatMap(readPort).sort((a, b) => (a.name < b.name ? -1 : 1)),
    tunnels: (udpPorts.length === 0 ? [4789] : udpPorts).filter((udpPort) => isOurTunnel(database, row, udpPort)),
    option: (key, vni) => bridgeKeys.get(`${key}-${vni}`) ?? bridgeKeys.get(key),
    advertiseNames: [...bridgeKeys].filter(([key]) => key.startsWith('dynamic-routing-advertise-ifname')).map(([, name]) => name),
    virtual: (vni) => (bridgeKeys.has(`evpn-addresses-${vni}`) ? readAddresses(bridgeKeys.get(`evpn-addresses-${vni}`)) : undefined)
  }
}

/** The VNIs that exist. */
export function trueVnis(config: TrueConfig): number[] {
  return VNIS.filter((vni) => config.ports.some((port) => port.vni === vni) || config.virtual(vni) !== undefined)
}

function readPort(row: Row): TruePort[] {
  const external = keys(row)
  const [ofport] = row['ofport'] as readonly number[]
  return readPlaces(external.get('dynamic-routing-vni') ?? '').map(({ vlan, vni }) => {
    const text = external.get(`evpn-addresses-${vlan}`) ?? external.get('evpn-addresses') ?? external.get('attached-mac')
    return {
      name: textOf(row['name']),
      vni,
      vlan,
      addresses: readAddresses(text),
      unknown: items(text).includes('unknown'),
      advertise: external.get('dynamic-routing-advertise') !== 'false',
      isMade: ofport !== undefined && ofport > 0 && (row['error'] as readonly string[]).length === 0
    }
  })
}

/** A VNI, or a list of VLAN:VNI of which the first with a VLAN or a VNI counts. */
function readPlaces(text: string): { readonly vlan: number | undefined, readonly vni: number }[] {
  if (/^\d+$/.test(text)) return [{ vlan: undefined, vni: Number(text) }]
  const places: { vlan: number, vni: number }[] = []
  for (const item of items(text)) {
    const [, vlan, vni] = /^(\d+):(\d+)$/.exec(item) ?? []
    if (vlan === undefined || Number(vlan) > 4094 || places.some((place) => place.vlan === Number(vlan) || place.vni === Number(vni))) continue
    places.push({ vlan: Number(vlan), vni: Number(vni) })
  }
  return places
}

/** IPv6 link-local addresses are never told to others. */
function readAddresses(text: string | undefined): Address[] {
  return items(text).filter((item) => item !== 'unknown' && item !== 'no-mac').map((item) => {
    const [mac = '', ...ips] = item.split(' ')
    return { mac, ips: ips.filter((ip) => !ip.startsWith('fe80:')), sources: ips }
  })
}

function isOurTunnel(database: FakeDatabase, bridge: Row | undefined, udpPort: number): boolean {
  const port = database.table('Port').get(database.find('Port', `ovn-evpn-${udpPort}`) ?? '')
  const isHere = texts(bridge?.['ports']).some((uuid) => database.table('Port').get(uuid) === port)
  return port !== undefined && isHere && keys(port).get('ovn-evpn-tunnel') === 'true'
}

function keys(row: Row | undefined): ReadonlyMap<string, string> {
  return (row?.['external_ids'] ?? new Map()) as ReadonlyMap<string, string>
}

function items(text: string | undefined): string[] {
  return (text ?? '').split(',').map((item) => item.trim()).filter((item) => item !== '')
}
