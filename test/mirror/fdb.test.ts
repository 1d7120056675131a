// The FDB mirror: keyed as the kernel keys, so that no two rows alias and no row is left behind.
import t from 'tap'
import { FdbMirror, fdbTable, remoteKey, type FdbRow } from '../../lib/mirror/fdb.js'
import { NTF, NUD, type NeighRow } from '../../lib/netlink/index.js'
import { onPort, remoteMac, replica } from './rows.js'

const MAC = '02:00:00:00:00:01'
const ZERO = '00:00:00:00:00:00'
const GROUP = '01:00:5e:00:00:01'
const [BRIDGE, VXLAN, PORT] = [1, 2, 3]
const TABLE = fdbTable(VXLAN)

/** A mirror and what it told, in words. */
function mirror() {
  const told: string[] = []
  const place = (row: FdbRow | undefined) => (row === undefined ? 'none' : `${row.ifindex}${row.dst === undefined ? '' : ` ${remoteKey(row)}`}`)
  const fdb = new FdbMirror({
    bridgeRow: (bridge, mac, old, current) => told.push(`bridge ${bridge} ${mac}: ${place(old)} -> ${place(current)}`),
    deviceRow: (ifindex, mac, old, current) => told.push(`device ${ifindex} ${mac}: ${place(old)} -> ${place(current)}`),
    nexthopUse: (table, ip) => told.push(`device ${table} leads to ${ip}: ${fdb.uses(table, ip)}`)
  })
  return { fdb, told, take: () => told.splice(0) }
}

/** Pairs of rows that differ in one part of the kernel's key. */
const KEY_PARTS: readonly (readonly [part: string, a: NeighRow, b: NeighRow])[] = [
  ['bridge row: the bridge', onPort(BRIDGE, PORT, MAC), onPort(9, PORT, MAC)],
  ['bridge row: the VLAN', onPort(BRIDGE, PORT, MAC), onPort(BRIDGE, PORT, MAC, { vlan: 10 })],
  ['bridge row: VLAN against VLAN', onPort(BRIDGE, PORT, MAC, { vlan: 1 }), onPort(BRIDGE, PORT, MAC, { vlan: 10 })],
  ['bridge row: the MAC', onPort(BRIDGE, PORT, MAC), onPort(BRIDGE, PORT, '02:00:00:00:00:02')],
  ['bridge row and device row of one MAC', onPort(BRIDGE, VXLAN, MAC), remoteMac(VXLAN, MAC, '192.0.2.1')],
  ['bridge row and device row of one number', onPort(VXLAN, VXLAN, MAC), remoteMac(VXLAN, MAC, '192.0.2.1')],
  ['device row: the device', remoteMac(VXLAN, MAC, '192.0.2.1'), remoteMac(4, MAC, '192.0.2.1')],
  ['device row: the MAC', remoteMac(VXLAN, MAC, '192.0.2.1'), remoteMac(VXLAN, '02:00:00:00:00:02', '192.0.2.1')],
  ['device row: the source VNI', remoteMac(VXLAN, MAC, '192.0.2.1', { srcVni: 1 }), remoteMac(VXLAN, MAC, '192.0.2.1', { srcVni: 10 })],
  ['device row: a source VNI or none', remoteMac(VXLAN, MAC, '192.0.2.1'), remoteMac(VXLAN, MAC, '192.0.2.1', { srcVni: 0 })],
  ['zero MAC: the remote address', replica(VXLAN, '192.0.2.1'), replica(VXLAN, '192.0.2.2')],
  ['zero MAC: the remote port', replica(VXLAN, '192.0.2.1'), replica(VXLAN, '192.0.2.1', { port: 8472 })],
  ['zero MAC: the remote VNI', replica(VXLAN, '192.0.2.1'), replica(VXLAN, '192.0.2.1', { vni: 7 })],
  ['zero MAC: port against VNI of the same number', replica(VXLAN, '192.0.2.1', { port: 7 }), replica(VXLAN, '192.0.2.1', { vni: 7 })],
  ['zero MAC: the outgoing device', replica(VXLAN, '192.0.2.1'), replica(VXLAN, '192.0.2.1', { oif: 5 })],
  ['zero MAC: the source VNI', replica(VXLAN, '192.0.2.1', { srcVni: 1 }), replica(VXLAN, '192.0.2.1', { srcVni: 2 })],
  ['multicast MAC: the remote address', remoteMac(VXLAN, GROUP, '192.0.2.1'), remoteMac(VXLAN, GROUP, '192.0.2.2')]
]

