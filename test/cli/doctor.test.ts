// The checks of `ovs-evpnctl doctor` on made-up facts: one case for each, from a chassis in order by changing one thing.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { EMPTY_BRIDGE, parseBridge } from '../../lib/config/bridge.js'
import { parseSystem } from '../../lib/config/system.js'
import { addressesIn } from '../../lib/cli/addresses.js'
import { examine } from '../../lib/cli/doctor/check.js'
import { CHECKS } from '../../lib/cli/doctor/checks.js'
import { diagnose, exitCodeOf, formatDiagnosis, withoutDaemon } from '../../lib/cli/doctor/doctor.js'
import type { BridgeFact, Facts, InterfaceFact, Source } from '../../lib/cli/doctor/facts.js'
import { isOlder } from '../../lib/cli/doctor/frr.js'
import { readFrr, slowPeers } from '../../lib/cli/doctor/frr-facts.js'
import { readOvsdb } from '../../lib/cli/doctor/ovsdb-facts.js'
import { command } from '../../lib/cli/shell.js'
import { denied, deniedIn, notRunning } from '../../lib/cli/unreachable.js'
import type { VniReport } from '../../lib/daemon/report/report.js'
import { IFF, type LinkRow } from '../../lib/netlink/index.js'

const UP = IFF.UP | IFF.LOWER_UP
const BRIDGE: LinkRow = { ifindex: 1, name: 'br-10', flags: UP, mtu: 1500, kind: 'bridge' }
const VXLAN: LinkRow = {
  ifindex: 2, name: 'vxlan-10', flags: UP, mtu: 1450, kind: 'vxlan', master: 1, bridgePort: { learning: false },
  vxlan: { vni: 10, local: '192.0.2.1', port: 60010, learning: false, external: false, vnifilter: false }
}
const LO: LinkRow = { ifindex: 3, name: 'lo-10', flags: UP, mtu: 1500, kind: 'dummy', master: 1, bridgePort: { learning: false } }
const ETH0: LinkRow = { ifindex: 4, name: 'eth0', flags: UP, mtu: 1600 }
const VNI: VniReport = { vni: 10, bridge: 'br-10', vxlan: ['vxlan-10'], advertise: 'lo-10', local_ips: ['192.0.2.1'], vteps: 1, macs: 1, ips: 1, ports: 1, problems: [] }
const INT: BridgeFact = { name: 'br-int', failMode: 'secure', datapathType: 'netdev', controllers: [], ovnKeys: [], ovnPorts: [], ports: ['vm1', 'br-int'] }
const VM1: InterfaceFact = { name: 'vm1', bridge: 'br-int', type: '', options: new Map(), externalIds: new Map([['dynamic-routing-vni', '10']]), mtu: 1500 }
const PHY: InterfaceFact = { name: 'br-phy', bridge: 'br-phy', type: 'internal', options: new Map(), externalIds: new Map(), mtu: 1600 }
const FRR = { version: '8.4.4', as: 65000, advertisesAllVnis: true, peers: [{ peer: '192.0.2.2', state: 'Established' }], neighbours: ['192.0.2.2'], slowPeers: [] }
const WAY = { vtep: '192.0.2.2', by: 'ovs-vswitchd', route: { dev: 'br-phy', src: '192.0.2.1', mtu: 1600 }, neighbour: { ip: '192.0.2.2', mac: '02:00:00:00:00:ff', state: 'resolved', words: '' } } as const
const SHOW: Facts['show'] = {
  version: '1', bridge: 'br-int', ovsdb: 'connected to unix:/x', openflow: 'connected', netlink: 'synced',
  tunnels: [{ name: 'ovn-evpn-4789', udp_port: 4789, ofport: 3, state: 'up' }], vnis: [VNI], problems: []
}
const VTEP = { vni: 10, ip: '192.0.2.2', port: 4789, flood: true, macs: 1, state: 'ok', binding_key: 0, uuid: '' } as const

const FACTS: Facts = {
  show: SHOW, vteps: [VTEP], links: [BRIDGE, VXLAN, LO, ETH0], addresses: new Map([['192.0.2.1', 'br-phy']]), underlay: [WAY],
  bridges: [INT, { name: 'br-phy', failMode: '', datapathType: 'netdev', controllers: [], ovnKeys: [], ovnPorts: [], ports: ['eth0', 'br-phy'] }], interfaces: [VM1, PHY],
  systemIds: new Map(), system: parseSystem(new Map()).config, options: EMPTY_BRIDGE, downAddresses: new Map(), offloaded: [], frr: FRR, frrDown: [], isBgpdOff: false, skipped: []
}

