// Who answers ARP and ND for an IP in a VNI: the switch itself, in the name of whoever is known to have the address.
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { VniOptions } from '../config/option.js'
import type { RemoteIp } from './remote-ip.js'

/** An IP bound here. */
export interface LocalIp {
  readonly mac: Mac
  /** Its port is there, or it has none by intention (evpn-addresses-<vni>). */
  readonly isUp: boolean
}

export interface Responder {
  readonly vni: Vni
  readonly ip: Ip
  /** The MAC in the answer. */
  readonly mac: Mac
  /** The R flag of a Neighbor Advertisement, as learned (RFC 9047 section 3.1). */
  readonly router: boolean
  /** Whose word it is: EVPN's or the local binding's. */
  readonly by: 'remote' | 'local'
  /** The MAC to which the IP is bound here: who asks for an address of its own gets no answer. */
  readonly bound: Mac | undefined
}

/**
 * Where an IP is known on both sides, EVPN wins, with dynamic-routing-arp-prefer-local the binding: also for an address
 * that two chassis claim. A binding whose port is missing has no word. undefined = nobody answers, requests are flooded.
 */
export function deriveResponder(
  vni: Vni, ip: Ip, { suppress, arpPreferLocal }: Pick<VniOptions, 'suppress' | 'arpPreferLocal'>, remote: RemoteIp | undefined, local: LocalIp | undefined
): Responder | undefined {
  if (!suppress) return undefined
  const bound = local?.mac
  const isLocal = local?.isUp === true && (remote === undefined || arpPreferLocal)
  if (isLocal) return { vni, ip, mac: local.mac, router: false, by: 'local', bound }
  return remote && { vni, ip, mac: remote.mac, router: remote.router, by: 'remote', bound }
}