for (const [part, a, b] of KEY_PARTS) {
  await t.test(`never alias: ${part}`, (t) => {
    const { fdb, take } = mirror()
    fdb.put(a)
    fdb.put(b)
    t.equal(fdb.size, 2, 'two rows')
    t.ok(take().every((line) => line.includes(': none -> ')), 'each is new, neither replaces the other')
    fdb.delete(b)
    t.equal(fdb.size, 1, 'deleting one leaves the other')
    fdb.put(a)
    t.equal(take().length, 1, 'the other is still known, so putting it again is no news')
    t.end()
  })
}

await t.test('values are no part of the key: one row stays one row', (t) => {
  const { fdb } = mirror()
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.1'))
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.2', { port: 8472, state: NUD.REACHABLE, flags: NTF.SELF | NTF.STICKY }))
  t.equal(fdb.size, 1, 'a unicast MAC of a vxlan device has one remote')
  t.match(fdb.onDevice(TABLE, MAC), { dst: '192.0.2.2', port: 8472 })
  t.end()
})

await t.test('kernels before 6.13 tell of a device row twice, the second time by its MAC alone: that says nothing', (t) => {
  const { fdb, take } = mirror()
  const row = remoteMac(VXLAN, MAC, '192.0.2.1', { type: 1 })
  const nexthop = { ...row, dst: undefined, nhId: 7 } as unknown as NeighRow
  const echo: NeighRow = { family: row.family, ifindex: VXLAN, state: NUD.REACHABLE, flags: NTF.SELF, type: 0, lladdr: MAC }
  fdb.put(row)
  fdb.put(echo)
  t.strictSame(take(), [`device 2 ${MAC}: none -> 2 192.0.2.1`], 'a write: the remote stays')
  fdb.delete(echo)
  t.strictSame(take(), [], 'a deletion of another row of this MAC: this one stays')
  fdb.put(nexthop)
  fdb.put(echo)
  t.equal(fdb.onDevice(TABLE, MAC)?.nhId, 7, 'a row with a nexthop stays, too')
  fdb.delete(nexthop)
  fdb.delete(echo)
  t.equal(fdb.size, 0)
  t.end()
})

await t.test('a bridge row that moves to another port replaces the old one: the kernel sends no DEL', (t) => {
  const { fdb, take } = mirror()
  fdb.put(onPort(BRIDGE, PORT, MAC))
  take()
  fdb.put(onPort(BRIDGE, VXLAN, MAC))
  t.strictSame(take(), [`bridge 1 ${MAC}: 3 -> 2`])
  t.equal(fdb.size, 1)
  t.equal(fdb.inBridge(BRIDGE, 0, MAC)?.ifindex, VXLAN)
  t.strictSame([...fdb.bridgeRows(BRIDGE)].map((row) => row.ifindex), [VXLAN])
  t.end()
})

await t.test('a DEL that names the port a row has left is old news', (t) => {
  const { fdb, take } = mirror()
  fdb.put(onPort(BRIDGE, PORT, MAC))
  fdb.put(onPort(BRIDGE, VXLAN, MAC))
  take()
  fdb.delete(onPort(BRIDGE, PORT, MAC))
  t.equal(fdb.inBridge(BRIDGE, 0, MAC)?.ifindex, VXLAN, 'the row stands on its new port')
  t.strictSame(take(), [])
  fdb.delete(onPort(BRIDGE, VXLAN, MAC))
  t.equal(fdb.inBridge(BRIDGE, 0, MAC), undefined)
  t.strictSame(take(), [`bridge 1 ${MAC}: 2 -> none`])
  t.end()
})

await t.test('a DEL that names the bridge itself is of the row at that key, wherever it stood', (t) => {
  const { fdb } = mirror()
  fdb.put(onPort(BRIDGE, PORT, MAC))
  fdb.delete(onPort(BRIDGE, BRIDGE, MAC))
  t.equal(fdb.size, 0, 'the row is gone')
  t.end()
})

