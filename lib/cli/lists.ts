// The lists of ovs-evpnctl: for each command what it shows, its columns, and what to say when there is nothing.
import type {
  DropReport, FloodReport, IpReport, LatencyReport, LocalReport, MacReport, PathReport, PortReport, Problem, VtepReport
} from '../daemon/report/report.js'
import { type Column, formatTable } from './table.js'

/** How one kind of rows is shown. */
export interface List<Row> {
  /** For the help. */
  readonly about: string
  /** What the rows are, in the plural: "No remote VTEPs." */
  readonly things: string
  readonly columns: readonly Column<Row>[]
}

/** Addresses shown of a long list; `vteps --vni` shows them all. */
const SHOWN_ADDRESSES = 4

const vteps: List<VtepReport> = {
  about: 'remote VTEPs: who announced the VNI to us',
  things: 'remote VTEPs',
  columns: [
    { head: 'VNI', cell: row => row.vni },
    { head: 'VTEP', cell: row => row.ip },
    { head: 'PORT', cell: row => row.port },
    { head: 'FLOOD', cell: row => yesNo(row.flood) },
    { head: 'MACS', cell: row => row.macs },
    { head: 'OFPORT', cell: row => row.ofport },
    { head: 'STATE', cell: stateText }
  ]
}

const macs: List<MacReport> = {
  about: 'remote MACs and the VTEPs they are behind',
  things: 'remote MACs',
  columns: [
    { head: 'VNI', cell: row => row.vni },
    { head: 'MAC', cell: row => row.mac },
    { head: 'VIA', cell: viaText },
    { head: 'STICKY', cell: row => yesNo(row.sticky) },
    { head: 'STATE', cell: stateText }
  ]
}

const ips: List<IpReport> = {
  about: 'IPs, remote and local, their MACs, and which the switch answers ARP and ND with',
  things: 'IPs',
  columns: [
    { head: 'VNI', cell: row => row.vni },
    { head: 'IP', cell: row => row.ip },
    { head: 'MAC', cell: row => row.mac },
    { head: 'FROM', cell: row => row.from },
    { head: 'ROUTER', cell: row => yesNo(row.router) },
    { head: 'ANSWERS', cell: row => yesNo(row.answers) },
    { head: 'STATE', cell: row => row.state }
  ]
}

const flood: List<FloodReport> = {
  about: 'where broadcast goes',
  things: 'flood groups',
  columns: [
    { head: 'VNI', cell: row => row.vni },
    { head: 'VTEPS', cell: row => row.vteps.length },
    { head: 'REACHED', cell: row => row.reached },
    { head: 'PARTS', cell: row => row.parts },
    { head: 'TO', cell: row => someOf(row.vteps) },
    { head: 'LOCAL PORTS', cell: row => someOf(row.local_ports) },
    { head: 'STATE', cell: stateText }
  ]
}

const local: List<LocalReport> = {
  about: 'MACs and IPs of this chassis and whether they are announced',
  things: 'local MACs',
  columns: [
    { head: 'VNI', cell: row => row.vni },
    { head: 'PORT', cell: row => row.port },
    { head: 'MAC', cell: row => row.mac },
    { head: 'IPS', cell: row => row.ips.join(', ') },
    { head: 'STATE', cell: stateText }
  ]
}

const ports: List<PortReport> = {
  about: 'workload ports on the integration bridge',
  things: 'ports with a VNI',
  columns: [
    { head: 'VNI', cell: row => row.vni ?? undefined },
    { head: 'PORT', cell: row => row.port },
    { head: 'VLAN', cell: row => row.vlan },
    { head: 'OFPORT', cell: row => row.ofport },
    { head: 'ADDRESSES', cell: row => row.addresses },
    { head: 'LEARNS', cell: row => yesNo(row.unknown) },
    { head: 'ADVERTISED', cell: row => yesNo(row.advertise) },
    { head: 'STATE', cell: stateText }
  ]
}

const drops: List<DropReport> = {
  about: 'packets dropped, by VNI and reason (with --vni, reasons without any, too)',
  things: 'packets dropped',
  columns: [
    { head: 'VNI', cell: row => row.vni ?? undefined },
    { head: 'TUNNEL PORT', cell: row => row.port },
    { head: 'REASON', cell: row => row.reason },
    { head: 'PACKETS', cell: row => row.packets },
    { head: 'BYTES', cell: row => row.bytes }
  ]
}

const problems: List<Problem> = {
  about: 'what an operator should look at',
  things: 'problems',
  columns: [
    { head: 'SEVERITY', cell: row => row.severity },
    { head: 'SINCE', cell: row => row.since },
    { head: 'RECORD', cell: row => row.record },
    { head: 'WHAT', cell: row => row.what }
  ]
}

const latency: List<LatencyReport> = {
  about: 'ms from the kernel\'s message to the switch\'s answer, by kind of change',
  things: 'changes',
  columns: [
    { head: 'CHANGE', cell: row => row.change },
    { head: 'EVENTS', cell: row => row.events },
    { head: 'P50', cell: row => row.p50 },
    { head: 'P95', cell: row => row.p95 },
    { head: 'P99', cell: row => row.p99 },
    { head: 'MAX', cell: row => row.max }
  ]
}

/** The lists by the name of their command. */
export const LISTS = { vteps, macs, ips, flood, local, ports, drops, problems, latency } as const

/** Rows as a table, or a sentence when there are none. */
export function formatList<Row>(list: List<Row>, rows: readonly Row[], vni?: number): string {
  if (rows.length > 0) return formatTable(list.columns, rows)
  return `No ${list.things}${vni === undefined ? '' : ` in VNI ${vni}`}.\n`
}

/** A state and, where there is one, the reason for it. */
export function stateText(row: { readonly state: string, readonly reason?: string }): string {
  return row.reason === undefined ? row.state : `${row.state}: ${row.reason}`
}

/** An address with its UDP port; IPv6 in brackets (RFC 5952 section 6). */
function endpoint(ip: string, port: number | undefined): string {
  if (port === undefined) return ip
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

function viaText(row: MacReport): string {
  if (row.paths !== undefined) return row.paths.map(pathText).join(', ')
  const to = row.ip === undefined ? '' : endpoint(row.ip, row.port)
  return row.encap_vni === undefined ? to : `${to} as VNI ${row.encap_vni}`
}

function pathText(path: PathReport): string {
  return `${endpoint(path.ip, path.port)} weight ${path.weight}`
}

function someOf(names: readonly string[]): string {
  const more = names.length - SHOWN_ADDRESSES
  if (more <= 0) return names.join(', ')
  return `${names.slice(0, SHOWN_ADDRESSES).join(', ')} and ${more} more`
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