/** The links with one of them changed, or without it. */
function links(name: string, change?: Partial<LinkRow>): Pick<Facts, 'links'> {
  return { links: FACTS.links.flatMap((link) => (link.name !== name ? [link] : change === undefined ? [] : [{ ...link, ...change }])) }
}

const vxlan = (change: object): Pick<Facts, 'links'> => links('vxlan-10', { vxlan: { learning: false, external: false, vnifilter: false, ...VXLAN.vxlan, ...change } })
const vni = (change: Partial<VniReport>): Pick<Facts, 'show'> => ({ show: { ...SHOW, vnis: [{ ...VNI, ...change }] } })
const problem = (what: string, record = 'switch'): Pick<Facts, 'show'> => ({ show: { ...SHOW, problems: [{ severity: 'warning', record, what }] } })
const session = (change: Partial<Facts['show']>): Pick<Facts, 'show'> => ({ show: { ...SHOW, ...change } })
const peers = (...states: readonly string[]): Pick<Facts, 'frr'> => ({ frr: { ...FRR, peers: states.map((state, at) => ({ peer: `192.0.2.${2 + at}`, state })) } })
const OVN = 'bridge br-int belongs to ovn-controller (external_ids:ovn-nb-cfg); nothing is changed on it'
const vnis = (other: VniReport, change: Partial<VniReport> = {}): Pick<Facts, 'show'> => ({ show: { ...SHOW, vnis: [{ ...VNI, ...change }, other] } })
const managed = (number: string): Pick<Facts, 'options'> => ({ options: parseBridge('br-int', new Map([[`evpn-manage-devices-${number}`, 'true']])).config })
const systemIds = (ids: Readonly<Record<string, string>>): Pick<Facts, 'systemIds' | 'system'> => {
  const map = new Map(Object.entries(ids))
  return { systemIds: map, system: parseSystem(map).config }
}
const int = (change: Partial<BridgeFact>): Pick<Facts, 'bridges'> => ({ bridges: [{ ...INT, ...change }] })

const REMADE = ['ip link del vxlan-10', 'ip link add vxlan-10 type vxlan id 10 local 192.0.2.1 dstport 60010 nolearning', 'ip link set vxlan-10 master br-10 addrgenmode none',
  'ip link set vxlan-10 type bridge_slave learning off', 'ip link set vxlan-10 up']

/** A device of the VNI alone, where another one is not for it to take. */
const OWN = ['ip link add vxlan-10a type vxlan id 10 local 192.0.2.1 dstport 60010 nolearning', 'ip link set vxlan-10a master br-10 addrgenmode none', 'ip link set vxlan-10a type bridge_slave learning off',
  'ip link set vxlan-10a up', 'ovs-vsctl set Bridge br-int external_ids:dynamic-routing-vxlan-ifname-10=vxlan-10a']

interface Case {
  readonly id: string
  readonly change: Partial<Facts>
  /** The commands, or the first of them. */
  readonly mend: readonly string[] | string
}

