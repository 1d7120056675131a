// `ovs-evpnctl history MAC|IP|VTEP`: the last transitions of one address.
import type { HistoryReport, TransitionReport } from '../daemon/report/report.js'
import { byText, changeText, eventText } from '../daemon/report/words.js'
import { parseIp } from '../net/ip.js'
import { parseMac } from '../net/mac.js'
import { EXIT_USAGE, Failure } from './failure.js'
import { type Column, formatTable } from './table.js'

const COLUMNS: readonly Column<TransitionReport>[] = [
  { head: 'TIME', cell: row => row.time },
  { head: 'VNI', cell: row => row.vni },
  { head: 'WHAT', cell: eventText },
  { head: 'CHANGE', cell: changeText },
  { head: 'MS', cell: row => row.latency },
  { head: 'BY', cell: byText }
]

/** The address in canonical text. Throws Failure for what is none. */
export function readAddress(text: string): string {
  const address = parseMac(text) ?? parseIp(text)
  if (address !== undefined) return address
  throw new Failure(EXIT_USAGE, `"${text}" is no MAC and no IP address, such as 02:00:00:00:00:01, 10.0.0.1, 2001:db8::1`)
}

/** Throws Failure for an address that nobody knows, now or lately. */
export function formatHistory(report: HistoryReport, address: string, vni: number | undefined, json: boolean): string {
  const { events, known, nearest, oldest, began } = report
  if (events.length === 0 && !known) {
    const hint = nearest.length === 0 ? '' : `; did you mean ${nearest.join(' or ')}?`
    throw new Failure(EXIT_USAGE, `nobody knows ${address}, and nothing is remembered of it${hint}`)
  }
  if (json) return JSON.stringify(events) + '\n'
  if (events.length > 0) return formatTable(COLUMNS, events)
  const since = oldest === undefined ? `the daemon started (${began})` : `${oldest}, which is as far as is remembered`
  return `Nothing happened to ${address}${vni === undefined ? '' : ` in VNI ${vni}`} since ${since}.\n`
}
