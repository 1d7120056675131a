// What the history is told when a derived value changes: in which words it was and is, and who did it.
import { isElsewhere, type Claim } from '../../evpn/claim.js'
import type { Domain } from '../../evpn/domain.js'
import type { RemoteIp } from '../../evpn/remote-ip.js'
import { bridgeRow, whereInBridge, type RemoteMac } from '../../evpn/remote-mac.js'
import { remoteClaim } from '../../evpn/remote-claim.js'
import { vtepKey } from '../../evpn/vtep.js'
import type { Ip } from '../../net/ip.js'
import type { Mac } from '../../net/mac.js'
import type { Vni } from '../../net/number.js'
import { fdbKey } from '../../sink/kernel-row.js'
import type { By } from '../history.js'
import type { ReachableVtep, State } from '../state.js'

/** IANA's port of VXLAN: not worth a word. */
const USUAL_PORT = 4789

/** `key`: of the flow that follows from it. */
export function noteMac(state: State, vni: Vni, mac: Mac, old: RemoteMac | undefined, remote: RemoteMac | undefined, key: string): void {
  if (!state.history.isOpen) return
  note(state, 'mac', vni, mac, old && placeOf(old), remote && placeOf(remote), remote === undefined ? whoWithdrew(state, vni, mac) : speaks(state, vni), pendingFlow(state, key))
}

/** `key`: of the flow that answers for it. */
export function noteIp(state: State, vni: Vni, ip: Ip, old: RemoteIp | undefined, remote: RemoteIp | undefined, key: string): void {
  if (!state.history.isOpen || (old?.mac === remote?.mac && old?.router === remote?.router)) return
  note(state, 'ip', vni, ip, old && holderOf(old), remote && holderOf(remote), speaks(state, vni, remote === undefined), pendingFlow(state, key))
}

/** `keys`: of the flows that there were for it, and are. */
export function noteVtep(state: State, vni: Vni, old: ReachableVtep | undefined, vtep: ReachableVtep | undefined, keys: readonly string[]): void {
  const either = vtep ?? old
  if (!state.history.isOpen || either === undefined) return
  const [from, to] = [old && reachOf(old), vtep && reachOf(vtep)]
  if (from === to) return
  const isSwitch = old !== undefined && vtep !== undefined && old.ofport !== vtep.ofport
  const key = keys.find((one) => state.switch.flows.isPending(one))
  note(state, 'vtep', vni, vtepKey(either.ip, either.udpPort), from, to, isSwitch ? 'switch' : speaks(state, vni, vtep === undefined), key)
}

export function noteClaim(state: State, vni: Vni, mac: Mac, old: Claim | undefined, claim: Claim | undefined): void {
  if (!state.history.isOpen || (old?.state === claim?.state && old?.local.port === claim?.local.port)) return
  const fdb = claim?.fdb ?? old?.fdb
  const row = fdb && fdbKey(fdb.ifindex, fdb.vlan, mac)
  const key = row !== undefined && state.kernel.rows.isPending(row) ? row : undefined
  note(state, 'claim', vni, mac, old && claimText(old), claim && claimText(claim), whoClaimed(state, vni, mac, old, claim), key)
}

function note(state: State, kind: 'mac' | 'ip' | 'vtep' | 'claim', vni: Vni, of: string, from: string | undefined, to: string | undefined, by: By, key: string | undefined): void {
  state.history.record({ kind, vni, of, from, to, by, since: state.switch.flows.eventAt, key })
}

function pendingFlow({ switch: { flows } }: State, key: string): string | undefined {
  return flows.isPending(key) ? key : undefined
}

/** What came by a row of the routing daemon, unless the VNI is another one now. */
function speaks({ history, stale }: State, vni: Vni, isGone = false): By {
  return history.renewedBy(vni) ?? (isGone && stale.phase === 'dead' ? 'stale-time' : 'speaker')
}

function whoWithdrew(state: State, vni: Vni, mac: Mac): By {
  const domain = state.domains.get(vni)
  if (domain !== undefined && whereInBridge(domain, mac, state.mirrors.fdb) === 'local') return bridgeRow(domain, mac, state.mirrors.fdb)?.ifindex === domain.advertise ? 'claim' : 'bridge'
  return speaks(state, vni, true)
}

function whoClaimed(state: State, vni: Vni, mac: Mac, old: Claim | undefined, claim: Claim | undefined): By {
  const isLearned = (claim ?? old)?.local.learned === true
  if (old === undefined || claim === undefined) return isLearned ? 'packet' : 'configuration'
  const renewed = state.history.renewedBy(vni)
  if (renewed !== undefined) return renewed
  if (isElsewhere(claim.state)) return 'speaker'
  if (!isElsewhere(old.state)) return old.local.port === claim.local.port && !isLearned ? 'port' : 'configuration'
  const domain = state.domains.get(vni)
  return domain !== undefined && claimedElsewhere(domain, mac, state) ? 'packet' : 'speaker'
}

/** Their rows are there still: a frame has overtaken them. */
function claimedElsewhere(domain: Domain, mac: Mac, { mirrors }: State): boolean {
  return remoteClaim(domain, mac, mirrors.fdb).length > 0
}

function placeOf({ via, udpPort, encapVni, sticky }: RemoteMac): string {
  const where = via.kind === 'nexthop' ? `nexthop ${via.id}` : udpPort === USUAL_PORT ? via.ip : `${via.ip} UDP port ${udpPort}`
  if (encapVni === undefined && !sticky) return where
  return `${where}${encapVni === undefined ? '' : ` as VNI ${encapVni}`}${sticky ? ' sticky' : ''}`
}

function holderOf({ mac, router }: RemoteIp): string {
  return router ? `${mac} router` : mac
}

function reachOf({ flood, localIp, ofport }: ReachableVtep): string {
  if (localIp === undefined) return 'unusable: no local address'
  if (ofport === undefined) return 'unusable: no tunnel port'
  return flood ? 'flood and unicast' : 'unicast only'
}

function claimText({ state, reason, local: { port } }: Claim): string {
  const where = port === undefined ? state : `${state} on ${port}`
  return reason === undefined ? where : `${where}: ${reason}`
}
