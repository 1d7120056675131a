// The evpn/* commands: the five lists, how long changes take, and the reports as JSON for ovs-evpnctl.
import { type Command, ControlError } from './command.js'
import { arpList, fdbList, latencyList, multicastGroupList, remoteVtepList, vtepBindingList } from './evpn-lists.js'
import { isReportKind, REPORT_KINDS } from './report-kinds.js'
import type { Reports } from '../report/report.js'
import { parseVni } from '../../net/number.js'

/** The commands that show what `reports` tells. */
export function evpnCommands(reports: Reports): Command[] {
  const { vteps, macs, ips, flood } = REPORT_KINDS
  return [
    list('evpn/remote-vtep-list', () => remoteVtepList(vteps(reports))),
    list('evpn/vtep-binding-list', () => vtepBindingList(vteps(reports))),
    list('evpn/vtep-multicast-group-list', () => multicastGroupList(flood(reports))),
    list('evpn/vtep-fdb-list', () => fdbList(macs(reports))),
    list('evpn/vtep-arp-list', () => arpList(ips(reports))),
    list('evpn/latency', () => latencyList(reports.latency())),
    // Not listed: its answer is ovs-evpnctl's business and may change with it.
    { name: 'evpn/report', min: 1, max: 2, run: args => report(reports, args) }
  ]
}

function list(name: string, run: () => string): Command {
  return { name, usage: '', min: 0, max: 0, run }
}

async function report(reports: Reports, [kind = '', vniText]: readonly string[]): Promise<string> {
  if (!isReportKind(kind)) throw new ControlError(`no report "${kind}", known are ${Object.keys(REPORT_KINDS).join(', ')}`)
  const vni = vniText === undefined ? undefined : parseVni(vniText)
  if (vniText !== undefined && vni === undefined) throw new ControlError(`"${vniText}" is no VNI (0 to 16777215)`)
  try {
    return JSON.stringify(await REPORT_KINDS[kind](reports, vni))
  } catch (error) {
    throw new ControlError(`the switch cannot be asked: ${error instanceof Error ? error.message : String(error)}`)
  }
}
