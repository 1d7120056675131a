// Against the real kernel, in a namespace of its own: dumps compared with ip and bridge, writes and what refuses them.
import t from 'tap'
import {
  AF, IFF, NTF, NUD, changeLinkRequest, createLinkRequest, deleteLinkRequest, deleteNexthopRequest, nexthopRequest
} from '../../lib/netlink/index.js'
import type { DumpKind, LinkRow, NeighRow, NexthopRow, WriteRequest } from '../../lib/netlink/index.js'
import { enterNewNamespace, json, numberedMac, run } from './support/namespace.js'
import { openRecorder } from './support/recorder.js'

enterNewNamespace()
for (const command of [
  'ip link set lo up',
  'ip link add br-1000 address 02:00:00:00:00:b0 type bridge',
  'ip link set br-1000 addrgenmode none up',
  'ip link add vxlan-1000 address 02:00:00:00:00:a0 type vxlan id 1000 local 192.0.2.1 dstport 61000 nolearning',
  'ip link set vxlan-1000 addrgenmode none master br-1000 up',
  'ip link add vxlan-6 address 02:00:00:00:00:a6 type vxlan id 1006 local 2001:db8::1 dstport 61006 dev lo',
  'ip link add vxlan0 address 02:00:00:00:00:ae type vxlan external local 192.0.2.1 dstport 4789 nolearning',
  'ip link add lo-1000 address 02:00:00:00:00:c0 type veth peer name lop-1000 address 02:00:00:00:00:c1',
  'ip link set lo-1000 addrgenmode none alias tenant-blue master br-1000 up',
  'bridge link set dev lo-1000 learning off neigh_suppress on',
  'bridge fdb append 00:00:00:00:00:00 dev vxlan-1000 dst 192.0.2.3 port 4789 vni 2000 via lo self permanent',
  'bridge fdb append 00:00:00:00:00:00 dev vxlan-1000 dst 192.0.2.4 self permanent',
  'bridge fdb append 00:00:00:00:00:00 dev vxlan-6 dst 2001:db8::2 self permanent',
  'bridge fdb append 00:00:00:00:00:00 dev vxlan0 dst 192.0.2.2 src_vni 3000 self permanent',
  'bridge fdb replace 02:00:00:00:02:02 dev vxlan-1000 dst 192.0.2.2 self extern_learn dynamic',
  'bridge fdb replace 02:00:00:00:02:02 dev vxlan-1000 master extern_learn dynamic',
  'bridge fdb replace 02:00:00:00:02:03 dev vxlan-1000 master sticky static',
  'ip nexthop add id 12 via 192.0.2.2 fdb protocol zebra',
  'ip nexthop add id 13 via 192.0.2.3 fdb',
  'ip nexthop add id 14 group 12,1/13,200 fdb',
  'ip nexthop add id 15 blackhole',
  'ip nexthop add id 16 via 10.1.1.1 dev br-1000 onlink',
  'ip nexthop add id 17 via 2001:db8::2 fdb',
  'bridge fdb replace 02:00:00:00:02:04 dev vxlan-1000 nhid 14 self extern_learn dynamic',
  'ip neigh replace 10.0.0.22 lladdr 02:00:00:00:02:02 dev br-1000 nud noarp extern_learn router protocol zebra',
  'ip neigh replace 10.0.0.23 lladdr 02:00:00:00:02:02 dev br-1000 nud permanent',
  'ip -6 neigh replace 2001:db8::22 lladdr 02:00:00:00:02:02 dev br-1000 nud noarp protocol 85'
]) run(command)

const recorder = openRecorder({ groups: ['link', 'neigh', 'nexthop'] })
const { client } = recorder
t.teardown(() => client.close())

async function dump<Kind extends 'link' | 'neigh' | 'nexthop'>(table: DumpKind, kind: Kind, ofDevice?: number) {
  recorder.take()
  const { interrupted } = await client.dump(table, ofDevice)
  if (interrupted) throw new Error(`nobody changes the ${table} table, yet its dump was interrupted`)
  return recorder.take().flatMap(message => message.kind === kind && message.op === 'new' ? [message.row as RowOf[Kind]] : [])
}

