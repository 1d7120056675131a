// A domain: configuration joined with kernel devices. What is missing or wrong is named, and the other half works.
import t from 'tap'
import type { Domain } from '../../lib/evpn/domain.js'
import type { LinkRow, VlanRow } from '../../lib/netlink/index.js'
import { fdbTable } from '../../lib/mirror/fdb.js'
import { link } from '../mirror/rows.js'
import { ADVERTISE, ADVERTISE_LINK, BRIDGE, BRIDGE_LINK, DEVICES, domainOf, VXLAN, vxlan, VXLAN6 } from './world.js'

await t.test('all devices there and right: nothing to say', (t) => {
  t.match(domainOf(DEVICES), {
    vni: 1000, bridge: BRIDGE, vlan: 0, svi: BRIDGE, sviUp: true, vxlans: [VXLAN], advertise: ADVERTISE, localIps: { 4: '192.0.2.1' }, udpPort: 4789, problems: []
  })
  t.end()
})

await t.test('VNI 0 is a VNI like any other', (t) => {
  const devices = [link(1, 'br-0', { kind: 'bridge' }), { ...vxlan({ vni: 0 }), name: 'vxlan-0', master: 1 }, link(3, 'lo-0', { master: 1 })]
  t.match(domainOf(devices, { vni: 0 }), { vni: 0, bridge: 1, vxlans: [VXLAN], advertise: 3, problems: [] })
  t.end()
})

await t.test('nothing there: each device is named', (t) => {
  t.match(domainOf([]), {
    bridge: undefined, svi: undefined, sviUp: false, vxlans: [], advertise: undefined, localIps: {},
    problems: ['bridge br-1000 does not exist', 'vxlan device vxlan-1000 does not exist', 'advertise device lo-1000 does not exist']
  })
  t.end()
})

const WORKING = { bridge: BRIDGE, vxlans: [VXLAN], advertise: ADVERTISE }

/** Devices that are wrong: what is said, and what works all the same. */
const WRONG: readonly (readonly [what: string, devices: readonly LinkRow[], problem: string, works: object])[] = [
  ['the bridge is missing: remote MACs are learned all the same', [vxlan(), ADVERTISE_LINK],
    'bridge br-1000 does not exist', { bridge: undefined, vxlans: [VXLAN], advertise: undefined }],
  ['the bridge is no bridge', [link(BRIDGE, 'br-1000', { kind: 'veth' }), vxlan(), ADVERTISE_LINK],
    'br-1000 is no bridge', { bridge: undefined, vxlans: [VXLAN], advertise: undefined }],
  ['the vxlan device is missing: local addresses are advertised all the same', [BRIDGE_LINK, ADVERTISE_LINK],
    'vxlan device vxlan-1000 does not exist', { ...WORKING, vxlans: [] }],
  ['the vxlan device is none', [BRIDGE_LINK, link(VXLAN, 'vxlan-1000', { kind: 'dummy', master: BRIDGE }), ADVERTISE_LINK],
    'vxlan-1000 is no vxlan device', { ...WORKING, vxlans: [] }],
  ["another VNI's vxlan device would leak its entries: not used", [BRIDGE_LINK, vxlan({ vni: 2000 }), ADVERTISE_LINK],
    'vxlan device vxlan-1000 has VNI 2000, not 1000', { ...WORKING, vxlans: [], localIps: {} }],
  ['learning on: used, and the command to mend it is said', [BRIDGE_LINK, vxlan({ learning: true }), ADVERTISE_LINK],
    'vxlan device vxlan-1000 has learning on; set it with: ip link set vxlan-1000 type vxlan nolearning', WORKING],
  ['the vxlan device is in no bridge: used', [BRIDGE_LINK, ((): LinkRow => { const { master: _, ...row } = vxlan(); return row })(), ADVERTISE_LINK],
    'vxlan device vxlan-1000 is not in bridge br-1000', WORKING],
  ['the vxlan device is in another bridge: used', [BRIDGE_LINK, { ...vxlan(), master: 99 }, ADVERTISE_LINK],
    'vxlan device vxlan-1000 is not in bridge br-1000', WORKING],
  ['the vxlan device is down: used', [BRIDGE_LINK, { ...vxlan(), flags: 0 }, ADVERTISE_LINK],
    'vxlan device vxlan-1000 is down: it holds no MACs; set it with: ip link set vxlan-1000 up', WORKING],
  ['the advertise device is missing: learning works all the same', [BRIDGE_LINK, vxlan()],
    'advertise device lo-1000 does not exist', { ...WORKING, advertise: undefined }],
  ['the advertise device is in another bridge: nothing is written there', [BRIDGE_LINK, vxlan(), { ...ADVERTISE_LINK, master: 99 }],
    'advertise device lo-1000 is not in bridge br-1000', { ...WORKING, advertise: undefined }]
]

