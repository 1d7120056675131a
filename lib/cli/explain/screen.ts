// A chain and its verdict on one screen: each link a name, a mark and what it says, in the order in which an address travels.
import { oneLine } from '../../daemon/log/line.js'
import { isConnected } from '../../daemon/report/session.js'
import type { FlowExplanation } from '../../daemon/explain/explanation.js'
import type { Chain, KernelRow, Underlay } from './chain.js'
import { LINK_OF, severityOf, type Link, type Verdict } from './verdict.js'
import { wordsOf } from './words.js'

const ORDER = {
  remote: ['daemon', 'bgpd', 'zebra', 'kernel', 'vtep', 'switch', 'underlay'],
  local: ['daemon', 'port', 'switch', 'claim', 'kernel', 'zebra', 'bgpd']
} as const satisfies Record<string, readonly Link[]>

const WIDTH = Math.max(...Object.values(ORDER).flat().map((name) => name.length))

/** The screen as text. */
export function formatExplanation(chain: Chain, verdict: Verdict): string {
  const links: readonly Link[] = chain.daemon.local === undefined ? ORDER.remote : ORDER.local
  const broken = verdict.kind === 'ok' || verdict.kind === 'unknown' ? undefined : LINK_OF[verdict.kind]
  const { what, todo } = wordsOf(verdict)
  const lines = [
    title(chain), '',
    ...links.flatMap((link) => {
      const [first = '-', ...more] = SAYS[link](chain)
      return [`${link === broken ? '!' : ' '} ${link.padEnd(WIDTH)}  ${first}`, ...more.map((text) => `${' '.repeat(WIDTH + 4)}${text}`)]
    }), '',
    broken === undefined ? `OK: ${what}` : `${severityOf(verdict) === 'warning' ? 'WARNING' : 'BROKEN'} at ${broken}: ${what}`,
    ...(verdict.kind === 'ok' ? verdict.notes.map((note) => `  note: ${note}`) : []),
    ...todo.map((text) => `  try: ${text}`)
  ]
  return lines.map((line) => oneLine(line).trimEnd() + '\n').join('')
}

/** The whole of it for programs; `link` is missing where nothing is wrong. */
export function explanationJson(chain: Chain, verdict: Verdict): string {
  const broken = verdict.kind === 'ok' || verdict.kind === 'unknown' ? {} : { link: LINK_OF[verdict.kind] }
  return JSON.stringify({ ...chain, verdict: { ...verdict, severity: severityOf(verdict), ...broken, ...wordsOf(verdict) } })
}

function title({ address, ip, mac, vni, daemon: { local, remote } }: Chain): string {
  const what = ip === undefined ? address : `${ip}${mac === undefined ? '' : ` at ${mac}`}`
  const where = local !== undefined ? 'a local address' : remote !== undefined ? 'a remote address' : 'not known to ovs-evpnd'
  return `${what} in VNI ${vni}: ${where}`
}

