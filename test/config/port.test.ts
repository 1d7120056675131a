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
    t.match(config, { name: 'vm1', bindings: [{ port: 'vm1', vni, vlan: undefined, addresses: { bound: [], unknown: false }, advertise: true }] }, `VNI ${text}`)
    t.equal(config?.bindings.length, 1)
  }
  t.end()
})

await t.test('attached-mac is read only when evpn-addresses is missing', (t) => {
  const attached = { 'dynamic-routing-vni': '1000', 'attached-mac': '02:00:00:00:00:01' }
  t.strictSame(parsePort('vm1', ids(attached)).config?.bindings[0]?.addresses,
    { key: 'attached-mac', bound: [{ mac: '02:00:00:00:00:01', ips: [] }], unknown: false })
  t.strictSame(parsePort('vm1', ids({ ...attached, 'evpn-addresses': '02:00:00:00:00:02 10.0.0.2,unknown' })).config?.bindings[0]?.addresses,
    { key: 'evpn-addresses', bound: [{ mac: '02:00:00:00:00:02', ips: ['10.0.0.2'], sources: ['10.0.0.2'] }], unknown: true })
  t.strictSame(parsePort('vm1', ids({ ...attached, 'evpn-addresses': '' })).config?.bindings[0]?.addresses,
    { key: 'evpn-addresses', bound: [], unknown: false }, 'an empty evpn-addresses is not a missing one')
  t.end()
})

await t.test('dynamic-routing-advertise=false keeps the addresses to ourselves', (t) => {
  for (const [text, advertise] of [['true', true], ['false', false]] as const) {
    const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': '1', 'dynamic-routing-advertise': text }))
    t.strictSame(warnings, [])
    t.equal(config?.bindings[0]?.advertise, advertise, text)
  }
  t.end()
})

const NO_VNI = 'must be a VNI 0..16777215, or a comma list of VLAN:VNI; the port is left alone'