interface RowOf { readonly link: LinkRow, readonly neigh: NeighRow, readonly nexthop: NexthopRow }

const nameOf = new Map((await dump('link', 'link')).map(({ ifindex, name }) => [ifindex, name]))
const indexOf = new Map([...nameOf].map(([ifindex, name]) => [name, ifindex]))

function ifindex(name: string): number {
  const found = indexOf.get(name)
  if (found === undefined) throw new Error(`no device ${name}`)
  return found
}

/** Only what is defined, in one canonical text, so that tables compare as sets. */
function texts(rows: readonly object[]): string[] {
  return rows.map(row => JSON.stringify(Object.entries(row).filter(([, value]) => value !== undefined).sort())).sort()
}

const has = (mask: number, bits: number): boolean => (mask & bits) === bits

function asBridgeJson(row: NeighRow): object {
  const flags = [[NTF.SELF, 'self'], [NTF.EXT_LEARNED, 'extern_learn'], [NTF.STICKY, 'sticky']] as const
  return {
    mac: row.lladdr, ifname: nameOf.get(row.ifindex), dst: row.dst, vlan: row.vlan, port: row.port,
    vni: row.vni, src_vni: row.srcVni, nhid: row.nhId,
    viaIf: row.oif === undefined ? undefined : nameOf.get(row.oif), master: row.master === undefined ? undefined : nameOf.get(row.master),
    flags: flags.filter(([bit]) => has(row.flags, bit)).map(([, name]) => name),
    state: has(row.state, NUD.PERMANENT) ? 'permanent' : has(row.state, NUD.NOARP) ? 'static' : ''
  }
}

void t.test('the FDB dump is what `bridge fdb` shows', async t => {
  const rows = await dump('fdb', 'neigh')
  t.ok(rows.length >= 12, 'all rows of the set-up are there')
  t.strictSame(texts(rows.map(asBridgeJson)), texts(json('bridge -j -d fdb show')))
})

void t.test('the FDB dump of one device is what `bridge fdb show dev` shows, without the rows of any other', async t => {
  for (const name of ['vxlan-1000', 'vxlan-6', 'lo-1000']) {
    const rows = await dump('fdb', 'neigh', ifindex(name))
    t.ok(rows.length > 0, `${name} has rows`)
    t.strictSame(texts(rows.map(row => ({ ...asBridgeJson(row), ifname: undefined }))), texts(json(`bridge -j -d fdb show dev ${name}`)), name)
  }
})

function asNeighJson(row: NeighRow): object {
  return {
    dst: row.dst, dev: nameOf.get(row.ifindex), lladdr: row.lladdr, protocol: row.protocol === undefined ? undefined : String(row.protocol),
    router: has(row.flags, NTF.ROUTER) ? null : undefined, extern_learn: has(row.flags, NTF.EXT_LEARNED) ? null : undefined,
    state: Object.entries(NUD).filter(([, bit]) => bit !== 0 && has(row.state, bit)).map(([name]) => name)
  }
}

void t.test('the neighbour dump, both families, is what `ip neigh show nud all` shows', async t => {
  const rows = await dump('neigh', 'neigh')
  t.strictSame([...new Set(rows.map(({ family }) => family))].sort(), [AF.INET6, AF.INET].sort())
  t.strictSame(texts(rows.map(asNeighJson)), texts(json('ip -j -d -N neigh show nud all')))
})

void t.test('the nexthop dump is what `ip nexthop` shows', async t => {
  const theirs = json('ip -j -d -N nexthop').map(({ id, gateway, dev, group, fdb, blackhole, protocol }) => ({
    id, gateway, dev, fdb: fdb === null, blackhole: blackhole === null, protocol,
    group: (group as { id: number, weight?: number }[] | undefined)?.map(({ id, weight = 1 }) => ({ id, weight }))
  }))
  const ours = (await dump('nexthop', 'nexthop')).map(({ id, gateway, oif, fdb, blackhole, protocol, group }) => ({
    id, gateway, dev: oif === undefined ? undefined : nameOf.get(oif), fdb, blackhole, protocol: String(protocol), group
  }))
  t.equal(ours.length, 6)
  t.strictSame(texts(ours), texts(theirs))
})