await t.test('a name with what a shell would take for more than a word: quoted in the command, as it is in the sentence', (t) => {
  const [bridge, vxlanName, advertise] = ['br;reboot', 'v$(reboot)', 'lo&reboot']
  const config = { bridge: { 'dynamic-routing-bridge-ifname-1000': bridge, 'dynamic-routing-vxlan-ifname-1000': vxlanName, 'dynamic-routing-advertise-ifname-1000': advertise } }
  const named = ({ plain = true, filtering = false } = {}): LinkRow[] => [
    { ...BRIDGE_LINK, name: bridge, ...(plain ? {} : { flags: 0 }), ...(filtering ? { vlanFiltering: true } : {}) }, { ...vxlan({ learning: !plain }), name: vxlanName, ...(plain ? {} : { flags: 0 }) },
    { ...ADVERTISE_LINK, name: advertise }
  ]
  t.strictSame(domainOf(named(), config).problems, [])
  t.strictSame(domainOf(named({ plain: false }), config).problems, [
    "vxlan device v$(reboot) has learning on; set it with: ip link set 'v$(reboot)' type vxlan nolearning", "vxlan device v$(reboot) is down: it holds no MACs; set it with: ip link set 'v$(reboot)' up",
    "bridge br;reboot is down: no IPs are announced or read; set it with: ip link set 'br;reboot' up"
  ])
  t.match(domainOf(named({ filtering: true }), config).problems[0], /; set it with: bridge vlan add vid VLAN dev 'v\$\(reboot\)' pvid untagged$/)
  const vlans = [{ ifindex: VXLAN, vlans: [{ vid: 10, flags: 6 }] }]
  t.strictSame(domainOf(named({ filtering: true }), { ...config, vlans }).problems, [
    "bridge br;reboot has no device for VLAN 10: no IPs are announced or read; make one with: ip link add link 'br;reboot' name NAME type vlan id 10",
    "advertise device lo&reboot is not in VLAN 10; set it with: bridge vlan add vid 10 dev 'lo&reboot'"
  ])
  t.end()
})

for (const [what, devices, problem, works] of WRONG) {
  await t.test(what, (t) => {
    const domain = domainOf(devices)
    t.strictSame(domain.problems, [problem])
    t.match(domain, works)
    t.end()
  })
}

await t.test('a bridge that is down is a bridge, on which no neighbour can stand', (t) => {
  t.match(domainOf([{ ...BRIDGE_LINK, flags: 0 }, vxlan(), ADVERTISE_LINK]), { bridge: BRIDGE, svi: BRIDGE, sviUp: false,
    problems: ['bridge br-1000 is down: no IPs are announced or read; set it with: ip link set br-1000 up'] })
  t.end()
})

await t.test('devices by the names configured, for all VNIs or for one', (t) => {
  const bridge = {
    'dynamic-routing-bridge-ifname': 'blue', 'dynamic-routing-vxlan-ifname': 'none', 'dynamic-routing-vxlan-ifname-1000': 'vx4,vx6',
    'dynamic-routing-advertise-ifname-1000': 'adv', 'dynamic-routing-advertise-ifname-2000': 'other'
  }
  const devices = [
    { ...BRIDGE_LINK, name: 'blue' }, { ...vxlan(), name: 'vx4' }, { ...vxlan({ local: '2001:db8::1' }), ifindex: VXLAN6, name: 'vx6' },
    { ...ADVERTISE_LINK, name: 'adv' }
  ]
  t.match(domainOf(devices, { bridge }), {
    bridge: BRIDGE, vxlans: [VXLAN, VXLAN6], advertise: ADVERTISE, localIps: { 4: '192.0.2.1', 6: '2001:db8::1' }, problems: []
  })
  t.end()
})