await t.test('a device that is gone takes all its rows along, and no other', (t) => {
  const { fdb, take } = mirror()
  for (const row of [remoteMac(VXLAN, MAC, '192.0.2.1'), replica(VXLAN, '192.0.2.1'), onPort(BRIDGE, VXLAN, MAC), remoteMac(4, MAC, '192.0.2.1')]) fdb.put(row)
  take()
  fdb.deleteDevice(VXLAN)
  t.equal(fdb.size, 1, 'the other device keeps its row')
  t.strictSame([...fdb.remotes(TABLE)], [], 'no remote is left behind the device')
  t.equal(take().length, 3, 'each row is told')
  t.end()
})

await t.test("a DEL in the bridge's own name is of the row wherever it stands: the bridge made the MAC its own", (t) => {
  const { fdb } = mirror()
  fdb.put(onPort(BRIDGE, PORT, MAC))
  fdb.delete(onPort(BRIDGE, BRIDGE, MAC))
  t.equal(fdb.inBridge(BRIDGE, 0, MAC), undefined)
  t.end()
})

await t.test('a device that is gone takes its rows along, its own and those of the bridge on it, and no others', (t) => {
  const { fdb, take } = mirror()
  const others = [onPort(BRIDGE, PORT, '02:00:00:00:00:03'), remoteMac(4, MAC, '192.0.2.1')]
  for (const row of [remoteMac(VXLAN, MAC, '192.0.2.1'), replica(VXLAN, '192.0.2.1'), onPort(BRIDGE, VXLAN, MAC), ...others]) fdb.put(row)
  take()
  fdb.deleteDevice(VXLAN)
  t.strictSame(take().sort(), [`bridge 1 ${MAC}: 2 -> none`, `device 2 ${ZERO}: 2 192.0.2.1 -> none`, `device 2 ${MAC}: 2 192.0.2.1 -> none`])
  t.strictSame([...fdb.remotes(TABLE)], [])
  t.equal(fdb.size, others.length)
  t.end()
})

await t.test('deleting what is not there tells nothing', (t) => {
  const { fdb, take } = mirror()
  for (const row of [onPort(BRIDGE, PORT, MAC), remoteMac(VXLAN, MAC, '192.0.2.1'), replica(VXLAN, '192.0.2.1')]) fdb.delete(row)
  t.strictSame(take(), [])
  t.end()
})

await t.test('the same row again, from the other driver or from a dump, is no news', (t) => {
  const { fdb, take } = mirror()
  const rows = [onPort(BRIDGE, VXLAN, MAC, { flags: NTF.EXT_LEARNED }), remoteMac(VXLAN, MAC, '192.0.2.1'), replica(VXLAN, '192.0.2.1')]
  for (const row of rows) fdb.put(row)
  take()
  for (const row of [...rows].reverse()) fdb.put({ ...row })
  t.strictSame(take(), [])
  t.end()
})

await t.test('what a row means is news: remote, port, VNI, nexthop, state, flags', (t) => {
  const row = remoteMac(VXLAN, MAC, '192.0.2.1')
  const changes: Partial<NeighRow>[] = [
    { dst: '192.0.2.2' }, { port: 8472 }, { vni: 7 }, { nhId: 9 }, { state: NUD.REACHABLE }, { flags: NTF.SELF }, { flags: NTF.SELF | NTF.STICKY }
  ]
  for (const change of changes) {
    const { fdb, take } = mirror()
    fdb.put(row)
    take()
    fdb.put({ ...row, ...change })
    t.equal(take().length, 1, JSON.stringify(change))
  }
  t.end()
})

await t.test('a row without a MAC is no FDB row', (t) => {
  const { fdb, take } = mirror()
  const { lladdr: _, ...row } = onPort(BRIDGE, PORT, MAC)
  fdb.put(row)
  fdb.delete(row)
  t.equal(fdb.size, 0)
  t.strictSame(take(), [])
  t.end()
})

await t.test('a VLAN-aware bridge: only VLAN 0 answers for the MAC of a VNI', (t) => {
  const { fdb } = mirror()
  fdb.put(onPort(BRIDGE, PORT, MAC, { vlan: 10 }))
  t.equal(fdb.inBridge(BRIDGE, 0, MAC), undefined)
  fdb.put(onPort(BRIDGE, VXLAN, MAC))
  t.equal(fdb.inBridge(BRIDGE, 0, MAC)?.ifindex, VXLAN)
  fdb.delete(onPort(BRIDGE, PORT, MAC, { vlan: 10 }))
  t.equal(fdb.inBridge(BRIDGE, 0, MAC)?.ifindex, VXLAN)
  t.end()
})

