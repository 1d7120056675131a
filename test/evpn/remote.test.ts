// What is remote: MACs, VTEPs and IPs, from rows as FRR and other speakers write them.
import t from 'tap'
import { deriveRemoteIp } from '../../lib/evpn/remote-ip.js'
import { remoteClaim } from '../../lib/evpn/remote-claim.js'
import { deriveRemoteMac } from '../../lib/evpn/remote-mac.js'
import { deriveVtep, namesMulticastGroup, vtepKeyOfRemote } from '../../lib/evpn/vtep.js'
import { remoteKey } from '../../lib/mirror/fdb.js'
import { NTF, NUD, type NeighRow } from '../../lib/netlink/index.js'
import { link, multihomedMac, neighbour, onPort, remoteMac, replica } from '../mirror/rows.js'
import { ADVERTISE, BRIDGE, BRIDGE_LINK, DEVICES, domainOf, fdbOf, neighboursOf, OTHER_PORT, VNI, VXLAN, vxlan, VXLAN6 } from './world.js'

const MAC = '02:00:00:00:00:01'
const domain = domainOf(DEVICES)
const learned = { family: 7, ifindex: VXLAN, state: NUD.NOARP, flags: NTF.EXT_LEARNED | NTF.MASTER, type: 0, lladdr: MAC, master: BRIDGE }
const at = (ip: string) => ({ via: { kind: 'vtep', ip } })

const MACS: readonly (readonly [rule: string, rows: readonly NeighRow[], remote: object | undefined, claimed: boolean])[] = [
  ['what FRR writes, a device row and a bridge row, is remote', [remoteMac(VXLAN, MAC, '192.0.2.2'), learned],
    { ...at('192.0.2.2'), udpPort: 4789, sticky: false }, true],
  ['a device row without any bridge row is enough', [remoteMac(VXLAN, MAC, '192.0.2.2')], at('192.0.2.2'), true],
  ['a sticky MAC comes without EXT_LEARNED', [remoteMac(VXLAN, MAC, '192.0.2.2', { flags: NTF.SELF | NTF.STICKY })], { ...at('192.0.2.2'), sticky: true }, true],
  ['a row that names a UDP port goes there', [remoteMac(VXLAN, MAC, '192.0.2.2', { port: 8472 })], { udpPort: 8472 }, true],
  ['the VNI to encapsulate with is ours', [remoteMac(VXLAN, MAC, '192.0.2.2', { vni: VNI })], { encapVni: undefined }, true],
  ['unless the row names another (downstream VNI)', [remoteMac(VXLAN, MAC, '192.0.2.2', { vni: 777 })], { vni: VNI, encapVni: 777 }, true],
  ['an IPv6 VTEP', [remoteMac(VXLAN, MAC, '2001:db8::2')], at('2001:db8::2'), true],
  ['a bridge row on a port that is no vxlan device makes it local, whatever the device row says',
    [remoteMac(VXLAN, MAC, '192.0.2.2'), onPort(BRIDGE, OTHER_PORT, MAC)], undefined, false],
  ['so does our own row', [remoteMac(VXLAN, MAC, '192.0.2.2'), onPort(BRIDGE, ADVERTISE, MAC, { state: NUD.NOARP })], undefined, false],
  ['a bridge row on the vxlan device alone is a claim without a place to send to', [learned], undefined, true],
  ['on a vxlan device that the VNI does not name it is not here: remote where its own device says so', [remoteMac(VXLAN, MAC, '192.0.2.2'), onPort(BRIDGE, VXLAN6, MAC)], at('192.0.2.2'), true],
  ['on such a device alone nobody claims it in this VNI', [onPort(BRIDGE, VXLAN6, MAC)], undefined, false],
  ['a row that the device learned from packets is no claim', [remoteMac(VXLAN, MAC, '192.0.2.2', { flags: NTF.SELF, state: NUD.REACHABLE })], undefined, false],
  ['a row behind a nexthop group goes to its members', [multihomedMac(VXLAN, MAC, 7)], { via: { kind: 'nexthop', id: 7 }, udpPort: 4789 }, true],
  ['a sticky one, too', [multihomedMac(VXLAN, MAC, 7, { flags: NTF.SELF | NTF.STICKY })], { via: { kind: 'nexthop', id: 7 }, sticky: true }, true],
  ['one behind a nexthop nobody has told of yet is claimed all the same', [multihomedMac(VXLAN, MAC, 8)], { via: { kind: 'nexthop', id: 8 } }, true],
  ["a row of another VNI's device is none of this VNI's", [remoteMac(99, MAC, '192.0.2.2')], undefined, false],
  ['nothing', [], undefined, false]
]