const CASES: readonly Case[] = [
  { id: 'session-down', change: session({ ovsdb: 'not connected to unix:/run/openvswitch/db.sock' }), mend: ['systemctl start ovsdb-server'] },
  { id: 'session-down', change: session({ ovsdb: 'not connected to tcp:192.0.2.9:6640' }), mend: [] },
  { id: 'session-down', change: session({ openflow: 'not connected: connection to /run/openvswitch/br-int.mgmt lost: closed; trying again' }), mend: ['systemctl start ovs-vswitchd'] },
  { id: 'session-down', change: session({ openflow: 'not connected: cannot connect to connect EACCES /run/openvswitch/br-int.mgmt' }), mend: [] },
  { id: 'session-down', change: session({ openflow: 'connected to /run/openvswitch/br-int.mgmt, but reading the switch failed' }), mend: [] },
  { id: 'session-down', change: session({ netlink: 'reading the kernel\'s tables' }), mend: [] },
  {
    id: 'stand-off', change: { ...problem(OVN, 'configuration'), ...int({ ovnKeys: ['ovn-nb-cfg', 'ct-zone-a b'], ovnPorts: ['ovn-c2-0'] }), interfaces: [{ ...VM1, externalIds: new Map([...VM1.externalIds, ['ovn-installed', 'true']]) }] },
    mend: ['ovs-vsctl remove Bridge br-int external_ids ovn-nb-cfg', "ovs-vsctl remove Bridge br-int external_ids 'ct-zone-a b'", 'ovs-vsctl remove Interface vm1 external_ids ovn-installed', 'ovs-vsctl del-port br-int ovn-c2-0']
  },
  { id: 'stand-off', change: { ...problem(OVN, 'configuration'), ...int({ ovnKeys: ['ovn-nb-cfg'] }), ovnController: 4711 }, mend: [] },
  { id: 'bridge-missing', change: { bridges: FACTS.bridges.slice(1) }, mend: ['ovs-vsctl add-br br-int -- set-fail-mode br-int secure'] },
  { id: 'bridge-missing', change: { bridges: [], ...problem('bridge br-int does not exist; waiting for it', 'configuration') }, mend: ['ovs-vsctl add-br br-int -- set-fail-mode br-int secure'] },
  { id: 'bridge-fail-mode', change: { ...int({ failMode: '' }), ...problem('bridge br-int has no fail_mode=secure; set it with: ovs-vsctl set-fail-mode br-int secure', 'configuration') }, mend: ['ovs-vsctl set-fail-mode br-int secure'] },
  { id: 'bridge-fail-mode', change: int({ failMode: '' }), mend: ['ovs-vsctl set-fail-mode br-int secure'] },
  { id: 'bridge-controller', change: int({ controllers: ['tcp:10.0.0.1:6653'] }), mend: ['ovs-vsctl del-controller br-int'] },
  { id: 'foreign-flow', change: problem('foreign flow in our place: table=202, priority=300,metadata=0xa'), mend: ["ovs-ofctl -O OpenFlow15 --strict del-flows br-int table=202,priority=300,metadata=0xa"] },
  { id: 'foreign-group', change: problem('foreign group in our place: group_id=1073800000'), mend: ['ovs-ofctl -O OpenFlow15 del-groups br-int group_id=1073800000'] },
  {
    id: 'tunnel-refused', mend: ['ovs-vsctl del-port br-int other'],
    change: {
      show: { ...SHOW, tunnels: [{ name: 'ovn-evpn-4789', udp_port: 4789, state: 'refused', reason: 'File exists' }] },
      interfaces: [...FACTS.interfaces, { ...VM1, name: 'other', type: 'vxlan', externalIds: new Map() }]
    }
  },
  {
    id: 'tunnel-refused', mend: ['ovs-vsctl --if-exists del-port br-int ovn-evpn-4789'],
    change: { show: { ...SHOW, tunnels: [{ name: 'ovn-evpn-4789', udp_port: 4789, state: 'refused', reason: 'Address already in use' }] } }
  },
  { id: 'device-missing', change: links('vxlan-10'), mend: REMADE.slice(1) },
  { id: 'device-missing', change: links('lo-10'), mend: 'ip link add lo-10 type dummy || ip link add lo-10 type veth peer name plo-10' },
  { id: 'device-vni', change: vxlan({ vni: 11 }), mend: REMADE },
  { id: 'device-learning', change: vxlan({ learning: true }), mend: ['ip link set vxlan-10 type vxlan nolearning'] },
  { id: 'device-port-learning', change: links('lo-10', { bridgePort: { learning: true } }), mend: ['ip link set lo-10 type bridge_slave learning off'] },
  { id: 'device-not-in-bridge', change: links('lo-10', { master: 9 }), mend: 'ip link set lo-10 master br-10' },
  { id: 'device-down', change: { ...links('br-10', { flags: 0 }), ...problem('VNI 10: bridge br-10 is down: no IPs are announced or read; set it with: ip link set br-10 up', 'configuration') }, mend: ['ip link set br-10 up'] },
  { id: 'device-down', change: links('br-10', { flags: 0 }), mend: ['ip link set br-10 up'] },
  { id: 'device-udp-port', change: vxlan({ port: 4789 }), mend: REMADE },
  { id: 'device-local-ip', change: vxlan({ local: '192.0.2.77' }), mend: ['ip link set vxlan-10 type vxlan local 192.0.2.1'] },
  { id: 'device-local-ip', change: { ...vxlan({ local: undefined }), ...systemIds({ 'ovn-evpn-local-ip': '192.0.2.1' }) }, mend: ['ip link set vxlan-10 type vxlan local 192.0.2.1'] },
  { id: 'device-link-local', change: links('br-10', { addrGenMode: 0 }), mend: ['ip link set br-10 addrgenmode none', 'ip -6 address flush dev br-10 scope link'] },
  { id: 'device-link-local', change: links('vxlan-10', { addrGenMode: 0 }), mend: ['ip link set vxlan-10 addrgenmode none', 'ip -6 address flush dev vxlan-10 scope link'] },
  {
    id: 'device-vni', change: { ...vxlan({ vni: 11 }), ...vnis({ ...VNI, vni: 11, bridge: 'br-10', advertise: 'lo-10' }) },
    mend: OWN
  },
  { id: 'device-missing', change: { ...links('vxlan-10'), ...managed('10'), ...vni({ local_ips: [] }), vteps: [] }, mend: ['ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip=192.0.2.1'] },
  {
    id: 'device-missing', mend: ['ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip=IP'],
    change: { ...links('vxlan-10'), ...managed('10'), ...vni({ local_ips: [] }), vteps: [], underlay: [], addresses: new Map([['192.0.2.1', 'eth0'], ['198.51.100.1', 'eth1']]) }
  },
  { id: 'device-missing', change: { ...links('lo-10'), ...managed('10') }, mend: [] },
  {
    id: 'device-missing', change: { ...links('vxlan-10'), ...systemIds({ 'ovn-evpn-local-ip': '192.0.2.9,10-192.0.2.1' }), addresses: new Map([['192.0.2.1', 'eth0'], ['192.0.2.9', 'eth0']]) },
    mend: REMADE.slice(1)
  },
  { id: 'local-ip-foreign', change: { addresses: new Map([['192.0.2.5', 'br-phy']]) }, mend: ['ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip=192.0.2.1'] },
  {
    id: 'local-ip-foreign', mend: ['ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip=192.0.2.1,20-192.0.2.8,2001:db8::7'],
    change: { ...vxlan({ local: '192.0.2.77' }), ...vni({ local_ips: ['192.0.2.77'] }), ...systemIds({ 'ovn-evpn-local-ip': '192.0.2.77,20-192.0.2.8,2001:db8::7' }) }
  },
  {
    id: 'local-ip-foreign', mend: ['ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip-c1=192.0.2.1'],
    change: { ...vxlan({ local: '192.0.2.77' }), ...vni({ local_ips: ['192.0.2.77'] }), ...systemIds({ 'system-id': 'c1', 'ovn-evpn-local-ip': '192.0.2.5', 'ovn-evpn-local-ip-c1': '192.0.2.77' }) }
  },
  {
    id: 'local-ip-foreign', mend: ['ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip=10-192.0.2.1'],
    change: { ...vxlan({ local: '192.0.2.77' }), ...vnis({ ...VNI, vni: 20, bridge: 'br-10', vxlan: [], advertise: 'lo-10', local_ips: ['192.0.2.9'] }, { local_ips: ['192.0.2.77'] }),
      addresses: new Map([['192.0.2.1', 'br-phy'], ['192.0.2.9', 'lo']]) }
  },
  { id: 'local-ip-down', change: { addresses: new Map([['192.0.2.5', 'br-phy']]), downAddresses: new Map([['192.0.2.1', 'eth7']]) }, mend: ['ip link set eth7 up'] },
  { id: 'local-ip-missing', change: vni({ local_ips: [] }), mend: ['ovs-vsctl set Open_vSwitch . external_ids:ovn-evpn-local-ip=192.0.2.1'] },
  { id: 'vtep-no-route', change: { underlay: [{ vtep: '198.51.100.9', by: 'kernel' }] }, mend: ['ip route add 198.51.100.9 via GATEWAY dev br-phy'] },
  {
    id: 'vtep-no-route', mend: ['ip route add 198.51.100.9 via 192.0.2.254 dev br-phy'],
    change: { underlay: [{ vtep: '198.51.100.9', by: 'kernel' }, { ...WAY, route: { ...WAY.route, gateway: '192.0.2.254' } }] }
  },
  { id: 'vtep-no-neighbour', change: { underlay: [{ ...WAY, neighbour: { ip: '192.0.2.2', state: 'failed', words: 'FAILED' } }] }, mend: ['ping -c 1 -W 5 192.0.2.2'] },
  { id: 'vtep-mtu', change: links('eth0', { mtu: 1500 }), mend: ['ip link set eth0 mtu 1550'] },
  { id: 'vtep-mtu', change: { underlay: [{ ...WAY, route: { ...WAY.route, mtu: 1500 } }, { ...WAY, vtep: '192.0.2.3', route: { ...WAY.route, mtu: 1500 } }] }, mend: ['ovs-vsctl set Interface br-phy mtu_request=1550'] },
  { id: 'tx-checksum', change: { offloaded: ['br-phy'] }, mend: ['ethtool -K br-phy tx off'] },
  { id: 'frr-down', change: { frrDown: ['bgpd does not answer vtysh'] }, mend: ['systemctl restart frr'] },
  { id: 'frr-down', change: { frrDown: ['bgpd does not answer vtysh: /etc/frr/daemons has bgpd=no'], isBgpdOff: true }, mend: ["sed -i 's/^bgpd=no/bgpd=yes/' /etc/frr/daemons", 'systemctl restart frr'] },
  { id: 'frr-down', change: problem('the routing daemon is gone (nobody listens on /run/frr/zserv.api); what it withdraws is kept for evpn-stale-time', 'configuration'), mend: ['systemctl restart frr'] },
  { id: 'bgp-no-peer', change: peers('Idle (Admin)'), mend: ["vtysh -c 'configure terminal' -c 'router bgp 65000' -c 'no neighbor 192.0.2.2 shutdown' -c 'end' -c 'write'"] },
  { id: 'bgp-no-peer', change: peers('Active', 'Connect'), mend: ['ping -c 1 -W 5 192.0.2.2', "vtysh -c 'clear bgp 192.0.2.2'", 'ping -c 1 -W 5 192.0.2.3', "vtysh -c 'clear bgp 192.0.2.3'"] },
  { id: 'bgp-no-peer', change: peers(), mend: ["vtysh -c 'configure terminal' -c 'router bgp 65000' -c 'address-family l2vpn evpn' -c 'neighbor 192.0.2.2 activate' -c 'end' -c 'write'"] },
  {
    id: 'bgp-no-peer', change: { frr: { ...FRR, peers: [], neighbours: [] } },
    mend: ["vtysh -c 'configure terminal' -c 'router bgp 65000' -c 'neighbor PEER remote-as AS' -c 'address-family l2vpn evpn' -c 'neighbor PEER activate' -c 'end' -c 'write'"]
  },
  {
    id: 'frr-advertise-all-vni', change: { frr: { ...FRR, advertisesAllVnis: false } },
    mend: ["vtysh -c 'configure terminal' -c 'router bgp 65000' -c 'address-family l2vpn evpn' -c 'advertise-all-vni' -c 'end' -c 'write'"]
  },
  { id: 'frr-connect-timer', change: { frr: { ...FRR, slowPeers: ['192.0.2.2'] } }, mend: ["vtysh -c 'configure terminal' -c 'router bgp 65000' -c 'neighbor 192.0.2.2 timers connect 1' -c 'end' -c 'write'"] },
  { id: 'frr-shared-device', change: vxlan({ external: true }), mend: OWN },
  { id: 'frr-ipv6-vtep', change: { ...vxlan({ local: '2001:db8::1' }), ...vni({ local_ips: ['2001:db8::1'] }), vteps: [], addresses: new Map([['192.0.2.1', 'br-phy'], ['2001:db8::1', 'br-phy']]) }, mend: REMADE },
  { id: 'daemon-problem', change: problem('3 of 900 members found no place in the flood', 'VNI 10'), mend: [] },
  { id: 'daemon-problem', change: problem('VNI 20: bridge br-20 is down: no IPs are announced or read; set it with: ip link set br-20 up', 'configuration'), mend: ['ip link set br-20 up'] },
  {
    id: 'daemon-problem', change: problem('Bridge br-int external_ids:evpn-fluod-10="x": unknown key; the nearest known one is evpn-flood', 'configuration'),
    mend: ['ovs-vsctl remove Bridge br-int external_ids evpn-fluod-10']
  }
]

