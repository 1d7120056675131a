// The whole configuration from the OVSDB replica: which bridge, whose it is, which ports; and what is not parsed twice.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { atoms, text, textMap, uuids } from '../../lib/config/columns.js'
import { BridgePorts } from '../../lib/config/bridge-ports.js'
import { readDatabase, type Database } from '../../lib/config/database.js'
import type { Row } from '../../lib/ovsdb/index.js'
import { database, uuid, view, type BridgeSpec, type Ids, type PortSpec, type Tables } from './rows.js'
import { sentences } from './warnings.js'

function read(tables: Tables): Database {
  return readDatabase(view(tables), new BridgePorts())
}

/** A database whose br-int has these ports. */
function brInt(ports: Readonly<Record<string, PortSpec>>, more: Omit<BridgeSpec, 'ports'> = {}, ids: Ids = {}): Tables {
  return database({ 'br-int': { ...more, ports } }, ids)
}

await t.test('column values as the replica has them', (t) => {
  t.strictSame(atoms(undefined), [])
  t.strictSame(atoms('x'), ['x'])
  t.strictSame(atoms(['x', 'y']), ['x', 'y'])
  t.strictSame(atoms(new Map([['a', 'b']])), [])
  t.equal(text('x'), 'x')
  t.equal(text([]), '', 'an optional text that is not set')
  t.equal(text(new Map()), '')
  t.strictSame(uuids(['u']), ['u'])
  t.strictSame(textMap(undefined), new Map())
  t.strictSame(textMap('x'), new Map())
  t.end()
})

await t.test('an empty database, or one without the bridge, is a bridge to wait for', (t) => {
  for (const tables of [database({}), database({ 'br-ex': {} })]) {
    t.match(read(tables), { bridgeUuid: undefined, standOff: undefined, ports: new Map(), warnings: [] })
  }
  const empty: Tables = { Open_vSwitch: new Map(), Bridge: new Map(), Port: new Map(), Interface: new Map() }
  t.match(read(empty), { system: { bridge: 'br-int' }, bridgeUuid: undefined, warnings: [] }, 'not even the Open_vSwitch row')
  t.end()
})

await t.test('ovn-bridge says which bridge; the ports of others are none of our business', (t) => {
  const tables = database({
    'br-ex': { ports: { ex1: { ids: { 'dynamic-routing-vni': 'bad' } } } },
    'br-evpn': { failMode: 'secure', ports: { vm1: { ids: { 'dynamic-routing-vni': '1000' } }, plain: {} } }
  }, { 'ovn-bridge': 'br-evpn' })
  const { bridgeUuid, failMode, ports, warnings } = read(tables)
  t.equal(bridgeUuid, uuid('bridge', 'br-evpn'))
  t.equal(failMode, 'secure')
  t.strictSame([...ports.keys()], ['vm1'], 'a port without a VNI is left alone')
  t.strictSame(warnings, [])
  t.end()
})

await t.test('a bond is its interfaces; a row that has not arrived yet is skipped', (t) => {
  const tables = brInt({ bond0: { ids: { 'dynamic-routing-vni': '1' } } })
  const missing = 'dddddddd-0000-0000-0000-00000000ffff'
  tables.Port.set(uuid('port', 'bond0'), { name: 'bond0', interfaces: [missing, uuid('iface', 'bond0')], external_ids: new Map() })
  tables.Bridge.set(uuid('bridge', 'br-int'), { name: 'br-int', ports: [uuid('port', 'bond0'), uuid('port', 'gone')], external_ids: new Map(), fail_mode: [] })
  t.strictSame([...read(tables).ports.keys()], ['bond0'])
  t.end()
})

await t.test('tunnel ports of ours are those with the name and the mark, on this bridge', (t) => {
  const mark = { portIds: { 'ovn-evpn-tunnel': 'true' } }
  const tables = database({
    'br-int': { ports: { 'ovn-evpn-4789': mark, 'ovn-evpn-8472': {}, 'ovn-evpn-8473': { portIds: { 'ovn-evpn-tunnel': 'false' } }, 'ovn0-evpn-1': mark } },
    'br-ex': { ports: { 'ovn-evpn-9': mark } }
  })
  t.strictSame([...read(tables).tunnels], ['ovn-evpn-4789'])
  t.strictSame([...read(database({})).tunnels], [])
  t.end()
})

