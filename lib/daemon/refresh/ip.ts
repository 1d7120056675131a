// One IP: as a remote one; the claim of its MAC when it is bound here.
import { macOfIp } from '../../evpn/local.js'
import { deriveRemoteIp } from '../../evpn/remote-ip.js'
import type { Ip } from '../../net/ip.js'
import type { Vni } from '../../net/number.js'
import type { State } from '../state.js'

/** One IP: as a remote one, and, when it is bound here, the claim of its MAC. */
export function refreshIp(state: State, vni: Vni, ip: Ip): void {
  const domain = state.domains.get(vni)
  const remote = domain && deriveRemoteIp(domain, ip, state.mirrors.neighbours)
  if (remote === undefined) state.ips.delete(vni, ip)
  else state.ips.set(vni, ip, remote)
  const book = state.books.get(vni)
  const owner = book && macOfIp(book, ip)
  if (owner !== undefined) state.dirty.macs.add(vni, owner)
}
