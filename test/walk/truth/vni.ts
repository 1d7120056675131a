// What one VNI should be like, worked out from the fake kernel, the configuration and the switch's ports alone, from
// the rules of the design and in the plainest way: what is remote, what is local, what we tell others.
import { NTF, NUD } from '../../../lib/netlink/index.js'
import { ZERO_MAC } from '../../../lib/net/mac.js'
import type { FakeKernel } from '../kernel/kernel.js'
import type { Device, DeviceRow, Neighbour } from '../kernel/rows.js'
import type { Bridge } from './world.js'
import type { Address, TrueConfig, TruePort } from './config.js'
import { learnedOf, type TrueLearned } from './learned.js'

export interface TrueVtep {
  readonly ip: string
  readonly udpPort: number
  readonly flood: boolean
  /** A row names it; else nexthop groups alone do. */
  readonly isNamed: boolean
  readonly localIp: string | undefined
  /** VNI of what is flooded to it. */
  readonly encapVni: number
}

/** A way to a MAC, with its share among the others. */
export interface TruePath { readonly ip: string, readonly udpPort: number, readonly weight: number, readonly encapVni: number }

export interface TrueLocal {
  readonly mac: string
  readonly ips: readonly string[]
  /** What it may send from; undefined = anything. */
  readonly sources: readonly string[] | undefined
  /** undefined: an address without a port. */
  readonly port: TruePort | undefined
}

export interface TrueVni {
  readonly vni: number
  readonly learned: TrueLearned
  readonly ports: readonly TruePort[]
  readonly locals: readonly TrueLocal[]
  readonly vteps: readonly TrueVtep[]
  /** Remote MACs with their VTEPs: one, or the members of a nexthop group. */
  readonly remote: ReadonlyMap<string, readonly TruePath[]>
  /** MACs others announce: no claim of ours, and traffic follows theirs. */
  readonly claimed: ReadonlySet<string>
  /** IPs of others, with the MAC and whether it is a router's. */
  readonly remoteIps: ReadonlyMap<string, { readonly mac: string, readonly router: boolean }>
  readonly localIp: (ip: string) => string | undefined
  /** Kernel rows that tell others: `fdb IFINDEX MAC VLAN`, `neigh IFINDEX IP MAC`. */
  readonly told: readonly string[]
}

/** Behind which VTEP, in packets of which VNI. */
export interface TruePlace { readonly ip: string, readonly udpPort: number, readonly encapVni: number }

interface Devices {
  readonly bridge: Device | undefined
  /** In a bridge without VLAN filtering 0; undefined = nobody can say which of the bridge's rows are the VNI's. */
  readonly vlan: number | undefined
  /** Where neighbours stand. */
  readonly svi: Device | undefined
  readonly vxlans: readonly Device[]
  readonly advertise: Device | undefined
}

export function readVni(vni: number, config: TrueConfig, kernel: FakeKernel, fake: Bridge | undefined): TrueVni {
  const devices = devicesOf(vni, config, kernel)
  const ports = config.ports.filter((port) => port.vni === vni)
  const locals = localsOf(ports, config.virtual(vni) ?? [])
  const udpPort = Number(config.option('evpn-vxlan-port', vni) ?? config.udpPorts[0])
  const localIp = (ip: string) => localIpFor(ip.includes(':'), vni, config, devices.vxlans)
  const vteps = vtepsOf(vni, devices, kernel, udpPort).map((vtep) => ({ ...vtep, localIp: localIp(vtep.ip) }))
  const remote = remoteMacs(vni, devices, kernel, udpPort, vteps)
  const claimed = new Set([...remote.keys(), ...bridgeClaims(devices, kernel)])
  const learned = learnedOf(fake, config, vni)
  const hosts = [...learned.local].filter(([mac]) => !locals.some((local) => local.mac === mac)).map(([mac, port]): TrueLocal => ({ mac, port, ips: [], sources: undefined }))
  const told = [...locals, ...hosts].flatMap((local) => toldRows(local, vni, devices, config, kernel, claimed))
  return { vni, learned, ports, locals, vteps, remote, claimed, remoteIps: remoteIps(devices, kernel), localIp, told }
}