for (const [rule, rows, remote, claimed] of MACS) {
  await t.test(`remote MAC: ${rule}`, (t) => {
    for (const order of [rows, [...rows].reverse()]) {
      const fdb = fdbOf(...order)
      const derived = deriveRemoteMac(domain, MAC, fdb)
      if (remote === undefined) t.equal(derived, undefined)
      else t.match(derived, { vni: VNI, mac: MAC, ...remote })
      t.equal(remoteClaim(domain, MAC, fdb).length > 0, claimed, claimed ? 'somebody claims it' : 'nobody claims it')
    }
    t.end()
  })
}

await t.test('remote MAC: of two vxlan devices the first that has it, in the order configured', (t) => {
  const two = [BRIDGE_LINK, vxlan(), { ...vxlan(), ifindex: VXLAN6, name: 'vx6' }]
  const rows = [remoteMac(VXLAN, MAC, '192.0.2.2'), remoteMac(VXLAN6, MAC, '2001:db8::2')]
  for (const [names, ip] of [['vxlan-1000,vx6', '192.0.2.2'], ['vx6,vxlan-1000', '2001:db8::2']] as const) {
    const twoDevices = domainOf(two, { bridge: { 'dynamic-routing-vxlan-ifname': names } })
    t.match(deriveRemoteMac(twoDevices, MAC, fdbOf(...rows)), at(ip), names)
  }
  t.end()
})

await t.test('a device of many VNIs: rows of this VNI alone are remote here, and the bridge, which has no VNIs, has no say', (t) => {
  const shared = domainOf([BRIDGE_LINK, vxlan({ external: true, vni: 0 })])
  const [ours, others] = [remoteMac(VXLAN, MAC, '192.0.2.2', { srcVni: VNI, vni: 777 }), remoteMac(VXLAN, MAC, '192.0.2.3', { srcVni: 2000 })]
  t.match(deriveRemoteMac(shared, MAC, fdbOf(others, ours, learned)), { vni: VNI, ...at('192.0.2.2'), encapVni: 777 })
  t.equal(deriveRemoteMac(shared, MAC, fdbOf(others, learned)), undefined)
  t.strictSame(remoteClaim(shared, MAC, fdbOf(others, learned)), [], "another VNI's claim is none on ours")
  t.match(deriveVtep(shared, '192.0.2.2 4789', fdbOf(replica(VXLAN, '192.0.2.2', { srcVni: VNI }))), { flood: true })
  t.equal(deriveVtep(shared, '192.0.2.2 4789', fdbOf(replica(VXLAN, '192.0.2.2', { srcVni: 2000 }))), undefined)
  t.end()
})