await t.test('a chassis in order', (t) => {
  const healthy = diagnose(FACTS)
  t.strictSame(healthy.findings, [])
  t.equal(exitCodeOf(healthy), 0)
  t.equal(formatDiagnosis(healthy), `Nothing found in ${CHECKS.length} checks.\n`)
  t.end()
})

for (const { id, change, mend } of CASES) {
  await t.test(`${id}: ${typeof mend === 'string' ? mend : mend.join('; ')}`, (t) => {
    const findings = examine(CHECKS, { ...FACTS, ...change })
    t.strictSame(findings.map((finding) => finding.id), [id], 'this is found, once, and nothing else')
    const [found] = findings
    if (typeof mend === 'string') t.equal(found?.mend[0], mend)
    else t.strictSame(found?.mend, mend)
    t.equal(exitCodeOf({ findings }), { error: 2, warning: 1, info: 0 }[found?.severity ?? 'error'])
    t.end()
  })
}

await t.test('each check has a case, an id of its own and a sentence', (t) => {
  t.strictSame(CHECKS.filter(({ id }) => !CASES.some((one) => one.id === id)).map(({ id }) => id), [])
  const provoked = readdirSync('test/system').filter((name) => name.startsWith('doctor-')).map((name) => readFileSync(`test/system/${name}`, 'utf8')).join('\n')
  t.strictSame(CHECKS.filter(({ id }) => !provoked.includes(`id: '${id}'`)).map(({ id }) => id), [], 'and is provoked on a real chassis')
  t.equal(new Set(CHECKS.map(({ id }) => id)).size, CHECKS.length)
  t.strictSame(CHECKS.filter(({ why }) => !/^[A-Z].*\.$/.test(why)).map(({ id }) => id), [])
  t.end()
})