function devicesOf(vni: number, config: TrueConfig, kernel: FakeKernel): Devices {
  const named = (key: string, fallback: string) => config.option(`dynamic-routing-${key}-ifname`, vni) ?? fallback
  const bridge = [kernel.byName(named('bridge', `br-${vni}`))].find((device) => device?.kind === 'bridge')
  const vxlans = named('vxlan', `vxlan-${vni}`).split(',').flatMap((name) => kernel.byName(name) ?? [])
    .filter((device) => device.kind === 'vxlan' && (device.vxlan?.external === true || device.vxlan?.vni === vni))
  const advertise = kernel.byName(named('advertise', `lo-${vni}`))
  const vlan = vlanOf(vni, bridge, vxlans)
  const svi = bridge === undefined || vlan === undefined ? undefined : vlan === 0 ? bridge : kernel.svi(bridge.ifindex, vlan)
  const isMember = vlan !== undefined && (vlan === 0 || advertise?.vlans.has(vlan) === true)
  const isUsable = bridge !== undefined && isMember && advertise?.kind === 'veth' && advertise.master === bridge.ifindex
  return { bridge, vlan, svi, vxlans, advertise: isUsable ? advertise : undefined }
}

/** The first that names a MAC has it, with those of its IPs that nobody before has; ports by name, then addresses without a port. */
function localsOf(ports: readonly TruePort[], virtual: readonly Address[]): TrueLocal[] {
  const locals: TrueLocal[] = []
  const owners = [...ports.map((port) => ({ port, addresses: port.addresses })), { port: undefined, addresses: virtual }]
  for (const { port, addresses } of owners) {
    for (const { mac, ips, sources } of addresses) {
      if (locals.some((local) => local.mac === mac)) continue
      const own = [...new Set(ips)].filter((ip) => !locals.some((local) => local.ips.includes(ip)))
      locals.push({ mac, port, ips: own, sources: sources.length === 0 ? undefined : sources.filter((ip) => own.includes(ip) || !ips.includes(ip)) })
    }
  }
  return locals
}

/** The VNI's own address, else the default of the family, else the first device's. */
function localIpFor(isV6: boolean, vni: number, config: TrueConfig, vxlans: readonly Device[]): string | undefined {
  const ofFamily = (ip: string | undefined) => ip !== undefined && ip.includes(':') === isV6
  const own = config.localIps.filter((item) => item.startsWith(`${vni}-`)).map((item) => item.slice(`${vni}-`.length)).find(ofFamily)
  const byDefault = config.localIps.filter((item) => !item.includes('-')).find(ofFamily)
  return own ?? byDefault ?? vxlans.map((device) => device.vxlan?.local).find(ofFamily)
}

/** Of a device of many VNIs the VLAN with the VNI as key, of another the PVID; the first that is known. */
function vlanOf(vni: number, bridge: Device | undefined, vxlans: readonly Device[]): number | undefined {
  if (bridge === undefined) return undefined
  if (!bridge.vlanFiltering) return vxlans.some(isShared) ? undefined : 0
  return vxlans.filter(({ master }) => master === bridge.ifindex)
    .map((device) => (isShared(device) ? [...device.vlans].find(([, tunnelId]) => tunnelId === vni)?.[0] : device.pvid))
    .find((vlan) => vlan !== undefined)
}

/** Where the bridge has the MAC on a port that is no vxlan device, it is not remote. */
function isElsewhere(mac: string, { bridge, vlan }: Devices, kernel: FakeKernel): boolean {
  const row = bridge === undefined || vlan === undefined ? undefined : kernel.bridges.get(bridge.ifindex, mac, vlan)
  return row !== undefined && kernel.devices.get(row.port)?.kind !== 'vxlan'
}

function isShared({ vxlan }: Device): boolean {
  return vxlan?.external === true
}

function rowsFor(vni: number, device: Device, kernel: FakeKernel): DeviceRow[] {
  return kernel.vxlans.rows(device.ifindex).filter(({ srcVni }) => device.vxlan?.external !== true || (srcVni ?? 0) === vni)
}

function remoteMacs(vni: number, devices: Devices, kernel: FakeKernel, udpPort: number, vteps: readonly TrueVtep[]): Map<string, readonly TruePath[]> {
  const remote = new Map<string, readonly TruePath[]>()
  for (const device of devices.vxlans) {
    for (const row of rowsFor(vni, device, kernel)) {
      const isSpeakers = row.mac !== ZERO_MAC && (row.flags & (NTF.EXT_LEARNED | NTF.STICKY)) !== 0
      if (!isSpeakers || remote.has(row.mac) || isElsewhere(row.mac, devices, kernel)) continue
      const paths = pathsOf(vni, row, kernel, udpPort)
      remote.set(row.mac, row.nhId === undefined ? paths : ofVni(paths, vteps))
    }
  }
  return remote
}

/** Members of a group that are VTEPs of the VNI in their own right, when any is announced for flooding; else any that can be reached. */
function ofVni(paths: readonly TruePath[], vteps: readonly TrueVtep[]): readonly TruePath[] {
  const reachable = paths.flatMap((path) => vteps.filter((vtep) => vtep.ip === path.ip && vtep.udpPort === path.udpPort && vtep.localIp !== undefined).map((vtep) => ({ path, vtep })))
  const isAnnounced = reachable.some(({ vtep }) => vtep.flood)
  return reachable.filter(({ vtep }) => !isAnnounced || vtep.isNamed).map(({ path }) => path)
}

