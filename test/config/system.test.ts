// The Open_vSwitch row: keys of the whole chassis, with and without the suffix of a system-id.
import t from 'tap'
import { parseSystem } from '../../lib/config/system.js'
import { ids, sentences } from './warnings.js'

await t.test('nothing set: the defaults', (t) => {
  t.strictSame(parseSystem(ids({})), {
    config: { systemId: undefined, bridge: 'br-int', vxlanPorts: [4789], localIps: {}, localIpsOfVni: new Map() },
    warnings: []
  })
  t.end()
})

await t.test('every key in its plain form', (t) => {
  const { config, warnings } = parseSystem(ids({
    'system-id': 'host1',
    'ovn-bridge': 'br-evpn',
    'ovn-evpn-vxlan-ports': '4790, 4789',
    'ovn-evpn-local-ip': '192.0.2.1, 2001:DB8::1,0-192.0.2.7,1000-192.0.2.8,1000-2001:db8::8'
  }))
  t.strictSame(sentences(warnings), [])
  t.strictSame(config, {
    systemId: 'host1',
    bridge: 'br-evpn',
    vxlanPorts: [4790, 4789],
    localIps: { 4: '192.0.2.1', 6: '2001:db8::1' },
    localIpsOfVni: new Map([[0, { 4: '192.0.2.7' }], [1000, { 4: '192.0.2.8', 6: '2001:db8::8' }]])
  })
  t.end()
})

await t.test('the key with the suffix of our system-id wins over the plain one', (t) => {
  const { config, warnings } = parseSystem(ids({
    'system-id': 'host1',
    'ovn-bridge': 'br-int', 'ovn-bridge-host1': 'br-one', 'ovn-bridge-host2': 'br-two',
    'ovn-evpn-vxlan-ports': '4789', 'ovn-evpn-vxlan-ports-host1': '8472',
    'ovn-evpn-local-ip': '192.0.2.1', 'ovn-evpn-local-ip-host1': '192.0.2.2'
  }))
  t.strictSame(sentences(warnings), [])
  t.match(config, { bridge: 'br-one', vxlanPorts: [8472], localIps: { 4: '192.0.2.2' } })
  t.end()
})

await t.test('keys with the suffix of another system-id, or without a system-id of ours, are none of our business', (t) => {
  const others = { 'ovn-bridge-host2': 'br-two', 'ovn-bridge-undefined': 'br-x', 'ovn-evpn-vxlan-ports-host2': 'x', 'ovn-evpn-local-ip-host2': 'x' }
  for (const own of [{}, { 'system-id': 'host1' }]) {
    const { config, warnings } = parseSystem(ids({ ...own, ...others }))
    t.strictSame(sentences(warnings), [])
    t.match(config, { bridge: 'br-int', vxlanPorts: [4789], localIps: {} })
  }
  t.end()
})

await t.test('an empty value is as good as none', (t) => {
  const { config, warnings } = parseSystem(ids({ 'ovn-bridge': ' ', 'ovn-evpn-vxlan-ports': '', 'ovn-evpn-local-ip': ',' }))
  t.strictSame(sentences(warnings), [])
  t.match(config, { bridge: 'br-int', vxlanPorts: [4789], localIps: {} })
  t.end()
})

await t.test('a UDP port named twice is one port', (t) => {
  t.strictSame(parseSystem(ids({ 'ovn-evpn-vxlan-ports': '4789,8472,4789' })).config.vxlanPorts, [4789, 8472])
  t.end()
})