for (const [what, spec, problem] of [
  ['a port number: no problem', { ofport: [7] }, undefined],
  ['no port number yet', { ofport: [] }, 'Open vSwitch has not made the port yet'],
  ['port number -1', { ofport: [-1] }, 'Open vSwitch could not make the port'],
  ["Open vSwitch's own error comes first", { ofport: [-1], error: 'could not open network device vm1 (No such device)' },
    'Open vSwitch reports: could not open network device vm1 (No such device)']
] as const) {
  await t.test(`what is wrong with a port: ${what}`, (t) => {
    t.equal(read(brInt({ vm1: { ids: { 'dynamic-routing-vni': '1' }, ...spec } })).ports.get('vm1')?.problem, problem)
    t.end()
  })
}

await t.test('warnings of all records are collected, and a bad port does not touch the others', (t) => {
  const { warnings, ports, bridge } = read(brInt({
    vm1: { ids: { 'dynamic-routing-vni': 'x' } },
    vm2: { ids: { 'dynamic-routing-vni': '2', 'evpn-addresses': 'y' } },
    vm3: { ids: { 'dynamic-routing-vni': '3' } }
  }, { ids: { 'evpn-flood': 'z', 'evpn-decap': 'off' } }, { 'ovn-evpn-local-ip': 'w' }))
  t.strictSame(sentences(warnings), [
    'Open_vSwitch . external_ids:ovn-evpn-local-ip="w": "w" is no IP address; write IP or VNI-IP',
    'Bridge br-int external_ids:evpn-flood="z": must be vtep or none',
    'Interface vm1 external_ids:dynamic-routing-vni="x": must be a VNI 0..16777215, or a comma list of VLAN:VNI; the port is left alone',
    'Interface vm2 external_ids:evpn-addresses="y": "y" is no MAC address; write MAC [IP...], items separated by commas'
  ])
  t.strictSame([...ports.keys()], ['vm2', 'vm3'])
  t.strictSame(bridge.all, { decap: 'off' })
  t.end()
})

const OVN = 'bridge br-int belongs to ovn-controller'
for (const [what, tables, why] of [
  ['ovn-startup-ts on the bridge', brInt({}, { ids: { 'ovn-startup-ts': '1' } }), `${OVN} (external_ids:ovn-startup-ts)`],
  ['ovn-nb-cfg on the bridge', brInt({}, { ids: { 'ovn-nb-cfg': '1' } }), `${OVN} (external_ids:ovn-nb-cfg)`],
  ['a conntrack zone on the bridge', brInt({}, { ids: { 'ct-zone-lr0_dnat': '1' } }), `${OVN} (external_ids:ct-zone-lr0_dnat)`],
  ["a tunnel of OVN's on the bridge", brInt({ 'ovn-host2-0': { portIds: { 'ovn-chassis-id': 'host2@192.0.2.2' } } }),
    `${OVN} (port ovn-host2-0 has external_ids:ovn-chassis-id)`],
  ['an interface that OVN has bound', brInt({ vm1: { ids: { 'ovn-installed': 'true' } } }), `${OVN} (an interface has external_ids:ovn-installed)`]
] as const) {
  await t.test(`we keep our hands off: ${what}`, (t) => {
    t.equal(read(tables).standOff, why)
    t.end()
  })
}

await t.test('OVN elsewhere, or only its configuration and our own tunnel ports, is no reason to stand off', (t) => {
  const tables = database({
    'br-int': { ports: { 'ovn-evpn-4789': { portIds: { 'ovn-evpn-tunnel': 'true' }, type: 'vxlan' }, vm1: { ids: { 'iface-id': 'x' } } } },
    'br-ovn': { ids: { 'ovn-startup-ts': '1' }, ports: { o: { portIds: { 'ovn-chassis-id': 'x' }, ids: { 'ovn-installed': 'true' } } } }
  }, { 'ovn-remote': 'ssl:192.0.2.9:6642', 'ovn-encap-ip': '192.0.2.1' })
  t.equal(read(tables).standOff, undefined)
  t.end()
})