interface IpLink {
  readonly ifindex: number, readonly ifname: string, readonly mtu: number, readonly flags: readonly string[]
  readonly address?: string, readonly master?: string, readonly link?: string, readonly ifalias?: string
  readonly linkinfo?: {
    readonly info_kind?: string
    readonly info_data?: {
      readonly id?: number, readonly local?: string, readonly local6?: string, readonly port?: number, readonly link?: string
      readonly learning?: boolean, readonly external?: boolean, readonly vlan_filtering?: number
    }
    readonly info_slave_kind?: string
    readonly info_slave_data?: { readonly learning: boolean, readonly neigh_suppress: boolean }
  }
}

function fromIpLink({ linkinfo, ...link }: IpLink): object {
  const data = linkinfo?.info_data
  const slave = linkinfo?.info_slave_data
  return {
    ifindex: link.ifindex, name: link.ifname, mtu: link.mtu, up: link.flags.includes('UP'), address: link.address,
    master: link.master, link: link.link, alias: link.ifalias, kind: linkinfo?.info_kind,
    vlanFiltering: linkinfo?.info_kind === 'bridge' ? data?.vlan_filtering === 1 : undefined,
    vxlan: linkinfo?.info_kind !== 'vxlan' ? undefined
      : [data?.id, data?.local ?? data?.local6, data?.port, data?.learning ?? false, data?.external ?? false, data?.link ?? null],
    bridgePort: slave === undefined ? undefined : [slave.learning, slave.neigh_suppress]
  }
}

function fromLinkRow({ vxlan, bridgePort, ...row }: LinkRow): object {
  return {
    ifindex: row.ifindex, name: row.name, mtu: row.mtu, up: has(row.flags, IFF.UP), address: row.address,
    master: row.master === undefined ? undefined : nameOf.get(row.master), link: row.link === undefined ? undefined : nameOf.get(row.link),
    alias: row.alias, kind: row.kind, vlanFiltering: row.vlanFiltering,
    vxlan: vxlan === undefined ? undefined
      : [vxlan.vni, vxlan.local, vxlan.port, vxlan.learning, vxlan.external, vxlan.link === undefined ? null : nameOf.get(vxlan.link)],
    bridgePort: bridgePort === undefined ? undefined : [bridgePort.learning, bridgePort.neighSuppress]
  }
}

void t.test('the link dump is what `ip -d link` shows: master, kind, vxlan, bridge and bridge port settings', async t => {
  const rows = await dump('link', 'link')
  t.strictSame(texts(rows.map(fromLinkRow)), texts((json('ip -j -d link') as unknown as IpLink[]).map(fromIpLink)))
})

const BRIDGE_ROW: NeighRow = {
  family: AF.BRIDGE, ifindex: ifindex('lo-1000'), state: NUD.NOARP, flags: NTF.MASTER, type: 0, lladdr: '02:00:00:00:01:01'
}
const VXLAN_ROW: NeighRow = {
  family: AF.BRIDGE, ifindex: ifindex('vxlan-1000'), state: NUD.REACHABLE, flags: NTF.SELF | NTF.EXT_LEARNED, type: 0,
  lladdr: '02:00:00:00:01:02', dst: '192.0.2.9'
}
const VTEP_ROW: NeighRow = { ...VXLAN_ROW, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, lladdr: '00:00:00:00:00:00' }
const IPV4_ROW: NeighRow = {
  family: AF.INET, ifindex: ifindex('br-1000'), state: NUD.NOARP, flags: NTF.EXT_LEARNED | NTF.ROUTER, type: 0,
  lladdr: '02:00:00:00:01:01', dst: '10.0.0.31', protocol: 85
}
const IPV6_ROW: NeighRow = { ...IPV4_ROW, family: AF.INET6, dst: '2001:db8::31' }

