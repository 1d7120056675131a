// Tunnel ports: what a plan creates, repairs and removes, and what it leaves alone.
import t from 'tap'
import type { Row } from '../../lib/ovsdb/index.js'
import { planTunnels, type TunnelPlan } from '../../lib/sink/tunnel.js'
import { database, uuid, view, type PortSpec, type Tables } from '../config/rows.js'

const BR_INT = uuid('bridge', 'br-int')
const MARK = { 'ovn-evpn-tunnel': 'true' }

/** A tunnel port of ours as it should be, and what differs. */
function tunnel(udpPort: number, options: Record<string, string> = {}, portIds: Record<string, string> = MARK): PortSpec {
  return { type: 'vxlan', portIds, options: { local_ip: 'flow', remote_ip: 'flow', key: 'flow', dst_port: String(udpPort), ...options } }
}

/** Our tunnel port for UDP 4789 with one option missing. */
function without(option: string): PortSpec {
  const { options = {}, ...spec } = tunnel(4789)
  return { ...spec, options: Object.fromEntries(Object.entries(options).filter(([key]) => key !== option)) }
}

function plan(tables: Tables, udpPorts: readonly number[] = [4789], bridge: string | undefined = BR_INT): TunnelPlan {
  return planTunnels(bridge, udpPorts, view(tables))
}

/** Operations in few words. */
function brief({ operations }: TunnelPlan): string[] {
  return operations.map(({ op, table, row, mutations }) =>
    `${op} ${String(table)} ${op === 'insert' ? (row as Row)['name'] as string : JSON.stringify(mutations)}`)
}

const none: readonly string[] = []

await t.test('a tunnel port is a Port with our mark and a flow-based vxlan Interface, made in one transaction', (t) => {
  const { operations, problems } = plan(database({ 'br-int': {} }))
  t.strictSame(operations, [
    {
      op: 'insert', table: 'Interface', 'uuid-name': 'iface4789', row: {
        name: 'ovn-evpn-4789', type: 'vxlan', options: ['map', [['local_ip', 'flow'], ['remote_ip', 'flow'], ['key', 'flow'], ['dst_port', '4789']]]
      }
    },
    {
      op: 'insert', table: 'Port', 'uuid-name': 'port4789', row: {
        name: 'ovn-evpn-4789', interfaces: ['set', [['named-uuid', 'iface4789']]], external_ids: ['map', [['ovn-evpn-tunnel', 'true']]]
      }
    },
    { op: 'mutate', table: 'Bridge', where: [['_uuid', '==', ['uuid', BR_INT]]], mutations: [['ports', 'insert', ['set', [['named-uuid', 'port4789']]]]] }
  ])
  t.equal(problems.size, 0)
  t.end()
})

await t.test('one for each UDP port; what is right is left alone', (t) => {
  t.strictSame(brief(plan(database({ 'br-int': { ports: { 'ovn-evpn-4789': tunnel(4789) } } }), [4789, 8472])).filter((text) => text.startsWith('insert')),
    ['insert Interface ovn-evpn-8472', 'insert Port ovn-evpn-8472'])
  t.strictSame(brief(plan(database({ 'br-int': { ports: { 'ovn-evpn-4789': tunnel(4789), 'ovn-evpn-8472': tunnel(8472) } } }), [8472, 4789])), none)
  t.end()
})

for (const [option, wrong] of [['local_ip', '192.0.2.1'], ['remote_ip', '192.0.2.2'], ['key', '7'], ['dst_port', '4790']] as const) {
  await t.test(`${option} is repaired when it drifts, and that option alone`, (t) => {
    const wanted = option === 'dst_port' ? '4789' : 'flow'
    const repair = [['options', 'delete', ['set', [option]]], ['options', 'insert', ['map', [[option, wanted]]]]]
    for (const ports of [{ 'ovn-evpn-4789': tunnel(4789, { [option]: wrong }) }, { 'ovn-evpn-4789': without(option) }]) {
      t.strictSame(plan(database({ 'br-int': { ports } })).operations,
        [{ op: 'mutate', table: 'Interface', where: [['_uuid', '==', ['uuid', uuid('iface', 'ovn-evpn-4789')]]], mutations: repair }])
    }
    t.end()
  })
}

await t.test("a user's other options stay: csum, tos, df_default", (t) => {
  t.strictSame(brief(plan(database({ 'br-int': { ports: { 'ovn-evpn-4789': tunnel(4789, { csum: 'true', tos: 'inherit', df_default: 'false' }) } } }))), none)
  t.end()
})

await t.test('over IPv6 a port has csum=true; a user who has set csum, to whatever, keeps it', (t) => {
  const of = (ports: Record<string, PortSpec>) => planTunnels(BR_INT, [4789], view(database({ 'br-int': { ports } })), true)
  t.match(JSON.stringify(of({}).operations[0]), /\["dst_port","4789"\],\["csum","true"\]/, 'a new one')
  t.strictSame(brief(of({ 'ovn-evpn-4789': tunnel(4789) })), ['mutate Interface [["options","delete",["set",["csum"]]],["options","insert",["map",[["csum","true"]]]]]'], 'one made without')
  for (const csum of ['true', 'false']) t.strictSame(brief(of({ 'ovn-evpn-4789': tunnel(4789, { csum }) })), none, `csum=${csum}`)
  t.end()
})