await t.test('a vxlan device of many VNIs (collect metadata) serves each with the rows of its own', (t) => {
  const device = { ...vxlan({ external: true, vni: 0 }), name: 'vxlan0' }
  const bridge = { 'dynamic-routing-vxlan-ifname': 'vxlan0', 'dynamic-routing-bridge-ifname': 'br-1000', 'dynamic-routing-advertise-ifname': 'lo-1000' }
  for (const vni of [1000, 2000]) {
    t.match(domainOf([BRIDGE_LINK, device, ADVERTISE_LINK], { bridge, vni }), {
      vxlans: [VXLAN], tables: [fdbTable(VXLAN, vni)], vlan: undefined, svi: undefined, advertise: undefined,
      problems: ['vxlan device vxlan0 is one of many VNIs, and br-1000 has no VLAN filtering to tell them apart: nothing is announced there, and neighbours are not read']
    })
  }
  t.strictSame(domainOf([BRIDGE_LINK, device, ADVERTISE_LINK], { bridge, vni: 0 }).tables, [fdbTable(VXLAN)], 'the kernel names VNI 0 by naming none')
  t.match(domainOf(DEVICES), { tables: [fdbTable(VXLAN)], vlan: 0 })
  t.end()
})

const FILTERING = { ...BRIDGE_LINK, vlanFiltering: true }
const SVI = link(20, 'vlan10', { kind: 'vlan', link: BRIDGE, vlanId: 10, flags: 1 })
const SHARED = { ...vxlan({ external: true, vni: 0 }) }
const IN_VLAN_10 = { ifindex: ADVERTISE, vlans: [{ vid: 10, flags: 6 }] }
const MAPPED = { ifindex: VXLAN, vlans: [{ vid: 10, end: 11, flags: 0, tunnelId: 1000 }] }
const UNKNOWN = 'nothing is announced there, and neighbours are not read'

/** A bridge that filters by VLAN: devices, their VLANs, what comes of it and what is said. */
const VLANS: readonly (readonly [what: string, devices: readonly LinkRow[], vlans: readonly VlanRow[], result: object])[] = [
  ['the VLAN with the VNI as tunnel key, and its device for neighbours', [FILTERING, SHARED, ADVERTISE_LINK, SVI], [MAPPED, IN_VLAN_10],
    { vlan: 10, svi: 20, sviUp: true, advertise: ADVERTISE, problems: [] }],
  ["a VNI's own vxlan device: its PVID", [FILTERING, vxlan(), ADVERTISE_LINK, SVI], [{ ifindex: VXLAN, vlans: [{ vid: 9, flags: 0 }, { vid: 10, flags: 6 }] }, IN_VLAN_10],
    { vlan: 10, svi: 20, advertise: ADVERTISE, problems: [] }],
  ['no VLAN has the tunnel key: the VNI stays by itself', [FILTERING, SHARED, ADVERTISE_LINK, SVI], [IN_VLAN_10],
    { vlan: undefined, svi: undefined, advertise: undefined, problems: [
      `vxlan device vxlan-1000 has no VLAN of bridge br-1000 for VNI 1000: ${UNKNOWN}; set it with: bridge vlan add vid VLAN dev vxlan-1000 tunnel_info id 1000`
    ] }],
  ['no PVID', [FILTERING, vxlan(), ADVERTISE_LINK, SVI], [{ ifindex: VXLAN, vlans: [{ vid: 10, flags: 0 }] }, IN_VLAN_10],
    { vlan: undefined, svi: undefined, advertise: undefined, problems: [
      `vxlan device vxlan-1000 has no PVID in bridge br-1000, which filters by VLAN: ${UNKNOWN}; set it with: bridge vlan add vid VLAN dev vxlan-1000 pvid untagged`
    ] }],
  ['the advertise device is not in the VLAN: nothing is written there', [FILTERING, SHARED, ADVERTISE_LINK, SVI], [MAPPED, { ifindex: ADVERTISE, vlans: [{ vid: 11, flags: 6 }] }],
    { vlan: 10, svi: 20, advertise: undefined, problems: ['advertise device lo-1000 is not in VLAN 10; set it with: bridge vlan add vid 10 dev lo-1000'] }],
  ['without a device of the VLAN there is no place for neighbours', [FILTERING, SHARED, ADVERTISE_LINK, { ...SVI, vlanId: 11 }], [MAPPED, IN_VLAN_10],
    { vlan: 10, svi: undefined, sviUp: false, advertise: ADVERTISE, problems: [
      'bridge br-1000 has no device for VLAN 10: no IPs are announced or read; make one with: ip link add link br-1000 name NAME type vlan id 10'
    ] }],
  ['the device of the VLAN is down', [FILTERING, SHARED, ADVERTISE_LINK, { ...SVI, flags: 0 }], [MAPPED, IN_VLAN_10],
    { vlan: 10, svi: 20, sviUp: false, advertise: ADVERTISE, problems: ['VLAN device vlan10 is down: no IPs are announced or read; set it with: ip link set vlan10 up'] }],
  ["a VLAN device on something of another network namespace is not the bridge's", [FILTERING, SHARED, ADVERTISE_LINK, { ...SVI, linkNetnsid: 0 }], [MAPPED, IN_VLAN_10],
    { vlan: 10, svi: undefined }],
  ["a bridge without VLAN filtering has no VLANs, whatever its ports' are", [BRIDGE_LINK, vxlan(), ADVERTISE_LINK, SVI], [{ ifindex: VXLAN, vlans: [{ vid: 10, flags: 6 }] }],
    { vlan: 0, svi: BRIDGE, advertise: ADVERTISE, problems: [] }]
]

