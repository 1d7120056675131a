// The five evpn/* lists in ovn-controller's line forms, which existing scripts read, and one of our own: one line for each entry, in
// the order of the rows. A list holds what packets can use; what is unusable, waiting or unknown is for ovs-evpnctl.
import { formatBindingKey } from './ids.js'
import type { FloodReport, IpReport, LatencyBucket, LatencyReport, MacReport, PathReport, VtepReport } from '../report/report.js'

/** evpn/remote-vtep-list: every remote VTEP the kernel names. */
export function remoteVtepList(rows: readonly VtepReport[]): string {
  return lines(rows, vtep => `IP: ${vtep.ip}, port: ${vtep.port}, vni: ${vtep.vni}`)
}

/** evpn/vtep-binding-list: the VTEPs that have a tunnel port. */
export function vtepBindingList(rows: readonly VtepReport[]): string {
  const bound = rows.filter(vtep => vtep.state !== 'unusable' && vtep.ofport !== undefined)
  return lines(bound, vtep => `UUID: ${vtep.uuid}, Remote IP: ${vtep.ip}, vni: ${vtep.vni}, ` +
    `binding_key: ${formatBindingKey(vtep.binding_key)}, tunnel_ofport: ${vtep.ofport ?? ''}, dp_key: ${vtep.vni}`)
}

/** evpn/vtep-multicast-group-list: the VTEPs that get a VNI's broadcast. */
export function multicastGroupList(rows: readonly FloodReport[]): string {
  const flooding = rows.filter(flood => flood.vteps.length > 0)
  return lines(flooding, flood => `UUID: ${flood.uuid}, Remote IPs: ${flood.vteps.join(', ')}, vni: ${flood.vni}`)
}

/** evpn/vtep-fdb-list: the remote MACs that are reached over a VTEP or several. */
export function fdbList(rows: readonly MacReport[]): string {
  return lines(rows.filter(mac => mac.binding_key !== undefined || pathsOf(mac).length > 0), fdbLine)
}

/** evpn/vtep-arp-list: the remote IPs and their MACs. */
export function arpList(rows: readonly IpReport[]): string {
  return lines(rows.filter(ip => ip.from === 'remote'), ip => `UUID: ${ip.uuid}, VNI: ${ip.vni}, MAC: ${ip.mac}, IP: ${ip.ip}, dp_key: ${ip.vni}`)
}

/**
 * evpn/latency: from the kernel's message to the switch's answer, for each kind of change, with the histogram below; the time for which
 * a withdrawal is held is in it.
 */
export function latencyList(rows: readonly LatencyReport[]): string {
  return lines(rows, ({ change, events, p50, p95, p99, max, buckets }) => [
    `${change}: ${events} events, p50 ${milliseconds(p50)}, p95 ${milliseconds(p95)}, p99 ${milliseconds(p99)}, max ${milliseconds(max)}`,
    ...buckets.map(bucketText)
  ].join('\n'))
}

/** The last bucket has no bound but the one before it. */
function bucketText({ le, events }: LatencyBucket): string {
  return `  ${le === null ? 'longer' : `up to ${le} ms`}: ${events}`
}

function milliseconds(value: number): string {
  return `${value.toFixed(3)} ms`
}

function fdbLine(mac: MacReport): string {
  const paths = pathsOf(mac)
  // A group of one path is shown like a single VTEP, as ovn-controller does.
  const single = mac.binding_key ?? (paths.length === 1 ? paths[0]?.binding_key : undefined)
  const head = `UUID: ${mac.uuid}, MAC: ${mac.mac}, vni: ${mac.vni}`
  if (single !== undefined) return `${head}, binding_key: ${formatBindingKey(single)}, dp_key: ${mac.vni}`
  return `${head}, dp_key: ${mac.vni}, paths: [${paths.map(pathText).join(', ')}]`
}

function pathText(path: PathReport): string {
  return `{key=${formatBindingKey(path.binding_key)}, weight=${path.weight}}`
}

function pathsOf(mac: MacReport): readonly PathReport[] {
  return mac.paths ?? []
}

function lines<Row>(rows: readonly Row[], format: (row: Row) => string): string {
  return rows.map(row => format(row) + '\n').join('')
}