await t.test('what was not looked at is no finding, and said', (t) => {
  const { frr: _, ...rest } = FACTS
  const why = 'FRR was not looked at: vtysh is not installed'
  const ofFrr = CHECKS.map(({ id }) => id).filter((id) => /^(frr|bgp)-/.test(id))
  const diagnosis = diagnose({ ...rest, skipped: (['zebra', 'bgpd', 'version'] as const).map((source) => ({ source, why })) })
  t.equal(exitCodeOf(diagnosis), 0)
  t.strictSame(diagnosis.left_out, ofFrr)
  t.equal(formatDiagnosis(diagnosis), `Not looked at: ${why}; left out: ${ofFrr.join(', ')}.\nNothing found in ${CHECKS.length - ofFrr.length} checks; ${ofFrr.length} others were left out.\n`)
  t.end()
})

await t.test('a check is left out when what it needs was not looked at: of what is wrong there nothing is found', (t) => {
  const wrong: readonly (readonly [source: Source, without: Partial<Facts>, change: Partial<Facts>])[] = [
    ['OVSDB', { bridges: [], interfaces: [], systemIds: new Map() }, { ...int({ failMode: '', controllers: ['tcp:10.0.0.1:6653'] }), offloaded: ['host0'], underlay: [{ ...WAY, route: { ...WAY.route, mtu: 1500 } }] }],
    ['addresses', { addresses: new Map(), downAddresses: new Map() }, { addresses: new Map([['192.0.2.5', 'br-phy']]) }],
    ['addresses', { addresses: new Map(), downAddresses: new Map() }, { addresses: new Map(), downAddresses: new Map([['192.0.2.1', 'eth7']]) }],
    ['ways', { underlay: [{ vtep: '192.0.2.2', by: 'kernel', problem: 'use root' }] }, { underlay: [{ vtep: '192.0.2.2', by: 'kernel' }] }],
    ['ways', { underlay: [{ vtep: '192.0.2.2', by: 'kernel', problem: 'use root' }] }, { underlay: [{ ...WAY, neighbour: { ip: '192.0.2.2', state: 'failed', words: 'FAILED' } }] }],
    ['ways', { underlay: [{ vtep: '192.0.2.2', by: 'kernel', problem: 'use root' }] }, { underlay: [{ ...WAY, route: { ...WAY.route, mtu: 1500 } }] }],
    ['checksums', { offloaded: [] }, { offloaded: ['host0'] }], ['zebra', { frrDown: [] }, { frrDown: ['zebra does not answer vtysh'] }]
  ]
  for (const [source, without, change] of wrong) {
    const there = diagnose({ ...FACTS, ...change })
    const away = diagnose({ ...FACTS, ...change, ...without, skipped: [{ source, why: 'it does not answer' }] })
    t.ok(there.findings.length > 0)
    t.strictSame(away.findings, [], source)
    for (const { id } of there.findings) t.ok(away.left_out.includes(id), `${source}: ${id} is told to be left out`)
    t.match(formatDiagnosis(away), `Not looked at: it does not answer; left out: ${away.left_out.join(', ')}.\nNothing found in ${CHECKS.length - away.left_out.length} checks;`)
  }
  t.end()
})

