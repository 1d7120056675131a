// The IPs of a VNI for `ovs-evpnctl ips`: those announced to us and those bound here, and which of the two answers.
import { macOfIp } from '../../evpn/local.js'
import type { Domain } from '../../evpn/domain.js'
import type { Ip } from '../../net/ip.js'
import type { Mac } from '../../net/mac.js'
import { nameUuid } from '../control/ids.js'
import { snoopedLocal } from '../learned.js'
import { responderOf } from '../refresh/index.js'
import type { IpReport } from './report.js'
import { isStaleIp } from './stale.js'
import type { State } from '../state.js'

/** An IP known on both sides has two rows. */
export function ipReports(state: State, domain: Domain): IpReport[] {
  const { vni } = domain
  return [
    ...[...state.ips.under(vni).keys()].flatMap((ip) => remoteRow(state, domain, ip)),
    ...[...state.books.get(vni)?.ips() ?? []].flatMap((ip) => boundRow(state, domain, ip)),
    ...[...state.mirrors.snooped.under(vni).values()].flatMap((ips) => [...ips].flatMap((ip) => snoopedRow(state, domain, ip)))
  ]
}

/** The rows of one IP. */
export function ipReport(state: State, domain: Domain, ip: Ip): IpReport[] {
  return [...remoteRow(state, domain, ip), ...boundRow(state, domain, ip), ...snoopedRow(state, domain, ip)]
}

function remoteRow(state: State, domain: Domain, ip: Ip): IpReport[] {
  const remote = state.ips.get(domain.vni, ip)
  return remote === undefined ? [] : [row(state, domain, 'remote', ip, remote.mac, remote.router)]
}

function boundRow(state: State, domain: Domain, ip: Ip): IpReport[] {
  const book = state.books.get(domain.vni)
  const mac = book && macOfIp(book, ip)
  return mac === undefined ? [] : [row(state, domain, 'local', ip, mac, false)]
}

function snoopedRow(state: State, domain: Domain, ip: Ip): IpReport[] {
  const local = snoopedLocal(state, domain.vni, ip)
  return local === undefined ? [] : [row(state, domain, 'local', ip, local.mac, false)]
}

function row(state: State, domain: Domain, from: IpReport['from'], ip: Ip, mac: Mac, router: boolean): IpReport {
  const { vni } = domain
  return {
    vni, ip, mac, from, router, answers: responderOf(state, vni, ip)?.by === from, state: from === 'remote' && isStaleIp(state, domain, ip) ? 'stale' : 'ok',
    uuid: from === 'remote' ? nameUuid('ip', vni, ip) : nameUuid('ip', vni, ip, 'local')
  }
}