await t.test('a zero-MAC append adds a remote and replaces none', (t) => {
  const { fdb } = mirror()
  fdb.put(replica(VXLAN, '192.0.2.1'))
  fdb.put(replica(VXLAN, '192.0.2.2'))
  fdb.put(replica(VXLAN, '192.0.2.2', { port: 8472 }))
  for (const remote of ['192.0.2.1', '192.0.2.2', '192.0.2.2 8472']) t.ok(fdb.replicates(TABLE, remote), remote)
  t.strictSame([...fdb.remotes(TABLE)], ['192.0.2.1', '192.0.2.2', '192.0.2.2 8472'])
  fdb.delete(replica(VXLAN, '192.0.2.2'))
  t.notOk(fdb.replicates(TABLE, '192.0.2.2'))
  t.ok(fdb.replicates(TABLE, '192.0.2.2 8472'), 'the same address on another port is another remote')
  t.end()
})

await t.test('a device of many VNIs: no VNI sees the rows of another', (t) => {
  const { fdb, take } = mirror()
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.1', { srcVni: 100 }))
  fdb.put(replica(VXLAN, '192.0.2.3', { srcVni: 200, vni: 777 }))
  t.strictSame(take(), [`device 2 100 ${MAC}: none -> 2 192.0.2.1`, `device 2 200 ${ZERO}: none -> 2 192.0.2.3`], 'each is news of its VNI alone')
  t.match(fdb.onDevice(fdbTable(VXLAN, 100), MAC), { dst: '192.0.2.1' })
  t.ok(fdb.uses(fdbTable(VXLAN, 100), '192.0.2.1'))
  t.strictSame(fdb.replicates(fdbTable(VXLAN, 200), '192.0.2.3'), { vni: 777 })
  for (const table of [TABLE, fdbTable(VXLAN, 200)]) t.equal(fdb.onDevice(table, MAC), undefined)
  for (const table of [TABLE, fdbTable(VXLAN, 100)]) t.equal(fdb.replicates(table, '192.0.2.3'), undefined)
  t.strictSame([...fdb.remotes(fdbTable(VXLAN, 100))], ['192.0.2.1'])
  t.end()
})

await t.test('of zero-MAC rows of one remote, one without a VNI counts, or the lowest VNI, whatever the order', (t) => {
  const rows = [replica(VXLAN, '192.0.2.1', { vni: 9 }), replica(VXLAN, '192.0.2.1', { vni: 7 }), replica(VXLAN, '192.0.2.1')] as const
  const { fdb } = mirror()
  for (const row of rows) fdb.put(row)
  t.strictSame(fdb.replicates(TABLE, '192.0.2.1'), { vni: undefined })
  fdb.delete(rows[2])
  t.strictSame(fdb.replicates(TABLE, '192.0.2.1'), { vni: 7 })
  fdb.delete(rows[1])
  t.strictSame(fdb.replicates(TABLE, '192.0.2.1'), { vni: 9 })
  t.end()
})

await t.test('two zero-MAC rows of one remote (two VNIs): it is replicated to until both are gone', (t) => {
  const { fdb } = mirror()
  const [a, b] = [replica(VXLAN, '192.0.2.1'), replica(VXLAN, '192.0.2.1', { vni: 7 })]
  fdb.put(a)
  fdb.put(b)
  fdb.delete(a)
  t.ok(fdb.replicates(TABLE, '192.0.2.1'))
  fdb.delete(b)
  t.notOk(fdb.replicates(TABLE, '192.0.2.1'))
  t.end()
})

await t.test('a zero-MAC row that no speaker wrote (not NOARP|PERMANENT) makes no VTEP, until it becomes one', (t) => {
  const { fdb } = mirror()
  fdb.put(replica(VXLAN, '192.0.2.1', { state: NUD.PERMANENT }))
  t.notOk(fdb.replicates(TABLE, '192.0.2.1'))
  fdb.put(replica(VXLAN, '192.0.2.1'))
  t.ok(fdb.replicates(TABLE, '192.0.2.1'))
  fdb.put(replica(VXLAN, '192.0.2.1', { state: NUD.REACHABLE }))
  t.notOk(fdb.replicates(TABLE, '192.0.2.1'))
  t.end()
})

