// evpn-port-security: what each kind of port may send. Open vSwitch itself says what becomes of a packet (ofproto/trace); that
// packets really go that way, and are counted, is shown with some.
import t from 'tap'
import { linkLocalOf } from '../../lib/net/ip.js'
import type { WorkloadSpec } from '../lab/spec.js'
import { eventually } from '../system/util/eventually.js'
import { advertisement, arp, ethernet, icmpv6, solicitation, udp } from './util/packet.js'
import { EVERYBODY, Stage } from './util/stage.js'

const VNI = 1000
const VTEP = '192.0.2.11'
const MAC = { mac: '02:00:00:00:00:01', v4: '02:00:00:00:00:02', both: '02:00:00:00:00:03', free: '02:00:00:00:00:04', bare: '02:00:00:00:00:05', trunk: '02:00:00:00:00:06',
  yours: '02:00:00:00:00:07', other: '02:00:00:00:00:99' } as const
const OWN = { v4: '10.0.0.2', both4: '10.0.0.3', both6: '2001:db8:1::3', lla: 'fe80::3', trunk: '10.0.0.6' } as const
type Port = Exclude<keyof typeof MAC, 'other'>

const ADDRESSES: Readonly<Record<Port, string>> = {
  mac: MAC.mac, v4: `${MAC.v4} ${OWN.v4}`, both: `${MAC.both} ${OWN.both4} ${OWN.both6} ${OWN.lla}`, free: `${MAC.free} 10.0.0.4, unknown`, bare: '',
  trunk: `${MAC.trunk} ${OWN.trunk}`,
  // MAC and IP of others: it gets neither.
  yours: `${MAC.mac}, ${MAC.yours} ${OWN.v4}`
}
const workload = (name: Port): WorkloadSpec => ({
  name, vtep: 'c1', vni: VNI, mac: MAC[name], addresses: [],
  externalIds: { 'dynamic-routing-vni': name === 'trunk' ? `10:${VNI}` : String(VNI), ...(name === 'bare' ? {} : { 'evpn-addresses': ADDRESSES[name] }) }
})

