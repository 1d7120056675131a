// A workload's Interface row: which VNI, which addresses, whether they are advertised.
import t from 'tap'
import { parsePort } from '../../lib/config/port.js'
import { ids, sentences } from './warnings.js'

await t.test('an Interface without dynamic-routing-vni is none of our business', (t) => {
  t.strictSame(parsePort('vm1', ids({ 'iface-id': 'x', 'attached-mac': 'nonsense' })), { warnings: [] })
  t.end()
})

await t.test('a VNI alone makes a port', (t) => {
  for (const [text, vni] of [['0', 0], ['1000', 1000], ['16777215', 16777215], [' 1000 ', 1000]] as const) {
    const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': text }))
    t.strictSame(warnings, [])
    t.match(config, { name: 'vm1', vni, addresses: { bound: [], unknown: false }, advertise: true }, `VNI ${text}`)
  }
  t.end()
})

await t.test('attached-mac is read only when evpn-addresses is missing', (t) => {
  const attached = { 'dynamic-routing-vni': '1000', 'attached-mac': '02:00:00:00:00:01' }
  t.strictSame(parsePort('vm1', ids(attached)).config?.addresses,
    { key: 'attached-mac', bound: [{ mac: '02:00:00:00:00:01', ips: [] }], unknown: false })
  t.strictSame(parsePort('vm1', ids({ ...attached, 'evpn-addresses': '02:00:00:00:00:02 10.0.0.2,unknown' })).config?.addresses,
    { key: 'evpn-addresses', bound: [{ mac: '02:00:00:00:00:02', ips: ['10.0.0.2'] }], unknown: true })
  t.strictSame(parsePort('vm1', ids({ ...attached, 'evpn-addresses': '' })).config?.addresses,
    { key: 'evpn-addresses', bound: [], unknown: false }, 'an empty evpn-addresses is not a missing one')
  t.end()
})

await t.test('dynamic-routing-advertise=false keeps the addresses to ourselves', (t) => {
  for (const [text, advertise] of [['true', true], ['false', false]] as const) {
    const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': '1', 'dynamic-routing-advertise': text }))
    t.strictSame(warnings, [])
    t.equal(config?.advertise, advertise, text)
  }
  t.end()
})

const NO_VNI = 'must be a VNI 0..16777215; the port is left alone'
const NO_TRUNK = 'trunk ports (VLAN:VNI lists) are not supported by this version; the port is left alone'

for (const [value, why] of [
  ['', NO_VNI], ['blue', NO_VNI], ['-1', NO_VNI], ['16777216', NO_VNI], ['0x10', NO_VNI], ['1000,2000', NO_VNI], ['10:1000:1', NO_VNI],
  ['4096:1000', NO_VNI], ['10:16777216', NO_VNI], ['10:1000', NO_TRUNK], ['10:1000, 20:2000', NO_TRUNK]
] as const) {
  await t.test(`one warning for dynamic-routing-vni=${value}, and no port`, (t) => {
    const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': value, 'evpn-addresses': 'not looked at' }))
    t.strictSame(sentences(warnings), [`Interface vm1 external_ids:dynamic-routing-vni="${value}": ${why}`])
    t.equal(config, undefined)
    t.end()
  })
}

const BAD = [
  { key: 'evpn-addresses', value: 'x', why: '"x" is no MAC address; write MAC [IP...], items separated by commas', rest: { addresses: { bound: [] } } },
  { key: 'attached-mac', value: 'x', why: '"x" is no MAC address; write MAC [IP...], items separated by commas', rest: { addresses: { bound: [] } } },
  { key: 'dynamic-routing-advertise', value: 'no', why: 'must be true or false', rest: { advertise: true } },
  { key: 'dynamic-routing-advertise', value: 'False', why: 'must be true or false', rest: { advertise: true } },
  { key: 'evpn-addresses-10', value: '02:00:00:00:00:01', why: 'has no effect in this version', rest: {} },
  { key: 'evpn-adresses', value: '02:00:00:00:00:01', why: 'unknown key; the nearest known one is evpn-addresses', rest: {} },
  { key: 'evpn-addresses-red', value: 'x', why: 'unknown key; the nearest known one is evpn-addresses', rest: {} },
  { key: 'dynamic-routing-vnis', value: '2000', why: 'unknown key; the nearest known one is dynamic-routing-vni', rest: { vni: 1000 } },
  { key: 'dynamic-routing-advertize', value: 'false', why: 'unknown key; the nearest known one is dynamic-routing-advertise', rest: { advertise: true } }
]

for (const { key, value, why, rest } of BAD) {
  await t.test(`one warning for ${key}=${value}, and the port works`, (t) => {
    const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': '1000', [key]: value }))
    t.strictSame(sentences(warnings), [`Interface vm1 external_ids:${key}="${value}": ${why}`])
    t.match(config, { name: 'vm1', vni: 1000, ...rest })
    t.end()
  })
}

await t.test('a misspelt key is told of even where no VNI is named: it may be the VNI that is misspelt', (t) => {
  const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vin': '1000' }))
  t.equal(config, undefined)
  t.strictSame(sentences(warnings), ['Interface vm1 external_ids:dynamic-routing-vin="1000": unknown key; the nearest known one is dynamic-routing-vni'])
  t.end()
})
