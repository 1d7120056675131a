// What a click on the page asks: one VTEP, or one address. An answer costs a look at what it is about, not at everything: an unknown
// address is no reason to search for a similar one, as ovs-evpnctl explain does.
import { macOfIp } from '../../evpn/local.js'
import { vtepKey } from '../../evpn/vtep.js'
import { parseIp } from '../../net/ip.js'
import { parseMac, type Mac } from '../../net/mac.js'
import { parseVni, type Vni } from '../../net/number.js'
import { explain } from '../explain/explain.js'
import type { Explanation } from '../explain/explanation.js'
import { KEPT } from '../report/stale.js'
import { whyUnusable, type SessionStates } from '../report/reports.js'
import type { State } from '../state.js'
import { SHOWN, staleLookup, type Some } from './snapshot.js'

/** MACs of a VTEP that are named. */
const NAMED = 100

export interface VtepAnswer {
  readonly ip: string
  readonly port: number
  readonly vnis: Some<{
    readonly vni: number
    readonly flood: boolean
    readonly flood_vni?: number
    readonly local_ip?: string
    readonly ofport?: number
    readonly macs: number
    readonly state: 'ok' | 'stale' | 'unusable'
    readonly reason?: string
  }>
  readonly macs: Some<{ readonly vni: number, readonly mac: string }>
}

/** Undefined: there is no such VTEP. */
export function explainVtep(state: State, query: URLSearchParams): VtepAnswer | undefined {
  const [ip, port] = [parseIp(query.get('ip') ?? ''), Number(query.get('port'))]
  if (ip === undefined) return undefined
  const key = vtepKey(ip, port)
  const known = state.vnisOfVtep.under(key)
  if (known.size === 0) return undefined
  const isStale = staleLookup(state)
  const vnis = [...known.keys()].sort((a, b) => a - b).slice(0, SHOWN.vnis)
  return {
    ip, port,
    vnis: { shown: vnis.flatMap((vni) => inVni(state, vni, key, isStale)), more: known.size - vnis.length },
    macs: macsOf(state, key, ip, port)
  }
}

function inVni(state: State, vni: Vni, key: string, isStale: ReturnType<typeof staleLookup>): VtepAnswer['vnis']['shown'] {
  const vtep = state.vteps.get(vni, key)
  if (vtep === undefined) return []
  const { flood, floodVni, localIp, ofport } = vtep
  const reason = whyUnusable(state, vtep) ?? (isStale(vni, key) ? KEPT : undefined)
  return [{
    vni, flood, ...(floodVni === undefined ? {} : { flood_vni: floodVni }), ...(localIp === undefined ? {} : { local_ip: localIp }),
    ...(ofport === undefined ? {} : { ofport }), macs: state.macsBehind.get(key, vni) ?? 0,
    state: reason === undefined ? 'ok' : reason === KEPT ? 'stale' : 'unusable', ...(reason === undefined ? {} : { reason })
  }]
}

function macsOf(state: State, key: string, ip: string, port: number): VtepAnswer['macs'] {
  const shown: { vni: Vni, mac: Mac }[] = []
  let count = 0
  for (const [vni, macs] of state.macsBehind.under(key)) {
    count += macs
    let left = macs
    for (const { mac, via, udpPort } of state.macs.under(vni).values()) {
      if (left === 0 || shown.length === NAMED) break
      if (via.kind !== 'vtep' || via.ip !== ip || udpPort !== port) continue
      shown.push({ vni, mac })
      left--
    }
  }
  return { shown, more: count - shown.length }
}

/** Undefined: nobody knows the address there. */
export async function explainAddress(state: State, query: URLSearchParams, sessions: SessionStates): Promise<Explanation | undefined> {
  const [vni, text] = [parseVni(query.get('vni') ?? ''), query.get('address') ?? '']
  const address = parseMac(text) ?? parseIp(text)
  if (vni === undefined || address === undefined) return undefined
  const book = state.books.get(vni)
  const isKnown = state.macs.get(vni, address) !== undefined || state.claims.get(vni, address) !== undefined || state.ips.get(vni, address) !== undefined ||
    (book !== undefined && macOfIp(book, address) !== undefined)
  return isKnown ? await explain(state, vni, address, sessions) : undefined
}
