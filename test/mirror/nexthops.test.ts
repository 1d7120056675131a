// The nexthop mirror, and the join of nexthops with the FDB rows that name them: what is told, and that it is told once
// for each device, not for each row.
import t from 'tap'
import { FdbMirror, fdbTable } from '../../lib/mirror/fdb.js'
import { NexthopMirror } from '../../lib/mirror/nexthops.js'
import type { NexthopRow } from '../../lib/netlink/index.js'
import { multihomedMac, nexthop, nexthopGroup, remoteMac } from './rows.js'

const [VXLAN, VXLAN2] = [2, 3]

/** Both mirrors, wired as the daemon wires them, and what they told. */
function mirrors() {
  const told: string[] = []
  const fdb = new FdbMirror({
    bridgeRow: () => undefined,
    deviceRow: (ifindex, mac, old, current) => told.push(`row ${ifindex} ${mac}: ${old?.nhId ?? old?.dst ?? 'none'} -> ${current?.nhId ?? current?.dst ?? 'none'}`),
    nexthopUse: (table, ip) => told.push(`device ${table} leads to ${ip}: ${fdb.uses(table, ip)}`)
  })
  const nexthops = new NexthopMirror({
    paths: (id) => {
      told.push(`paths ${id}: ${text(nexthops, id)}`)
      fdb.setNexthop(id, nexthops.paths(id).map(({ ip }) => ip))
    },
    gone: (id) => fdb.deleteNexthop(id),
    again: () => undefined
  })
  return { fdb, nexthops, take: () => told.splice(0) }
}

function text(nexthops: NexthopMirror, id: number): string {
  return nexthops.paths(id).map(({ ip, weight }) => `${ip}/${weight}`).join(' ') || 'none'
}

const mac = (n: number) => `02:00:00:00:00:${String(n).padStart(2, '0')}`

await t.test('paths: the members that lead somewhere, by address, one for each', (t) => {
  const cases: readonly (readonly [string, readonly (readonly [number, number])[], string])[] = [
    ['two members and their weights', [[2, 20], [1, 2]], '192.0.2.2/2 192.0.2.3/20'],
    ['a member that does not exist', [[1, 1], [99, 1]], '192.0.2.2/1'],
    ['no member that exists', [[99, 1]], 'none'],
    ['two nexthops of one gateway', [[1, 3], [4, 4]], '192.0.2.2/7'],
    ['a member that is a group', [[1, 1], [50, 1]], '192.0.2.2/1'],
    ['a nexthop of IP routes', [[5, 1], [2, 1]], '192.0.2.3/1'],
    ['both families', [[3, 1], [1, 1]], '192.0.2.2/1 2001:db8::2/1']
  ]
  for (const [what, members, expected] of cases) {
    const { nexthops } = mirrors()
    const all = [nexthop(1, '192.0.2.2'), nexthop(2, '192.0.2.3'), nexthop(3, '2001:db8::2'), nexthop(4, '192.0.2.2'), nexthop(5, '192.0.2.5', { fdb: false })]
    for (const row of [...all, nexthopGroup(50, [[2, 1]]), nexthopGroup(10, members)]) nexthops.put(row)
    t.equal(text(nexthops, 10), expected, what)
    t.equal(text(nexthops, 1), '192.0.2.2/1', 'a nexthop that is no group has itself')
  }
  t.end()
})

await t.test('a member that is re-pointed changes every group that names it, of which the kernel tells nothing', (t) => {
  const { fdb, nexthops, take } = mirrors()
  for (const row of [nexthop(1, '192.0.2.2'), nexthop(2, '192.0.2.3'), nexthopGroup(10, [[1, 1], [2, 1]]), nexthopGroup(11, [[1, 1]]), nexthopGroup(12, [[2, 1]])]) nexthops.put(row)
  take()
  t.strictSame([...fdb.nexthopsTo('192.0.2.2')].sort(), [1, 10, 11])
  nexthops.put(nexthop(1, '192.0.2.9'))
  t.strictSame([[...fdb.nexthopsTo('192.0.2.2')], [...fdb.nexthopsTo('192.0.2.9')].sort()], [[], [1, 10, 11]])
  t.strictSame(take(), ['paths 1: 192.0.2.9/1', 'paths 10: 192.0.2.3/1 192.0.2.9/1', 'paths 11: 192.0.2.9/1'])
  nexthops.put(nexthopGroup(11, [[2, 1]]))
  take()
  nexthops.put(nexthop(1, '192.0.2.2'))
  t.strictSame(take(), ['paths 1: 192.0.2.2/1', 'paths 10: 192.0.2.2/1 192.0.2.3/1'], 'a group that no longer names it is not concerned')
  nexthops.put(nexthop(1, '192.0.2.2'))
  t.strictSame(take(), [], 'the same again is no news')
  t.end()
})