await t.test('an Interface row is parsed once, and again when the replica replaces it', (t) => {
  const tables = brInt({ vm1: { ids: { 'dynamic-routing-vni': '1', 'evpn-addresses': 'x' } }, vm2: { ids: { 'dynamic-routing-vni': '2' } } })
  const ports = new BridgePorts()
  const first = readDatabase(view(tables), ports)
  const [vm1, vm2] = ['vm1', 'vm2'].map((name) => first.ports.get(name))
  t.strictSame(first.portChanges, [{ old: undefined, current: vm1 }, { old: undefined, current: vm2 }])
  for (const changed of [undefined, new Set([uuid('iface', 'vm1')]), new Set<string>()]) {
    const again = readDatabase(view(tables), ports, changed)
    t.strictSame(sentences(again.warnings), sentences(first.warnings), 'a warning does not vanish because the row was not parsed again')
    t.equal(again.ports.get('vm1'), vm1, 'the same row gives the same object')
    t.strictSame(again.portChanges, [], 'no port is another')
  }
  const row = tables.Interface.get(uuid('iface', 'vm1'))
  tables.Interface.set(uuid('iface', 'vm1'), { ...row, external_ids: new Map([['dynamic-routing-vni', '7']]) })
  t.equal(readDatabase(view(tables), ports, new Set()).ports.get('vm1'), vm1, 'only what is said to have changed is looked at')
  const third = readDatabase(view(tables), ports, new Set([uuid('iface', 'vm1')]))
  t.equal(third.ports.get('vm1')?.bindings[0]?.vni, 7)
  t.strictSame(third.warnings, [])
  t.equal(third.ports.get('vm2'), vm2)
  t.strictSame(third.portChanges, [{ old: vm1, current: third.ports.get('vm1') }])
  t.end()
})

/** Everything that a reading says, in an order that does not depend on the readings before. */
function told({ ports, tunnels, warnings, standOff }: Database): unknown {
  return { ports: [...ports].sort(([a], [b]) => (a < b ? -1 : 1)), tunnels: [...tunnels].sort(), warnings: sentences(warnings).sort(), standOff }
}

const NAMES = ['a', 'b', 'c', 'd', 'ovn-evpn-4789', 'ovn-evpn-8472']
const portSpec: fc.Arbitrary<PortSpec> = fc.record({
  ids: fc.constantFrom({}, { 'dynamic-routing-vni': '1' }, { 'dynamic-routing-vni': '2', 'evpn-addresses': 'x' }, { 'ovn-installed': 'true' }),
  portIds: fc.constantFrom({}, { 'ovn-evpn-tunnel': 'true' }, { 'ovn-chassis-id': 'x' }),
  error: fc.constantFrom('', 'no such device')
})
const ports = fc.dictionary(fc.constantFrom(...NAMES), portSpec)
const anyTables = fc.record({ int: ports, ex: ports, isThere: fc.boolean(), bridge: fc.constantFrom('br-int', 'br-ex') }).map(({ int, ex, isThere, bridge }) => {
  // A name is one port's: what br-int has, br-ex has not.
  const others = Object.fromEntries(Object.entries(ex).filter(([name]) => int[name] === undefined))
  return database({ ...(isThere ? { 'br-int': { ports: int } } : {}), 'br-ex': { ports: others } }, { 'ovn-bridge': bridge })
})

await t.test('kept up row by row, the ports are what they are when everything is read anew', (t) => {
  fc.assert(fc.property(fc.array(anyTables, { minLength: 2, maxLength: 6 }), (steps) => {
    const kept = new BridgePorts()
    let before: Tables = database({})
    for (const step of steps) {
      const tables = unchangedKept(before, step)
      const [old, changed] = [new Map(kept.workloads), changedRows(before, tables)]
      const reading = readDatabase(view(tables), kept, changed)
      assert.deepEqual(told(reading), told(read(tables)))
      assert.deepEqual(told(readDatabase(view(tables), kept.copy())), told(reading), 'a copy says the same')
      for (const change of reading.portChanges) {
        const name = change.current?.name ?? change.old?.name ?? ''
        assert.equal(change.old, old.get(name), `${name} as it was`)
        old.delete(name)
        if (change.current !== undefined) old.set(name, change.current)
      }
      assert.deepEqual(old, kept.workloads, 'the changes are all there are')
      before = tables
    }
  }), { numRuns: 200, seed: 6 })
  t.pass('200 histories of a database')
  t.end()
})

/** As the replica does it: a row that says the same is the same object. */
function unchangedKept(old: Tables, current: Tables): Tables {
  for (const [table, rows] of Object.entries(current) as [keyof Tables, Map<string, Row>][]) {
    for (const [uuid, row] of rows) rows.set(uuid, isDeepStrictEqual(old[table].get(uuid), row) ? old[table].get(uuid) ?? row : row)
  }
  return current
}

function changedRows(old: Tables, current: Tables): Set<string> {
  const uuids = Object.keys(current).flatMap((table) => [...old[table as keyof Tables], ...current[table as keyof Tables]].map(([uuid]) => [table as keyof Tables, uuid] as const))
  return new Set(uuids.filter(([table, uuid]) => old[table].get(uuid) !== current[table].get(uuid)).map(([, uuid]) => uuid))
}
