// A small fabric as flows and groups, from every builder of the pipeline.
//   VNI 1000: vm1 (port 1) and vm2 (port 2, `unknown`), VTEPs 192.0.2.2, 2001:db8::2, and 192.0.2.3 on UDP port 8472
//   vm4 (port 4) is a trunk: untagged frames are of VNI 0, those of VLAN 10 of VNI 1000, where it may send from its own addresses only
//   VNI 0: vm3 (port 3), no remote VTEP, evpn-decap off, evpn-inner-vlan carry
//   VNI 2000: no port, evpn-decap member
//   tunnel ports: 10 (UDP 4789) and 11 (UDP 8472); we are 192.0.2.1 and 2001:db8::1
import { partition, type FloodMember } from '../../lib/evpn/flood.js'
import type { RemoteMac } from '../../lib/evpn/remote-mac.js'
import type { Responder } from '../../lib/evpn/responder.js'
import type { Vtep } from '../../lib/evpn/vtep.js'
import { decapAnyFlows, decapFlow, decapMemberFlows, memberFlow, tunnelPortFlows, unacceptedFlows } from '../../lib/pipeline/classify.js'
import { ANSWER_FLOWS, REPLY_FLOWS } from '../../lib/pipeline/answer.js'
import { vniDropFlows } from '../../lib/pipeline/drops.js'
import type { Flow, Group } from '../../lib/pipeline/flow.js'
import { floodEntries, TRAMPOLINE, type FloodEntries } from '../../lib/pipeline/flood.js'
import { encapFlows, floodedFlows, localMacFlow, portlessMacFlow, remoteMacFlow, SPLIT_HORIZON, taggedFlows } from '../../lib/pipeline/forward.js'
import type { NexthopPath } from '../../lib/mirror/nexthops.js'
import { nexthopFlow, nexthopGroup, nexthopGroupId } from '../../lib/pipeline/nexthop.js'
import { learnedFlows, learnedRemoteFlows, learnFlow, learnRemoteFlow, unlearnedFlows } from '../../lib/pipeline/learned.js'
import { portFlows, type PortBinding } from '../../lib/pipeline/port.js'
import { securedMacFlows, secureFlows } from '../../lib/pipeline/secure.js'
import { SOURCE_FLOWS, spoofedSourceFlow } from '../../lib/pipeline/source.js'
import { snoopPortFlows, snoopServerFlow } from '../../lib/pipeline/snoop.js'
import { responderFlows, SUPPRESS_DEFAULT } from '../../lib/pipeline/suppress.js'
import { TABLE } from '../../lib/pipeline/tables.js'
import { local, members, unknown, remote } from '../evpn/members.js'

const [VNI, VM1, VM2, VM3, VM4, TUNNEL, TUNNEL2] = [1000, 1, 2, 3, 4, 10, 11] as const
const OUR = { 4: '192.0.2.1', 6: '2001:db8::1' } as const

function vtep(ip: string, udpPort: number): Vtep {
  return { vni: VNI, ip, udpPort, flood: true, own: true, floodVni: undefined, localIp: ip.includes(':') ? OUR[6] : OUR[4] }
}

function behind(mac: string, ip: string, udpPort = 4789, encapVni?: number): RemoteMac {
  return { vni: VNI, mac, via: { kind: 'vtep', ip }, udpPort, encapVni, sticky: false }
}

function behindNexthop(vni: number, mac: string, id: number): RemoteMac {
  return { vni, mac, via: { kind: 'nexthop', id }, udpPort: 4789, encapVni: undefined, sticky: false }
}

const PATHS: readonly NexthopPath[] = [{ ip: '192.0.2.2', weight: 100 }, { ip: '192.0.2.3', weight: 200 }]

function known(ip: string, mac: string, more: Partial<Responder> = {}): Flow[] {
  return responderFlows({ vni: VNI, ip, mac, router: false, by: 'remote', bound: undefined, ...more })
}

function bound(vni: number, vlan: number | undefined, more: Partial<PortBinding> = {}): PortBinding {
  return { vni, vlan, isCarrying: vni === 0, isSecured: false, ...more }
}

/** The flood of a VNI with these members. */
export function flood(vni: number, all: readonly FloodMember[]): FloodEntries {
  return floodEntries(partition(vni, all))
}

/** Topic, what is to be seen in it, its entries. */
export interface Topic {
  readonly name: string
  readonly about: readonly string[]
  readonly flows: readonly Flow[]
  readonly groups: readonly Group[]
}