await t.test('rows go with their nexthop, untold by the kernel; a deleted member leaves its groups', (t) => {
  const { fdb, nexthops, take } = mirrors()
  for (const row of [nexthop(1, '192.0.2.2'), nexthopGroup(10, [[1, 1]]), nexthopGroup(11, [[1, 1]])]) nexthops.put(row)
  for (const row of [multihomedMac(VXLAN, mac(1), 10), multihomedMac(VXLAN2, mac(2), 10), multihomedMac(VXLAN, mac(3), 11), remoteMac(VXLAN, mac(4), '192.0.2.2')]) fdb.put(row)
  take()
  nexthops.delete(10)
  t.strictSame(take(), [
    'paths 10: none', 'device 3 leads to 192.0.2.2: false', `row 2 ${mac(1)}: 10 -> none`, `row 3 ${mac(2)}: 10 -> none`
  ], 'device 2 leads there by another group still')
  t.equal(fdb.size, 2)
  nexthops.delete(10)
  nexthops.delete(99)
  t.strictSame(take(), [], 'gone is gone')
  t.end()
})

await t.test('many rows on one group: what is told of its paths does not depend on how many', (t) => {
  const { fdb, nexthops, take } = mirrors()
  for (const row of [nexthop(1, '192.0.2.2'), nexthop(2, '192.0.2.3'), nexthopGroup(10, [[1, 1], [2, 1]])]) nexthops.put(row)
  for (let i = 10; i < 99; i++) fdb.put(multihomedMac(VXLAN, mac(i), 10))
  t.strictSame(take().filter((line) => line.startsWith('device')), ['device 2 leads to 192.0.2.2: true', 'device 2 leads to 192.0.2.3: true'])
  nexthops.put(nexthopGroup(10, [[2, 1]]))
  t.strictSame(take(), ['paths 10: 192.0.2.3/1', 'device 2 leads to 192.0.2.2: false'])
  t.ok(fdb.uses(fdbTable(VXLAN), '192.0.2.3') && fdb.remotes(fdbTable(VXLAN)).has('192.0.2.3'))
  for (let i = 10; i < 98; i++) fdb.delete(multihomedMac(VXLAN, mac(i), 10))
  t.strictSame(take().filter((line) => line.startsWith('device')), [])
  fdb.delete(multihomedMac(VXLAN, mac(98), 10))
  t.strictSame(take(), ['device 2 leads to 192.0.2.3: false', `row 2 ${mac(98)}: 10 -> none`])
  t.end()
})

await t.test('a device of many VNIs: rows of one VNI make VTEPs of that one', (t) => {
  const { fdb, nexthops } = mirrors()
  for (const row of [nexthop(1, '192.0.2.2'), nexthopGroup(10, [[1, 1]])]) nexthops.put(row)
  fdb.put(multihomedMac(VXLAN, mac(1), 10, { srcVni: 1000 }))
  t.ok(fdb.uses(fdbTable(VXLAN, 1000), '192.0.2.2'))
  t.notOk(fdb.uses(fdbTable(VXLAN, 2000), '192.0.2.2'))
  t.notOk(fdb.uses(fdbTable(VXLAN), '192.0.2.2'))
  t.end()
})

await t.test('a row that nobody learned makes no VTEP', (t) => {
  const { fdb, nexthops } = mirrors()
  for (const row of [nexthop(1, '192.0.2.2'), nexthopGroup(10, [[1, 1]])]) nexthops.put(row)
  fdb.put(multihomedMac(VXLAN, mac(1), 10, { flags: 2 }))
  t.notOk(fdb.uses(fdbTable(VXLAN), '192.0.2.2'))
  t.end()
})

await t.test('what a resync does not show is gone, and the rows on it with it', (t) => {
  const { fdb, nexthops, take } = mirrors()
  for (const row of [nexthop(1, '192.0.2.2'), nexthopGroup(10, [[1, 1]]), nexthopGroup(11, [[1, 1]])]) nexthops.put(row)
  for (const row of [multihomedMac(VXLAN, mac(1), 10), multihomedMac(VXLAN, mac(2), 11)]) fdb.put(row)
  take()
  nexthops.beginResync()
  for (const row of [nexthop(1, '192.0.2.2'), nexthopGroup(11, [[1, 1]])]) nexthops.put(row)
  t.strictSame(take(), [], 'what is as it was is no news')
  nexthops.finishResync()
  t.strictSame(take(), ['paths 10: none', `row 2 ${mac(1)}: 10 -> none`])
  t.equal(nexthops.size, 2)
  t.end()
})

await t.test('one that went, was kept, and is there again: the rows on it went with it', (t) => {
  const again: number[] = []
  const kept = new Set<NexthopRow>()
  const mirror = new NexthopMirror({ paths: () => undefined, gone: () => undefined, again: (id) => void again.push(id) }, {
    keeps: (row) => Boolean(kept.add(row)), isKept: (row) => kept.has(row), written: (_, old) => void (old && kept.delete(old)), dropped: () => undefined
  })
  mirror.put(nexthop(1, '192.0.2.2'))
  mirror.put(nexthop(1, '192.0.2.3'))
  t.strictSame(again, [], 'it was there all the time')
  mirror.delete(1)
  mirror.put(nexthop(1, '192.0.2.3'))
  t.strictSame(again, [1])
  t.end()
})