const stage = await Stage.up(t, { vteps: [VTEP], vnis: [VNI], workloads: (Object.keys(ADDRESSES) as Port[]).map(workload) })
const { chassis } = stage
await chassis.set('Bridge br-int', { 'evpn-port-security': 'true' })
await eventually('every port to be checked', () => chassis.ourFlows('table=200'), (flows) =>
  flows.filter((flow) => /in_port="?(mac|v4|both|bare|trunk|yours)\b/.test(flow) && flow.includes('->metadata,resubmit(,213)')).length >= 6)

/** Port security's DROP: reason 7. */
async function passes(port: Port, packet: Buffer): Promise<boolean> {
  const trace = await chassis.run(['ovs-appctl', 'ofproto/trace', 'br-int', `in_port=${port}`, packet.toString('hex')])
  if (!trace.includes('resubmit(,200)')) throw new Error(`the packet does not get into our tables:\n${trace}`)
  return !trace.includes('reg6=0x7') && !trace.includes('set_field:0x7->reg6')
}

const tagged = (packet: Buffer): Buffer => Buffer.concat([packet.subarray(0, 12), Buffer.from([0x81, 0, 0, 10]), packet.subarray(12)])
const ALL_NODES = 'ff02::1'
const [EUI, RARP, LLDP] = [linkLocalOf(MAC.both), 0x8035, 0x88cc]

interface Rule { readonly rule: string, readonly port: Port, readonly good?: readonly Buffer[], readonly bad?: readonly Buffer[] }

const RULES: readonly Rule[] = [
  { rule: 'a MAC without IPs: any IP from that MAC, and from no other', port: 'mac',
    good: [udp(MAC.mac, '192.168.1.1', '10.0.0.9'), udp(MAC.mac, '2001:db8:9::9', ALL_NODES), ethernet(MAC.mac, LLDP)],
    bad: [udp(MAC.other, '192.168.1.1', '10.0.0.9'), udp(MAC.v4, OWN.v4, '10.0.0.9'), ethernet(MAC.other, LLDP)] },
  { rule: 'a MAC without IPs: what ARP and ND say of the sender is its MAC', port: 'mac',
    good: [arp(MAC.mac, MAC.mac, '10.9.9.9'), solicitation(MAC.mac, 'fe80::9', MAC.mac), solicitation(MAC.mac, 'fe80::9'), advertisement(MAC.mac, 'fe80::9', 'fe80::9', MAC.mac)],
    bad: [arp(MAC.mac, MAC.v4, '10.9.9.9'), solicitation(MAC.mac, 'fe80::9', MAC.v4), advertisement(MAC.mac, 'fe80::9', 'fe80::9', MAC.v4)] },
  { rule: 'a MAC with an IPv4 address: IPv4 and ARP from it, DHCP and ARP probes to get it', port: 'v4',
    good: [udp(MAC.v4, OWN.v4, '10.0.0.9'), arp(MAC.v4, MAC.v4, OWN.v4), arp(MAC.v4, MAC.v4, OWN.v4, 2), arp(MAC.v4, MAC.v4, '0.0.0.0'),
      udp(MAC.v4, '0.0.0.0', '255.255.255.255', [68, 67])],
    bad: [udp(MAC.v4, OWN.both4, '10.0.0.9'), arp(MAC.v4, MAC.v4, OWN.both4), arp(MAC.v4, MAC.v4, OWN.both4, 2), arp(MAC.v4, MAC.both, OWN.v4), arp(MAC.v4, MAC.v4, '0.0.0.0', 2),
      udp(MAC.v4, '0.0.0.0', '255.255.255.255', [67, 68]), udp(MAC.v4, '0.0.0.0', '10.0.0.9', [68, 67])] },
  { rule: 'a MAC with IPv4 addresses only: no IPv6', port: 'v4',
    bad: [udp(MAC.v4, linkLocalOf(MAC.v4), ALL_NODES), solicitation(MAC.v4, '::'), solicitation(MAC.v4, linkLocalOf(MAC.v4), MAC.v4)] },
  { rule: 'neither IP nor ARP: the MAC is enough; a migrated workload announces itself by RARP', port: 'v4',
    good: [ethernet(MAC.v4, RARP), ethernet(MAC.v4, LLDP)], bad: [ethernet(MAC.other, RARP)] },
  { rule: 'a MAC with an IPv6 address: IPv6 from it, from the link-local address of the MAC, from those written', port: 'both',
    good: [udp(MAC.both, OWN.both6, ALL_NODES), udp(MAC.both, EUI, ALL_NODES), udp(MAC.both, OWN.lla, ALL_NODES), udp(MAC.both, OWN.both4, '10.0.0.9')],
    bad: [udp(MAC.both, '2001:db8:1::4', ALL_NODES), udp(MAC.both, 'fe80::4', ALL_NODES), udp(MAC.both, '::', ALL_NODES)] },
  { rule: 'neighbour discovery: own addresses only, and `::` to find out whether one is free', port: 'both',
    good: [solicitation(MAC.both, OWN.both6, MAC.both), solicitation(MAC.both, EUI), solicitation(MAC.both, '::'), icmpv6(MAC.both, '::', 'ff02::16', 143, Buffer.alloc(4)),
      advertisement(MAC.both, OWN.both6, OWN.both6, MAC.both), advertisement(MAC.both, EUI, OWN.both6), advertisement(MAC.both, EUI, OWN.lla, MAC.both)],
    bad: [solicitation(MAC.both, OWN.both6, MAC.v4), solicitation(MAC.both, '2001:db8:1::4', MAC.both), advertisement(MAC.both, EUI, '2001:db8:1::4', MAC.both),
      advertisement(MAC.both, OWN.both6, OWN.both6, MAC.v4)] },
  { rule: 'a port with the address `unknown` may send anything', port: 'free', good: [udp(MAC.other, '1.2.3.4', '10.0.0.9'), arp(MAC.free, MAC.other, '1.2.3.4')] },
  { rule: 'a port without any address may send nothing', port: 'bare', bad: [udp(MAC.bare, '10.0.0.5', '10.0.0.9'), ethernet(MAC.bare, LLDP)] },
  { rule: 'an address that belongs to another port is not one to send from', port: 'yours',
    good: [ethernet(MAC.yours, LLDP)], bad: [udp(MAC.mac, '192.168.1.1', '10.0.0.9'), udp(MAC.yours, OWN.v4, '10.0.0.9'), arp(MAC.yours, MAC.yours, OWN.v4)] },
  { rule: 'on a trunk, behind the tag', port: 'trunk',
    good: [tagged(udp(MAC.trunk, OWN.trunk, '10.0.0.9')), tagged(arp(MAC.trunk, MAC.trunk, OWN.trunk))],
    bad: [tagged(udp(MAC.trunk, OWN.v4, '10.0.0.9')), tagged(udp(MAC.other, OWN.trunk, '10.0.0.9')), tagged(tagged(udp(MAC.trunk, OWN.trunk, '10.0.0.9')))] }
]

for (const { rule, port, good = [], bad = [] } of RULES) {
  await t.test(`rule 13: evpn-port-security: ${rule}`, async (t) => {
    for (const packet of good) t.equal(await passes(port, packet), true, `may be sent: ${packet.toString('hex')}`)
    for (const packet of bad) t.equal(await passes(port, packet), false, `may not be sent: ${packet.toString('hex')}`)
  })
}

const ALL = ['bare', 'both', 'free', 'trunk 10/0', 'v4', 'yours', `${VTEP} VNI ${VNI}`]
const own = () => stage.fromWorkload('mac', { src: MAC.mac, dst: EVERYBODY })

await t.test('rule 13: evpn-port-security: a frame from a foreign MAC reaches nobody, and is counted', async (t) => {
  await stage.until(`a frame to reach ${ALL.join(', ')}`, own, ALL)
  const before = await stage.dropped(VNI, 'port security')
  t.strictSame(await stage.settled(stage.fromWorkload('mac', { src: MAC.other, dst: EVERYBODY }), own, ALL), [])
  await eventually('one drop more for port security', () => stage.dropped(VNI, 'port security'), (count) => count > before)
})

await t.test('rule 13: evpn-port-security follows the addresses, and goes with the option', async (t) => {
  await chassis.set('Interface mac', { 'evpn-addresses': MAC.other })
  const foreign = () => stage.fromWorkload('mac', { src: MAC.other, dst: EVERYBODY })
  await stage.until('the new MAC to be the port\'s', foreign, ALL)
  t.strictSame(await stage.settled(own(), foreign, ALL), [], 'the old one is not')
  t.strictSame(await stage.restart(), { flow_mods: 0, group_mods: 0, kernel_writes: 0 }, 'a restart finds all of it in place')
  await chassis.set('Bridge br-int', { [`evpn-port-security-${VNI}`]: 'false' })
  await stage.until('every MAC to be good again', own, ALL)
  await eventually('no flow of port security', () => chassis.ourFlows('table=213'), (flows) => flows.length === 0)
})
