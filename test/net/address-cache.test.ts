// The cache of addresses gives what the plain functions give, whatever was read before.
import t from 'tap'
import { AddressCache } from '../../lib/net/address-cache.js'
import { ipFromBytes } from '../../lib/net/ip.js'
import { macFromBytes } from '../../lib/net/mac.js'

/** More addresses than there are slots, so that some push out others; read in two rounds. */
const COUNT = 300_000

await t.test('every address comes out as it is, also when others had its slot', (t) => {
  const cache = new AddressCache()
  const bytes = Buffer.alloc(8, 0x02)
  let wrong = 0
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < COUNT; n++) {
      bytes.writeUInt32BE(Math.imul(n, 7919) >>> 0, 3)
      if (cache.mac(bytes, 1) !== macFromBytes(bytes, 1)) wrong++
      if (cache.ip(bytes, 3, 7) !== ipFromBytes(bytes.subarray(3, 7))) wrong++
    }
  }
  t.equal(wrong, 0)
  t.end()
})

await t.test('an IPv6 address is read as well, and any other length is no address', (t) => {
  const cache = new AddressCache()
  const bytes = Buffer.from('20010db8000000000000000000000001', 'hex')
  t.equal(cache.ip(bytes, 0, 16), '2001:db8::1')
  t.throws(() => cache.ip(bytes, 0, 5), RangeError)
  t.end()
})