await t.test('a remote is in use while any unicast row points at it; a move changes two remotes', (t) => {
  const { fdb } = mirror()
  const other = '02:00:00:00:00:02'
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.1'))
  fdb.put(remoteMac(VXLAN, other, '192.0.2.1'))
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.2'))
  t.ok(fdb.uses(TABLE, '192.0.2.1'), 'the other MAC is still behind it')
  t.ok(fdb.uses(TABLE, '192.0.2.2'))
  fdb.delete(remoteMac(VXLAN, other, '192.0.2.1'))
  t.notOk(fdb.uses(TABLE, '192.0.2.1'))
  t.notOk(fdb.uses(fdbTable(4), '192.0.2.2'), 'on another device it is not')
  t.end()
})

await t.test('a learned row or one of somebody else makes no VTEP', (t) => {
  const { fdb } = mirror()
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.1', { flags: NTF.SELF, state: NUD.REACHABLE }))
  t.notOk(fdb.uses(TABLE, '192.0.2.1'))
  t.match(fdb.onDevice(TABLE, MAC), { dst: '192.0.2.1' }, 'but it is mirrored')
  t.end()
})

await t.test('multicast MACs are neither remote MACs nor VTEPs', (t) => {
  const { fdb } = mirror()
  fdb.put(remoteMac(VXLAN, GROUP, '192.0.2.1'))
  t.equal(fdb.onDevice(TABLE, GROUP), undefined)
  t.equal(fdb.onDevice(TABLE, ZERO), undefined)
  t.strictSame([...fdb.remotes(TABLE)], [])
  t.end()
})

await t.test('resync: what the dump did not show is gone, as if deleted; what it showed unchanged is no news', (t) => {
  const { fdb, take } = mirror()
  const rows = [remoteMac(VXLAN, MAC, '192.0.2.1'), replica(VXLAN, '192.0.2.1'), onPort(BRIDGE, VXLAN, MAC)]
  for (const row of rows) fdb.put(row)
  take()
  fdb.beginResync()
  fdb.put(replica(VXLAN, '192.0.2.1'))
  fdb.put(remoteMac(VXLAN, '02:00:00:00:00:02', '192.0.2.3'))
  t.strictSame(take(), [`device 2 02:00:00:00:00:02: none -> 2 192.0.2.3`], 'nothing is gone before the end')
  fdb.finishResync()
  t.strictSame(take().sort(), [`bridge 1 ${MAC}: 2 -> none`, `device 2 ${MAC}: 2 192.0.2.1 -> none`])
  t.equal(fdb.inBridge(BRIDGE, 0, MAC), undefined)
  t.equal(fdb.onDevice(TABLE, MAC), undefined)
  t.notOk(fdb.uses(TABLE, '192.0.2.1'))
  t.ok(fdb.replicates(TABLE, '192.0.2.1'))
  t.end()
})

await t.test('resync: a notification during the dump counts as seen, and a deletion during the dump stays deleted', (t) => {
  const { fdb } = mirror()
  fdb.put(onPort(BRIDGE, PORT, MAC))
  fdb.beginResync()
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.1'))
  fdb.put(onPort(BRIDGE, PORT, MAC))
  fdb.delete(onPort(BRIDGE, PORT, MAC))
  fdb.finishResync()
  t.match(fdb.onDevice(TABLE, MAC), { dst: '192.0.2.1' })
  t.equal(fdb.inBridge(BRIDGE, 0, MAC), undefined)
  t.equal(fdb.size, 1)
  t.end()
})

await t.test('resync: a row that moved while we were deaf has moved, in one step', (t) => {
  const { fdb, take } = mirror()
  fdb.put(onPort(BRIDGE, PORT, MAC))
  take()
  fdb.beginResync()
  fdb.put(onPort(BRIDGE, VXLAN, MAC))
  fdb.finishResync()
  t.strictSame(take(), [`bridge 1 ${MAC}: 3 -> 2`])
  t.end()
})

await t.test('resync: a second begin forgets what the broken first one saw', (t) => {
  const { fdb } = mirror()
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.1'))
  fdb.beginResync()
  fdb.put(remoteMac(VXLAN, MAC, '192.0.2.1'))
  fdb.beginResync()
  fdb.finishResync()
  t.equal(fdb.size, 0)
  fdb.finishResync()
  t.equal(fdb.size, 0, 'an end without a begin is harmless')
  t.end()
})
