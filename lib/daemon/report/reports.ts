// What the daemon says of itself, made from the state when somebody asks; nothing is kept for it.
import { tunnelName } from '../../config/tunnel-port.js'
import type { Claim } from '../../evpn/claim.js'
import type { Domain } from '../../evpn/domain.js'
import { usablePaths } from '../../evpn/nexthop.js'
import type { RemoteMac } from '../../evpn/remote-mac.js'
import { NO_VLAN } from '../../evpn/vlan.js'
import { vtepKey } from '../../evpn/vtep.js'
import { ipFamily, type Ip } from '../../net/ip.js'
import { MAX_PORT_NAME } from '../../mirror/ports.js'
import type { Vni } from '../../net/number.js'
import { fdbKey } from '../../sink/kernel-row.js'
import type { Agent } from '../agent.js'
import { bindingKey, nameUuid } from '../control/ids.js'
import { dropReports } from './drops.js'
import { ipReports } from './ips.js'
import { isStaleMac, KEPT, staleVteps } from './stale.js'
import { domainProblems } from '../refresh/index.js'
import { floodShortage, problemReports } from './problems.js'
import type { FloodReport, LocalReport, MacReport, PortReport, Reports, ShowReport, VniReport, VtepReport } from './report.js'
import { tunnelReports } from './tunnels.js'
import type { ReachableVtep, State } from '../state.js'

/** The states of the three sessions, in words. */
export interface SessionStates {
  readonly ovsdb: string
  readonly openflow: string
  readonly netlink: string
}

/** Reports on an agent. */
export function createReports(agent: Agent, version: string, sessions: () => SessionStates): Reports {
  const { state } = agent
  const each = <T>(vni: Vni | undefined, rows: (domain: Domain) => T[]): T[] => domainsOf(state, vni).flatMap(rows)
  return {
    show: () => show(agent, version, sessions()),
    vteps: (vni) => each(vni, (domain) => vtepReports(state, domain)),
    macs: (vni) => each(vni, (domain) => macReports(state, domain)),
    ips: (vni) => each(vni, (domain) => ipReports(state, domain)),
    flood: (vni) => each(vni, (domain) => floodReports(state, domain)),
    local: (vni) => each(vni, (domain) => localReports(state, domain)),
    ports: (vni) => portReports(state).filter((port) => vni === undefined || port.vni === vni),
    drops: (vni) => dropReports(state, vni),
    problems: () => problemReports(agent),
    latency: () => state.switch.latency.report()
  }
}

function domainsOf(state: State, vni: Vni | undefined): Domain[] {
  return [...state.domains.values()].filter((domain) => vni === undefined || domain.vni === vni).sort((a, b) => a.vni - b.vni)
}

function show(agent: Agent, version: string, sessions: SessionStates): ShowReport {
  const { state } = agent
  const { system } = state.database
  return {
    version,
    ...(system.systemId === undefined ? {} : { system_id: system.systemId }),
    bridge: system.bridge,
    ...sessions,
    tunnels: tunnelReports(agent),
    vnis: domainsOf(state, undefined).map((domain) => vniReport(state, domain)),
    problems: problemReports(agent)
  }
}

export function vniReport(state: State, domain: Domain): VniReport {
  const { vni, options, localIps } = domain
  return {
    vni,
    bridge: options.bridgeIfname,
    ...(domain.vlan === undefined || domain.vlan === NO_VLAN ? {} : { vlan: domain.vlan }),
    vxlan: options.vxlanIfnames,
    advertise: options.advertiseIfname,
    local_ips: Object.values(localIps),
    vteps: state.vteps.under(vni).size,
    macs: state.macs.under(vni).size,
    ips: state.ips.under(vni).size,
    ports: state.bindings.under(vni).size,
    problems: domainProblems(state, domain)
  }
}