export const TOPICS: readonly Topic[] = [
  {
    name: 'classify',
    about: [
      'From a tunnel port to VNI and origin.',
      'VNI 1000 takes packets from its three VTEPs only, VNI 0 (evpn-decap off) from everybody.',
      'VNI 2000 (evpn-decap member) takes them from every VTEP that some VNI knows.',
      'Everything else from a tunnel is dropped for a reason.'
    ],
    flows: [
      ...tunnelPortFlows(TUNNEL), ...tunnelPortFlows(TUNNEL2),
      ...unacceptedFlows(VNI, OUR, TUNNEL), ...unacceptedFlows(VNI, OUR, TUNNEL2), ...unacceptedFlows(0, OUR, TUNNEL),
      decapFlow(vtep('192.0.2.2', 4789), OUR[4], TUNNEL), decapFlow(vtep('2001:db8::2', 4789), OUR[6], TUNNEL),
      decapFlow(vtep('192.0.2.3', 8472), OUR[4], TUNNEL2),
      ...decapAnyFlows(0, OUR, TUNNEL), ...decapMemberFlows(2000, OUR, TUNNEL),
      memberFlow('192.0.2.2', TUNNEL), memberFlow('2001:db8::2', TUNNEL), memberFlow('192.0.2.3', TUNNEL2)
    ],
    groups: []
  },
  {
    name: 'ports',
    about: [
      'In from a workload and out to it: vm1 and vm2 of VNI 1000, which drops tags, vm3 of VNI 0, which carries them.',
      'vm4 is a trunk: its tag of VLAN 10 is taken off and put on, its untagged frames are of VNI 0, all others end here.'
    ],
    flows: [
      ...portFlows(VM1, [bound(VNI, undefined)]), ...portFlows(VM2, [bound(VNI, undefined)]), ...portFlows(VM3, [bound(0, undefined)]),
      ...portFlows(VM4, [bound(0, 0), bound(VNI, 10, { isSecured: true })])
    ],
    groups: []
  },
  {
    name: 'secure',
    about: [
      'evpn-port-security in VNI 1000: what vm4 may send from a MAC without IPs, from one with an IPv4 address, and from one with both.',
      'The link-local address fe80::ff:fe00:43 is made from the MAC.'
    ],
    flows: [
      ...secureFlows(VNI), ...securedMacFlows(VNI, VM4, '02:00:00:00:00:41', undefined),
      ...securedMacFlows(VNI, VM4, '02:00:00:00:00:42', ['10.0.0.42']), ...securedMacFlows(VNI, VM4, '02:00:00:00:00:43', ['10.0.0.43', '2001:db8:1::43'])
    ],
    groups: []
  },
  {
    name: 'source',
    about: ['What no bridge forwards, from wherever it comes; vm2 of VNI 1000 (`unknown`) is learned from, and its VNI looks up what was learned.'],
    flows: [...SOURCE_FLOWS, spoofedSourceFlow(VNI, '02:00:00:00:00:01'), ...unlearnedFlows(VNI), learnFlow(VNI, VM2, 300), ...learnedFlows(VNI, false).filter(({ table }) => table === TABLE.SOURCE), learnRemoteFlow(vtep('192.0.2.2', 4789), TUNNEL, 300), learnRemoteFlow(vtep('2001:db8::2', 4789), TUNNEL, 0)],
    groups: []
  },
  {
    name: 'snoop',
    about: ['What says who has which IP in VNI 1000: vm2 (`unknown`), and DHCP servers wherever they are.'],
    flows: [...snoopPortFlows(VNI, VM2), snoopServerFlow(VNI)],
    groups: []
  },
  {
    name: 'suppress',
    about: [
      'Known IPs of VNI 1000: a remote one, a remote router, one bound here (its owner is not answered), and one that is both.',
      'The same IP in VNI 0 has another MAC.'
    ],
    flows: [
      SUPPRESS_DEFAULT,
      ...known('10.0.0.21', '02:00:00:00:01:01'), ...known('2001:db8:1::21', '02:00:00:00:01:01'),
      ...known('2001:db8:1::22', '02:00:00:00:01:02', { router: true }),
      ...known('10.0.0.1', '02:00:00:00:00:01', { by: 'local', bound: '02:00:00:00:00:01' }),
      ...known('2001:db8:1::1', '02:00:00:00:01:01', { bound: '02:00:00:00:00:01' }),
      ...known('10.0.0.21', '02:00:00:00:01:03', { vni: 0 })
    ],
    groups: []
  },
  {
    name: 'answer',
    about: ['Requests that are not answered whatever is known; the others, for all IPs of all VNIs, become answers and go back.'],
    flows: [...ANSWER_FLOWS, ...REPLY_FLOWS],
    groups: []
  },
  {
    name: 'drop',
    about: ['A counter for each reason, of VNIs 0 and 1000; those of the tunnel ports are in classify.txt.'],
    flows: [...vniDropFlows(0), ...vniDropFlows(VNI)],
    groups: []
  },
  {
    name: 'forward',
    about: [
      'From a destination MAC to a place: local ports, VTEPs of both families, of another UDP port and of another VNI, everybody, nobody.',
      'VNI 1000 drops tagged frames and floods unknown MACs (vm2 has the address `unknown`); VNI 0 does neither.',
      'A learned MAC comes after those of the control plane, and with fdb-prefer-local (VNI 2000) before them.'
    ],
    flows: [
      ...taggedFlows(VNI), ...floodedFlows(VNI, true), ...floodedFlows(0, false),
      localMacFlow(VNI, '02:00:00:00:00:01', VM1), localMacFlow(0, '02:00:00:00:00:01', VM3),
      remoteMacFlow(behind('02:00:00:00:01:01', '192.0.2.2')), remoteMacFlow(behind('02:00:00:00:01:02', '2001:db8::2')),
      remoteMacFlow(behind('02:00:00:00:01:03', '192.0.2.3', 8472)),
      remoteMacFlow(behind('02:00:00:00:01:04', '192.0.2.2', 4789, 777)),
      portlessMacFlow(VNI, '02:00:00:00:00:fe'),
      ...[learnedFlows(VNI, false), learnedFlows(2000, true)].flat().filter(({ table }) => table === TABLE.FORWARD),
      ...floodedFlows(2000, false, true), ...learnedRemoteFlows(2000, false), ...learnedRemoteFlows(2001, true)
    ],
    groups: []
  },
  {
    name: 'nexthop',
    about: [
      'MACs behind a nexthop group: one group for all MACs of all VNIs, whatever their UDP port; a bucket says which VTEP, no more.',
      'Of group 11 VNI 0 leaves out one member: a group of its own. Of a group with the number that FRR gives its first, no member is left.'
    ],
    flows: [
      remoteMacFlow(behindNexthop(VNI, '02:00:00:00:02:01', 10)), remoteMacFlow(behindNexthop(VNI, '02:00:00:00:02:02', 10)),
      remoteMacFlow(behindNexthop(0, '02:00:00:00:02:01', 10)), remoteMacFlow(behindNexthop(0, '02:00:00:00:02:03', 11)),
      remoteMacFlow(behindNexthop(VNI, '02:00:00:00:02:03', 11)), remoteMacFlow(behindNexthop(VNI, '02:00:00:00:02:04', 0x20000001)),
      nexthopFlow(VNI, 10, nexthopGroupId(10, ''), 4789), nexthopFlow(0, 10, nexthopGroupId(10, ''), 8472),
      nexthopFlow(VNI, 11, nexthopGroupId(11, ''), 4789), nexthopFlow(0, 11, nexthopGroupId(11, '2001:db8::2'), 8472),
      nexthopFlow(VNI, 0x20000001, nexthopGroupId(0x20000001, ''), 4789)
    ],
    groups: [
      nexthopGroup(nexthopGroupId(10, ''), PATHS),
      nexthopGroup(nexthopGroupId(11, ''), [{ ip: '192.0.2.2', weight: 1 }, { ip: '2001:db8::2', weight: 1 }]),
      nexthopGroup(nexthopGroupId(11, '2001:db8::2'), [{ ip: '192.0.2.2', weight: 1 }]),
      nexthopGroup(nexthopGroupId(0x20000001, ''), [])
    ]
  },
  {
    name: 'encap',
    about: ['Into a tunnel, by VNI, family and UDP port, and whether the entry brought a tunnel id; never what came out of one.'],
    flows: [
      SPLIT_HORIZON,
      ...encapFlows(VNI, 4, 4789, OUR[4], TUNNEL), ...encapFlows(VNI, 6, 4789, OUR[6], TUNNEL), ...encapFlows(VNI, 4, 8472, OUR[4], TUNNEL2),
      ...encapFlows(0, 4, 4789, OUR[4], TUNNEL)
    ],
    groups: []
  },
  {
    name: 'flood-local',
    about: ['VNI 0 has one port and no VTEP: one part, and both floods are its group.'],
    ...flood(0, [local(VM3)])
  },
  {
    name: 'flood-small',
    about: ['VNI 1000: one part for each class, all named directly, because one translation of Open vSwitch holds them together.'],
    ...flood(VNI, [local(VM1), local(VM2), unknown(VM2), remote('192.0.2.2'), remote('192.0.2.3', 8472), remote('192.0.2.4', 4789, 777), remote('2001:db8::2')])
  },
  {
    name: 'flood-remote',
    about: ['VTEPs and no port: what comes from a tunnel has nowhere to go.'],
    ...flood(16777215, [remote('192.0.2.2'), remote('192.0.2.4')])
  },
  {
    name: 'flood-large',
    about: ['5,000 VTEPs and two ports: each part passes the trampoline and is translated by itself.'],
    ...((entries: FloodEntries) => ({ flows: entries.flows, groups: [TRAMPOLINE, ...entries.groups] }))(flood(VNI, [...members('v4', 5000), local(VM1), local(VM2), unknown(VM2)]))
  }
]