await t.test("in a bridge that serves many VNIs, the rows of the VNI's VLAN have a say, and neighbours on that VLAN's device", (t) => {
  const svi = link(20, 'vlan10', { kind: 'vlan', link: BRIDGE, vlanId: 10 })
  const vlans = [{ ifindex: VXLAN, vlans: [{ vid: 10, flags: 0, tunnelId: VNI }] }]
  const shared = domainOf([{ ...BRIDGE_LINK, vlanFiltering: true }, vxlan({ external: true, vni: 0 }), svi], { vlans })
  const ours = remoteMac(VXLAN, MAC, '192.0.2.2', { srcVni: VNI })
  t.equal(deriveRemoteMac(shared, MAC, fdbOf(ours, onPort(BRIDGE, OTHER_PORT, MAC, { vlan: 10 }))), undefined, 'local in the VLAN')
  t.match(deriveRemoteMac(shared, MAC, fdbOf(ours, onPort(BRIDGE, OTHER_PORT, MAC, { vlan: 11 }))), at('192.0.2.2'), "local in another VNI's")
  t.match(remoteClaim(shared, MAC, fdbOf(onPort(BRIDGE, VXLAN, MAC, { vlan: 10 }))), [{ vlan: 10 }])
  t.strictSame(remoteClaim(shared, MAC, fdbOf(onPort(BRIDGE, VXLAN, MAC, { vlan: 11 }))), [])
  t.match(deriveRemoteIp(shared, '10.0.0.1', neighboursOf(neighbour(20, '10.0.0.1', MAC))), { mac: MAC })
  t.equal(deriveRemoteIp(shared, '10.0.0.1', neighboursOf(neighbour(BRIDGE, '10.0.0.1', MAC))), undefined, "the bridge's own is nobody's")
  t.end()
})

await t.test('a zero-MAC row for a multicast group is known as such', (t) => {
  t.ok(namesMulticastGroup(domain, '239.1.1.1 4789', fdbOf(replica(VXLAN, '239.1.1.1'))))
  t.notOk(namesMulticastGroup(domain, '239.1.1.1 4789', fdbOf(replica(VXLAN, '239.1.1.2'))))
  t.notOk(namesMulticastGroup(domain, '192.0.2.2 4789', fdbOf(replica(VXLAN, '192.0.2.2'))))
  t.end()
})

await t.test('remote MAC: without the bridge device rows decide alone', (t) => {
  const rows = fdbOf(remoteMac(VXLAN, MAC, '192.0.2.2'), onPort(BRIDGE, OTHER_PORT, MAC))
  t.match(deriveRemoteMac(domainOf([vxlan()]), MAC, rows), at('192.0.2.2'))
  t.end()
})

const VTEPS: readonly (readonly [rule: string, key: string, rows: readonly NeighRow[], vtep: object | undefined])[] = [
  ['a zero-MAC row makes a VTEP to flood to', '192.0.2.2 4789', [replica(VXLAN, '192.0.2.2')], { ip: '192.0.2.2', udpPort: 4789, flood: true, localIp: '192.0.2.1' }],
  ['one known from unicast rows only gets no flood', '192.0.2.2 4789', [remoteMac(VXLAN, MAC, '192.0.2.2')], { flood: false, own: true, localIp: '192.0.2.1' }],
  ['one known from nexthop groups only is none of its own', '192.0.2.2 4789', [multihomedMac(VXLAN, MAC, 7)], { flood: false, own: false }],
  ["a row that names the VNI's own port is the same VTEP", '192.0.2.2 4789', [replica(VXLAN, '192.0.2.2', { port: 4789 })], { flood: true, udpPort: 4789 }],
  ['rows with and without the port join', '192.0.2.2 4789', [remoteMac(VXLAN, MAC, '192.0.2.2'), replica(VXLAN, '192.0.2.2', { port: 4789 })], { flood: true }],
  ['the same address on another port is another VTEP: this one is not', '192.0.2.2 4789', [replica(VXLAN, '192.0.2.2', { port: 8472 })], undefined],
  ['the same address on another port is another VTEP: that one is', '192.0.2.2 8472', [replica(VXLAN, '192.0.2.2', { port: 8472 })], { udpPort: 8472, flood: true }],
  ["a port that is not the VNI's own is no row without a port", '192.0.2.2 8472', [replica(VXLAN, '192.0.2.2')], undefined],
  ['no address of its family: known, and unusable', '2001:db8::2 4789', [replica(VXLAN, '2001:db8::2')], { ip: '2001:db8::2', flood: true, localIp: undefined }],
  ['copies carry our VNI', '192.0.2.2 4789', [replica(VXLAN, '192.0.2.2', { vni: VNI })], { flood: true, floodVni: undefined }],
  ['or the one that the row names (downstream VNI)', '192.0.2.2 4789', [replica(VXLAN, '192.0.2.2', { vni: 777 })], { vni: VNI, flood: true, floodVni: 777 }],
  ['of rows that disagree, one for our VNI counts', '192.0.2.2 4789', [replica(VXLAN, '192.0.2.2', { vni: 777 }), replica(VXLAN, '192.0.2.2', { port: 4789 })], { floodVni: undefined }],
  ["a multicast group is the underlay's business", '239.1.1.1 4789', [replica(VXLAN, '239.1.1.1')], undefined],
  ['an IPv6 multicast group, too', 'ff05::1 4789', [replica(VXLAN, 'ff05::1')], undefined],
  ['0.0.0.0 is nobody', '0.0.0.0 4789', [replica(VXLAN, '0.0.0.0')], undefined],
  ["a row of another VNI's device makes none here", '192.0.2.2 4789', [replica(99, '192.0.2.2')], undefined],
  ['nothing points at it', '192.0.2.2 4789', [replica(VXLAN, '192.0.2.3')], undefined]
]

