// The integration bridge's options: every key, good and bad, for all VNIs and for one.
import t from 'tap'
import { EMPTY_BRIDGE, optionsOf, parseBridge } from '../../lib/config/bridge.js'
import { VNI_OPTIONS, type VniOptions } from '../../lib/config/option.js'
import { ids, sentences } from './warnings.js'

const VNI = 1000

/** The options of VNI 1000 under one setting, and what is said of it. */
function read(key: string, value: string): { readonly options: VniOptions; readonly told: string[] } {
  const { config, warnings } = parseBridge('br-int', ids({ [key]: value }))
  return { options: optionsOf(config, VNI), told: sentences(warnings) }
}

const DEFAULTS: VniOptions = {
  bridgeIfname: 'br-1000', vxlanIfnames: ['vxlan-1000'], advertiseIfname: 'lo-1000', redistribute: ['fdb', 'ip'],
  fdbPreferLocal: false, arpPreferLocal: false, fdbAgeThreshold: 300, suppress: true, flood: 'vtep', decap: 'strict', learn: false,
  snoop: true, innerVlan: 'drop', portSecurity: false, vxlanPort: undefined, manageDevices: false, staleTime: 120, audit: 'repair'
}

await t.test('nothing set: the defaults, and the VNI is in the names of its devices', (t) => {
  const { config, warnings } = parseBridge('br-int', ids({}))
  t.strictSame(config, EMPTY_BRIDGE)
  t.strictSame(warnings, [])
  t.strictSame(optionsOf(config, VNI), DEFAULTS)
  t.match(optionsOf(config, 0), { bridgeIfname: 'br-0', vxlanIfnames: ['vxlan-0'], advertiseIfname: 'lo-0' })
  t.end()
})

/** Good values: key, value, field, what it means; and, when there is something to say, what. */
const GOOD: readonly (readonly [key: string, value: string, field: keyof VniOptions, meaning: unknown])[] = [
  ['dynamic-routing-bridge-ifname', 'br-blue', 'bridgeIfname', 'br-blue'],
  ['dynamic-routing-bridge-ifname', ' br-blue ', 'bridgeIfname', 'br-blue'],
  ['dynamic-routing-vxlan-ifname', 'vx4, vx6', 'vxlanIfnames', ['vx4', 'vx6']],
  ['dynamic-routing-advertise-ifname', 'fifteen-letters', 'advertiseIfname', 'fifteen-letters'],
  ['dynamic-routing-redistribute', 'fdb', 'redistribute', ['fdb']],
  ['dynamic-routing-redistribute', 'ip', 'redistribute', ['ip']],
  ['dynamic-routing-redistribute', 'ip, fdb', 'redistribute', ['fdb', 'ip']],
  ['dynamic-routing-redistribute', 'none', 'redistribute', []],
  ['dynamic-routing-fdb-prefer-local', 'false', 'fdbPreferLocal', false],
  ['dynamic-routing-fdb-prefer-local', 'true', 'fdbPreferLocal', true],
  ['dynamic-routing-arp-prefer-local', 'false', 'arpPreferLocal', false],
  ['dynamic-routing-arp-prefer-local', 'true', 'arpPreferLocal', true],
  ['fdb_age_threshold', '300', 'fdbAgeThreshold', 300],
  ['fdb_age_threshold', '0', 'fdbAgeThreshold', 0],
  ['fdb_age_threshold', '65535', 'fdbAgeThreshold', 65535],
  ['evpn-suppress', 'true', 'suppress', true],
  ['evpn-suppress', 'false', 'suppress', false],
  ['evpn-flood', 'vtep', 'flood', 'vtep'],
  ['evpn-flood', 'none', 'flood', 'none'],
  ['evpn-decap', 'strict', 'decap', 'strict'],
  ['evpn-decap', 'off', 'decap', 'off'],
  ['evpn-decap', 'member', 'decap', 'member'],
  ['evpn-learn', 'false', 'learn', false],
  ['evpn-learn', 'true', 'learn', true],
  ['evpn-snoop', 'true', 'snoop', true],
  ['evpn-snoop', 'false', 'snoop', false],
  ['evpn-inner-vlan', 'drop', 'innerVlan', 'drop'],
  ['evpn-inner-vlan', 'carry', 'innerVlan', 'carry'],
  ['evpn-port-security', 'false', 'portSecurity', false],
  ['evpn-port-security', 'true', 'portSecurity', true],
  ['evpn-vxlan-port', '8472', 'vxlanPort', 8472],
  ['evpn-manage-devices', 'false', 'manageDevices', false],
  ['evpn-manage-devices', 'true', 'manageDevices', true],
  ['evpn-stale-time', '120', 'staleTime', 120],
  ['evpn-stale-time', '0', 'staleTime', 0],
  ['evpn-audit', 'repair', 'audit', 'repair'],
  ['evpn-audit', 'report', 'audit', 'report']
]

