// One MAC: as a remote one, and, when it is bound here, its claim.
import { isDeepStrictEqual } from 'node:util'
import type { Domain } from '../../evpn/domain.js'
import { deriveLocal, type LocalMac } from '../../evpn/local.js'
import { deriveRemoteMac, type RemoteMac } from '../../evpn/remote-mac.js'
import { vtepKey } from '../../evpn/vtep.js'
import { addCount } from '../../mirror/nested.js'
import type { Mac } from '../../net/mac.js'
import type { Vni } from '../../net/number.js'
import type { Action } from '../../openflow/index.js'
import { remoteMacPlace, toRemote } from '../../pipeline/forward.js'
import { learnedLocal } from '../learned.js'
import type { State } from '../state.js'
import { refreshClaim } from './claim.js'
import { countNexthopMac } from './nexthop.js'
import { noteMac } from './note.js'

/** One MAC: as a remote one, and, when it is bound here, its claim. */
export function refreshMac(state: State, vni: Vni, mac: Mac): void {
  const domain = state.domains.get(vni)
  const old = state.macs.get(vni, mac)
  const remote = domain && deriveRemoteMac(domain, mac, state.mirrors.fdb)
  if (!isDeepStrictEqual(old, remote)) {
    if (remote === undefined) state.macs.delete(vni, mac)
    else state.macs.set(vni, mac, remote)
    countBehind(state, old, remote)
    countNexthopMac(state, old, remote)
    noteMac(state, vni, mac, old, remote, state.switch.setFlow(`mac ${vni}`, remoteMacPlace(vni, mac), remote && actionsTo(state, remote)))
  }
  const local = refreshLocal(state, vni, mac, domain) ?? (domain && learnedLocal(state, vni, mac))
  if (local !== undefined || state.claims.get(vni, mac) !== undefined) refreshClaim(state, vni, mac, domain, local)
}

function countBehind({ macsBehind }: State, old: RemoteMac | undefined, current: RemoteMac | undefined): void {
  if (old?.via.kind === 'vtep') addCount(macsBehind, vtepKey(old.via.ip, old.udpPort), old.vni, -1)
  if (current?.via.kind === 'vtep') addCount(macsBehind, vtepKey(current.via.ip, current.udpPort), current.vni, +1)
}

/** One list of actions for all MACs behind one VTEP or nexthop: made and encoded once, held once. */
function actionsTo(state: State, remote: RemoteMac): readonly Action[] {
  const { via, udpPort, encapVni } = remote
  const key = via.kind === 'vtep' ? `${via.ip} ${udpPort} ${encapVni ?? ''}` : `nexthop ${via.id}`
  const known = state.actionsToVtep.get(key)
  if (known !== undefined) return known
  const actions = toRemote(remote)
  state.actionsToVtep.set(key, actions)
  return actions
}

/** Whose it is, of all that name it here. */
function refreshLocal(state: State, vni: Vni, mac: Mac, domain: Domain | undefined): LocalMac | undefined {
  const book = domain && state.books.get(vni)
  const { local, duplicates } = book === undefined ? { local: undefined, duplicates: [] } : deriveLocal(vni, mac, book)
  if (local === undefined) state.locals.delete(vni, mac)
  else state.locals.set(vni, mac, local)
  if (duplicates.length > 0 || state.duplicates.get(vni, mac) !== undefined) state.dirty.notices = true
  if (duplicates.length === 0) state.duplicates.delete(vni, mac)
  else state.duplicates.set(vni, mac, duplicates)
  return local
}