/** A write, the command that shows it, and what it shows. */
const WRITES: readonly (WriteRequest & { readonly show: string, readonly like: object })[] = [
  {
    op: 'replace', row: BRIDGE_ROW,
    show: 'bridge -j fdb show br br-1000',
    like: { mac: '02:00:00:00:01:01', ifname: 'lo-1000', master: 'br-1000', state: 'static', flags: [] }
  }, {
    op: 'replace', row: VXLAN_ROW,
    show: 'bridge -j fdb show',
    like: { mac: '02:00:00:00:01:02', ifname: 'vxlan-1000', dst: '192.0.2.9', flags: ['self', 'extern_learn'] }
  }, {
    op: 'append', row: VTEP_ROW,
    show: 'bridge -j fdb show',
    like: { mac: '00:00:00:00:00:00', dst: '192.0.2.9', state: 'permanent' }
  }, {
    op: 'append', row: { ...VTEP_ROW, port: 4790, vni: 77, oif: 1 },
    show: 'bridge -j fdb show',
    like: { dst: '192.0.2.9', port: 4790, vni: 77, viaIf: 'lo' }
  }, {
    op: 'replace', row: { ...VXLAN_ROW, ifindex: ifindex('vxlan0'), srcVni: 3000 },
    show: 'bridge -j fdb show',
    like: { mac: '02:00:00:00:01:02', src_vni: 3000, ifname: 'vxlan0' }
  }, {
    op: 'replace', row: IPV4_ROW,
    show: 'ip -j -d neigh show nud all',
    like: { dst: '10.0.0.31', lladdr: '02:00:00:00:01:01', dev: 'br-1000', router: null, extern_learn: null, state: ['NOARP'] }
  }, {
    op: 'replace', row: IPV6_ROW,
    show: 'ip -N -j -d neigh show nud all',
    like: { dst: '2001:db8::31', lladdr: '02:00:00:00:01:01', protocol: '85' }
  }
]

void t.test('rows we write are what the tools show, and a row that was deleted is gone', async t => {
  const matching = (show: string, like: object): unknown[] => json(show).filter(row => contains(row, like))
  for (const { op, row, show, like } of WRITES) {
    t.strictSame(await client.write([{ op, row }]), [undefined], `${op} is accepted: ${JSON.stringify(like)}`)
    t.equal(matching(show, like).length, 1, 'and shown')
    t.strictSame(await client.write([{ op: 'delete', row }]), [undefined], 'delete is accepted')
    t.strictSame(matching(show, like), [], 'and the row is gone')
  }
})

function contains(row: Record<string, unknown>, like: object): boolean {
  return Object.entries(like).every(([key, value]) => JSON.stringify(row[key]) === JSON.stringify(value))
}

void t.test('refusals carry errno, the kernel\'s words and what was asked; other requests of the batch are carried out', async t => {
  const requests: WriteRequest[] = [
    { op: 'delete', row: BRIDGE_ROW },
    { op: 'replace', row: BRIDGE_ROW },
    { op: 'replace', row: { ...BRIDGE_ROW, ifindex: 4711 } },
    { op: 'replace', row: { family: AF.INET, ifindex: ifindex('br-1000'), state: NUD.NOARP, flags: 0, type: 0 } },
    { op: 'delete', row: BRIDGE_ROW }
  ]
  const outcomes = await client.write(requests)
  t.match(outcomes[0], { name: 'NetlinkError', code: 'ENOENT', errno: 2, message: /^delete FDB row 02:00:00:00:01:01 .*: ENOENT/ })
  t.equal(outcomes[1], undefined)
  t.match(outcomes[2], { code: 'ENODEV', extack: 'unknown ifindex', message: /: ENODEV \(unknown ifindex\)$/ })
  t.match(outcomes[3], { code: 'EINVAL', extack: 'Network address not specified' })
  t.equal(outcomes[4], undefined)
})

