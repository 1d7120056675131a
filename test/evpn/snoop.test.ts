import fc from 'fast-check'
import t from 'tap'
import { snoop, type Snooped } from '../../lib/evpn/snoop.js'
import { SEED } from '../hostile/input.js'
import { advertisement, arp, dhcp, ethernet, icmpv6, solicitation, udp } from '../semantics/util/packet.js'

const [HOST, OTHER, SERVER] = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:53'] as const
const [V4, V6] = ['10.0.0.1', '2001:db8::1'] as const
const byHost = (ip: string): Snooped => ({ mac: HOST, ip, by: 'host' })
const ack = dhcp(SERVER, '10.0.0.53', { type: 5, chaddr: HOST, yiaddr: V4 })

/** A copy with one byte changed. */
function changed(frame: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(frame)
  copy[at] = value
  return copy
}

const CASES: readonly (readonly [what: string, frame: Buffer, says: Snooped | undefined])[] = [
  ['an ARP request says who sends it', arp(HOST, HOST, V4), byHost(V4)],
  ['an ARP reply does, too', arp(HOST, HOST, V4, 2), byHost(V4)],
  ['ARP whose sender is not the frame\'s is somebody\'s proxy', arp(HOST, OTHER, V4), undefined],
  ['an ARP probe claims nothing', arp(HOST, HOST, '0.0.0.0'), undefined],
  ['ARP of a multicast sender', arp(HOST, HOST, '224.0.0.1'), undefined],
  ['ARP of a loopback address', arp(HOST, HOST, '127.0.0.1'), undefined],
  ['ARP of the broadcast address', arp(HOST, HOST, '255.255.255.255'), undefined],
  ['ARP of a group MAC', arp('03:00:00:00:00:01', '03:00:00:00:00:01', V4), undefined],
  ['ARP with another operation (RARP\'s)', changed(arp(HOST, HOST, V4), 21, 3), undefined],
  ['ARP for another hardware', changed(arp(HOST, HOST, V4), 15, 6), undefined],
  ['a Neighbor Advertisement says who has its target', advertisement(HOST, V6, V6, HOST), byHost(V6)],
  ['one without link-layer address is of the frame\'s sender', advertisement(HOST, V6, V6), byHost(V6)],
  ['one with another link-layer address is somebody\'s proxy', advertisement(HOST, V6, V6, OTHER), undefined],
  ['one for a link-local address: never announced', advertisement(HOST, 'fe80::1', 'fe80::1', HOST), undefined],
  ['one for a group', advertisement(HOST, V6, 'ff02::1', HOST), undefined],
  ['one for ::1', advertisement(HOST, V6, '::1', HOST), undefined],
  ['one that a router passed on', changed(advertisement(HOST, V6, V6, HOST), 21, 254), undefined],
  ['an advertisement cut short', advertisement(HOST, V6, V6, HOST).subarray(0, 70), undefined],
  ['a solicitation says nothing that counts', solicitation(HOST, V6, HOST), undefined],
  ['another message of ICMPv6', icmpv6(HOST, V6, 'ff02::1', 128, Buffer.alloc(40)), undefined],
  ['a DHCP acknowledgement says who has the address now: the client, not who sends it', ack, { mac: HOST, ip: V4, by: 'server' }],
  ['a DHCP offer does not', dhcp(SERVER, '10.0.0.53', { type: 2, chaddr: HOST, yiaddr: V4 }), undefined],
  ['a DHCP request does not', dhcp(HOST, V4, { op: 1, type: 5, chaddr: HOST, yiaddr: V4 }), undefined],
  ['an acknowledgement without an address (of DHCPINFORM)', dhcp(SERVER, '10.0.0.53', { type: 5, chaddr: HOST, yiaddr: '0.0.0.0' }), undefined],
  ['a fragment of one', changed(ack, 20, 0x20), undefined],
  ['one cut short', ack.subarray(0, 200), undefined],
  ['one without the magic cookie', changed(ack, 14 + 20 + 8 + 236, 0), undefined],
  ['other UDP', udp(HOST, V4, '10.0.0.9'), undefined],
  ['UDP from 67 to 68 that is no DHCP', udp(HOST, V4, '10.0.0.9', [67, 68]), undefined],
  ['other frames', ethernet(HOST, 0x88cc), undefined],
  ['no frame at all', Buffer.alloc(0), undefined]
]

for (const [what, frame, says] of CASES) {
  await t.test(what, (t) => {
    t.strictSame(snoop(frame), says)
    t.end()
  })
}

await t.test('property: whatever a packet is, it is read without an error, and says nothing but addresses of hosts', (t) => {
  const whole = CASES.map(([, frame]) => frame)
  const damaged = fc.tuple(fc.constantFrom(...whole), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }), fc.nat(400))
    .map(([frame, changes, length]) => changes.reduce((bytes, [at, value]) => (at < bytes.length ? changed(bytes, at, value) : bytes), frame.subarray(0, length)))
  fc.assert(fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))), (frame) => {
    const said = snoop(frame)
    return said === undefined || (!said.ip.startsWith('fe8') && !said.ip.startsWith('ff') && said.ip !== '0.0.0.0' && said.mac !== '00:00:00:00:00:00')
  }), { seed: SEED })
  t.pass('read')
  t.end()
})
