// Devices as tracker entries: wanted and realized are the same text when nothing is to be done, and the steps between them.
import t from 'tap'
import { decodeLink, IFF, NetlinkError, RTM, type LinkRow, type NetlinkRequest } from '../../lib/netlink/index.js'
import type { Device } from '../../lib/evpn/device.js'
import { deviceEntry, deviceKey, deviceTable, realizedDevice } from '../../lib/sink/device.js'
import { link } from '../mirror/rows.js'

const common = { address: '02:65:00:00:00:01', alias: 'ovs-evpn VNI 1000' }
const BRIDGE: Device = { ...common, kind: 'bridge', name: 'br-1000' }
const VXLAN: Device = { ...common, kind: 'vxlan', name: 'vxlan-1000', bridge: 1, vni: 1000, local: '192.0.2.1', udpPort: 61000 }
const ADVERTISE: Device = { ...common, kind: 'advertise', name: 'lo-1000', bridge: 1 }

const made = { ...common, flags: IFF.UP, mtu: 1500, addrGenMode: 1 }
const port = { master: 1, bridgePort: { learning: false } }
const info = { vni: 1000, local: '192.0.2.1', port: 61000, learning: false, external: false, vnifilter: false }
const ROWS = {
  bridge: link(1, 'br-1000', { ...made, kind: 'bridge' }),
  vxlan: link(2, 'vxlan-1000', { ...made, ...port, kind: 'vxlan', vxlan: info }),
  dummy: link(3, 'lo-1000', { ...made, ...port, kind: 'dummy' }),
  veth: link(3, 'lo-1000', { ...made, ...port, kind: 'veth', link: 4 })
} as const

await t.test('a device that is as wanted has the value that is wanted', (t) => {
  for (const [device, row] of [[BRIDGE, ROWS.bridge], [VXLAN, ROWS.vxlan], [ADVERTISE, ROWS.dummy], [ADVERTISE, ROWS.veth]] as const) {
    t.same(deviceEntry(device), [deviceKey(row.name), realizedDevice(row)], `${row.kind}`)
  }
  const { addrGenMode: _none, ...withoutIpv6 } = ROWS.bridge
  t.equal(realizedDevice(withoutIpv6), deviceEntry(BRIDGE)[1], 'without IPv6 there is no address to keep off')
  t.end()
})

interface Sent { readonly type: number, readonly flags: number, readonly row: LinkRow }

/** What a step sends, with the kernel's answers. */
async function step(device: Device | undefined, row: LinkRow | undefined, answers: readonly (NetlinkError | undefined)[] = []): Promise<{ readonly sent: readonly Sent[], readonly outcome: NetlinkError | undefined }> {
  const requests: NetlinkRequest[] = []
  const writer = { request: (some: readonly NetlinkRequest[]) => { requests.push(...some); return Promise.resolve(some.map((_, i) => answers[i])) } }
  const table = deviceTable(writer, () => ({ byName: (name) => (name === row?.name ? row : undefined) }))
  const name = device?.name ?? row?.name ?? ''
  const [outcome] = await table.write([{ key: deviceKey(name), desired: device && deviceEntry(device)[1], realized: row && realizedDevice(row) }])
  const sent = requests.map(({ type, flags, payload }) => ({ type, flags, row: decodeLink(Buffer.from(payload), 0, payload.length) }))
  return { sent, outcome }
}

const error = (errno: number): NetlinkError => new NetlinkError({ request: 'a test', errno })
const [EEXIST, EOPNOTSUPP] = [error(17), error(95)]

await t.test('what does not exist is created, down', async (t) => {
  t.match((await step(BRIDGE, undefined)).sent, [{ type: RTM.NEWLINK, row: { name: 'br-1000', kind: 'bridge', mtu: 1500, address: common.address, vlanDefaultPvid: 0, flags: 0 } }])
  t.match((await step(VXLAN, undefined)).sent, [{ row: { kind: 'vxlan', vxlan: info, flags: 0 } }])
})

await t.test('an advertise device is a dummy, or a veth: one of the two has to succeed', async (t) => {
  t.match((await step(ADVERTISE, undefined)).sent, [{ row: { kind: 'dummy' } }, { row: { kind: 'veth' } }])
  t.equal((await step(ADVERTISE, undefined, [undefined, EEXIST])).outcome, undefined, 'a dummy')
  t.equal((await step(ADVERTISE, undefined, [EOPNOTSUPP, undefined])).outcome, undefined, 'a veth')
  t.equal((await step(ADVERTISE, undefined, [EEXIST, EEXIST])).outcome, EEXIST, 'the name is taken')
})

await t.test('a new one is marked, joins the bridge, stops learning, and only then goes up', async (t) => {
  const fresh = link(2, 'vxlan-1000', { address: common.address, flags: 0, mtu: 1500, addrGenMode: 0, kind: 'vxlan', vxlan: info })
  const { sent, outcome } = await step(VXLAN, fresh, [undefined, EOPNOTSUPP, undefined])
  t.match(sent, [
    { row: { ifindex: 2, alias: 'ovs-evpn VNI 1000', master: 1, addrGenMode: 1, flags: 0 } },
    { row: { ifindex: 2, bridgePort: { learning: false }, flags: 0 } },
    { row: { ifindex: 2, flags: IFF.UP } }
  ])
  t.equal(outcome, EOPNOTSUPP, 'all of it has to succeed')
})

await t.test('the local address changes in place, in a request of its own', async (t) => {
  const { sent } = await step({ ...VXLAN, local: '192.0.2.9' }, ROWS.vxlan)
  const [vxlan, ...more] = sent.filter(({ row }) => row.vxlan !== undefined)
  t.match(vxlan?.row.vxlan, { local: '192.0.2.9', learning: false })
  t.equal(more.length, 0)
  t.not(vxlan?.row.mtu, 1500, 'the kernel refuses it beside an MTU')
})

await t.test('another VNI, UDP port or kind is another device: it goes, and is created anew', async (t) => {
  for (const row of [{ ...ROWS.vxlan, vxlan: { ...info, vni: 5 } }, { ...ROWS.vxlan, vxlan: { ...info, port: 61001 } }, { ...ROWS.bridge, name: 'vxlan-1000' }]) {
    t.match((await step(VXLAN, row)).sent, [{ type: RTM.DELLINK, row: { ifindex: row.ifindex } }])
  }
  t.match((await step(undefined, ROWS.vxlan)).sent, [{ type: RTM.DELLINK, row: { ifindex: 2 } }], 'and one that nobody wants goes')
})

await t.test('each entry of a batch has its own outcome', async (t) => {
  const writer = { request: (some: readonly NetlinkRequest[]) => Promise.resolve(some.map((_, i) => (i === 1 ? EEXIST : undefined))) }
  const table = deviceTable(writer, () => ({ byName: () => undefined }))
  const batch = [BRIDGE, VXLAN, ADVERTISE].map((device) => ({ key: deviceKey(device.name), desired: deviceEntry(device)[1], realized: undefined }))
  t.same(await table.write(batch), [undefined, EEXIST, undefined])
})

await t.test('what somebody changed is told by name', (t) => {
  const table = deviceTable({ request: () => Promise.resolve([]) }, () => ({ byName: () => undefined }))
  t.equal(table.describeChange(realizedDevice(ROWS.vxlan), realizedDevice({ ...ROWS.vxlan, mtu: 9000, bridgePort: { learning: true } })),
    'set mtu to 9000 (was 1500), set learning to true (was false)')
  t.end()
})
