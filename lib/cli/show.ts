// The overview of `ovs-evpnctl show`: the daemon and its connections, tunnel ports, VNIs, and what is wrong.
import { oneLine } from '../daemon/log/line.js'
import type { ShowReport, TunnelReport, VniReport } from '../daemon/report/report.js'
import { formatList, LISTS, stateText } from './lists.js'
import { type Column, formatTable } from './table.js'

const TUNNEL_COLUMNS: readonly Column<TunnelReport>[] = [
  { head: 'TUNNEL PORT', cell: row => row.name },
  { head: 'UDP PORT', cell: row => row.udp_port },
  { head: 'OFPORT', cell: row => row.ofport },
  { head: 'STATE', cell: stateText }
]

const VNI_COLUMNS: readonly Column<VniReport>[] = [
  { head: 'VNI', cell: row => row.vni },
  { head: 'BRIDGE', cell: row => row.vlan === undefined ? row.bridge : `${row.bridge} VLAN ${row.vlan}` },
  { head: 'VXLAN', cell: row => row.vxlan.join(', ') },
  { head: 'ADVERTISE', cell: row => row.advertise },
  { head: 'LOCAL IP', cell: row => row.local_ips.join(', ') },
  { head: 'VTEPS', cell: row => row.vteps },
  { head: 'MACS', cell: row => row.macs },
  { head: 'IPS', cell: row => row.ips },
  { head: 'PORTS', cell: row => row.ports }
]

/** The overview as text. */
export function formatShow(show: ShowReport): string {
  const sections = [
    header(show),
    show.tunnels.length > 0 ? formatTable(TUNNEL_COLUMNS, show.tunnels) : 'No tunnel ports.\n',
    show.vnis.length > 0 ? formatTable(VNI_COLUMNS, show.vnis) : noVnis(),
    vniProblems(show.vnis),
    formatList(LISTS.problems, show.problems)
  ]
  return sections.filter(section => section !== '').join('\n')
}

function header(show: ShowReport): string {
  const facts: readonly [string, string][] = [
    ['version', show.version],
    ['system-id', show.system_id ?? '-'],
    ['bridge', show.bridge],
    ['ovsdb', show.ovsdb],
    ['openflow', show.openflow],
    ['netlink', show.netlink]
  ]
  return facts.map(([name, value]) => `${`${name}:`.padEnd(11)}${oneLine(value)}\n`).join('')
}

function vniProblems(vnis: readonly VniReport[]): string {
  return vnis.flatMap(({ vni, problems }) => problems.map(problem => `VNI ${vni}: ${oneLine(problem)}\n`)).join('')
}

/** How a VNI comes to exist, for whoever sees none. */
export function noVnis(): string {
  return 'No VNIs. Give a port one with: ovs-vsctl set Interface IFACE external_ids:dynamic-routing-vni=VNI\n'
}
