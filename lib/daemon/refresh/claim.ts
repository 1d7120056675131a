// The claim of one MAC that is bound here: the kernel rows that announce it, where traffic to it goes, and whether its
// port is watched for a sign of life.
import { claimedNeighbours, deriveClaim, isElsewhere, type Claim, type ClaimState } from '../../evpn/claim.js'
import type { Binding } from '../../config/port.js'
import type { Domain } from '../../evpn/domain.js'
import type { LocalMac } from '../../evpn/local.js'
import { deviceClaims, remoteClaim } from '../../evpn/remote-claim.js'
import { bridgeRow, whereInBridge } from '../../evpn/remote-mac.js'
import { addCount } from '../../mirror/nested.js'
import type { Mac } from '../../net/mac.js'
import type { Vni } from '../../net/number.js'
import type { Action } from '../../openflow/index.js'
import type { Flow } from '../../pipeline/flow.js'
import { localMacFlow, portlessMacFlow } from '../../pipeline/forward.js'
import { learnFlow, LOOK_UP } from '../../pipeline/learned.js'
import { securedMacFlows } from '../../pipeline/secure.js'
import { spoofedSourceFlow, witnessFlow } from '../../pipeline/source.js'
import { fdbEntry, neighbourEntry } from '../../sink/kernel-row.js'
import type { State } from '../state.js'
import { noteClaim } from './note.js'
import { isSecured } from './port.js'

/** `local` undefined: the MAC is no longer bound here. */
export function refreshClaim(state: State, vni: Vni, mac: Mac, domain: Domain | undefined, local: LocalMac | undefined): void {
  if (local === undefined) state.evidence.forget(vni, mac)
  else if (domain !== undefined) remember(state, domain, mac)
  const claim = domain && local && deriveClaim(domain, local, {
    fdb: state.mirrors.fdb,
    neighbours: state.mirrors.neighbours,
    evidence: state.evidence,
    portProblem: (port) => state.database.ports.get(port)?.problem
  })
  const old = state.claims.get(vni, mac)
  countClaim(state, vni, old?.state, claim?.state)
  if (claim === undefined) state.claims.delete(vni, mac)
  else state.claims.set(vni, mac, claim)
  const { fdb, svi, ips } = claim ?? { fdb: undefined, svi: undefined, ips: [] }
  state.kernel.setOwned(`claim ${vni} ${mac}`, [
    ...(fdb === undefined ? [] : [fdbEntry(fdb.ifindex, fdb.vlan, mac)]),
    ...(svi === undefined ? [] : ips.map((ip) => neighbourEntry(svi, ip, mac)))
  ])
  noteClaim(state, vni, mac, old, claim)
  state.switch.setFlows(`local ${vni} ${mac}`, claim === undefined ? [] : localFlows(state, claim))
}

function countClaim({ claimCounts }: State, vni: Vni, old: ClaimState | undefined, current: ClaimState | undefined): void {
  if (old === current) return
  if (old !== undefined) addCount(claimCounts, vni, old, -1)
  if (current !== undefined) addCount(claimCounts, vni, current, +1)
}

function localFlows(state: State, { local: { vni, mac, port, sources, learned }, state: claimed, witness: isWitnessed }: Claim): Flow[] {
  // What was learned the switch forwards by itself; and it may come out of a tunnel, too: it may have moved.
  // While another chassis announces the MAC, traffic from here follows its claim.
  const isHere = !isElsewhere(claimed)
  if (port === undefined) return isHere ? [portlessMacFlow(vni, mac)] : []
  const ofport = state.mirrors.ports.ofport(port)
  const binding = state.bindings.get(vni, port)
  if (ofport === undefined || binding === undefined) return []
  return [
    ...(isHere && learned !== true ? [localMacFlow(vni, mac, ofport)] : []),
    ...(claimed === 'advertised' && learned !== true ? [spoofedSourceFlow(vni, mac)] : []),
    ...(isWitnessed ? [witnessFlow(vni, mac, ofport, onwardOf(state, binding, ofport))] : []),
    ...(isSecured(state, binding) ? securedMacFlows(vni, ofport, mac, sources) : [])
  ]
}

/** What SOURCE does with the frames of a port that no flow of a MAC takes. */
function onwardOf(state: State, { vni, addresses }: Binding, ofport: number): readonly Action[] {
  const options = state.domains.get(vni)?.options
  return addresses.unknown && options !== undefined ? learnFlow(vni, ofport, options.fdbAgeThreshold).actions : LOOK_UP
}

/** What the rows tell as long as they stand, for the time when they do not any more. */
function remember(state: State, domain: Domain, mac: Mac): void {
  const { evidence, mirrors: { fdb } } = state
  const row = bridgeRow(domain, mac, fdb)
  if (row === undefined) return
  if (row.ifindex === domain.advertise) evidence.held(domain.vni, mac, deviceClaims(domain, mac, fdb))
  else if (whereInBridge(domain, mac, fdb) === 'remote' && !evidence.isOutdated(row)) evidence.renewed(deviceClaims(domain, mac, fdb))
}

/** A frame with the MAC as source came from an OpenFlow port: when it is the MAC's, what others claim is outdated. */
export function witness(state: State, vni: Vni, mac: Mac, ofport: number): void {
  const [domain, claim] = [state.domains.get(vni), state.claims.get(vni, mac)]
  if (domain === undefined || claim?.witness !== true || claim.local.port === undefined) return
  if (state.mirrors.ports.ofport(claim.local.port) !== ofport) return
  const { fdb, neighbours } = state.mirrors
  state.evidence.seen(vni, mac, [...remoteClaim(domain, mac, fdb), ...claimedNeighbours(domain, claim.local, neighbours)])
  state.dirty.macs.add(vni, mac)
}