for (const [base, value, field, meaning] of GOOD) {
  for (const key of [base, `${base}-${VNI}`]) {
    await t.test(`${key}=${value} is taken`, (t) => {
      const { options, told } = read(key, value)
      t.strictSame(told, [])
      t.strictSame(options, { ...DEFAULTS, [field]: meaning })
      t.end()
    })
  }
}

await t.test('every option has been tried with its default, and with another value', (t) => {
  for (const option of VNI_OPTIONS) {
    const tried = GOOD.filter(([key]) => key === option.key)
    t.ok(tried.length > 0, option.key)
  }
  t.end()
})

const TOO_LONG = 'device name "sixteen-letters." is longer than 15 characters'

/** Bad values: key, value, why; and what is kept of the value, when something is. */
const BAD: readonly (readonly [key: string, value: string, why: string, kept?: Partial<VniOptions>])[] = [
  ['dynamic-routing-bridge-ifname', '', 'a device name is empty'],
  ['dynamic-routing-bridge-ifname', 'sixteen-letters.', TOO_LONG],
  ['dynamic-routing-bridge-ifname', 'br 0', '"br 0" is no device name'],
  ['dynamic-routing-bridge-ifname', 'br/0', '"br/0" is no device name'],
  ['dynamic-routing-bridge-ifname', '..', '".." is no device name'],
  ['dynamic-routing-bridge-ifname', 'br1,br2', 'exactly one device is possible, "br1" is used', { bridgeIfname: 'br1' }],
  ['dynamic-routing-advertise-ifname', 'lo:0', '"lo:0" is no device name'],
  ['dynamic-routing-advertise-ifname', 'lo1,lo2', 'exactly one device is possible, "lo1" is used', { advertiseIfname: 'lo1' }],
  ['dynamic-routing-vxlan-ifname', ' , ', 'a device name is empty'],
  ['dynamic-routing-vxlan-ifname', 'sixteen-letters.', TOO_LONG],
  ['dynamic-routing-vxlan-ifname', 'vx4,sixteen-letters.,vx6', TOO_LONG, { vxlanIfnames: ['vx4', 'vx6'] }],
  ['dynamic-routing-redistribute', '', 'must be a list of fdb, ip, or none'],
  ['dynamic-routing-redistribute', 'nat', '"nat" is not one of fdb, ip, none'],
  ['dynamic-routing-redistribute', 'fdb,mac', '"mac" is not one of fdb, ip, none', { redistribute: ['fdb'] }],
  ['dynamic-routing-redistribute', 'none,ip', '"none" is not one of fdb, ip, none', { redistribute: ['ip'] }],
  ['dynamic-routing-fdb-prefer-local', 'yes', 'must be true or false'],
  ['dynamic-routing-arp-prefer-local', '1', 'must be true or false'],
  ['fdb_age_threshold', '65536', 'must be a number of seconds 0..65535'],
  ['fdb_age_threshold', '-1', 'must be a number of seconds 0..65535'],
  ['fdb_age_threshold', '5m', 'must be a number of seconds 0..65535'],
  ['evpn-suppress', 'TRUE', 'must be true or false'],
  ['evpn-flood', 'all', 'must be vtep or none'],
  ['evpn-decap', 'loose', 'must be strict or member or off'],
  ['evpn-learn', '', 'must be true or false'],
  ['evpn-snoop', 'on', 'must be true or false'],
  ['evpn-inner-vlan', 'keep', 'must be drop or carry'],
  ['evpn-port-security', 'off', 'must be true or false'],
  ['evpn-vxlan-port', '0', 'must be a UDP port 1..65535'],
  ['evpn-vxlan-port', '4789,8472', 'must be a UDP port 1..65535'],
  ['evpn-manage-devices', 'maybe', 'must be true or false'],
  ['evpn-stale-time', '86401', 'must be a number of seconds 0..86400'],
  ['evpn-stale-time', '1.5', 'must be a number of seconds 0..86400'],
  ['evpn-audit', 'ignore', 'must be repair or report']
]

for (const [base, value, why, kept = {}] of BAD) {
  for (const key of [base, `${base}-${VNI}`]) {
    await t.test(`one warning for ${key}=${value}`, (t) => {
      const { options, told } = read(key, value)
      t.strictSame(told, [`Bridge br-int external_ids:${key}="${value}": ${why}`])
      t.strictSame(options, { ...DEFAULTS, ...kept })
      t.end()
    })
  }
}

await t.test('every option has been tried with a bad value', (t) => {
  for (const option of VNI_OPTIONS) t.ok(BAD.some(([key]) => key === option.key), option.key)
  t.end()
})