function macsOfVtep(state: State, domain: Domain): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const mac of state.macs.under(domain.vni).values()) {
    for (const { ip } of pathsOf(state, mac)) {
      const key = vtepKey(ip, mac.udpPort)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

/** Where packets to a MAC may go. */
export function pathsOf(state: State, { vni, via }: RemoteMac): readonly { readonly ip: Ip, readonly weight: number }[] {
  return via.kind === 'vtep' ? [{ ip: via.ip, weight: 1 }] : usablePaths(state.mirrors.nexthops.paths(via.id), state.nexthopUses.get(vni, via.id) ?? '')
}

function leftOutReason(state: State, { vni, via }: RemoteMac): string | undefined {
  const without = via.kind === 'vtep' ? '' : state.nexthopUses.get(vni, via.id) ?? ''
  return without === '' ? undefined : `without ${without}: no VTEP of VNI ${vni}, or of a family that it has no local address of`
}

function vtepReports(state: State, domain: Domain): VtepReport[] {
  const macs = macsOfVtep(state, domain)
  const stale = staleVteps(state, domain)
  return [...state.vteps.under(domain.vni).values()].map((vtep) => vtepReport(state, vtep, macs, stale))
}

function vtepReport(state: State, vtep: ReachableVtep, macs: ReadonlyMap<string, number>, stale: ReadonlySet<string>): VtepReport {
  const { vni, ip, udpPort, ofport } = vtep
  const isStale = stale.has(vtepKey(ip, udpPort))
  const unusable = whyUnusable(state, vtep)
  const reason = unusable ?? (isStale ? KEPT : undefined)
  return {
    vni, ip, port: udpPort, flood: vtep.flood, ...(vtep.floodVni === undefined ? {} : { flood_vni: vtep.floodVni }),
    macs: macs.get(`${ip} ${udpPort}`) ?? 0,
    state: unusable !== undefined ? 'unusable' : isStale ? 'stale' : 'ok',
    ...reasonOf(reason),
    ...(ofport === undefined ? {} : { ofport }),
    binding_key: bindingKey(ip, udpPort, vni),
    uuid: nameUuid('vtep', vni, ip, udpPort)
  }
}

/** Why no packet can go to a VTEP; undefined = it can. */
export function whyUnusable(state: State, vtep: ReachableVtep): string | undefined {
  if (vtep.localIp === undefined) return `no local IPv${ipFamily(vtep.ip)} address for VNI ${vtep.vni} (ovn-evpn-local-ip, or local of the vxlan device)`
  if (!state.database.system.vxlanPorts.includes(vtep.udpPort)) return `UDP port ${vtep.udpPort} is not in ovn-evpn-vxlan-ports`
  return vtep.ofport === undefined ? `tunnel port ${tunnelName(vtep.udpPort)} is not up` : undefined
}

function macReports(state: State, domain: Domain): MacReport[] {
  return [...state.macs.under(domain.vni).values()].map((mac) => macReport(state, mac, isStaleMac(state, domain, mac.mac)))
}

export function macReport(state: State, remote: RemoteMac, isStale: boolean): MacReport {
  const { vni, mac, via, udpPort, encapVni, sticky } = remote
  const paths = pathsOf(state, remote)
  const reasons = paths.map(({ ip }) => {
    const vtep = state.vteps.get(vni, vtepKey(ip, udpPort))
    return vtep === undefined ? 'its VTEP is not known' : whyUnusable(state, vtep)
  })
  // One path is enough.
  const unusable = via.kind === 'nexthop' && paths.length === 0 ? `nexthop ${via.id} leads to no VTEP` : reasons.includes(undefined) ? undefined : reasons[0]
  const key = (ip: Ip) => bindingKey(ip, udpPort, vni)
  const where = via.kind === 'vtep' ? { ip: via.ip, port: udpPort, binding_key: key(via.ip) }
    : { nexthop: via.id, paths: paths.map(({ ip, weight }) => ({ ip, port: udpPort, weight, binding_key: key(ip) })) }
  return {
    vni, mac, ...where, ...(encapVni === undefined ? {} : { encap_vni: encapVni }), sticky,
    state: unusable !== undefined ? 'unusable' : isStale ? 'stale' : 'ok', ...reasonOf(unusable ?? (isStale ? KEPT : leftOutReason(state, remote))), uuid: nameUuid('mac', vni, mac)
  }
}

function floodReports(state: State, domain: Domain): FloodReport[] {
  const set = state.floods.get(domain.vni)
  if (set === undefined) return []
  const members = set.parts.flatMap((part) => part.members)
  const vteps = members.flatMap((member) => (member.kind === 'remote' ? [member.ip] : []))
  const localPorts = members.flatMap((member) => (member.kind === 'local' ? [member.port] : []))
  const reason = floodShortage(set)
  return [{
    vni: domain.vni,
    vteps: [...vteps, ...set.left.flatMap((member) => (member.kind === 'remote' ? [member.ip] : []))],
    parts: set.parts.length,
    local_ports: localPorts,
    reached: vteps.length,
    state: domain.options.flood === 'none' ? 'off' : reason === undefined ? 'ok' : 'incomplete',
    ...(reason === undefined ? {} : { reason }),
    uuid: nameUuid('flood', domain.vni)
  }]
}

function localReports(state: State, domain: Domain): LocalReport[] {
  return [...state.claims.under(domain.vni).values()].map((claim) => localReport(state, claim))
}

export function localReport(state: State, claim: Claim): LocalReport {
  const { local: { vni, port = '-', mac, ips } } = claim
  return { vni, port, mac, ips, ...shownState(state, claim) }
}

/** A claim is advertised when its rows really stand in the kernel; before that it is pending. */
function shownState(state: State, claim: Claim): Pick<LocalReport, 'state' | 'reason'> {
  if (claim.state !== 'advertised' || claim.fdb === undefined) return { state: claim.state, ...reasonOf(claim.reason) }
  const keys = [fdbKey(claim.fdb.ifindex, claim.fdb.vlan, claim.local.mac), ...claim.ips.map((ip) => `neigh ${claim.svi} ${ip}`)]
  const missing = keys.find((key) => state.kernel.rows.realized(key) === undefined)
  if (missing === undefined) return { state: 'advertised', ...reasonOf(claim.reason) }
  return { state: 'pending', ...reasonOf(state.kernel.rows.blocked().get(missing)) }
}

function reasonOf(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason }
}

function whyNoOfport(name: string): string {
  return name.length <= MAX_PORT_NAME ? 'the switch has no such port'
    : `the switch has no port, or several, whose name begins with the first ${MAX_PORT_NAME} characters, which is all that OpenFlow tells`
}

export function portReports(state: State): PortReport[] {
  return [...state.database.ports.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((port) => {
    const ofport = state.mirrors.ports.ofport(port.name)
    const reason = ofport === undefined ? port.problem ?? whyNoOfport(port.name) : undefined
    return port.bindings.map(({ vni, vlan, addresses, advertise }): PortReport => ({
      port: port.name, vni,
      ...(vlan === undefined ? {} : { vlan }),
      ...(ofport === undefined ? {} : { ofport }),
      addresses: addresses.bound.map(({ mac, ips }) => [mac, ...ips].join(' ')).join(', '),
      unknown: addresses.unknown,
      advertise,
      state: ofport === undefined ? 'waiting' : 'up',
      ...reasonOf(reason)
    }))
  })
}