void t.test('thousands of writes go out in few datagrams and each has its own outcome', async t => {
  const requests = Array.from({ length: 5000 }, (_, index): WriteRequest => {
    const device = index % 1000 === 999 ? 4711 : VXLAN_ROW.ifindex
    return { op: 'replace', row: { ...VXLAN_ROW, lladdr: numberedMac(index), ifindex: device } }
  })
  const outcomes = await client.write(requests)
  t.strictSame(outcomes.flatMap((error, index) => error === undefined ? [] : [`${index} ${error.code}`]),
    ['999 ENODEV', '1999 ENODEV', '2999 ENODEV', '3999 ENODEV', '4999 ENODEV'])
  const shown = json('bridge -j fdb show dev vxlan-1000').filter(({ mac }) => String(mac).startsWith('06:'))
  t.equal(shown.length, 4995)
  t.strictSame((await client.write(requests.map(({ row }) => ({ op: 'delete', row })))).filter(error => error !== undefined).length, 5)
})

void t.test('devices, ports and nexthops can be made, changed and removed', async t => {
  const vxlan = { vni: 1009, local: '192.0.2.1', port: 61009, learning: false, external: false, vnifilter: false }
  t.strictSame(await client.request([
    createLinkRequest({ name: 'br-1009', kind: 'bridge', flags: IFF.UP }),
    createLinkRequest({ name: 'vxlan-1009', kind: 'vxlan', address: '02:00:00:00:09:01', mtu: 1450, vxlan }),
    createLinkRequest({ name: 'vxlan-6009', kind: 'vxlan', vxlan: { ...vxlan, vni: 6009, local: '2001:db8::1', port: 61010 } })
  ]), [undefined, undefined, undefined])
  const made = new Map((await dump('link', 'link')).map(row => [row.name, row]))
  const bridge = made.get('br-1009')
  const device = made.get('vxlan-1009')
  t.match(device, { kind: 'vxlan', address: '02:00:00:00:09:01', mtu: 1450, vxlan })
  t.match(made.get('vxlan-6009'), { vxlan: { vni: 6009, local: '2001:db8::1' } })
  if (bridge === undefined || device === undefined) throw new Error('the devices were not made')
  t.strictSame(await client.request([
    changeLinkRequest({ ifindex: device.ifindex, master: bridge.ifindex, flags: IFF.UP }, IFF.UP),
    changeLinkRequest({ ifindex: device.ifindex, bridgePort: { learning: false, neighSuppress: true } })
  ]), [undefined, undefined])
  const [port] = json('ip -j -d link show vxlan-1009')
  t.match(port, { master: 'br-1009', flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'] })
  t.match(port, { linkinfo: { info_slave_data: { learning: false, neigh_suppress: true } } })
  t.match(await client.request([createLinkRequest({ name: 'br-1009', kind: 'bridge' })]), [{ code: 'EEXIST' }])

  const member: NexthopRow = { id: 101, family: AF.INET, fdb: true, blackhole: false, protocol: 85, gateway: '192.0.2.2' }
  const members = [{ id: 101, weight: 256 }, { id: 102, weight: 1 }]
  const group: NexthopRow = { id: 103, family: AF.UNSPEC, fdb: true, blackhole: false, protocol: 85, group: members }
  const nexthops = [member, { ...member, id: 102, gateway: '192.0.2.3' }, group]
  t.strictSame(await client.request(nexthops.map(nexthopRequest)), [undefined, undefined, undefined])
  t.match((await dump('nexthop', 'nexthop')).find(({ id }) => id === 103), group)
  t.match(await client.request([deleteNexthopRequest(103), deleteNexthopRequest(4711)]), [undefined, { code: 'ENOENT' }])
  const devices = [...made.values()].filter(({ name }) => name.endsWith('009'))
  t.strictSame(await client.request(devices.map(({ ifindex }) => deleteLinkRequest(ifindex))), [undefined, undefined, undefined])
})

await t.test('drain: what the kernel had to say up to now is delivered before it returns', async (t) => {
  recorder.take()
  const macs = () => recorder.take().flatMap((message) => message.kind === 'neigh' ? [message.row.lladdr] : [])
  run('bridge fdb replace 02:00:00:00:02:77 dev lo-1000 master static')
  client.drain()
  t.strictSame(macs(), ['02:00:00:00:02:77'], 'the row written a moment ago, in the same turn of the event loop')
  client.drain()
  t.strictSame(macs(), [], 'nothing twice')
  await recorder.during('bridge fdb del 02:00:00:00:02:77 dev lo-1000 master')
})
