// What the kernel tells, and what it does not: the facts a mirror of its tables has to be built on. Measured here on every run.
import t, { type Test } from 'tap'
import { enterNewNamespace, run, startNamespace } from './support/namespace.js'
import { lines, openRecorder } from './support/recorder.js'

enterNewNamespace()
const names = ['', 'lo', 'br0', 'vx0', 'adv0', 'peer0']
for (const command of [
  'ip link set lo up',
  'ip link add br0 index 2 address 02:00:00:00:00:b0 type bridge',
  'ip link add vx0 index 3 address 02:00:00:00:00:a0 type vxlan id 100 dstport 61000 local 192.0.2.1 nolearning',
  'ip link add adv0 index 4 address 02:00:00:00:00:c0 type veth peer name peer0 index 5',
  ...['br0', 'vx0', 'adv0', 'peer0'].map(name => `ip link set ${name} addrgenmode none`),
  'ip link set vx0 master br0', 'ip link set adv0 master br0',
  // A bridge without a port that has carrier loses its neighbours, sooner or later: this one keeps it when vx0 goes down.
  'bridge link set dev adv0 learning off', 'ip link set peer0 up',
  'ip link set br0 up', 'ip link set vx0 up', 'ip link set adv0 up'
]) run(command)

const recorder = openRecorder({ groups: ['link', 'neigh', 'nexthop'] })
t.teardown(() => recorder.client.close())

/** What a command makes the kernel say about rows (multicast housekeeping apart), and with `links` about devices too. */
async function told(command: string, links = false): Promise<string[]> {
  const all = lines(await recorder.during(command), index => names[index] ?? String(index))
  return all.filter(line => !line.includes('33:33:') && !line.includes('01:00:5e:') && (links || !/ link |^other|^bridge port/.test(line)))
}

async function tells(t: Test, command: string, expected: readonly string[]): Promise<void> {
  t.strictSame(await told(command), expected, command)
}

const LOCAL = 'bridge fdb replace 02:00:00:00:00:01 dev adv0 master static'
const REMOTE = 'bridge fdb replace 02:00:00:00:00:01 dev vx0 master extern_learn dynamic'

void t.test('a bridge row that moves to another port is told as new there; its old place is never told as deleted', async t => {
  await tells(t, LOCAL, ['new 02:00:00:00:00:01 dev adv0 master br0 state NOARP flags none'])
  await tells(t, REMOTE, ['new 02:00:00:00:00:01 dev vx0 master br0 state NOARP flags EXT_LEARNED'])
  await tells(t, LOCAL, ['new 02:00:00:00:00:01 dev adv0 master br0 state NOARP flags EXT_LEARNED'])
  await tells(t, 'bridge fdb del 02:00:00:00:00:01 dev adv0 master',
    ['del 02:00:00:00:00:01 dev adv0 master br0 state NOARP flags EXT_LEARNED'])
})

void t.test('a vxlan device has one remote per unicast MAC, replaced in place, and any number per zero MAC', async t => {
  const told1 = 'new 02:00:00:00:00:02 dev vx0 dst 192.0.2.2 state REACHABLE flags SELF,EXT_LEARNED'
  await tells(t, 'bridge fdb replace 02:00:00:00:00:02 dev vx0 dst 192.0.2.2 self extern_learn dynamic', [told1])
  await tells(t, 'bridge fdb replace 02:00:00:00:00:02 dev vx0 dst 192.0.2.2 self extern_learn dynamic', [])
  await tells(t, 'bridge fdb replace 02:00:00:00:00:02 dev vx0 dst 192.0.2.3 self extern_learn dynamic', [told1.replace('.2.2', '.2.3')])
  for (const remote of ['192.0.2.2', '192.0.2.3', '192.0.2.3 port 4790', '192.0.2.3 vni 200']) {
    await tells(t, `bridge fdb append 00:00:00:00:00:00 dev vx0 dst ${remote} self permanent`,
      [`new 00:00:00:00:00:00 dev vx0 dst ${remote} state NOARP,PERMANENT flags SELF`])
  }
  await tells(t, 'bridge fdb del 00:00:00:00:00:00 dev vx0 dst 192.0.2.3 port 4790 self',
    ['del 00:00:00:00:00:00 dev vx0 dst 192.0.2.3 port 4790 state NOARP,PERMANENT flags SELF'])
})

