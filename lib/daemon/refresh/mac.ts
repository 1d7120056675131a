// One MAC: as a remote one, and, when it is bound here, its claim.
import { isDeepStrictEqual } from 'node:util'
import type { Domain } from '../../evpn/domain.js'
import { deriveLocal, type LocalMac } from '../../evpn/local.js'
import { deriveRemoteMac } from '../../evpn/remote-mac.js'
import type { Mac } from '../../net/mac.js'
import type { Vni } from '../../net/number.js'
import { remoteMacFlow } from '../../pipeline/forward.js'
import type { State } from '../state.js'
import { refreshClaim } from './claim.js'
import { countNexthopUse } from './nexthop.js'

/** One MAC: as a remote one, and, when it is bound here, its claim. */
export function refreshMac(state: State, vni: Vni, mac: Mac): void {
  const domain = state.domains.get(vni)
  const old = state.macs.get(vni, mac)
  const remote = domain && deriveRemoteMac(domain, mac, state.mirrors.fdb, state.mirrors.nexthops)
  if (!isDeepStrictEqual(old, remote)) {
    if (remote === undefined) state.macs.delete(vni, mac)
    else state.macs.set(vni, mac, remote)
    countNexthopUse(state, old, remote)
    state.switch.setFlows(`mac ${vni} ${mac}`, remote === undefined ? [] : [remoteMacFlow(remote)])
  }
  const local = refreshLocal(state, vni, mac, domain)
  if (local !== undefined || state.claims.get(vni, mac) !== undefined) refreshClaim(state, vni, mac, domain, local)
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
