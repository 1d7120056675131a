// MAC addresses: one canonical text for each address, so that text can be compared and be a key.
import t from 'tap'
import { isMulticastMac, macFromBytes, macToBytes, parseMac, ZERO_MAC } from '../../lib/net/mac.js'

await t.test('text becomes lower-case colon notation', (t) => {
  t.equal(parseMac('02:00:00:00:00:01'), '02:00:00:00:00:01')
  t.equal(parseMac('02:AB:cd:00:FF:1f'), '02:ab:cd:00:ff:1f')
  t.end()
})

await t.test('what is not six pairs of hex digits with colons is no MAC', (t) => {
  const texts = ['', 'unknown', '02:00:00:00:00', '02:00:00:00:00:01:02', '2:0:0:0:0:1', '02-00-00-00-00-01', '020000000001', '02:00:00:00:00:0g', ' 02:00:00:00:00:01']
  for (const text of texts) t.equal(parseMac(text), undefined, JSON.stringify(text))
  t.end()
})

await t.test('bytes and text are the same address', (t) => {
  const bytes = Buffer.from([0x02, 0xab, 0, 9, 0xff, 0x10])
  t.equal(macFromBytes(bytes), '02:ab:00:09:ff:10')
  t.equal(macFromBytes(Buffer.concat([Buffer.alloc(3, 0xee), bytes]), 3), '02:ab:00:09:ff:10', 'read at an offset')
  t.strictSame(macToBytes('02:ab:00:09:ff:10'), bytes)
  t.equal(macFromBytes(Buffer.alloc(6)), ZERO_MAC)
  t.end()
})

await t.test('the I/G bit of the first octet makes a group address', (t) => {
  for (const mac of ['01:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '33:33:00:00:00:01', '03:00:00:00:00:00']) t.ok(isMulticastMac(mac), mac)
  for (const mac of ['00:00:00:00:00:00', '02:00:00:00:00:01', 'fe:ff:ff:ff:ff:ff']) t.notOk(isMulticastMac(mac), mac)
  t.end()
})