void t.test('a vxlan device going down loses its rows that are neither PERMANENT nor NOARP, each told', async t => {
  await tells(t, 'ip link set vx0 down', ['del 02:00:00:00:00:02 dev vx0 dst 192.0.2.3 state REACHABLE flags SELF,EXT_LEARNED'])
  await tells(t, 'ip link set vx0 up', [])
  await told('bridge fdb replace 02:00:00:00:00:02 dev vx0 dst 192.0.2.3 self extern_learn static')
})

void t.test('a port going down keeps its bridge rows; a bridge going down loses its neighbours, each told, no FDB rows', async t => {
  await told(REMOTE)
  await told('ip neigh replace 10.0.0.1 lladdr 02:00:00:00:00:02 dev br0 nud noarp extern_learn')
  await told('ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:01 dev br0 nud noarp protocol 85')
  await tells(t, 'ip link set vx0 down', [])
  await tells(t, 'ip link set vx0 up', [])
  t.strictSame((await told('ip link set br0 down')).sort(), [
    'del 10.0.0.1 dev br0 lladdr 02:00:00:00:00:02 state NOARP flags EXT_LEARNED',
    'del 10.0.0.2 dev br0 lladdr 02:00:00:00:00:01 protocol 85 state NOARP flags none'
  ])
  await tells(t, 'ip link set br0 up', [])
})

void t.test('a bridge that changes its MAC address loses all its neighbours, permanent ones too, each told', async t => {
  await told('ip neigh replace 10.0.0.1 lladdr 02:00:00:00:00:02 dev br0 nud noarp extern_learn')
  await told('ip neigh replace 10.0.0.3 lladdr 02:00:00:00:00:02 dev br0 nud permanent')
  const deleted = (await told('ip link set br0 address 02:00:00:00:00:b1')).filter(line => line.startsWith('del 10.'))
  t.strictSame(deleted.map(line => line.slice(0, 12)).sort(), ['del 10.0.0.1', 'del 10.0.0.3'])
})

void t.test('deleting a neighbour tells it first as FAILED, then as deleted, without its MAC', async t => {
  await told('ip neigh replace 10.0.0.4 lladdr 02:00:00:00:00:01 dev br0 nud noarp protocol 85')
  const [first, last, ...more] = await told('ip neigh del 10.0.0.4 dev br0')
  t.match(first, /^new 10\.0\.0\.4 dev br0 .*state FAILED/)
  t.match(last, /^del 10\.0\.0\.4 dev br0 .*state FAILED/)
  t.notMatch(last, /lladdr/)
  t.strictSame(more, [])
})

void t.test('renaming a device is a new link message for its ifindex; its rows stay', async t => {
  t.strictSame(await told('ip link set vx0 name vx1', true), ['new link vx1 master br0'])
  t.strictSame(await told('ip link set vx1 name vx0', true), ['new link vx0 master br0'])
})

void t.test('bridge link set tells how the bridge treats a port by an AF_BRIDGE message alone', async t => {
  for (const [word, vlanTunnel] of [['on', true], ['off', false]] as const) {
    const all = await told(`bridge link set dev vx0 vlan_tunnel ${word}`, true)
    t.ok(all.some(line => line.startsWith('bridge port vx0 ') && line.includes(`"vlanTunnel":${vlanTunnel}`)), all.join(' | '))
    t.notOk(all.some(line => line.includes('link vx0')), 'no message about the device')
  }
})

