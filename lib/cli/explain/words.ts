// A verdict in words: what is wrong, why that stops packets or announcements, and commands to type.
import { startFrr } from '../frr-service.js'
import { command } from '../shell.js'
import { configureBgp } from '../vtysh.js'
import type { GroupExplanation } from '../../daemon/explain/explanation.js'
import type { Verdict } from './verdict.js'

export interface Words {
  readonly what: string
  /** Commands, or sentences where no command is known. */
  readonly todo: readonly string[]
}

/** FRR's own stanza, as one command line. */
export function advertiseAllVni(as: number | undefined): string {
  return configureBgp(as, 'address-family l2vpn evpn', 'advertise-all-vni')
}

const GOES_ON = 'packets to it leave for its VTEP'

type Table = { readonly [Kind in Verdict['kind']]: (verdict: Extract<Verdict, { kind: Kind }>) => Words }

const WORDS: Table = {
  ok: ({ side }) => ({ what: side === 'local' ? 'every link is in order: it is here, announced, and in BGP as far as that was asked'
    : `every link is in order: ${GOES_ON}`, todo: [] }),
  unknown: ({ address, vni, nearest, why }) => ({
    what: `nobody knows ${address} in VNI ${vni}${nearest.length === 0 ? '' : `; did you mean ${nearest.join(', ')}?`}${why === undefined ? '' : ` (${why})`}`, todo: []
  }),
  daemon_blind: ({ session, status }) => BLIND[session](status),
  port_missing: ({ port, reason }) => ({
    what: `its port ${port} is not on the switch: ${reason}`, todo: [command`ovs-vsctl get Interface ${port} error`, 'give the bridge the port by the name of a device that exists']
  }),
  port_down: ({ port, isUp }) => isUp ? { what: `its port ${port} has no carrier: the workload behind it is down`, todo: ['start the workload, or its interface'] }
    : { what: `its port ${port} is down`, todo: [command`ip link set ${port} up`] },
  not_announced: ({ state, reason }) => ({ what: `it is not announced (${state}): ${reason}`, todo: TODO_OF_STATE[state] ?? ['ovs-evpnctl local, and docs/configuration.md on the option that is named'] }),
  row_missing: ({ device, mac, reason }) => ({
    what: `the kernel has no row of ours for it on ${device}, so the routing daemon cannot see it${because(reason)}`, todo: [command`bridge fdb replace ${mac} dev ${device} master static`]
  }),
  neighbour_missing: ({ device, ip, reason }) => ({
    what: `the kernel has no neighbour of ours for ${ip} on ${device}, so the routing daemon announces the MAC without it${because(reason)}`,
    todo: ['ovs-evpnctl problems', command`ip neigh show ${ip} dev ${device}`]
  }),
  vni_not_in_frr: ({ vni, who, as }) => ({ what: `${who} does not know VNI ${vni}: advertise-all-vni is missing, or its vxlan device is not in a bridge or down`, todo: [advertiseAllVni(as)] }),
  zebra_ignores: ({ mac, type }) => ({
    what: type === undefined ? `zebra has not taken the kernel's row for ${mac}` : `zebra has ${mac} as ${type}, not as local: it does not believe the kernel's row`,
    todo: [`vtysh -c 'show evpn mac vni all' and look for ${mac}`, 'see docs/troubleshooting.md on what FRR takes for local']
  }),
  not_in_bgp: ({ mac }) => ({ what: `bgpd has no route of ours for ${mac}, though zebra has it as local`, todo: ["vtysh -c 'clear bgp l2vpn evpn * soft out'", 'look at the log of bgpd'] }),
  bgpd_down: ({ why, isOff }) => ({ what: `nothing is announced or learned: ${why}, while zebra does`, todo: startFrr(isOff) }),
  zebra_down: ({ why }) => ({ what: `bgpd is alone: ${why}, so nothing passes between bgpd and the kernel`, todo: startFrr(false) }),
  no_peer: ({ peers }) => ({
    what: peers.length === 0 ? 'bgpd has no neighbour for EVPN, so nobody hears of it' : `no BGP session stands (${peers.map(({ peer, state }) => `${peer} ${state}`).join(', ')}), so nobody hears of it`,
    todo: ["vtysh -c 'show bgp l2vpn evpn summary'", ...peers.map(({ peer }) => command`ping -c1 ${peer}`)]
  }),
  path_unusable: ({ nexthop }) => ({ what: `bgpd has its route from ${nexthop} and does not use it: the nexthop is not reachable, or the route is not valid`, todo: [`vtysh -c 'show bgp nexthop'`, command`ip route get ${nexthop}`] }),
  duplicate: ({ mac, vni }) => ({
    what: `zebra holds ${mac} for a duplicate: two places announced it in turn (RFC 7432 section 15.1), so it is not believed any more`,
    todo: ['take it away from one of the two places', `vtysh -c 'clear evpn dup-addr vni ${vni} mac ${mac}'`]
  }),
  not_in_zebra: ({ mac, nexthop }) => ({
    what: `bgpd has ${mac} behind ${nexthop}, and zebra has not: the route's targets are not imported into this VNI, or zebra lost it`,
    todo: ["vtysh -c 'clear bgp l2vpn evpn * soft in'", "vtysh -c 'show bgp l2vpn evpn import-rt'"]
  }),
  devices: ({ problems }) => ({ what: `the VNI's kernel devices are not in order, so the routing daemon has nowhere to write it: ${problems.join('; ')}`, todo: ['ovs-evpnctl doctor'] }),
  not_in_kernel: ({ mac, device, vtep }) => ({
    what: `zebra has ${mac} behind ${vtep}, and the kernel has no row for it on ${device}: somebody deleted it, or it was refused`,
    todo: [command`bridge fdb replace ${mac} dev ${device} dst ${vtep} self master dynamic extern_learn`]
  }),
  local_in_bridge: ({ mac, device }) => ({
    what: `the kernel's bridge has ${mac} on ${device}, which is no vxlan device: so it counts as local, whatever the routing daemon says`, todo: [command`bridge fdb del ${mac} dev ${device} master`]
  }),
  not_a_speakers_row: ({ mac, device, vtep }) => ({
    what: `the row for ${mac} on ${device} was not written by a routing daemon (it has neither extern_learn nor sticky), so it is not used`,
    todo: [command`bridge fdb replace ${mac} dev ${device} dst ${vtep} self extern_learn`]
  }),
  not_in_daemon: ({ mac }) => ({ what: `the kernel has a row for ${mac}, and ovs-evpnd does not know it`, todo: ['ask again: it may be on its way', 'ovs-evpnctl problems'] }),
  ip_not_in_kernel: ({ ip, mac, device }) => ({
    what: `${mac} is known, and the routing daemon has written no neighbour ${ip} on ${device}: requests for it are flooded, not answered`,
    todo: [`vtysh -c 'show evpn arp-cache vni all' and look for ${ip}`, command`ip link set ${device} up`]
  }),
  stale: ({ reason }) => ({ what: `it stands only because it is kept: ${reason}. Packets still go there`, todo: startFrr(false) }),
  nexthop_empty: ({ nexthop }) => ({ what: `it is behind nexthop ${nexthop}, which leads to no VTEP: packets to it are dropped`, todo: [command`ip nexthop show id ${nexthop}`, "vtysh -c 'show evpn es'"] }),
  vtep_unusable: ({ vtep, reason }) => ({ what: `no packet can go to its VTEP ${vtep}: ${reason}`, todo: ['ovs-evpnctl doctor'] }),
  group_missing: ({ group, bridge }) => ({
    what: `the switch lacks ${nameOf(group)}${because(group.reason)}`, todo: ['ovs-evpnctl problems', command`ovs-ofctl -O OpenFlow15 dump-groups ${bridge} ${group.group}`]
  }),
  group_foreign: ({ group, bridge }) => ({
    what: `somebody else's group stands in the place of ${nameOf(group)}`, todo: [command`ovs-ofctl -O OpenFlow15 del-groups ${bridge} group_id=${group.group}`]
  }),
  group_different: ({ group, bridge }) => ({
    what: `${nameOf(group)} is not as it should be${because(group.reason)}`,
    todo: ['ovs-evpnctl problems', 'with evpn-audit=repair it is put back', command`ovs-ofctl -O OpenFlow15 dump-groups ${bridge} ${group.group}`]
  }),
  flow_missing: ({ flow, bridge }) => ({
    what: `the switch lacks the flow ${flow.flow} (${flow.table})${because(flow.reason)}`, todo: ['ovs-evpnctl problems', command`ovs-ofctl -O OpenFlow15 dump-flows ${bridge} ${matchOf(flow.flow)}`]
  }),
  flow_foreign: ({ flow, bridge }) => ({
    what: `somebody else's flow stands in the place of ours: ${flow.flow} (${flow.table}), which does: ${flow.actions}`,
    todo: [command`ovs-ofctl -O OpenFlow15 --strict del-flows ${bridge} ${matchOf(flow.flow)}`]
  }),
  flow_different: ({ flow }) => ({ what: `somebody changed our flow ${flow.flow} (${flow.table}), which does now: ${flow.actions}${because(flow.reason)}`, todo: ['ovs-evpnctl problems', 'with evpn-audit=repair it is put back'] }),
  no_route: ({ vtep, by, paths }) => ({ what: `${by} has no route to the VTEP ${vtep}${ofPaths(paths)}`, todo: [command`ip route get ${vtep}`, ...(by === 'kernel' ? [] : ['ovs-appctl ovs/route/show'])] }),
  no_neighbour: ({ vtep, hop, device, words, paths }) => ({
    what: `nobody answers for ${hop} on ${device}, the way to the VTEP ${vtep}${ofPaths(paths)}: ${words}`, todo: [command`ping -c1 ${hop}`, command`ip neigh show ${hop} dev ${device}`, 'look at the cable, the switch between, and the machine that has the address']
  }),
  unknown_to_zebra: ({ mac, device, type }) => ({
    what: `${GOES_ON}, as the kernel's row on ${device} says; but zebra ${type === undefined ? `does not know ${mac}` : `has ${mac} as ${type}`}: a zebra that was killed left the row, or somebody else wrote it, so nobody will take it away`,
    todo: ['ask again, if FRR has just started', command`bridge fdb del ${mac} dev ${device} self master`]
  }),
  zebra_silent: ({ why }) => ({ what: `${GOES_ON}; but ${why}, while bgpd does, so that no change of it will reach the kernel`, todo: startFrr(false) }),
  bgpd_silent: ({ why, isOff }) => ({ what: `${GOES_ON}; but ${why}, while zebra does, so that no change of it will be heard of`, todo: startFrr(isOff) })
}

