// One address explained: what the daemon knows of it and derived from that, and the flows that this needs, as the switch has
// them at this moment. It only reads; where the fault is, the asker judges (lib/cli/explain).
import { Nearest } from '../../config/nearest.js'
import { macOfIp } from '../../evpn/local.js'
import type { Domain } from '../../evpn/domain.js'
import type { RemoteMac } from '../../evpn/remote-mac.js'
import { vtepKey } from '../../evpn/vtep.js'
import { ipFamily, type Ip } from '../../net/ip.js'
import { parseMac, type Mac } from '../../net/mac.js'
import type { Vni } from '../../net/number.js'
import type { Explanation, VtepExplanation } from './explanation.js'
import { explainFlows, explainGroup, flowsOf } from './flows.js'
import { ipReport } from '../report/ips.js'
import { localReport, macReport, pathsOf, portReports, vniReport, whyUnusable, type SessionStates } from '../report/reports.js'
import { responderOf } from '../refresh/index.js'
import { isStaleMac } from '../report/stale.js'
import { paced } from '../pace.js'
import type { State } from '../state.js'

/** `address` is a canonical MAC or IP; undefined: there is no such VNI. Never rejects for what the switch does: that is part of the answer. */
export async function explain(state: State, vni: Vni, address: string, sessions: SessionStates): Promise<Explanation | undefined> {
  const domain = state.domains.get(vni)
  if (domain === undefined) return undefined
  const ip = parseMac(address) === undefined ? address : undefined
  const mac = ip === undefined ? address : macOf(state, domain, ip)
  const remote = mac === undefined ? undefined : state.macs.get(vni, mac)
  const claim = mac === undefined ? undefined : state.claims.get(vni, mac)
  const port = claim?.local.port === undefined ? undefined : portReports(state).find((row) => row.port === claim.local.port && row.vni === vni)
  return {
    address,
    ...(mac === undefined ? {} : { mac }),
    vni: vniReport(state, domain),
    ...sviOf(state, domain),
    bridge: state.database.system.bridge,
    datapath: datapathOf(state),
    ...sessions,
    speaker: state.database.bridge.speaker,
    ...(claim === undefined ? {} : { local: localReport(state, claim) }),
    ...(port === undefined ? {} : { port }),
    ...(remote === undefined ? {} : { remote: macReport(state, remote, isStaleMac(state, domain, remote.mac)) }),
    vteps: remote === undefined ? [] : vtepsOf(state, remote),
    ips: ip === undefined ? [] : ipReport(state, domain, ip),
    suppress: domain.options.suppress,
    ...await askSwitch(state, domain, mac, ip),
    nearest: mac === undefined || (remote === undefined && claim === undefined) ? await nearest(state, domain, address, ip !== undefined) : []
  }
}

/** The MAC an IP is answered with, or would be. */
function macOf(state: State, { vni }: Domain, ip: Ip): Mac | undefined {
  const book = state.books.get(vni)
  return responderOf(state, vni, ip)?.mac ?? state.ips.get(vni, ip)?.mac ?? (book && macOfIp(book, ip)) ?? state.mirrors.snooped.macOf(vni, ip)
}

function sviOf({ mirrors }: State, { svi }: Domain): { svi?: string } {
  const name = svi === undefined ? undefined : mirrors.links.byIndex(svi)?.name
  return name === undefined ? {} : { svi: name }
}

/** OVSDB's datapath_type: `netdev` is vswitchd's own. */
function datapathOf(state: State): Explanation['datapath'] {
  const { bridgeUuid } = state.database
  return bridgeUuid !== undefined && state.table('Bridge').get(bridgeUuid)?.['datapath_type'] === 'netdev' ? 'userspace' : 'kernel'
}

function vtepsOf(state: State, remote: RemoteMac): VtepExplanation[] {
  return pathsOf(state, remote).map(({ ip, weight }) => {
    const vtep = state.vteps.get(remote.vni, vtepKey(ip, remote.udpPort))
    const localIp = state.domains.get(remote.vni)?.localIps[ipFamily(ip)]
    const reason = vtep === undefined ? 'its VTEP is not known' : whyUnusable(state, vtep)
    return {
      ip, port: remote.udpPort, weight,
      ...(localIp === undefined ? {} : { local_ip: localIp }),
      ...(vtep?.ofport === undefined ? {} : { ofport: vtep.ofport }),
      ...(reason === undefined ? {} : { reason })
    }
  })
}

async function askSwitch(state: State, domain: Domain, mac: Mac | undefined, ip: Ip | undefined): Promise<Pick<Explanation, 'flows' | 'group' | 'switch_problem'>> {
  if (mac === undefined) return { flows: [] }
  try {
    const flows = await explainFlows(state, flowsOf(state, domain, mac, ip))
    const group = await explainGroup(state, state.macs.get(domain.vni, mac))
    return { flows, ...(group === undefined ? {} : { group }) }
  } catch (error) {
    return { flows: [], switch_problem: error instanceof Error ? error.message : String(error) }
  }
}

/** How many addresses are named to somebody who asked for one that is not there. */
const NAMED = 3
/** Between two looks at the clock. */
const LOOKED_AT = 500

/** There may be 100,000 to look at, which takes long enough to let others go first now and then. */
async function nearest(state: State, { vni }: Domain, address: string, isIp: boolean): Promise<string[]> {
  const [found, pause] = [new Nearest(address, NAMED), paced()]
  let seen = 0
  for (const keys of isIp ? ipsOf(state, vni) : [state.macs.under(vni).keys(), state.claims.under(vni).keys()]) {
    for (const key of keys) {
      found.offer(key)
      if (++seen % LOOKED_AT === 0) await pause()
    }
  }
  return found.keys
}

function * ipsOf(state: State, vni: Vni): IterableIterator<Iterable<Ip>> {
  yield state.ips.under(vni).keys()
  yield state.books.get(vni)?.ips() ?? []
  yield * state.mirrors.snooped.under(vni).values()
}
