// The IPs of a VNI for `ovs-evpnctl ips`: those announced to us and those bound here, and which of the two answers.
import { macOfIp } from '../evpn/local.js'
import type { Domain } from '../evpn/domain.js'
import { nameUuid } from './control/ids.js'
import { snoopedLocal } from './learned.js'
import { responderOf } from './refresh/index.js'
import type { IpReport } from './report.js'
import { isStaleIp } from './stale-reports.js'
import type { State } from './state.js'

/** An IP known on both sides has two rows. */
export function ipReports(state: State, domain: Domain): IpReport[] {
  const { vni } = domain
  const book = state.books.get(vni)
  const row = (from: IpReport['from'], ip: string, mac: string, router: boolean): IpReport => ({
    vni, ip, mac, from, router, answers: responderOf(state, vni, ip)?.by === from, state: from === 'remote' && isStaleIp(state, domain, ip) ? 'stale' : 'ok',
    uuid: from === 'remote' ? nameUuid('ip', vni, ip) : nameUuid('ip', vni, ip, 'local')
  })
  return [
    ...[...state.ips.under(vni).values()].map(({ ip, mac, router }) => row('remote', ip, mac, router)),
    ...[...book?.ips() ?? []].flatMap((ip) => {
      const mac = book && macOfIp(book, ip)
      return mac === undefined ? [] : [row('local', ip, mac, false)]
    }),
    ...[...state.mirrors.snooped.under(vni)].flatMap(([mac, ips]) => [...ips].filter((ip) => snoopedLocal(state, vni, ip) !== undefined).map((ip) => row('local', ip, mac, false)))
  ]
}