for (const [value, why] of [
  ['', NO_VNI], ['blue', NO_VNI], ['-1', NO_VNI], ['16777216', NO_VNI], ['0x10', NO_VNI], ['1000,2000', NO_VNI]
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
  { key: 'evpn-addresses-10', value: '02:00:00:00:00:01', why: 'VLAN 10 is not in dynamic-routing-vni of this port', rest: {} },
  { key: 'evpn-adresses', value: '02:00:00:00:00:01', why: 'unknown key; the nearest known one is evpn-addresses', rest: {} },
  { key: 'evpn-addresses-red', value: 'x', why: 'unknown key; the nearest known one is evpn-addresses', rest: {} },
  { key: 'dynamic-routing-vnis', value: '2000', why: 'unknown key; the nearest known one is dynamic-routing-vni', rest: {} },
  { key: 'dynamic-routing-advertize', value: 'false', why: 'unknown key; the nearest known one is dynamic-routing-advertise', rest: { advertise: true } }
]

for (const { key, value, why, rest } of BAD) {
  await t.test(`one warning for ${key}=${value}, and the port works`, (t) => {
    const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': '1000', [key]: value }))
    t.strictSame(sentences(warnings), [`Interface vm1 external_ids:${key}="${value}": ${why}`])
    t.match(config?.bindings, [{ port: 'vm1', vni: 1000, vlan: undefined, ...rest }])
    t.end()
  })
}

await t.test('a misspelt key is told of even where no VNI is named: it may be the VNI that is misspelt', (t) => {
  const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vin': '1000' }))
  t.equal(config, undefined)
  t.strictSame(sentences(warnings), ['Interface vm1 external_ids:dynamic-routing-vin="1000": unknown key; the nearest known one is dynamic-routing-vni'])
  t.end()
})

interface Trunk { readonly rule: string, readonly value: string, readonly bindings: readonly (readonly [vlan: number, vni: number])[], readonly why?: readonly string[] }

const BAD_ITEM = 'is not VLAN:VNI with a VLAN 0..4094 and a VNI 0..16777215; it is skipped'

const TRUNKS: readonly Trunk[] = [
  { rule: 'a list of VLAN:VNI is a trunk', value: '10:1000,20:2000', bindings: [[10, 1000], [20, 2000]] },
  { rule: 'of one item, too', value: '10:1000', bindings: [[10, 1000]] },
  { rule: 'blanks do not matter', value: ' 10:1000 , 20 : 2000,', bindings: [[10, 1000], [20, 2000]] },
  { rule: '0:VNI is for untagged frames', value: '0:1,4094:16777215', bindings: [[0, 1], [4094, 16777215]] },
  {
    rule: 'a bad item is skipped alone', value: '10:1000,4095:7,x:1,5,6:16777216,7:8:9,20:2000', bindings: [[10, 1000], [20, 2000]],
    why: ['4095:7', 'x:1', '5', '6:16777216', '7:8:9'].map((item) => `"${item}" ${BAD_ITEM}`)
  },
  { rule: 'only bad items: no port', value: '4095:1000', bindings: [], why: [`"4095:1000" ${BAD_ITEM}`] },
  { rule: 'a VLAN is in one VNI: the first', value: '10:1000,10:2000', bindings: [[10, 1000]], why: ['"10:2000" names VLAN 10 again; it is skipped'] },
  {
    rule: 'a VNI has one VLAN on a port: the first', value: '10:1000,20:1000,30:3', bindings: [[10, 1000], [30, 3]],
    why: ['"20:1000" names VNI 1000 again, which VLAN 10 of this port is in; it is skipped']
  }
]

for (const { rule, value, bindings, why = [] } of TRUNKS) {
  await t.test(`dynamic-routing-vni=${value}: ${rule}`, (t) => {
    const { config, warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': value }))
    t.strictSame((config?.bindings ?? []).map(({ vlan, vni }) => [vlan, vni]), bindings)
    t.strictSame(sentences(warnings), why.map((reason) => `Interface vm1 external_ids:dynamic-routing-vni="${value}": ${reason}`))
    t.end()
  })
}

await t.test('evpn-addresses-<vlan> is for that VLAN alone; evpn-addresses, else attached-mac, for those that have none', (t) => {
  const [A, B, C] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b', '02:00:00:00:00:0c']
  const trunk = { 'dynamic-routing-vni': '0:1,10:1000,20:2000', 'evpn-addresses-10': `${A} 10.0.0.1`, 'attached-mac': C }
  const shown = (externalIds: Readonly<Record<string, string>>) => {
    const { config, warnings } = parsePort('vm1', ids(externalIds))
    t.strictSame(warnings, [])
    return config?.bindings.map(({ addresses: { key, bound, unknown } }) => `${key}: ${bound.map(({ mac, ips }) => [mac, ...ips].join(' ')).join(', ')}${unknown ? '+' : ''}`)
  }
  t.strictSame(shown(trunk), [`attached-mac: ${C}`, `evpn-addresses-10: ${A} 10.0.0.1`, `attached-mac: ${C}`])
  t.strictSame(shown({ ...trunk, 'evpn-addresses': `${B},unknown`, 'evpn-addresses-0': '' }),
    ['evpn-addresses-0: ', `evpn-addresses-10: ${A} 10.0.0.1`, `evpn-addresses: ${B}+`])
  t.end()
})

await t.test('addresses that several VLANs fall back to are warned about once, those of a VLAN the port is not in as such', (t) => {
  const { warnings } = parsePort('vm1', ids({ 'dynamic-routing-vni': '10:1000,20:2000', 'evpn-addresses': 'x', 'evpn-addresses-30': '02:00:00:00:00:01', 'evpn-addresses-020': 'y' }))
  t.strictSame(sentences(warnings).map((text) => text.replace('Interface vm1 external_ids:', '')), [
    'evpn-addresses-30="02:00:00:00:00:01": VLAN 30 is not in dynamic-routing-vni of this port',
    'evpn-addresses-020="y": unknown key; the nearest known one is evpn-addresses',
    'evpn-addresses="x": "x" is no MAC address; write MAC [IP...], items separated by commas'
  ])
  t.end()
})