await t.test('an OVSDB behind TLS is not read, and that is said', async (t) => {
  await t.rejects(readOvsdb({ ...SHOW, ovsdb: 'connected to ssl:192.0.2.9:6640' }), { message: 'ssl:192.0.2.9:6640 needs keys that only the daemon has' })
})

await t.test('FRR that cannot be asked: which of it was not looked at', async (t) => {
  const skipped: string[] = []
  const path = process.env['PATH']
  t.teardown(() => { process.env['PATH'] = path })
  process.env['PATH'] = '/nowhere'
  t.same(await readFrr({ directory: undefined }, true, (source, why) => skipped.push(`${source}: ${why}`)), { frrDown: [], isBgpdOff: false })
  t.match(skipped, [/^zebra: FRR was not looked at: /, /^bgpd: FRR was not looked at: /, /^version: FRR was not looked at: /])
  t.end()
})

await t.test('findings as they are printed, and without a daemon', (t) => {
  const screen = formatDiagnosis(diagnose({ ...FACTS, ...vxlan({ vni: 11 }), ...int({ failMode: '' }) }))
  t.equal(screen, readFileSync('fixtures/cli/doctor.txt', 'utf8'))
  const gone = withoutDaemon(notRunning('/x.ctl', 'nothing answers'))
  t.equal(exitCodeOf(gone), 2)
  t.match(formatDiagnosis(gone), /^ERROR daemon-down: ovs-evpnd is not running: tried \/x\.ctl.*\n.*\n {2}mend: ovs-evpnd --detach --pidfile\n/)
  for (const failure of [denied('/x.ctl'), deniedIn('/x')]) {
    const refused = withoutDaemon(failure)
    t.equal(exitCodeOf(refused), 2)
    t.match(refused, { findings: [{ id: 'daemon-denied', severity: 'error', subject: 'ovs-evpnd', what: /^not allowed to .*\/x.*; use root/ }], left_out: CHECKS.map(({ id }) => id) })
    t.match(formatDiagnosis(refused), /^ERROR daemon-denied: not allowed to .*\n {2}why: Without its answers nothing can be looked at\.\n[^]*\n1 error, 0 warnings\.\n$/)
  }
  t.end()
})

