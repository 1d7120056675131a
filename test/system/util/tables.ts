// One VNI in three places, as sorted lines that can be compared: what the kernel's tables say must be known (computed here
// from what `bridge` and `ip` print, by rules of its own), what the daemon says it knows, and what br-int was told.
import type { IpReport, MacReport, VtepReport } from '../../../lib/daemon/report/report.js'
import type { Chassis } from './chassis.js'

const ZERO = '00:00:00:00:00:00'

export interface Known {
  /** `IP PORT` of every VTEP. */
  readonly vteps: readonly string[]
  /** Those of them that broadcast goes to. */
  readonly flood: readonly string[]
  /** `MAC via IP PORT`. */
  readonly macs: readonly string[]
}

/** With what packets do not show. */
export interface KnownInWords extends Known {
  readonly sticky: readonly string[]
  /** `IP at MAC`, with `router` behind it for the R flag. */
  readonly ips: readonly string[]
}

/** Names of a VNI's kernel devices. */
export interface Devices {
  readonly bridge: string
  readonly vxlans: readonly string[]
}

interface Row {
  readonly mac: string
  readonly ifname: string
  readonly flags: readonly string[]
  readonly state: string
  readonly master?: string
  readonly dst?: string
  readonly port?: number
}

interface Neighbour {
  readonly dst: string
  readonly lladdr?: string
  readonly state: readonly string[]
  readonly protocol?: string
}

/** What the tables of the kernel mean, for remotes whose row names no UDP port: 4789. */
export async function kernelSays(chassis: Chassis, devices: Devices): Promise<KnownInWords> {
  const [rows, neighbours] = await Promise.all([
    chassis.run(['bridge', '-j', 'fdb', 'show']).then((text) => JSON.parse(text) as readonly Row[]), neighboursOf(chassis, devices.bridge)
  ])
  const isLocal = (mac: string): boolean => rows.some((row) => row.master === devices.bridge && row.mac === mac && !devices.vxlans.includes(row.ifname))
  const remotes = rows.filter((row) => devices.vxlans.includes(row.ifname) && row.flags.includes('self') && row.dst !== undefined)
  const flood = remotes.filter((row) => row.mac === ZERO && row.state === 'permanent')
  const speakers = remotes.filter((row) => row.mac !== ZERO && (row.flags.includes('extern_learn') || row.flags.includes('sticky')))
  const macs = speakers.filter((row) => !isLocal(row.mac))
  return {
    vteps: sorted([...flood, ...speakers].map(remote)),
    flood: sorted(flood.map(remote)),
    macs: sorted(macs.map((row) => `${row.mac} via ${remote(row)}`)),
    sticky: sorted(macs.filter((row) => row.flags.includes('sticky')).map((row) => row.mac)),
    ips: sorted(neighbours.filter((row) => 'extern_learn' in row && row.state.includes('NOARP') && row.protocol !== '85')
      .map((row) => `${row.dst} at ${row.lladdr}${'router' in row ? ' router' : ''}`))
  }
}

async function neighboursOf(chassis: Chassis, bridge: string): Promise<readonly Neighbour[]> {
  const rows = JSON.parse(await chassis.run(['ip', '-j', '-d', 'neigh', 'show', 'nud', 'all'])) as readonly (Neighbour & { readonly dev: string })[]
  return rows.filter(({ dev }) => dev === bridge)
}

function remote({ dst, port }: Row): string {
  return `${dst} ${port ?? 4789}`
}

/** What the daemon says, as `ovs-evpnctl --json` prints it. */
export async function daemonSays(chassis: Chassis, vni: number): Promise<KnownInWords> {
  const [vteps, macs, ips] = await Promise.all([
    chassis.report<readonly VtepReport[]>('vteps', vni), chassis.report<readonly MacReport[]>('macs', vni),
    chassis.report<readonly IpReport[]>('ips', vni)
  ])
  return {
    vteps: sorted(vteps.map(({ ip, port }) => `${ip} ${port}`)),
    flood: sorted(vteps.filter(({ flood }) => flood).map(({ ip, port }) => `${ip} ${port}`)),
    macs: sorted(macs.map(({ mac, ip, port }) => `${mac} via ${ip} ${port}`)),
    sticky: sorted(macs.filter(({ sticky }) => sticky).map(({ mac }) => mac)),
    ips: sorted(ips.filter(({ from }) => from === 'remote').map(({ ip, mac, router }) => `${ip} at ${mac}${router ? ' router' : ''}`))
  }
}

/** What br-int does: whom it takes packets of the VNI from, where it sends MACs and broadcast. */
export async function switchSays(chassis: Chassis, vni: number): Promise<Known> {
  const [flows, groups] = await Promise.all([chassis.ourFlows(), chassis.groups()])
  const hex = `0x${vni.toString(16)}`
  const decap = flows.filter((flow) => flow.includes(`tun_id=${hex === '0x0' ? '0' : hex},`) && /tun_(ipv6_)?src=/.test(flow))
  const encap = flows.filter((flow) => flow.includes('table=202, priority=300,') && flow.includes(`metadata=${hex === '0x0' ? '0' : hex},`))
  const ofVni = groups.filter((group) => Math.floor((idOf(group) - 0x40000000) / 128) === vni)
  return {
    vteps: sorted(decap.map((flow) => `${/tun_(?:ipv6_)?src=([^,]+)/.exec(flow)?.[1]} ${/in_port="?ovn-evpn-(\d+)/.exec(flow)?.[1]}`)),
    flood: sorted(ofVni.flatMap(destinations)),
    macs: sorted(encap.flatMap((flow) => destinations(flow).map((to) => `${/dl_dst=([0-9a-f:]+)/.exec(flow)?.[1]} via ${to}`)))
  }
}

function idOf(group: string): number {
  return Number(/group_id=(\d+)/.exec(group)?.[1])
}

/** `IP PORT` of every VTEP that actions name. The UDP port is the upper half of reg0. */
function destinations(text: string): string[] {
  return [...text.matchAll(/set_field:([0-9a-f.:]+)->tun_(?:ipv6_)?dst,(?:set_field:[0-9a-fx]+->tun_id,)?set_field:(0x[0-9a-f]+)\/0xffff000a->reg0/g)]
    .map(([, ip, bits]) => `${ip} ${Number(bits) >>> 16}`)
}

function sorted(lines: readonly string[]): string[] {
  return [...new Set(lines)].sort()
}

/** What differs, in words; empty when nothing does. */
export function differences(kernel: KnownInWords, daemon: KnownInWords, onSwitch: Known): string[] {
  return [
    ...(['vteps', 'flood', 'macs', 'sticky', 'ips'] as const).flatMap((kind) => compare(`${kind} known`, kernel[kind], daemon[kind])),
    ...(['vteps', 'flood', 'macs'] as const).flatMap((kind) => compare(`${kind} in the flows`, kernel[kind], onSwitch[kind]))
  ]
}

function compare(what: string, wanted: readonly string[], got: readonly string[]): string[] {
  const missing = wanted.filter((line) => !got.includes(line))
  const extra = got.filter((line) => !wanted.includes(line))
  return [
    ...(missing.length === 0 ? [] : [`${what}: ${missing.length} of ${wanted.length} missing, such as ${missing[0]}`]),
    ...(extra.length === 0 ? [] : [`${what}: ${extra.length} too many, such as ${extra[0]}`])
  ]
}
