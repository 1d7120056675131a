// Finds the first broken link of a chain: a pure function of what was gathered. Each rule looks at one link and says what is wrong
// with it, or nothing; the rules stand in the order of the links.
import { isConnected } from '../../daemon/report/session.js'
import { isFrr } from '../frr-service.js'
import type { Chain, Underlay } from './chain.js'
import type { Verdict } from './verdict.js'

type Rule = (chain: Chain) => Verdict | undefined

/** The first rule that finds something. */
export function judge(chain: Chain): Verdict {
  const { local, remote } = chain.daemon
  const rules = local !== undefined ? LOCAL : remote !== undefined ? REMOTE : UNKNOWN
  for (const rule of rules) {
    const verdict = rule(chain)
    if (verdict !== undefined) return verdict
  }
  return { kind: 'ok', side: local !== undefined ? 'local' : 'remote', notes: notesOn(chain) }
}

/** Without its sessions the daemon knows what was, and can change nothing. */
const blind: Rule = ({ daemon: { netlink, ovsdb, openflow } }) => {
  if (netlink !== 'synced') return { kind: 'daemon_blind', session: 'netlink', status: netlink }
  if (!isConnected(ovsdb)) return { kind: 'daemon_blind', session: 'ovsdb', status: ovsdb }
  return isConnected(openflow) ? undefined : { kind: 'daemon_blind', session: 'openflow', status: openflow }
}

// --- a local address: port, switch, claim, kernel, zebra, bgpd

const port: Rule = ({ daemon, kernel }) => {
  if (daemon.port?.state === 'waiting') return { kind: 'port_missing', port: daemon.port.port, reason: daemon.port.reason ?? 'the switch has no such port' }
  const { port } = kernel
  return port === undefined || (port.isUp && port.hasCarrier) ? undefined : { kind: 'port_down', port: port.name, isUp: port.isUp }
}

/** A claim that is made and whose rows are not there yet is the kernel's link. */
const claim: Rule = ({ daemon: { local } }) =>
  local === undefined || local.state === 'advertised' || local.state === 'pending' ? undefined
    : { kind: 'not_announced', state: local.state, reason: local.reason ?? 'it is not said why' }

const ourRows: Rule = ({ daemon, kernel, mac = '', ip }) => {
  const { advertise } = daemon.vni
  const reason = daemon.local?.reason === undefined ? {} : { reason: daemon.local.reason }
  if (kernel.bridgeRow?.dev !== advertise) return { kind: 'row_missing', device: advertise, mac, ...reason }
  const missing = ip !== undefined && kernel.neighbours[ip] === null ? ip : undefined
  return missing === undefined ? undefined : { kind: 'neighbour_missing', device: daemon.svi ?? daemon.vni.bridge, ip: missing, ...reason }
}

/** Another speaker may be in FRR's place: that it does not answer says nothing. */
const zebraTakesOurs: Rule = ({ zebra, bgpd, vni, mac = '' }) => {
  if (zebra.kind === 'silent') return bgpd.kind === 'silent' ? undefined : { kind: 'zebra_down', why: zebra.why }
  if (!zebra.knowsVni) return vniNotInFrr(vni, 'zebra', bgpd)
  if (zebra.mac?.type === 'local') return undefined
  return { kind: 'zebra_ignores', mac, ...(zebra.mac === undefined ? {} : { type: zebra.mac.type }) }
}

const duplicate: Rule = ({ zebra, vni, mac = '' }) => (zebra.kind === 'said' && zebra.mac?.isDuplicate === true ? { kind: 'duplicate', mac, vni } : undefined)

const bgpdAnnounces: Rule = (chain) => {
  const { zebra, bgpd, vni, mac = '' } = chain
  if (bgpd.kind === 'silent') return zebra.kind === 'said' ? bgpdDown(bgpd) : undefined
  if (!bgpd.knowsVni) return vniNotInFrr(vni, 'bgpd', bgpd)
  if (!bgpd.paths.some(({ isLocal }) => isLocal)) return { kind: 'not_in_bgp', mac }
  return noPeer(chain)
}

function bgpdDown({ why, isOff }: Extract<Chain['bgpd'], { kind: 'silent' }>): Extract<Verdict, { kind: 'bgpd_down' }> {
  return { kind: 'bgpd_down', why, isOff: isOff === true }
}

const noPeer: Rule = ({ bgpd }) =>
  bgpd.kind === 'said' && !bgpd.peers.some(({ state }) => state === 'Established') ? { kind: 'no_peer', peers: bgpd.peers } : undefined

