// Claims: which of our local addresses we announce now, by which kernel rows. A claim is never written while
// somebody else's stands: that would steal the address from a live host, and two that steal ping-pong
// until duplicate-address detection freezes it (RFC 7432 section 15.1). What was seen of the address here, and
// nothing else, ends another's claim before its owner withdraws it: a frame from the port, never the time.
import { isOurNeighbour, isRemoteNeighbour } from '../mirror/ownership.js'
import type { NeighbourRow } from '../mirror/neighbours.js'
import { NTF, NUD } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Domain } from './domain.js'
import type { LocalMac } from './local.js'
import { bridgeRow, whereInBridge } from './remote-mac.js'
import { isSticky, remoteClaim, stands, type EvidenceView } from './remote-claim.js'
import type { FdbView, NeighbourView } from './view.js'

/**
 * waiting: somebody else's claim stands, and traffic from here follows it. contested: the same, and it was ours before.
 * local: bound here, not announced.
 */
export type ClaimState = (typeof CLAIM_STATES)[number]

export const CLAIM_STATES = ['advertised', 'local', 'waiting', 'contested'] as const

/** True while traffic to the address follows another chassis' claim. */
export function isElsewhere(state: ClaimState): boolean {
  return state === 'waiting' || state === 'contested'
}

export interface Claim {
  readonly local: LocalMac
  readonly state: ClaimState
  /** Why it is not (wholly) announced. */
  readonly reason: string | undefined
  /** Advertise device of the FDB row we want, and its VLAN; undefined = no row. */
  readonly fdb: { readonly ifindex: number, readonly vlan: number } | undefined
  /** Device of the neighbour rows we want (the bridge's, or its VLAN's), and their IPs. */
  readonly svi: number | undefined
  readonly ips: readonly Ip[]
  /** A frame with this source from the port would end the other's claim: frames are watched for. */
  readonly witness: boolean
}

export interface ClaimView {
  readonly fdb: FdbView
  readonly neighbours: NeighbourView
  readonly evidence: EvidenceView
  /** Why the port cannot carry traffic now; undefined = it can. */
  readonly portProblem: (port: string) => string | undefined
}

/** Decides one local MAC's claim from the domain, the mirrors, the port's state and what was seen, always from scratch. */
export function deriveClaim(domain: Domain, local: LocalMac, view: ClaimView): Claim {
  const quiet = (state: ClaimState, reason: string, witness = false): Claim =>
    ({ local, state, reason, fdb: undefined, svi: undefined, ips: [], witness })
  const reason = whyNotAdvertised(domain, local, view)
  const theirs = remoteClaim(domain, local.mac, view.fdb)
  // Without a claim of ours to make, what was seen does not matter: traffic follows theirs.
  if (theirs.length > 0 && (reason !== undefined || stands(theirs, view.evidence))) {
    const state = view.evidence.wasHeld(local.vni, local.mac) ? 'contested' : 'waiting'
    const obstacle = reason ?? whyNotOnEvidence(domain, local, isSticky(theirs), view.evidence)
    return quiet(state, `another chassis announces this MAC; ${obstacle ?? 'waiting for a frame from the port'}`, obstacle === undefined)
  }
  if (reason !== undefined) return quiet('local', reason)
  const foreign = foreignPort(domain, local.mac, view.fdb)
  if (foreign !== undefined) return quiet('local', `the kernel bridge has this MAC on another port (ifindex ${foreign})`)
  const ips = domain.options.redistribute.includes('ip') && domain.svi !== undefined && domain.sviUp ? local.ips : []
  const free = ips.filter((ip) => !isForeignNeighbour(domain, ip, view))
  return {
    local,
    state: 'advertised',
    reason: free.length < ips.length ? `another owner's neighbour stands for ${ips.filter((ip) => !free.includes(ip)).join(' ')}` : undefined,
    fdb: domain.advertise === undefined || domain.vlan === undefined ? undefined : { ifindex: domain.advertise, vlan: domain.vlan },
    svi: free.length > 0 ? domain.svi : undefined,
    ips: free,
    witness: false
  }
}

/** The neighbours that belong to another's claim on this MAC: they say of its IPs what that claim says of the MAC. */
export function claimedNeighbours(domain: Domain, local: LocalMac, neighbours: NeighbourView): NeighbourRow[] {
  const rows = domain.svi === undefined ? [] : local.ips.map((ip) => neighbours.get(domain.svi as number, ip))
  return rows.filter((row) => row !== undefined && isRemoteNeighbour(row) && row.lladdr === local.mac) as NeighbourRow[]
}

/** Why no frame could end the other's claim now. */
function whyNotOnEvidence(domain: Domain, local: LocalMac, sticky: boolean, evidence: EvidenceView): string | undefined {
  if (sticky) return 'it is sticky there and may not move'
  // No packet displaces what the control plane says, unless that is asked for.
  if (local.learned === true && !domain.options.fdbPreferLocal) return 'learned from packets only: waiting for it to withdraw'
  if (local.port === undefined) return 'waiting for it to withdraw'
  const pause = evidence.pauseOf(local.vni, local.mac)
  return pause === undefined ? undefined : `claimed against it lately, pausing for ${pause} s`
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
  const row = bridgeRow(domain, mac, fdb)
  // What is left of another chassis' claim that was overtaken is there to be replaced.
  if (row === undefined || row.ifindex === domain.advertise || whereInBridge(domain, mac, fdb) === 'remote') return undefined
  return row.ifindex
}

/** Somebody wrote this neighbour on purpose. What the kernel's own ARP or ND resolution left may be replaced. */
function isForeignNeighbour(domain: Domain, ip: Ip, { neighbours, evidence }: ClaimView): boolean {
  const row = domain.svi === undefined ? undefined : neighbours.get(domain.svi, ip)
  if (row === undefined || isOurNeighbour(row) || evidence.isOutdated(row)) return false
  return (row.flags & NTF.EXT_LEARNED) !== 0 || (row.state & (NUD.NOARP | NUD.PERMANENT)) !== 0
}