for (const [what, devices, vlans, result] of VLANS) {
  await t.test(`VLANs: ${what}`, (t) => {
    const { vlan, svi, sviUp, advertise, problems } = domainOf(devices, { vlans })
    const { problems: said = problems, ...works } = result as Partial<Domain>
    t.strictSame(problems, said)
    t.match({ vlan, svi, sviUp, advertise }, works)
    t.end()
  })
}

await t.test('two vxlan devices in different VLANs: one is used, and it is said', (t) => {
  const devices = [FILTERING, vxlan(), { ...vxlan({ local: '2001:db8::1' }), ifindex: VXLAN6, name: 'vx6' }, ADVERTISE_LINK, SVI]
  const vlans = [IN_VLAN_10, { ifindex: VXLAN, vlans: [{ vid: 10, flags: 6 }] }, { ifindex: VXLAN6, vlans: [{ vid: 12, flags: 6 }] }]
  const { vlan, problems } = domainOf(devices, { bridge: { 'dynamic-routing-vxlan-ifname': 'vxlan-1000,vx6' }, vlans })
  t.equal(vlan, 10)
  t.strictSame(problems, ['the vxlan devices have VNI 1000 in several VLANs of bridge br-1000: 10 12; only 10 is used'])
  t.end()
})

await t.test('of two vxlan devices one may be missing', (t) => {
  const { vxlans, problems } = domainOf(DEVICES, { bridge: { 'dynamic-routing-vxlan-ifname': 'vxlan-1000,vx6' } })
  t.strictSame(vxlans, [VXLAN])
  t.strictSame(problems, ['vxlan device vx6 does not exist'])
  t.end()
})

await t.test('our address: of the VNI, else the default of its family, else of the vxlan device; the first device wins', (t) => {
  const two = [BRIDGE_LINK, vxlan(), { ...vxlan({ local: '192.0.2.99' }), ifindex: VXLAN6, name: 'vx2' }, ADVERTISE_LINK]
  const bridge = { 'dynamic-routing-vxlan-ifname': 'vxlan-1000,vx2' }
  t.strictSame(domainOf(two, { bridge }).localIps, { 4: '192.0.2.1' })
  const cases = [
    ['192.0.2.2', { 4: '192.0.2.2' }],
    ['2001:db8::2', { 4: '192.0.2.1', 6: '2001:db8::2' }],
    ['192.0.2.2,1000-192.0.2.3', { 4: '192.0.2.3' }],
    ['192.0.2.2,2000-192.0.2.3', { 4: '192.0.2.2' }]
  ] as const
  for (const [text, localIps] of cases) t.strictSame(domainOf(DEVICES, { system: { 'ovn-evpn-local-ip': text } }).localIps, localIps, text)
  t.end()
})

await t.test("the UDP port of remotes that name none: the VNI's own, else the first tunnel port; never the kernel device's", (t) => {
  const system = { 'ovn-evpn-vxlan-ports': '8472,4789' }
  t.equal(domainOf(DEVICES, { system }).udpPort, 8472)
  t.equal(domainOf(DEVICES, { system, bridge: { 'evpn-vxlan-port-1000': '4790' } }).udpPort, 4790)
  t.end()
})