const SAYS: Readonly<Record<Link, (chain: Chain) => readonly string[]>> = {
  daemon: ({ daemon: { ovsdb, openflow, netlink, vni, bridge } }) => [
    isConnected(ovsdb) && isConnected(openflow) && netlink === 'synced' ? `connected to OVSDB and ${bridge}, the kernel's tables are known` : `OVSDB: ${ovsdb}; OpenFlow: ${openflow}; kernel: ${netlink}`,
    ...vni.problems
  ],
  port: ({ daemon: { port }, kernel }) => port === undefined ? ['none: an address without a port'] : [
    [`${port.port}${port.ofport === undefined ? '' : ` (OpenFlow port ${port.ofport})`}`, port.reason ?? port.state,
      ...(kernel.port === undefined ? [] : [kernel.port.isUp ? kernel.port.hasCarrier ? 'link up' : 'no carrier' : 'link down'])].join(', ')
  ],
  claim: ({ daemon: { local } }) => local === undefined ? [] : [`${local.state}${local.reason === undefined ? '' : `: ${local.reason}`}`, ...(local.ips.length === 0 ? [] : [`with ${local.ips.join(', ')}`])],
  bgpd: ({ bgpd }) => bgpd.kind === 'silent' ? [bgpd.why] : [
    `${bgpd.peers.filter(({ state }) => state === 'Established').length} of ${bgpd.peers.length} sessions stand${bgpd.knowsVni ? '' : '; does not know the VNI'}`,
    ...bgpd.paths.map(({ nexthop, peer, isBest, isValid }) => `route ${peer === undefined ? 'of our own' : `from ${peer}`}, nexthop ${nexthop}${isBest ? ', best' : ''}${isValid ? '' : ', not valid'}`),
    ...(bgpd.paths.length === 0 ? ['no route for it'] : [])
  ],
  zebra: ({ zebra }) => zebra.kind === 'silent' ? [zebra.why] : [
    !zebra.knowsVni ? 'does not know the VNI' : zebra.mac === undefined ? 'does not know the MAC'
      : `${zebra.mac.type}${zebra.mac.vtep === undefined ? '' : `, VTEP ${zebra.mac.vtep}`}${zebra.mac.isDuplicate ? ', DUPLICATE' : ''}${zebra.mac.ips.length === 0 ? '' : `, with ${zebra.mac.ips.join(', ')}`}`
  ],
  kernel: kernelLines,
  vtep: ({ daemon: { vteps, group } }) => [
    ...vteps.map(({ ip, port, weight, local_ip: local, ofport, reason }) =>
      `${ip} UDP port ${port}${vteps.length > 1 ? ` weight ${weight}` : ''}${local === undefined ? '' : `, from ${local}`}${ofport === undefined ? '' : `, OpenFlow port ${ofport}`}${reason === undefined ? '' : `: ${reason}`}`),
    ...(group === undefined ? [] : [`nexthop ${group.nexthop}`])
  ],
  switch: ({ daemon: { flows, group, switch_problem: problem } }) => problem === undefined ? [
    ...flows.map(flowLine),
    ...(group === undefined ? [] : [`group ${group.group}: ${group.state}, ${group.buckets} buckets, ${group.packets ?? 0} packets`])
  ] : [problem],
  underlay: ({ underlay }) => underlay.flatMap(underlayLines)
}

const TABLE_WIDTH = 8
const COUNT_WIDTH = 12

function flowLine({ table, flow, state, packets, bytes }: FlowExplanation): string {
  const what = state === 'installed' ? '' : `${state.toUpperCase()} `
  return `${table.padEnd(TABLE_WIDTH)}  ${packets === undefined ? '' : `${counted(packets, bytes)}  `}${what}${flow}`
}

function counted(packets: number, bytes = 0): string {
  return `${`${packets} packets`.padStart(COUNT_WIDTH)}, ${`${bytes} bytes`.padStart(COUNT_WIDTH)}`
}

function kernelLines({ kernel: { bridgeRow, deviceRows, neighbours }, daemon: { vni, svi } }: Chain): string[] {
  return [
    ...deviceRows.map((row) => `FDB of ${row.dev}: ${row.nexthop === undefined ? `dst ${row.dst}` : `nexthop ${row.nexthop}`} ${rowText(row)}`),
    bridgeRow === undefined ? `FDB of ${vni.bridge}: no row` : `FDB of ${vni.bridge}: on ${bridgeRow.dev} ${rowText(bridgeRow)}`,
    ...Object.entries(neighbours).map(([ip, row]) => `neighbour ${ip} on ${svi ?? vni.bridge}: ${row === null ? 'none' : `${row.lladdr ?? 'no MAC'} ${rowText(row)}`}`)
  ]
}

function rowText({ state, flags, protocol, age }: KernelRow): string {
  return [[...state, ...flags].join(' '), ...(protocol === undefined ? [] : [`proto ${protocol}`]), ...(age === undefined ? [] : [`${age} s old`])].filter((text) => text !== '').join(', ')
}

function underlayLines({ vtep, by, problem, route, neighbour }: Underlay): string[] {
  if (problem !== undefined) return [`${vtep}: ${problem}`]
  if (route === undefined) return [`${vtep}: no route (${by})`]
  const { dev, gateway, src, mtu } = route
  const way = `${vtep}: ${gateway === undefined ? 'on the link' : `via ${gateway}`}, dev ${dev}${src === undefined ? '' : `, from ${src}`}${mtu === undefined ? '' : `, MTU ${mtu}`} (${by})`
  return neighbour === undefined ? [way] : [way, `${neighbour.ip}: ${neighbour.mac ?? 'no MAC'}, ${neighbour.words}`]
}