await t.test('docs/troubleshooting.md has the table of findings, and a screen', (t) => {
  const doc = readFileSync('docs/troubleshooting.md', 'utf8')
  const rows = [...doc.matchAll(/^\| `([a-z0-9-]+)` \| (error|warning|info) \| (.*) \|$/gm)].map(([, ...cells]) => cells)
  t.strictSame(rows, CHECKS.map(({ id, severity, why }) => [id, severity, why]))
  t.match(doc, readFileSync('fixtures/cli/doctor.txt', 'utf8').trimEnd().split('\n').map((line) => (line === '' ? '' : `    ${line}`)).join('\n'))
  t.end()
})

await t.test('what could be better is told, and no warning', (t) => {
  const diagnosis = diagnose({ ...FACTS, frr: { ...FRR, slowPeers: ['192.0.2.2'] } })
  t.match(formatDiagnosis(diagnosis), /^INFO frr-connect-timer: [^]*\n0 errors, 0 warnings, 1 hint\.\n$/)
  t.equal(exitCodeOf(diagnosis), 0)
  t.end()
})

await t.test('no command takes a device from another VNI: one that many use is neither deleted nor changed for them', (t) => {
  const other: VniReport = { ...VNI, vni: 20, bridge: 'br-10', advertise: 'lo-10', local_ips: ['192.0.2.9'] }
  const changes: readonly Partial<Facts>[] = [
    vxlan({ external: true, port: 4789 }), vxlan({ external: true, local: '192.0.2.77' }), vxlan({ external: true, local: '2001:db8::1' }), links('vxlan-10', { ...VXLAN, vxlan: { ...VXLAN.vxlan, learning: false, vnifilter: false, external: true }, master: 9 })
  ]
  for (const change of changes) {
    const found = examine(CHECKS, { ...FACTS, ...change, ...vnis(other), addresses: new Map([['192.0.2.1', 'br-phy'], ['192.0.2.9', 'br-phy']]) }).filter(({ subject }) => subject === 'vxlan-10')
    t.ok(found.length > 0)
    for (const line of found.flatMap(({ mend }) => mend)) t.notMatch(line, /link (del|set) vxlan-10 /, line)
  }
  t.end()
})

