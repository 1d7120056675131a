// Settings as typed for `ovs-evpnctl plan`: whose key it is, what is no setting, the tables with it, and the command that makes it.
import t from 'tap'
import { parseSetting, settingCommand, withSettings, type Setting } from '../../lib/config/setting.js'
import type { Row } from '../../lib/ovsdb/index.js'

const PARSED: readonly (readonly [word: string, setting: Setting | string])[] = [
  ['evpn-suppress=false', { table: 'Bridge', record: 'br-int', key: 'evpn-suppress', value: 'false' }],
  ['evpn-suppress-10=', { table: 'Bridge', record: 'br-int', key: 'evpn-suppress-10', value: undefined }],
  ['evpn-addresses-10=02:00:00:00:00:01 10.0.0.1', { table: 'Bridge', record: 'br-int', key: 'evpn-addresses-10', value: '02:00:00:00:00:01 10.0.0.1' }],
  ['evpn-speaker=/run/x=y', { table: 'Bridge', record: 'br-int', key: 'evpn-speaker', value: '/run/x=y' }],
  ['ovn-evpn-local-ip=192.0.2.1', { table: 'Open_vSwitch', record: '.', key: 'ovn-evpn-local-ip', value: '192.0.2.1' }],
  ['ovn-evpn-local-ip-sys1=192.0.2.1', { table: 'Open_vSwitch', record: '.', key: 'ovn-evpn-local-ip-sys1', value: '192.0.2.1' }],
  ['vm1:dynamic-routing-vni=100:10,200:20', { table: 'Interface', record: 'vm1', key: 'dynamic-routing-vni', value: '100:10,200:20' }],
  ['a:b:attached-mac=02:00:00:00:00:01', { table: 'Interface', record: 'a:b', key: 'attached-mac', value: '02:00:00:00:00:01' }],
  ['vm1:evpn-addresses-100=unknown', { table: 'Interface', record: 'vm1', key: 'evpn-addresses-100', value: 'unknown' }],
  ['evpn-suppress', '"evpn-suppress" is no setting; write KEY=VALUE, or PORT:KEY=VALUE for a port'],
  ['=x', '"=x" is no setting; write KEY=VALUE, or PORT:KEY=VALUE for a port'],
  ['evpn-supress=x', 'there is no key "evpn-supress", did you mean "evpn-suppress"?'],
  ['evpn-suppress-x=x', 'there is no key "evpn-suppress-x", did you mean "evpn-suppress"?'],
  ['ovn-evpn-local-ip-sys2=x', 'there is no key "ovn-evpn-local-ip-sys2", did you mean "ovn-evpn-local-ip"?'],
  ['evpn-addresses=x', '"evpn-addresses" is a key of ports; write PORT:evpn-addresses=x'],
  ['vm1:evpn-suppress=x', 'a port has no key "evpn-suppress", did you mean "evpn-addresses"?']
]

await t.test('each word is a setting of one record, or a sentence', (t) => {
  for (const [word, setting] of PARSED) t.strictSame(parseSetting(word, 'br-int', 'sys1'), setting, word)
  t.end()
})

await t.test('the tables have the settings, and those that were given do not', (t) => {
  const row: Row = { name: 'vm1', external_ids: new Map([['a', '1'], ['b', '2']]) }
  const tables: Readonly<Record<string, ReadonlyMap<string, Row>>> = { Interface: new Map([['u1', row]]), Open_vSwitch: new Map([['u2', { external_ids: new Map() }]]) }
  const table = (name: string): ReadonlyMap<string, Row> => tables[name] ?? new Map()
  const made = withSettings(table, [
    { table: 'Interface', record: 'vm1', key: 'a', value: undefined }, { table: 'Interface', record: 'vm1', key: 'c', value: '3' }, { table: 'Open_vSwitch', record: '.', key: 'd', value: '4' }
  ])
  if (typeof made === 'string') throw new Error(made)
  t.strictSame(made('Interface').get('u1')?.['external_ids'], new Map([['b', '2'], ['c', '3']]))
  t.strictSame(made('Open_vSwitch').get('u2')?.['external_ids'], new Map([['d', '4']]))
  t.strictSame(row['external_ids'], new Map([['a', '1'], ['b', '2']]))
  t.equal(withSettings(table, [{ table: 'Interface', record: 'vm2', key: 'a', value: '1' }]), 'there is no port "vm2", did you mean "vm1"?')
  t.equal(withSettings(table, [{ table: 'Bridge', record: 'br-int', key: 'a', value: '1' }]), 'there is no Bridge')
  t.end()
})

await t.test('the command that makes it, quoted for the shell and for ovs-vsctl', (t) => {
  const of = (value: string | undefined): string => settingCommand({ table: 'Interface', record: 'vm1', key: 'evpn-addresses', value })
  t.equal(of('02:00:00:00:00:01'), 'ovs-vsctl set Interface vm1 external_ids:evpn-addresses=02:00:00:00:00:01')
  t.equal(of('02:00:00:00:00:01 10.0.0.1, unknown'), 'ovs-vsctl set Interface vm1 external_ids:evpn-addresses=\'"02:00:00:00:00:01 10.0.0.1, unknown"\'')
  t.equal(of(undefined), 'ovs-vsctl remove Interface vm1 external_ids evpn-addresses')
  t.equal(of("it's $(reboot)"), `ovs-vsctl set Interface vm1 external_ids:evpn-addresses='"it'\\''s $(reboot)"'`)
  t.equal(settingCommand({ table: 'Bridge', record: 'br;reboot', key: 'evpn-flood', value: 'none' }), "ovs-vsctl set Bridge 'br;reboot' external_ids:evpn-flood=none")
  t.equal(settingCommand({ table: 'Interface', record: '`reboot`', key: 'evpn-addresses', value: undefined }), "ovs-vsctl remove Interface '`reboot`' external_ids evpn-addresses")
  const ofChassis = { table: 'Open_vSwitch', record: '.', key: 'ovn-bridge-c 1;reboot' } as const
  t.equal(settingCommand({ ...ofChassis, value: 'br-x' }), `ovs-vsctl set Open_vSwitch . external_ids:'"ovn-bridge-c 1;reboot"'=br-x`)
  t.equal(settingCommand({ ...ofChassis, value: undefined }), `ovs-vsctl remove Open_vSwitch . external_ids '"ovn-bridge-c 1;reboot"'`)
  t.end()
})