await t.test('a foreign port of the same name is reported, not taken over, on whatever bridge it is', (t) => {
  const foreign = { ports: { 'ovn-evpn-4789': tunnel(4789, {}, {}) } }
  for (const tables of [database({ 'br-int': foreign }), database({ 'br-int': {}, 'br-ex': foreign })]) {
    const wanted = plan(tables)
    t.strictSame(brief(wanted), none)
    t.strictSame([...wanted.problems], [['ovn-evpn-4789', 'port ovn-evpn-4789 exists and is not ours (no external_ids:ovn-evpn-tunnel=true)']])
  }
  t.end()
})

await t.test('a foreign port in the way of one tunnel does not keep the others from being made', (t) => {
  const { operations, problems } = plan(database({ 'br-int': { ports: { 'ovn-evpn-4789': tunnel(4789, {}, {}) } } }), [4789, 8472])
  t.equal(operations.length, 3)
  t.equal(problems.size, 1)
  t.end()
})

/** What removes a port from a bridge. */
function removal(bridge: string, port: string): object {
  return { op: 'mutate', table: 'Bridge', where: [['_uuid', '==', ['uuid', uuid('bridge', bridge)]]], mutations: [['ports', 'delete', ['set', [['uuid', uuid('port', port)]]]]] }
}

await t.test('a tunnel port that is no longer wanted is removed', (t) => {
  const tables = database({ 'br-int': { ports: { 'ovn-evpn-4789': tunnel(4789), 'ovn-evpn-8472': tunnel(8472) } } })
  t.strictSame(plan(tables, [8472]).operations, [removal('br-int', 'ovn-evpn-4789')])
  t.strictSame(plan(tables, []).operations, [removal('br-int', 'ovn-evpn-4789'), removal('br-int', 'ovn-evpn-8472')])
  t.end()
})

await t.test('ours on a bridge that is no longer the integration bridge goes first, and is made on the one that is when it has gone', (t) => {
  const tables = database({ 'br-int': {}, 'br-old': { ports: { 'ovn-evpn-4789': tunnel(4789), 'ovn-evpn-8472': tunnel(8472) } } })
  const { operations, isMove } = plan(tables, [4789, 4790])
  t.ok(isMove)
  t.strictSame(operations.slice(0, 2), [removal('br-old', 'ovn-evpn-4789'), removal('br-old', 'ovn-evpn-8472')])
  t.strictSame(brief({ ...plan(tables, [4789, 4790]), operations: operations.slice(2, 4) }), ['insert Interface ovn-evpn-4790', 'insert Port ovn-evpn-4790'],
    'a port that does not move is made at once')
  t.equal(operations.length, 5)
  const after = plan(database({ 'br-int': {}, 'br-old': {} }))
  t.notOk(after.isMove)
  t.equal(after.operations.length, 3, 'the next plan makes it')
  t.end()
})

await t.test("ports on a bridge of ovn-controller's are its own, even where they look like ours", (t) => {
  for (const mark of [{ ids: { 'ovn-startup-ts': '1' } }, { ports: { 'ovn-host2-0': { portIds: { 'ovn-chassis-id': 'host2' } } } }]) {
    const tables = database({ 'br-int': {}, 'br-ovn': { ...mark, ports: { ...mark.ports, 'ovn-evpn-8472': tunnel(8472) } } })
    t.strictSame(plan(tables, []).operations, [])
  }
  t.end()
})

await t.test('without the integration bridge nothing is made', (t) => {
  t.strictSame(planTunnels(undefined, [4789], view(database({ 'br-ex': {} }))).operations, [])
  t.end()
})

await t.test('a tunnel port that Open vSwitch could not make is said to be refused; it is not made anew', (t) => {
  const refused = plan(database({ 'br-int': { ports: { 'ovn-evpn-4789': { ...tunnel(4789), ofport: [-1], error: 'File exists' } } } }))
  t.ok(refused.isRefused)
  t.strictSame(refused.operations, [])
  t.notOk(plan(database({ 'br-int': { ports: { 'ovn-evpn-4789': tunnel(4789), vm1: { error: 'No such device' } } } })).isRefused, "another port's error is not ours")
  t.end()
})

await t.test("nobody else's port is touched", (t) => {
  const ports = {
    vm1: {}, patch: { type: 'patch' },
    vx0: tunnel(4789, { key: '7' }, {}),
    'ovn-host2-0': { type: 'geneve', portIds: { 'ovn-chassis-id': 'host2' } },
    'ovn0-evpn-4789': tunnel(4789),
    'my-tunnel': { ...tunnel(4789), portIds: MARK },
    'ovn-evpn-4789': tunnel(4789)
  }
  t.strictSame(brief(plan(database({ 'br-int': { ports }, 'br-ex': { ports: { vx1: tunnel(8472, {}, {}) } } }))), none)
  t.end()
})

await t.test('rows that have not arrived yet are no reason to fail', (t) => {
  const tables = database({ 'br-int': { ports: { 'ovn-evpn-4789': tunnel(4789) } } })
  tables.Interface.clear()
  t.strictSame(brief(plan(tables)), none)
  t.end()
})
