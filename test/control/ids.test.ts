// Derived ids: the same for ever, because people compare them before and after a restart.
import fc from 'fast-check'
import t from 'tap'
import { bindingKey, formatBindingKey, nameUuid } from '../../lib/daemon/control/ids.js'
import { SEED } from '../hostile/input.js'

await t.test('binding keys and UUIDs never change between versions', t => {
  t.equal(formatBindingKey(bindingKey('192.0.2.2', 4789, 1000)), '0x93615bdc')
  // Python's uuid.uuid5 says the same for our namespace.
  t.equal(nameUuid('mac', 1000, '02:00:00:00:00:01'), 'd7ebe2ad-0b93-53fa-8134-79b4cf6c146c')
  t.end()
})

await t.test('a binding key has bit 31 set and prints as 0x and eight digits', t => {
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 0, max: 0xffffff }), (ip, port, vni) => {
    const key = bindingKey(ip, port, vni)
    return key >= 0x80000000 && key <= 0xffffffff && /^0x[89a-f][0-9a-f]{7}$/.test(formatBindingKey(key))
  }), { seed: SEED })
  t.end()
})

await t.test('each part of a key counts', t => {
  const keys = [
    bindingKey('192.0.2.2', 4789, 1000), bindingKey('192.0.2.3', 4789, 1000),
    bindingKey('192.0.2.2', 4790, 1000), bindingKey('192.0.2.2', 4789, 1001)
  ]
  t.equal(new Set(keys).size, keys.length)
  const uuids = [nameUuid('mac', 1, 'a'), nameUuid('ip', 1, 'a'), nameUuid('mac', 1), nameUuid('mac', '1a'), nameUuid('mac', 1, 'b')]
  t.equal(new Set(uuids).size, uuids.length)
  t.end()
})

await t.test('UUIDs are of version 5 and the RFC 4122 variant', t => {
  fc.assert(fc.property(fc.string(), name => /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(nameUuid(name))), { seed: SEED })
  t.end()
})