for (const [rule, key, rows, vtep] of VTEPS) {
  await t.test(`VTEP: ${rule}`, (t) => {
    const fdb = fdbOf(...rows)
    fdb.setNexthop(7, ['192.0.2.2'])
    const derived = deriveVtep(domain, key, fdb)
    if (vtep === undefined) t.equal(derived, undefined)
    else t.match(derived, { vni: VNI, ...vtep })
    t.end()
  })
}

await t.test("VTEP: a row's remote leads to the key of its VTEP, with the VNI's port where it names none", (t) => {
  t.equal(vtepKeyOfRemote(domain, remoteKey({ dst: '192.0.2.2' })), '192.0.2.2 4789')
  t.equal(vtepKeyOfRemote(domain, remoteKey({ dst: '2001:db8::2', port: 8472 })), '2001:db8::2 8472')
  t.end()
})

const IPS: readonly (readonly [rule: string, ip: string, row: NeighRow, remote: object | undefined])[] = [
  ['what FRR writes', '10.0.0.1', neighbour(BRIDGE, '10.0.0.1', MAC), { mac: MAC, router: false }],
  ['IPv6', '2001:db8::1', neighbour(BRIDGE, '2001:db8::1', MAC), { mac: MAC }],
  ['the R flag (RFC 9047)', '2001:db8::1', neighbour(BRIDGE, '2001:db8::1', MAC, { flags: NTF.EXT_LEARNED | NTF.ROUTER }), { router: true }],
  ['ours is not remote', '10.0.0.1', neighbour(BRIDGE, '10.0.0.1', MAC, { protocol: 85 }), undefined],
  ['resolved by the kernel is not remote', '10.0.0.1', neighbour(BRIDGE, '10.0.0.1', MAC, { flags: 0, state: NUD.REACHABLE }), undefined],
  ['on another device is not remote here', '10.0.0.1', neighbour(VXLAN, '10.0.0.1', MAC), undefined],
  ['IPv6 link-local is of its link only', 'fe80::1', neighbour(BRIDGE, 'fe80::1', MAC), undefined]
]

for (const [rule, ip, row, remote] of IPS) {
  await t.test(`remote IP: ${rule}`, (t) => {
    const derived = deriveRemoteIp(domain, ip, neighboursOf(row))
    if (remote === undefined) t.equal(derived, undefined)
    else t.match(derived, { vni: VNI, ip, ...remote })
    t.end()
  })
}

await t.test('remote IP: without the bridge there is none', (t) => {
  t.equal(deriveRemoteIp(domainOf([vxlan()]), '10.0.0.1', neighboursOf(neighbour(BRIDGE, '10.0.0.1', MAC))), undefined)
  t.end()
})
