// A domain: configuration joined with kernel devices. What is missing or wrong is named, and the other half works.
import t from 'tap'
import type { LinkRow } from '../../lib/netlink/index.js'
import { fdbTable } from '../../lib/mirror/fdb.js'
import { link } from '../mirror/rows.js'
import { ADVERTISE, ADVERTISE_LINK, BRIDGE, BRIDGE_LINK, DEVICES, domainOf, VXLAN, vxlan, VXLAN6 } from './world.js'

await t.test('all devices there and right: nothing to say', (t) => {
  t.match(domainOf(DEVICES), {
    vni: 1000, bridge: BRIDGE, bridgeUp: true, vxlans: [VXLAN], advertise: ADVERTISE, localIps: { 4: '192.0.2.1' }, udpPort: 4789, problems: []
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
    bridge: undefined, bridgeUp: false, vxlans: [], advertise: undefined, localIps: {},
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
  ['the advertise device is missing: learning works all the same', [BRIDGE_LINK, vxlan()],
    'advertise device lo-1000 does not exist', { ...WORKING, advertise: undefined }],
  ['the advertise device is in another bridge: nothing is written there', [BRIDGE_LINK, vxlan(), { ...ADVERTISE_LINK, master: 99 }],
    'advertise device lo-1000 is not in bridge br-1000', { ...WORKING, advertise: undefined }]
]

for (const [what, devices, problem, works] of WRONG) {
  await t.test(what, (t) => {
    const domain = domainOf(devices)
    t.strictSame(domain.problems, [problem])
    t.match(domain, works)
    t.end()
  })
}

await t.test('a bridge that is down is a bridge, on which no neighbour can stand', (t) => {
  t.match(domainOf([{ ...BRIDGE_LINK, flags: 0 }, vxlan(), ADVERTISE_LINK]), { bridge: BRIDGE, bridgeUp: false, problems: [] })
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
    t.match(domainOf([BRIDGE_LINK, device, ADVERTISE_LINK], { bridge, vni }), { vxlans: [VXLAN], tables: [fdbTable(VXLAN, vni)], isShared: true, problems: [] })
  }
  t.strictSame(domainOf([BRIDGE_LINK, device, ADVERTISE_LINK], { bridge, vni: 0 }).tables, [fdbTable(VXLAN)], 'the kernel names VNI 0 by naming none')
  t.match(domainOf(DEVICES), { tables: [fdbTable(VXLAN)], isShared: false })
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
