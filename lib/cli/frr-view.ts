// What zebra and bgpd say of one MAC in one VNI, from vtysh's JSON. Shapes differ between versions; what is not there is not known.
import type { BgpdView, BgpPath, BgpPeer, ZebraMac, ZebraView } from './explain/chain.js'
import { askFrr, parseSaid, type Vtysh } from './vtysh.js'

type Json = Readonly<Record<string, unknown>>

/** Without a MAC: of the VNI alone. Never rejects. */
export async function readZebra(vtysh: Vtysh, vni: number, mac: string | undefined): Promise<ZebraView> {
  const ofVni = await askFrr(vtysh, 'zebra', `show evpn vni ${vni} json`)
  if (ofVni.kind === 'silent') return ofVni
  const knowsVni = parseSaid(ofVni)?.['vni'] !== undefined
  const said = mac === undefined || !knowsVni ? undefined : parseSaid(await askFrr(vtysh, 'zebra', `show evpn mac vni ${vni} mac ${mac} json`))
  const entry = mac === undefined ? undefined : asObject(said?.[mac])
  return { kind: 'said', knowsVni, ...(entry === undefined ? {} : { mac: zebraMac(entry) }) }
}

/** The MAC that zebra has for an IP. Never rejects. */
export async function macInZebra(vtysh: Vtysh, vni: number, ip: string): Promise<string | undefined> {
  const said = parseSaid(await askFrr(vtysh, 'zebra', `show evpn arp-cache vni ${vni} ip ${ip} json`))
  return asText(said?.['mac'])
}

/** Without a MAC: of the VNI alone. Never rejects. */
export async function readBgpd(vtysh: Vtysh, vni: number, mac: string | undefined): Promise<BgpdView> {
  const ofVni = await askFrr(vtysh, 'bgpd', `show bgp l2vpn evpn vni ${vni} json`)
  if (ofVni.kind === 'silent') return ofVni
  const { as, peers } = await readPeers(vtysh)
  const route = mac === undefined ? undefined : parseSaid(await askFrr(vtysh, 'bgpd', `show bgp l2vpn evpn route vni ${vni} mac ${mac} json`))
  return { kind: 'said', ...(as === undefined ? {} : { as }), knowsVni: parseSaid(ofVni)?.['vni'] !== undefined, peers, paths: bgpPaths(route) }
}

/** bgpd's neighbours for EVPN. Never rejects. */
export async function readPeers(vtysh: Vtysh): Promise<{ readonly as: number | undefined, readonly peers: readonly BgpPeer[] }> {
  const summary = parseSaid(await askFrr(vtysh, 'bgpd', 'show bgp l2vpn evpn summary json'))
  const as = summary?.['as']
  return {
    as: typeof as === 'number' ? as : undefined,
    peers: Object.entries(asObject(summary?.['peers']) ?? {}).map(([peer, value]): BgpPeer => ({ peer, state: asText(asObject(value)?.['state']) ?? 'unknown' }))
  }
}

/** What `show evpn mac` has for one MAC. */
export function zebraMac(entry: Json): ZebraMac {
  const vtep = asText(entry['remoteVtep'])
  const active = asObject(entry['neighbors'])?.['active']
  return {
    type: asText(entry['type']) ?? 'unknown',
    ...(vtep === undefined ? {} : { vtep }),
    isDuplicate: entry['isDuplicate'] === true,
    ips: Array.isArray(active) ? active.flatMap((ip) => asText(ip) ?? []) : []
  }
}

/** What `show bgp l2vpn evpn route` has. */
export function bgpPaths(answer: Json | undefined): BgpPath[] {
  return pathsIn(answer).map(bgpPath)
}

/** `paths` holds lists of paths; it stands at the top, or under the prefix (FRR 9 and later). */
function pathsIn(answer: Json | undefined): Json[] {
  if (answer === undefined) return []
  const { paths } = answer
  if (Array.isArray(paths)) return (paths.flat() as unknown[]).map(asObject).filter((path) => path !== undefined)
  return Object.values(answer).flatMap((value) => {
    const below = asObject(value)
    return below !== undefined && Array.isArray(below['paths']) ? pathsIn(below) : []
  })
}

function bgpPath(path: Json): BgpPath {
  const nexthops: unknown = path['nexthops']
  const [nexthop] = Array.isArray(nexthops) ? (nexthops as unknown[]) : []
  const peer = asText(asObject(path['peer'])?.['peerId'])
  const isLocal = path['local'] === true || path['sourced'] === true
  return {
    nexthop: asText(asObject(nexthop)?.['ip']) ?? 'unknown',
    ...(peer === undefined || isLocal ? {} : { peer }),
    isValid: path['valid'] === true,
    isBest: asObject(path['bestpath'])?.['overall'] === true,
    isLocal
  }
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
