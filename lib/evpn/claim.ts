// Claims: which of our local addresses we announce now, by which kernel rows. A claim is never written while
// somebody else's stands: that would steal the address from a live host, and two that steal ping-pong
// until duplicate-address detection freezes it (RFC 7432 section 15.1).
import { isOurNeighbour } from '../mirror/ownership.js'
import { NTF, NUD } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Domain } from './domain.js'
import type { LocalMac } from './local.js'
import { hasRemoteClaim } from './remote-mac.js'
import type { FdbView, NeighbourView } from './view.js'

/** waiting: somebody else's claim stands, and traffic from here follows it. local: bound here, not announced. */
export type ClaimState = 'advertised' | 'local' | 'waiting'

export interface Claim {
  readonly local: LocalMac
  readonly state: ClaimState
  /** Why it is not (wholly) announced. */
  readonly reason: string | undefined
  /** Advertise device of the FDB row we want; undefined = no row. */
  readonly fdb: number | undefined
  /** Bridge device of the neighbour rows we want, and their IPs. */
  readonly bridge: number | undefined
  readonly ips: readonly Ip[]
}

export interface ClaimView {
  readonly fdb: FdbView
  readonly neighbours: NeighbourView
  /** Why the port cannot carry traffic now; undefined = it can. */
  readonly portProblem: (port: string) => string | undefined
}

/** Decides one local MAC's claim from the domain, the mirrors and the port's state, always from scratch. */
export function deriveClaim(domain: Domain, local: LocalMac, view: ClaimView): Claim {
  const quiet = (state: ClaimState, reason: string): Claim => ({ local, state, reason, fdb: undefined, bridge: undefined, ips: [] })
  if (hasRemoteClaim(domain, local.mac, view.fdb)) return quiet('waiting', 'another chassis announces this MAC')
  const reason = whyNotAdvertised(domain, local, view)
  if (reason !== undefined) return quiet('local', reason)
  const foreign = foreignPort(domain, local.mac, view.fdb)
  if (foreign !== undefined) return quiet('local', `the kernel bridge has this MAC on another port (ifindex ${foreign})`)
  const ips = domain.options.redistribute.includes('ip') && domain.bridge !== undefined && domain.bridgeUp ? local.ips : []
  const free = ips.filter((ip) => !isForeignNeighbour(domain, ip, view.neighbours))
  return {
    local,
    state: 'advertised',
    reason: free.length < ips.length ? `another owner's neighbour stands for ${ips.filter((ip) => !free.includes(ip)).join(' ')}` : undefined,
    fdb: domain.advertise,
    bridge: free.length > 0 ? domain.bridge : undefined,
    ips: free
  }
}

function whyNotAdvertised(domain: Domain, local: LocalMac, view: ClaimView): string | undefined {
  const { redistribute } = domain.options
  if (!local.advertise) return 'dynamic-routing-advertise is false'
  if (!redistribute.includes('fdb') && !(redistribute.includes('ip') && local.ips.length > 0)) return 'not in dynamic-routing-redistribute'
  if (domain.advertise === undefined) return `no usable advertise device ${domain.options.advertiseIfname}`
  return local.port === undefined ? undefined : view.portProblem(local.port)
}

/** A bridge row on a port that is neither a vxlan device nor ours is another program's: never touched. */
function foreignPort(domain: Domain, mac: Mac, fdb: FdbView): number | undefined {
  const row = domain.bridge === undefined ? undefined : fdb.inBridge(domain.bridge, mac)
  return row === undefined || row.ifindex === domain.advertise ? undefined : row.ifindex
}

/** Somebody wrote this neighbour on purpose. What the kernel's own ARP or ND resolution left may be replaced. */
function isForeignNeighbour(domain: Domain, ip: Ip, neighbours: NeighbourView): boolean {
  const row = domain.bridge === undefined ? undefined : neighbours.get(domain.bridge, ip)
  if (row === undefined || isOurNeighbour(row)) return false
  return (row.flags & NTF.EXT_LEARNED) !== 0 || (row.state & (NUD.NOARP | NUD.PERMANENT)) !== 0
}