/** One for each address: two nexthops of a group may have the same. */
function pathsOf(vni: number, row: DeviceRow, kernel: FakeKernel, udpPort: number): readonly TruePath[] {
  if (row.nhId === undefined) return [{ ip: row.dst ?? '', udpPort: row.port ?? udpPort, weight: 1, encapVni: row.vni ?? vni }]
  const members = kernel.nexthops.members(row.nhId)
  return [...new Set(members.map(({ ip }) => ip))].map((ip) => ({
    ip, udpPort, encapVni: vni, weight: members.filter((member) => member.ip === ip).reduce((sum, { weight }) => sum + weight, 0)
  }))
}

/** What the speaker wrote, link-local addresses aside; rows of protocol 85 are ours. */
function remoteIps({ svi }: Devices, kernel: FakeKernel): Map<string, { mac: string, router: boolean }> {
  const rows = svi === undefined ? [] : kernel.neighbours.on(svi.ifindex)
  const isSpeakers = ({ flags, state, protocol }: Neighbour) => (flags & NTF.EXT_LEARNED) !== 0 && (state & NUD.NOARP) !== 0 && protocol !== 85
  return new Map(rows.filter((row) => isSpeakers(row) && !row.ip.startsWith('fe80:'))
    .flatMap(({ ip, mac, flags }) => (mac === undefined ? [] : [[ip, { mac, router: (flags & NTF.ROUTER) !== 0 }] as const])))
}

function bridgeClaims({ bridge, vlan, vxlans }: Devices, kernel: FakeKernel): string[] {
  const rows = bridge === undefined ? [] : kernel.bridges.rows(bridge.ifindex).filter((row) => row.vlan === vlan)
  return rows.filter(({ port }) => vxlans.some(({ ifindex }) => ifindex === port)).map(({ mac }) => mac)
}

function vtepsOf(vni: number, { vxlans }: Devices, kernel: FakeKernel, udpPort: number): Omit<TrueVtep, 'localIp'>[] {
  const vteps = new Map<string, { ip: string, udpPort: number, flood: boolean, isNamed: boolean, encapVnis: number[] }>()
  for (const row of vxlans.flatMap((device) => rowsFor(vni, device, kernel))) {
    const isFlood = row.mac === ZERO_MAC
    if (!isFlood && (row.flags & (NTF.EXT_LEARNED | NTF.STICKY)) === 0) continue
    for (const path of pathsOf(vni, row, kernel, udpPort)) {
      if (path.ip.startsWith('239.')) continue
      const key = `${path.ip} ${path.udpPort}`
      const { flood = false, isNamed = false, encapVnis = [] } = vteps.get(key) ?? {}
      vteps.set(key, { ip: path.ip, udpPort: path.udpPort, flood: isFlood || flood, isNamed: isNamed || row.nhId === undefined, encapVnis: isFlood ? [...encapVnis, path.encapVni] : encapVnis })
    }
  }
  // Where entries disagree: our own VNI, else the lowest.
  return [...vteps.values()].map(({ encapVnis, ...vtep }) =>
    ({ ...vtep, encapVni: encapVnis.length === 0 || encapVnis.includes(vni) ? vni : Math.min(...encapVnis) }))
}

function toldRows(
  local: TrueLocal, vni: number, { bridge, vlan, svi, advertise }: Devices, config: TrueConfig, kernel: FakeKernel, claimed: ReadonlySet<string>
): string[] {
  const kinds = (config.option('dynamic-routing-redistribute', vni) ?? 'fdb,ip').split(',')
  const { mac, port } = local
  const ips = kinds.includes('ip') ? local.ips : []
  if (bridge === undefined || advertise === undefined || claimed.has(mac) || (!kinds.includes('fdb') && ips.length === 0)) return []
  if (port !== undefined && (!port.advertise || !port.isMade)) return []
  const row = kernel.bridges.get(bridge.ifindex, mac, vlan)
  if (row !== undefined && row.port !== advertise.ifindex) return []
  const free = svi?.up === true ? ips.filter((ip) => isFree(kernel.neighbours.get(svi.ifindex, ip))) : []
  return [`fdb ${advertise.ifindex} ${mac} ${vlan}`, ...free.map((ip) => `neigh ${svi?.ifindex} ${ip} ${mac}`)]
}

/** Nobody's, ours, or only what ARP and ND found. */
function isFree(row: Neighbour | undefined): boolean {
  if (row === undefined || row.protocol === 85) return true
  return (row.flags & NTF.EXT_LEARNED) === 0 && (row.state & (NUD.NOARP | NUD.PERMANENT)) === 0
}
