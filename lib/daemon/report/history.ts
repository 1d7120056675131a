// What the history tells when somebody asks: events from a number on, and those of one address.
import { nearestKeys } from '../../config/nearest.js'
import type { Transition } from '../history.js'
import type { EventsReport, HistoryReport, TransitionReport } from './report.js'
import type { State } from '../state.js'

/** What happened from `seq` on, as much as one answer takes; without it nothing, but where to go on. */
export function eventsReport({ history }: State, seq: number | undefined): EventsReport {
  const { transitions, next, missed } = history.since(seq ?? history.next)
  return { began: new Date(history.began).toISOString(), next, missed, events: transitions.map(transitionReport) }
}

/** Of one MAC, IP or VTEP, in canonical text, everywhere or in one VNI. Costs a walk through the ring. */
export function historyReport(state: State, address: string, vni: number | undefined): HistoryReport {
  const { history } = state
  const events = [...history.all()].filter((one) => (vni === undefined || one.vni === undefined || one.vni === vni) && isOf(one, address)).map(transitionReport)
  const known = isKnown(state, address)
  return {
    began: new Date(history.began).toISOString(),
    ...(history.oldest === undefined ? {} : { oldest: new Date(history.oldest.at).toISOString() }),
    known,
    nearest: known || events.length > 0 ? [] : nearest(state, address),
    events
  }
}

export function transitionReport(one: Transition): TransitionReport {
  const { seq, at, kind, vni, of, from, to, by, ms } = one
  return {
    seq, time: new Date(at).toISOString(), kind, event: eventOf(one),
    ...(vni === undefined ? {} : { vni }),
    of,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    by,
    ...(ms === undefined ? {} : { latency: Math.round(ms * 1_000) / 1_000 })
  }
}

function eventOf({ kind, from, to, ms }: Transition): string {
  if (kind === 'drift') return ms === undefined ? 'found' : 'repaired'
  if (kind === 'speaker') return to ?? ''
  if (kind === 'claim') return to === undefined ? 'gone' : /^\w+/.exec(to)?.[0] ?? ''
  const [came, changed, went] = kind === 'vtep' ? ['up', 'changed', 'down'] : ['learned', 'moved', 'withdrawn']
  return from === undefined ? came : to === undefined ? went : changed
}

/** A VTEP is named with its UDP port and asked for without; what was repaired names its address among other things. */
function isOf({ kind, of }: Transition, address: string): boolean {
  if (kind === 'vtep') return of.startsWith(`${address} `)
  return kind === 'drift' ? of.split(/:?[\s,=]+/).includes(address) : of === address
}

function isKnown(state: State, address: string): boolean {
  for (const vni of state.domains.keys()) {
    const book = state.books.get(vni)
    if (state.macs.get(vni, address) !== undefined || state.claims.get(vni, address) !== undefined || state.ips.get(vni, address) !== undefined) return true
    if ((book?.ofIp(address).length ?? 0) > 0 || state.mirrors.snooped.macOf(vni, address) !== undefined) return true
  }
  for (const key of state.vnisOfVtep.outers()) if (key.startsWith(`${address} `)) return true
  return false
}

/** How many are looked at, and named, to somebody who asked for an address that is not there. */
const [LOOKED_AT, NAMED] = [20_000, 3]

function nearest(state: State, address: string): string[] {
  const known = new Set<string>()
  for (const candidate of addresses(state)) {
    if (known.size >= LOOKED_AT) break
    // A MAC is like no IP.
    if (isMacText(candidate) === isMacText(address)) known.add(candidate)
  }
  return nearestKeys(address, [...known], NAMED)
}

function isMacText(text: string): boolean {
  return /^..:..:..:..:..:..$/.test(text)
}

function * addresses(state: State): IterableIterator<string> {
  for (const key of state.vnisOfVtep.outers()) yield key.split(' ')[0] ?? ''
  for (const vni of state.domains.keys()) {
    yield * state.claims.under(vni).keys()
    yield * state.books.get(vni)?.ips() ?? []
  }
  for (const { kind, of } of state.history.all()) if (kind === 'mac' || kind === 'ip') yield of
  for (const vni of state.domains.keys()) {
    yield * state.macs.under(vni).keys()
    yield * state.ips.under(vni).keys()
  }
}
