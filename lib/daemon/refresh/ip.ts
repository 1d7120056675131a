// One IP: as a remote one; who answers for it; the claim of its MAC when it is bound here.
import { holderOf } from '../../evpn/local.js'
import { deriveRemoteIp } from '../../evpn/remote-ip.js'
import { deriveResponder, type LocalIp, type Responder } from '../../evpn/responder.js'
import type { Ip } from '../../net/ip.js'
import type { Vni } from '../../net/number.js'
import { answerWith, knownPlace, ownerFlows } from '../../pipeline/suppress.js'
import { snoopedLocal } from '../learned.js'
import type { State } from '../state.js'
import { noteIp } from './note.js'

/** One IP: as a remote one, as one that is answered for, and, when it is bound here, the claim of its MAC. */
export function refreshIp(state: State, vni: Vni, ip: Ip): void {
  const domain = state.domains.get(vni)
  const remote = domain && deriveRemoteIp(domain, ip, state.mirrors.neighbours)
  const old = state.ips.get(vni, ip)
  if (remote === undefined) state.ips.delete(vni, ip)
  else state.ips.set(vni, ip, remote)
  const responder = responderOf(state, vni, ip)
  noteIp(state, vni, ip, old, remote, state.switch.setFlow(`ip ${vni}`, knownPlace(vni, ip), responder && answerWith(responder)))
  state.switch.setFlows(`ip ${vni} ${ip}`, responder === undefined ? [] : ownerFlows(responder))
  for (const mac of [localIpOf(state, vni, ip)?.mac, state.mirrors.snooped.macOf(vni, ip)]) if (mac !== undefined) state.dirty.macs.add(vni, mac)
}

/** Who answers for an IP; undefined = nobody. */
export function responderOf(state: State, vni: Vni, ip: Ip): Responder | undefined {
  const domain = state.domains.get(vni)
  return domain && deriveResponder(vni, ip, domain.options, state.ips.get(vni, ip), localIpOf(state, vni, ip))
}

/** An IP that a learned MAC was heard to have. */
function snoopedIpOf(state: State, vni: Vni, ip: Ip): LocalIp | undefined {
  const local = snoopedLocal(state, vni, ip)
  return local && { mac: local.mac, isUp: true }
}

function localIpOf(state: State, vni: Vni, ip: Ip): LocalIp | undefined {
  const book = state.books.get(vni)
  const holder = book && holderOf(book, ip)
  if (holder === undefined) return snoopedIpOf(state, vni, ip)
  const { mac, owner: { port } } = holder
  return { mac, isUp: port === undefined || state.mirrors.ports.ofport(port) !== undefined }
}