/** It is bgpd that tells zebra to care for VNIs: without bgpd, zebra knows none. */
function vniNotInFrr(vni: number, who: 'zebra' | 'bgpd', bgpd: Chain['bgpd']): Verdict {
  if (bgpd.kind === 'silent') return bgpdDown(bgpd)
  return { kind: 'vni_not_in_frr', vni, who, ...(bgpd.as === undefined ? {} : { as: bgpd.as }) }
}

// --- an address that the daemon does not know: how far its announcement came

const otherwiseInKernel: Rule = ({ kernel: { bridgeRow, deviceRows }, daemon: { vni }, mac = '' }) => {
  const [row] = deviceRows
  if (bridgeRow !== undefined && !vni.vxlan.includes(bridgeRow.dev) && bridgeRow.dev !== vni.advertise && !bridgeRow.state.includes('PERMANENT')) {
    return { kind: 'local_in_bridge', mac, device: bridgeRow.dev }
  }
  if (row === undefined) return undefined
  const isSpeakers = row.flags.includes('EXT_LEARNED') || row.flags.includes('STICKY')
  return isSpeakers ? { kind: 'not_in_daemon', mac } : { kind: 'not_a_speakers_row', mac, device: row.dev, vtep: row.dst ?? 'VTEP' }
}

/** Without its devices a VNI gets nothing from the speaker. */
const devices: Rule = ({ daemon: { vni: { problems } } }) => (problems.length === 0 ? undefined : { kind: 'devices', problems })

const inZebraOnly: Rule = ({ zebra, daemon, mac = '' }) => {
  if (zebra.kind === 'silent' || zebra.mac?.type !== 'remote') return undefined
  return { kind: 'not_in_kernel', mac, device: daemon.vni.vxlan[0] ?? `vxlan-${daemon.vni.vni}`, vtep: zebra.mac.vtep ?? 'VTEP' }
}

const inBgpdOnly: Rule = ({ zebra, bgpd, vni, mac = '' }) => {
  if (bgpd.kind === 'silent' || bgpd.paths.length === 0) return undefined
  const best = bgpd.paths.find(({ isBest, isValid }) => isBest && isValid)
  if (best === undefined) return { kind: 'path_unusable', nexthop: bgpd.paths[0]?.nexthop ?? 'unknown' }
  if (zebra.kind === 'silent') return { kind: 'zebra_down', why: zebra.why }
  if (!zebra.knowsVni) return vniNotInFrr(vni, 'zebra', bgpd)
  return { kind: 'not_in_zebra', mac, nexthop: best.nexthop }
}

const nobodyKnows: Rule = (chain) => {
  const { address, vni, daemon: { nearest } } = chain
  const why = whyDeaf(chain)
  return { kind: 'unknown', address, vni, nearest, ...(why === undefined ? {} : { why }) }
}

/** What keeps announcements from coming here. */
function whyDeaf(chain: Chain): string | undefined {
  const { zebra, bgpd, vni } = chain
  if (zebra.kind === 'said' && bgpd.kind === 'silent') return bgpd.why
  if (zebra.kind === 'said' && !zebra.knowsVni) return `zebra does not know VNI ${vni}`
  return noPeer(chain) === undefined ? undefined : 'bgpd has no session with any peer'
}

// --- a remote address: VTEP, switch, underlay

const stale: Rule = ({ daemon: { remote } }) => (remote?.state === 'stale' ? { kind: 'stale', reason: remote.reason ?? '' } : undefined)

const vteps: Rule = ({ daemon: { remote, vteps } }) => {
  if (remote?.nexthop !== undefined && vteps.length === 0) return { kind: 'nexthop_empty', nexthop: remote.nexthop }
  const unusable = vteps.find(({ reason }) => reason !== undefined)
  // One path is enough.
  if (unusable?.reason === undefined || vteps.some(({ reason }) => reason === undefined)) return undefined
  return { kind: 'vtep_unusable', vtep: unusable.ip, reason: unusable.reason }
}

/** Asked for an IP of a MAC that is known: the speaker has to have written the neighbour, too. */
const remoteIp: Rule = ({ ip, mac = '', kernel, daemon }) => {
  if (ip === undefined || daemon.ips.length > 0) return undefined
  const row = kernel.neighbours[ip]
  if (row?.flags.includes('EXT_LEARNED') === true) return undefined
  return { kind: 'ip_not_in_kernel', ip, mac, device: daemon.svi ?? daemon.vni.bridge }
}

