// The kernel devices of a VNI with evpn-manage-devices: which, with what, and when none.
import t from 'tap'
import { parseSystem } from '../../lib/config/system.js'
import type { Domain } from '../../lib/evpn/domain.js'
import { isOurDevice, type Device } from '../../lib/evpn/device.js'
import type { LinkRow } from '../../lib/netlink/index.js'
import { link } from '../mirror/rows.js'
import { domainOf } from './world.js'

const CHASSIS = { 'system-id': 'chassis-1', 'ovn-evpn-local-ip': '192.0.2.1' }
const MANAGED = { 'evpn-manage-devices': 'true' }

const derive = (bridge: Readonly<Record<string, string>>, system: Readonly<Record<string, string>> = CHASSIS, links: readonly LinkRow[] = [], vni = 1000): Domain =>
  domainOf(links, { bridge, system, vni })

const names = ({ devices }: { readonly devices: readonly Device[] }): string[] => devices.map(({ name }) => name)

await t.test('without the option there is none', (t) => {
  t.same(derive({}).devices, [])
  t.same(derive({ 'evpn-manage-devices-2000': 'true' }).devices, [])
  t.end()
})

await t.test('a bridge, a vxlan device with the local address, an advertise device', (t) => {
  const { devices } = derive(MANAGED)
  t.match(devices, [
    { kind: 'bridge', name: 'br-1000', alias: 'ovs-evpn VNI 1000' },
    { kind: 'vxlan', name: 'vxlan-1000', bridge: undefined, vni: 1000, local: '192.0.2.1', udpPort: 61000 },
    { kind: 'advertise', name: 'lo-1000', bridge: undefined }
  ])
  t.equal(new Set(devices.map(({ address }) => address)).size, 3, 'each has a MAC of its own')
  t.same(derive(MANAGED).devices, devices, 'the same MACs each time')
  t.not(derive(MANAGED, { ...CHASSIS, 'system-id': 'chassis-2' }).devices[0]?.address, devices[0]?.address, 'other ones on another chassis')
  t.end()
})

await t.test('they join the bridge, once there is one', (t) => {
  const { address = '' } = derive(MANAGED).devices[0] ?? {}
  t.match(derive(MANAGED, CHASSIS, [link(7, 'br-1000', { kind: 'bridge', address })]).devices, [{ kind: 'bridge' }, { bridge: 7 }, { bridge: 7 }])
  t.end()
})

await t.test("a device of somebody else's is left out, ours is kept: it is marked, or has the address we gave it", (t) => {
  const { address = '' } = derive(MANAGED).devices[1] ?? {}
  const vxlan = (row: Partial<LinkRow>) => names(derive(MANAGED, CHASSIS, [link(8, 'vxlan-1000', { kind: 'vxlan', ...row })]))
  t.same(vxlan({}), ['br-1000', 'lo-1000'])
  t.same(vxlan({ alias: 'mine' }), ['br-1000', 'lo-1000'])
  t.same(vxlan({ alias: 'mine', address }), ['br-1000', 'lo-1000'], 'a copied address makes it not ours')
  t.same(vxlan({ alias: 'ovs-evpn VNI 1000' }), ['br-1000', 'vxlan-1000', 'lo-1000'])
  t.same(vxlan({ address }), ['br-1000', 'vxlan-1000', 'lo-1000'])
  const { config } = parseSystem(new Map(Object.entries(CHASSIS)))
  t.ok(isOurDevice(link(9, 'anything', { alias: 'ovs-evpn VNI 5' }), config), 'whatever its name')
  t.end()
})

await t.test('a vxlan device for each address family, as far as there are names', (t) => {
  const both = { ...CHASSIS, 'ovn-evpn-local-ip': '192.0.2.1,2001:db8::1' }
  t.same(names(derive(MANAGED, both)), ['br-1000', 'vxlan-1000', 'lo-1000'])
  const { devices } = derive({ ...MANAGED, 'dynamic-routing-vxlan-ifname-1000': 'v4,v6' }, both)
  t.match(devices.slice(1, 3), [{ name: 'v4', local: '192.0.2.1' }, { name: 'v6', local: '2001:db8::1' }])
  t.match(derive(MANAGED, { ...CHASSIS, 'ovn-evpn-local-ip': '192.0.2.1,1000-192.0.2.7' }).devices[1], { local: '192.0.2.7' }, "the VNI's own address")
  t.end()
})

await t.test('UDP ports: never one of Open vSwitch, and round again after 65535', (t) => {
  const port = (vni: number, taken = '4789') => derive(MANAGED, { ...CHASSIS, 'ovn-evpn-vxlan-ports': taken }, [], vni).devices.flatMap((device) => (device.kind === 'vxlan' ? [device.udpPort] : []))
  t.same(port(0), [60000])
  t.same(port(5535), [65535])
  t.same(port(5536), [60000])
  t.same(port(16777215), [60000 + 16777215 % 5536])
  t.same(port(5535, '65535,60000'), [60001])
  t.end()
})

await t.test('what stands in the way is said in a sentence', (t) => {
  const none = derive(MANAGED, { 'system-id': 'chassis-1' })
  t.same(names(none), ['br-1000', 'lo-1000'])
  t.match(none.problems[0], /local address.*ovn-evpn-local-ip/)
  for (const key of ['dynamic-routing-bridge-ifname', 'dynamic-routing-vxlan-ifname', 'dynamic-routing-advertise-ifname']) {
    const shared = derive({ ...MANAGED, [key]: 'dev0' })
    t.same(shared.devices, [], `${key} for every VNI`)
    t.match(shared.problems[0], /name those of this one: dynamic-routing-bridge-ifname-1000/)
    t.equal(derive({ ...MANAGED, [`${key}-1000`]: 'dev0' }).devices.length, 3, `${key}-1000 is the VNI's own`)
  }
  t.end()
})
