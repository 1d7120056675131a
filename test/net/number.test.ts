// Whole numbers in the ranges of the field, and the hash that names things by content.
import t from 'tap'
import { hash32 } from '../../lib/net/hash.js'
import { parseUdpPort, parseVni, parseWhole } from '../../lib/net/number.js'

await t.test('VNI 0 and 16777215 are VNIs, 16777216 is none', (t) => {
  t.equal(parseVni('0'), 0)
  t.equal(parseVni('16777215'), 16777215)
  t.equal(parseVni('16777216'), undefined)
  t.end()
})

await t.test('UDP port 0 is none', (t) => {
  t.equal(parseUdpPort('1'), 1)
  t.equal(parseUdpPort('65535'), 65535)
  t.equal(parseUdpPort('0'), undefined)
  t.equal(parseUdpPort('65536'), undefined)
  t.end()
})

await t.test('only plain decimal digits are a number', (t) => {
  for (const text of ['', ' 1', '1 ', '+1', '-1', '1.0', '1e3', '0x10', '007', '10000000000000000000']) {
    t.equal(parseWhole(text, 0, Number.MAX_SAFE_INTEGER), undefined, JSON.stringify(text))
  }
  t.equal(parseWhole('9007199254740991', 0, Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  t.end()
})

await t.test('the hash is the same in every run, because ids on the switch are made of it', (t) => {
  t.equal(hash32(''), 2872998923)
  t.equal(hash32('192.0.2.1 4789'), 76749954)
  t.end()
})

await t.test('each bit of the hash divides similar texts about in half, because a flood splits by its bits', (t) => {
  const hashes = Array.from({ length: 4096 }, (_, i) => hash32(`10.0.${i >> 8}.${i & 255} 4789`))
  t.equal(new Set(hashes).size, hashes.length, 'no two of 4,096 addresses hash alike')
  for (let bit = 0; bit < 32; bit++) {
    const ones = hashes.filter((hash) => ((hash >>> bit) & 1) === 1).length
    t.ok(ones > 1800 && ones < 2296, `bit ${bit}: ${ones} of 4096`)
  }
  t.end()
})