/** A group that is missing takes the flows that name it along, so it comes before them. */
const group: Rule = ({ daemon: { group: one, bridge } }) => (one === undefined || one.state === 'installed' ? undefined : { kind: `group_${one.state}`, group: one, bridge })

const flows: Rule = ({ daemon: { flows, bridge } }) => {
  const bad = flows.find(({ state }) => state !== 'installed')
  return bad && { kind: bad.state === 'foreign' ? 'flow_foreign' : bad.state === 'different' ? 'flow_different' : 'flow_missing', flow: bad, bridge }
}

const switchSilent: Rule = ({ daemon: { switch_problem: problem } }) => (problem === undefined ? undefined : { kind: 'daemon_blind', session: 'openflow', status: problem })

/** Of several paths, one that is broken loses its share of the packets. */
const underlay: Rule = ({ underlay: ways, daemon }) => {
  for (const way of ways) {
    const verdict = judgeWay(way, ways.length, isSending(daemon.flows))
    if (verdict !== undefined) return verdict
  }
  return undefined
}

function judgeWay(way: Underlay, paths: number, isSending: boolean): Verdict | undefined {
  const { vtep, by, problem, route, neighbour } = way
  if (problem !== undefined) return undefined
  if (route === undefined) return { kind: 'no_route', vtep, by, paths }
  if (neighbour === undefined || neighbour.state === 'resolved') return undefined
  // Nobody asks for a neighbour before there is a packet for it.
  if (neighbour.state === 'unknown' && !isSending) return undefined
  return { kind: 'no_neighbour', vtep, hop: neighbour.ip, device: route.dev, words: neighbour.words, paths }
}

/** Packets go that way now: then an unresolved neighbour is one that does not answer. Seconds. */
const LATELY = 5

function isSending(flows: Chain['daemon']['flows']): boolean {
  return flows.some(({ table, packets = 0, idle_s: idle = Infinity }) => table === 'FORWARD' && packets > 0 && idle <= LATELY)
}

// --- who keeps a remote address up to date; another speaker may be in FRR's place

/** Packets go on as the kernel's rows say, and those do not change any more. */
const halfOfFrr: Rule = ({ zebra, bgpd, daemon }) => {
  if (zebra.kind === bgpd.kind || !isFrr(daemon.speaker)) return undefined
  if (zebra.kind === 'silent') return { kind: 'zebra_silent', why: zebra.why }
  return bgpd.kind === 'silent' ? { ...bgpdDown(bgpd), kind: 'bgpd_silent' } : undefined
}

/** zebra wrote the row, unless it is that of one that was killed. */
const leftBehind: Rule = ({ zebra, daemon, kernel, mac = '' }) => {
  if (zebra.kind === 'silent' || !zebra.knowsVni || zebra.mac?.type === 'remote' || !isFrr(daemon.speaker)) return undefined
  const device = kernel.deviceRows[0]?.dev
  return device === undefined ? undefined : { kind: 'unknown_to_zebra', mac, device, ...(zebra.mac === undefined ? {} : { type: zebra.mac.type }) }
}

const LOCAL: readonly Rule[] = [blind, switchSilent, port, flows, claim, ourRows, duplicate, zebraTakesOurs, bgpdAnnounces]
const REMOTE: readonly Rule[] = [blind, switchSilent, stale, vteps, remoteIp, group, flows, underlay, halfOfFrr, leftBehind]
const UNKNOWN: readonly Rule[] = [blind, otherwiseInKernel, duplicate, devices, inZebraOnly, inBgpdOnly, nobodyKnows]

/** What is no fault, and worth a line. */
function notesOn({ underlay: ways, zebra, bgpd, daemon }: Chain): string[] {
  return [
    ...ways.flatMap(({ problem, vtep }) => (problem === undefined ? [] : [`the way to ${vtep} was not looked at: ${problem}`])),
    ...ways.flatMap(({ neighbour }) => (neighbour?.state === 'unknown' ? [`${neighbour.ip} is not resolved: nothing was sent there lately`] : [])),
    ...daemon.vteps.flatMap(({ ip, reason }) => (reason === undefined ? [] : [`of several VTEPs, ${ip} is not usable: ${reason}`])),
    ...(zebra.kind === 'silent' && bgpd.kind === 'silent' ? [`FRR was not asked: ${zebra.why}`] : [])
  ]
}