await t.test("a VNI's own value wins over every VNI's, in whatever order they stand; other VNIs keep the common one", (t) => {
  const pairs = [['evpn-flood', 'none'], ['evpn-flood-1000', 'vtep'], ['evpn-flood-0', 'vtep']] as const
  for (const order of [pairs, [...pairs].reverse()]) {
    const { config, warnings } = parseBridge('br-int', new Map(order))
    t.strictSame(warnings, [])
    t.equal(optionsOf(config, 1000).flood, 'vtep')
    t.equal(optionsOf(config, 0).flood, 'vtep')
    t.equal(optionsOf(config, 1001).flood, 'none')
  }
  t.end()
})

await t.test("a VNI whose own value is bad falls back to every VNI's", (t) => {
  const { config } = parseBridge('br-int', ids({ 'evpn-decap': 'off', 'evpn-decap-1000': 'loose' }))
  t.equal(optionsOf(config, 1000).decap, 'off')
  t.end()
})

await t.test('one bad key does not touch its neighbours', (t) => {
  const { config, warnings } = parseBridge('br-int', ids({ 'evpn-flood': 'none', 'evpn-decap': 'x', 'evpn-vxlan-port-7': '8472', 'evpn-nonsense': '1' }))
  t.equal(warnings.length, 2)
  t.match(optionsOf(config, 7), { flood: 'none', decap: 'strict', vxlanPort: 8472 })
  t.end()
})

const UNKNOWN = [
  ['evpn-lern', 'evpn-learn'],
  ['evpn-lern-1000', 'evpn-learn'],
  ['evpn-adresses-1000', 'evpn-addresses-<vni>'],
  ['evpn-addresses', 'evpn-addresses-<vni>'],
  ['evpn-speaker-1000', 'evpn-speaker'],
  ['dynamic-routing-brige-ifname', 'dynamic-routing-bridge-ifname'],
  ['dynamic-routing-redistribute-all', 'dynamic-routing-redistribute'],
  ['fdb_age_threshold_1000', 'fdb_age_threshold']
] as const

for (const [key, nearest] of UNKNOWN) {
  await t.test(`one warning for the unknown key ${key}, with the nearest known one`, (t) => {
    t.strictSame(read(key, 'true'), {
      options: DEFAULTS, told: [`Bridge br-int external_ids:${key}="true": unknown key; the nearest known one is ${nearest}`]
    })
    t.end()
  })
}

await t.test('a number that is no VNI at the end of a known key is said to be none', (t) => {
  for (const number of ['16777216', '0100']) {
    t.strictSame(read(`evpn-learn-${number}`, 'true').told, [`Bridge br-int external_ids:evpn-learn-${number}="true": "${number}" is no VNI 0..16777215`])
  }
  t.end()
})

await t.test("other programs' keys are never warned about", (t) => {
  t.strictSame(parseBridge('br-int', ids({ 'bridge-id': 'br-int', 'ct-zone-x': '1', owner: 'me', 'evpn': 'x' })).warnings, [])
  t.end()
})

await t.test('evpn-addresses-<vni> names addresses without a port, and the VNI exists by it', (t) => {
  const { config, warnings } = parseBridge('br-int', ids({ 'evpn-addresses-0': '02:00:00:00:00:01 10.0.0.1 fe80::1', 'evpn-addresses-7': '' }))
  t.strictSame(warnings, [])
  t.strictSame(config.addresses, new Map([[0, [{ mac: '02:00:00:00:00:01', ips: ['10.0.0.1'], sources: ['10.0.0.1', 'fe80::1'] }]], [7, []]]))
  t.end()
})

const BAD_ADDRESSES = [
  ['02:00:00:00:00:01,unknown', '"unknown" needs a port to learn from'],
  ['02:00:00:00:00:01,vip', '"vip" is no MAC address; write MAC [IP...], items separated by commas']
] as const

for (const [value, why] of BAD_ADDRESSES) {
  await t.test(`one warning for evpn-addresses-7=${value}, and its other addresses stand`, (t) => {
    const { config, warnings } = parseBridge('br-int', ids({ 'evpn-addresses-7': value }))
    t.strictSame(sentences(warnings), [`Bridge br-int external_ids:evpn-addresses-7="${value}": ${why}`])
    t.strictSame(config.addresses.get(7), [{ mac: '02:00:00:00:00:01', ips: [] }])
    t.end()
  })
}

await t.test("evpn-speaker: /var/run is /run; any sockets, or none", (t) => {
  const paths = ['/run/frr/zserv.api', '/run/frr/bgpd.vty']
  for (const value of ['/run/frr/zserv.api,/run/frr/bgpd.vty', '/var/run/frr/zserv.api, /var/run/frr/bgpd.vty']) {
    const { config, warnings } = parseBridge('br-int', ids({ 'evpn-speaker': value }))
    t.strictSame(config.speaker, paths)
    t.strictSame(warnings, [])
  }
  for (const [value, speaker] of [['/run/bird.ctl', ['/run/bird.ctl']], ['', []]] as const) {
    const { config, warnings } = parseBridge('br-int', ids({ 'evpn-speaker': value }))
    t.strictSame(config.speaker, speaker)
    t.strictSame(warnings, [])
  }
  t.end()
})