void t.test('a port leaves its bridge: its bridge rows are told as deleted, its own rows stay; the device follows, masterless', async t => {
  const all = await told('ip link set vx0 nomaster', true)
  const bridgeLeft = all.indexOf('other 17')
  const row = all.findIndex(line => line.startsWith('del 02:00:00:00:00:01 dev vx0 master br0'))
  const device = all.indexOf('new link vx0 master none')
  t.ok(bridgeLeft >= 0 && bridgeLeft < row && row < device, `AF_BRIDGE RTM_DELLINK, then the rows, then the device: ${all.join(' | ')}`)
  t.notOk(all.includes('del link vx0 master none'), 'the device is not deleted')
  t.notOk(all.some(line => line.includes('flags SELF')), 'nor is any vxlan row')
  await told('ip link set vx0 master br0')
})

void t.test('a vxlan device that is deleted: every row of both tables is told as deleted, the device last', async t => {
  await told(REMOTE)
  const all = await told('ip link del vx0', true)
  const deleted = all.filter(line => line.startsWith('del 0')).map(line => line.replace(/ state.*/, ''))
  t.strictSame(deleted.filter(line => !line.includes('00:a0')).sort(), [
    'del 00:00:00:00:00:00 dev vx0 dst 192.0.2.2',
    'del 00:00:00:00:00:00 dev vx0 dst 192.0.2.3',
    'del 00:00:00:00:00:00 dev vx0 dst 192.0.2.3 vni 200',
    'del 02:00:00:00:00:01 dev vx0 master br0',
    'del 02:00:00:00:00:02 dev vx0 dst 192.0.2.3'
  ])
  // What the bridge then says of itself may come still later.
  t.match(all.filter(line => line.includes('vx0')).at(-1), /^del link vx0/)
  run('ip link add vx0 index 3 address 02:00:00:00:00:a0 type vxlan id 100 dstport 61000 local 192.0.2.1 nolearning')
})

void t.test('FDB rows on a nexthop vanish with it, and nothing but the nexthop\'s deletion tells', async t => {
  for (const deletion of ['ip nexthop del id 10', 'ip nexthop del id 2']) {
    for (const command of ['ip nexthop replace id 2 via 192.0.2.3 fdb', 'ip nexthop replace id 10 group 2 fdb']) await told(command)
    await tells(t, 'bridge fdb replace 02:00:00:00:00:0a dev vx0 nhid 10 self static',
      ['new 02:00:00:00:00:0a dev vx0 nhId 10 state REACHABLE,NOARP flags SELF'])
    const all = await told(deletion)
    t.ok(all.includes('del nexthop 10 group 2'), `${deletion}: the group's end is told`)
    t.notOk(all.some(line => line.includes('02:00:00:00:00:0a')), 'the row\'s is not')
    t.notMatch(run('bridge fdb show dev vx0'), '02:00:00:00:00:0a', 'and yet it is gone')
  }
})

void t.test('deleting a nexthop tells every group it shrinks; replacing one tells no group', async t => {
  for (const nexthop of ['id 1 via 192.0.2.2', 'id 2 via 192.0.2.3', 'id 10 group 1/2']) await told(`ip nexthop replace ${nexthop} fdb`)
  await tells(t, 'ip nexthop replace id 1 via 192.0.2.4 fdb', ['new nexthop 1'])
  await tells(t, 'ip nexthop del id 1', ['del nexthop 1', 'new nexthop 10 group 2'])
})

void t.test('a vxlan device that moves to another namespace takes its rows along untold: only the device\'s deletion says so', async t => {
  const elsewhere = await startNamespace()
  t.teardown(() => elsewhere.stop())
  await told('bridge fdb replace 02:00:00:00:00:0b dev vx0 dst 192.0.2.2 self extern_learn dynamic')
  const all = await told(`ip link set vx0 netns ${elsewhere.pid}`, true)
  t.notOk(all.some(line => line.includes('02:00:00:00:00:0b')), 'no row is told')
  // What the bridge then says of itself may come still later.
  t.match(all.filter(line => line.includes('vx0')).at(-1), /^del link vx0/)
})