await t.test('addresses of the machine: those of loopback networks are nobody\'s, a VTEP\'s may be on lo', (t) => {
  const { up, down } = addressesIn([
    { ifname: 'lo', flags: ['LOOPBACK', 'UP'], addr_info: [{ local: '127.0.0.1' }, { local: '::1' }, { local: '192.0.2.1' }] },
    { ifname: 'eth0', flags: ['UP'], addr_info: [{ local: '2001:db8::1' }, { local: 'fe80::1' }, {}] }, { ifname: 'eth1', flags: [], addr_info: [{ local: '192.0.2.9' }] }
  ])
  t.strictSame([[...up], [...down]], [[['192.0.2.1', 'lo'], ['2001:db8::1', 'eth0']], [['192.0.2.9', 'eth1']]])
  t.end()
})

await t.test('versions of FRR', (t) => {
  for (const [version, than, older] of [['8.4.4', '9.0', true], ['9.0', '9.0', false], ['9.0.1', '9.0', false], ['10.2', '9.0', false], ['10.2', '10.6', true], ['10.10', '10.6', false], ['8.5-dev', '9.0', true]] as const) {
    t.equal(isOlder(version, than), older, `${version} is ${older ? '' : 'not '}older than ${than}`)
  }
  t.end()
})

await t.test('neighbours whose next attempt is long in coming: what bgpd works with, wherever it was said', (t) => {
  const neighbour = (connectRetryTimer: number, more: object = {}): object => ({ bgpState: 'Established', connectRetryTimer, ...more })
  t.strictSame(slowPeers({
    '192.0.2.2': neighbour(1), '192.0.2.3': neighbour(120), eth1: neighbour(120), '192.0.2.4': neighbour(10),
    '192.0.2.5': neighbour(120, { dynamicPeer: true }), totalPeers: 5, '192.0.2.6': { bgpState: 'Idle' }
  }), ['192.0.2.3', 'eth1'])
  t.end()
})

await t.test('a chassis without one session has peers all the same when another stands', (t) => {
  t.strictSame(diagnose({ ...FACTS, ...peers('Active', 'Established') }).findings, [])
  t.strictSame(diagnose({ ...FACTS, show: { ...SHOW, openflow: 'no bridge to connect to' } }).findings, [], 'why there is none is a finding of its own')
  t.end()
})

await t.test('what the daemon finds of one device is told beside what is found of another', (t) => {
  const down = (name: string): string => `VNI 10: bridge ${name} is down: no IPs are announced or read; set it with: ip link set ${name} up`
  const problems = ['br-10', 'br-100'].map((name) => ({ severity: 'warning', record: 'configuration', what: down(name) }) as const)
  const { findings } = diagnose({ ...FACTS, ...links('br-10', { flags: 0 }), show: { ...SHOW, problems } })
  t.strictSame(findings.map(({ id, mend }) => [id, ...mend]), [['device-down', 'ip link set br-10 up'], ['daemon-problem', 'ip link set br-100 up']])
  t.end()
})

await t.test('a sentence of the daemon with a command in it that is not the daemon\'s: nothing to type', (t) => {
  const foreign = '; set it with: ip link set eth0 down'
  for (const what of [
    `bridge br-int${foreign} does not exist; waiting for it`, `Interface vm1 external_ids:evpn-addresses="x${foreign}": "x" is no MAC address`, `VNI 10: port vm1${foreign}: no such device`,
    `bridge a${foreign} has no fail_mode=secure; set it with: ovs-vsctl set-fail-mode 'a${foreign}' secure`
  ]) {
    const mends = examine(CHECKS, { ...FACTS, ...problem(what, 'configuration') }).flatMap(({ mend }) => mend)
    t.strictSame(mends, [], what)
  }
  t.end()
})

await t.test('names from outside are words of the commands, whatever is in them', (t) => {
  t.equal(command`ip link set ${'br-10'} mtu ${1550}`, 'ip link set br-10 mtu 1550')
  t.equal(command`ovs-vsctl del-port ${'br-int'} ${'$(reboot)'}`, "ovs-vsctl del-port br-int '$(reboot)'")
  t.equal(command`ip link del ${"a'b"}`, "ip link del 'a'\\''b'")
  const what = "VNI 10: bridge br;reboot is down: no IPs are announced or read; set it with: ip link set 'br;reboot' up"
  const show = { ...SHOW, vnis: [{ ...VNI, bridge: 'br;reboot' }], problems: [{ severity: 'warning', record: 'configuration', what }] } as const
  const { findings } = diagnose({ ...FACTS, ...links('br-10', { name: 'br;reboot', flags: 0 }), show })
  t.strictSame(findings.map(({ id, mend }) => [id, ...mend]), [['device-down', "ip link set 'br;reboot' up"]], 'and the daemon\'s own sentence is the same finding')
  t.end()
})
