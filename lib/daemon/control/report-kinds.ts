// The kinds of reports: how to get the rows of each, in the order in which every list shows them.
import { ipOrder, sortIps, sortRows } from './order.js'
import type { FloodReport, Reports } from '../report/report.js'

/** A getter for each kind; `vni` restricts the rows of kinds that have one. */
export const REPORT_KINDS = {
  show: (reports: Reports, vni?: number) => {
    const show = reports.show()
    const vnis = sortRows(show.vnis, () => '')
    return { ...show, vnis: vni === undefined ? vnis : vnis.filter(row => row.vni === vni) }
  },
  vteps: (reports: Reports, vni?: number) => sortRows(reports.vteps(vni), row => `${ipOrder(row.ip)} ${row.port}`),
  macs: (reports: Reports, vni?: number) => sortRows(reports.macs(vni), row => row.mac),
  ips: (reports: Reports, vni?: number) => sortRows(reports.ips(vni), row => ipOrder(row.ip)),
  flood: (reports: Reports, vni?: number) => sortRows(reports.flood(vni), () => '').map(sortMembers),
  local: (reports: Reports, vni?: number) => sortRows(reports.local(vni), row => `${row.port} ${row.mac}`),
  ports: (reports: Reports, vni?: number) => sortRows(reports.ports(vni), row => row.port),
  drops: async (reports: Reports, vni?: number) => sortRows(await reports.drops(vni), row => `${row.port ?? ''} ${row.reason}`),
  problems: (reports: Reports) => reports.problems(),
  latency: (reports: Reports) => reports.latency()
} as const

/** Members come in the order in which the kernel told of them, which a restart changes. */
function sortMembers(flood: FloodReport): FloodReport {
  return { ...flood, vteps: sortIps(flood.vteps), local_ports: [...flood.local_ports].sort() }
}

export type ReportKind = keyof typeof REPORT_KINDS

/** True for the name of a kind. */
export function isReportKind(text: string): text is ReportKind {
  return Object.hasOwn(REPORT_KINDS, text)
}