const BLIND = {
  ovsdb: (status: string): Words => ({ what: `ovs-evpnd does not follow the configuration: ${status}`, todo: ['systemctl status ovsdb-server'] }),
  openflow: (status: string): Words => ({ what: `ovs-evpnd cannot program the switch: ${status}`, todo: ['systemctl status ovs-vswitchd', 'ovs-evpnctl show'] }),
  netlink: (status: string): Words => ({ what: `ovs-evpnd does not know the kernel's tables yet: ${status}`, todo: ['ask again in a moment'] })
} as const

const TODO_OF_STATE: Readonly<Record<string, readonly string[]>> = {
  waiting: ['let the workload send a packet (ping anything from it): the first frame claims the address', 'or end the workload at the other place'],
  contested: ['end one of the two workloads that use the address'],
  duplicate: ['give each port an address of its own: ovs-evpnctl problems names both']
}

/** The verdict in words. */
export function wordsOf(verdict: Verdict): Words {
  // The table has one entry for each kind, for that kind.
  return (WORDS[verdict.kind] as (verdict: Verdict) => Words)(verdict)
}

function nameOf({ group, nexthop }: GroupExplanation): string {
  return `the group ${group} of nexthop ${nexthop}`
}

/** The match of a flow's text, as ovs-ofctl takes it. */
function matchOf(flow: string): string {
  return flow.replace(', ', ',')
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`
}

function ofPaths(paths: number): string {
  return paths > 1 ? ` (one of ${paths}: the others carry their share)` : ''
}
