// IP addresses: one canonical text for each address (RFC 5952 for IPv6), and what kind of address it is.
import t from 'tap'
import { ipFamily, ipFromBytes, ipToBytes, isLinkLocalIp, isMulticastIp, isUnspecifiedIp, parseIp } from '../../lib/net/ip.js'

await t.test('text becomes canonical', (t) => {
  const cases = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0001:0', '2001:db8::1:0'],
    ['::', '::'],
    ['::1', '::1']
  ] as const
  for (const [text, ip] of cases) t.equal(parseIp(text), ip, text)
  t.end()
})

await t.test('what is no address, or names more than an address, is refused', (t) => {
  const texts = ['', '10.1', '10.0.0.256', '10.0.0.1.2', '10.0.0.1/24', '010.0.0.1', '0x0a.0.0.1', '2001:db8::1::2', '2001:db8::/64', 'fe80::1%eth0', 'br0', '10.0.0.1 ']
  for (const text of texts) t.equal(parseIp(text), undefined, JSON.stringify(text))
  t.end()
})

await t.test('the number of bytes decides the family, not the context', (t) => {
  t.equal(ipFromBytes(Buffer.from([192, 0, 2, 1])), '192.0.2.1')
  const bytes = Buffer.from('20010db8000000000000000000000001', 'hex')
  t.equal(ipFromBytes(bytes), '2001:db8::1')
  for (const length of [0, 3, 5, 15, 17]) t.throws(() => ipFromBytes(Buffer.alloc(length)), RangeError, `${length} bytes`)
  t.strictSame(ipToBytes('192.0.2.1'), Buffer.from([192, 0, 2, 1]))
  t.strictSame(ipToBytes('2001:db8::1'), bytes)
  t.equal(ipFamily('192.0.2.1'), 4)
  t.equal(ipFamily('2001:db8::1'), 6)
  t.end()
})

await t.test('an IPv4-mapped IPv6 address stays IPv6 and round-trips', (t) => {
  const ip = parseIp('::ffff:192.0.2.1') ?? ''
  t.equal(ipFamily(ip), 6)
  t.equal(ipToBytes(ip).length, 16)
  t.equal(ipFromBytes(ipToBytes(ip)), ip)
  t.end()
})

await t.test('ranges that no host of a fabric has', (t) => {
  const cases = [
    { is: isMulticastIp, yes: ['224.0.0.1', '239.255.255.255', 'ff02::1'], no: ['223.255.255.255', '240.0.0.1', 'fe80::1', '192.0.2.1'] },
    { is: isLinkLocalIp, yes: ['169.254.0.1', 'fe80::1', 'febf::1'], no: ['169.253.0.1', 'fec0::1', 'fd00::1', '192.0.2.1'] },
    { is: isUnspecifiedIp, yes: ['0.0.0.0', '0.0.0.1', '::'], no: ['1.0.0.0', '::1'] }
  ]
  for (const { is, yes, no } of cases) {
    for (const ip of yes) t.ok(is(ip), `${is.name} ${ip}`)
    for (const ip of no) t.notOk(is(ip), `not ${is.name} ${ip}`)
  }
  t.end()
})