const BAD = [
  {
    key: 'ovn-evpn-vxlan-ports', value: '0,8472', why: '"0" is no UDP port 1..65535', rest: { vxlanPorts: [8472] }
  },
  {
    key: 'ovn-evpn-vxlan-ports', value: '8472,65536', why: '"65536" is no UDP port 1..65535', rest: { vxlanPorts: [8472] }
  },
  {
    key: 'ovn-evpn-vxlan-ports', value: 'vxlan', why: '"vxlan" is no UDP port 1..65535', rest: { vxlanPorts: [4789] }
  },
  {
    key: 'ovn-evpn-local-ip', value: '192.0.2.300,2001:db8::1', why: '"192.0.2.300" is no IP address; write IP or VNI-IP',
    rest: { localIps: { 6: '2001:db8::1' } }
  },
  {
    key: 'ovn-evpn-local-ip', value: '192.0.2.1/24', why: '"192.0.2.1/24" is no IP address; write IP or VNI-IP', rest: { localIps: {} }
  },
  {
    key: 'ovn-evpn-local-ip', value: '1000-', why: '"" is no IP address; write IP or VNI-IP', rest: { localIps: {} }
  },
  {
    key: 'ovn-evpn-local-ip', value: '16777216-192.0.2.9,192.0.2.1', why: '"16777216" in "16777216-192.0.2.9" is no VNI 0..16777215',
    rest: { localIps: { 4: '192.0.2.1' }, localIpsOfVni: new Map() }
  },
  {
    key: 'ovn-evpn-local-ip', value: '-192.0.2.9', why: '"" in "-192.0.2.9" is no VNI 0..16777215', rest: { localIpsOfVni: new Map() }
  },
  {
    key: 'ovn-evpn-local-ip', value: '1000-2000-192.0.2.9,192.0.2.1', why: '"2000-192.0.2.9" is no IP address; write IP or VNI-IP',
    rest: { localIps: { 4: '192.0.2.1' }, localIpsOfVni: new Map() }
  },
  {
    key: 'ovn-evpn-local-ip', value: '224.0.0.1', why: '"224.0.0.1" is no address of a host', rest: { localIps: {} }
  },
  {
    key: 'ovn-evpn-local-ip', value: '1000-::', why: '"::" is no address of a host', rest: { localIpsOfVni: new Map() }
  },
  {
    key: 'ovn-evpn-local-ip', value: '192.0.2.1,192.0.2.2,2001:db8::1', why: '"192.0.2.2" is a second IPv4 address by default; 192.0.2.1 is used',
    rest: { localIps: { 4: '192.0.2.1', 6: '2001:db8::1' } }
  },
  {
    key: 'ovn-evpn-local-ip', value: '7-2001:db8::1,7-2001:db8::2', why: '"7-2001:db8::2" is a second IPv6 address of VNI 7; 2001:db8::1 is used',
    rest: { localIpsOfVni: new Map([[7, { 6: '2001:db8::1' }]]) }
  },
  {
    key: 'ovn-evpn-vxlan-port', value: '4789', why: 'unknown key; the nearest known one is ovn-evpn-vxlan-ports', rest: { vxlanPorts: [4789] }
  },
  {
    key: 'ovn-evpn-localip', value: '192.0.2.1', why: 'unknown key; the nearest known one is ovn-evpn-local-ip', rest: { localIps: {} }
  }
]

for (const { key, value, why, rest } of BAD) {
  await t.test(`one warning for ${key}=${value}, and the rest goes on`, (t) => {
    const { config, warnings } = parseSystem(ids({ [key]: value }))
    t.strictSame(sentences(warnings), [`Open_vSwitch . external_ids:${key}="${value}": ${why}`])
    t.match(config, rest)
    t.end()
  })
}

await t.test('a warning names the key that is in force, suffix included', (t) => {
  const { warnings } = parseSystem(ids({ 'system-id': 'h', 'ovn-evpn-vxlan-ports': 'bad', 'ovn-evpn-vxlan-ports-h': 'worse' }))
  t.strictSame(sentences(warnings), ['Open_vSwitch . external_ids:ovn-evpn-vxlan-ports-h="worse": "worse" is no UDP port 1..65535'])
  t.end()
})

await t.test('each bad item is told by itself', (t) => {
  const { config, warnings } = parseSystem(ids({ 'ovn-evpn-vxlan-ports': 'a,8472,b' }))
  t.equal(warnings.length, 2)
  t.strictSame(config.vxlanPorts, [8472])
  t.end()
})

await t.test("other programs' keys are never warned about", (t) => {
  const foreign = { 'ovn-remote': 'x', 'ovn-encap-type': 'x', 'ovn-bridge-mappings': 'x', hostname: 'x', 'system-id': 'x' }
  t.strictSame(parseSystem(ids(foreign)).warnings, [])
  t.end()
})
