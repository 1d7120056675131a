// The neighbour mirror: device and IP are the key, MAC and state are values.
import t from 'tap'
import { NeighbourMirror } from '../../lib/mirror/neighbours.js'
import { NTF, NUD, type NeighRow } from '../../lib/netlink/index.js'
import { neighbour } from './rows.js'

const [MAC, OTHER] = ['02:00:00:00:00:01', '02:00:00:00:00:02']

function mirror() {
  const told: string[] = []
  const neighbours = new NeighbourMirror((ifindex, ip, old, current) => told.push(`${ifindex} ${ip}: ${old?.lladdr ?? 'none'} -> ${current?.lladdr ?? 'none'}`))
  return { neighbours, take: () => told.splice(0) }
}

const KEY_PARTS: readonly (readonly [part: string, a: NeighRow, b: NeighRow])[] = [
  ['the device', neighbour(5, '10.0.0.1', MAC), neighbour(6, '10.0.0.1', MAC)],
  ['the IP', neighbour(5, '10.0.0.1', MAC), neighbour(5, '10.0.0.2', MAC)],
  ['the family', neighbour(5, '10.0.0.1', MAC), neighbour(5, '::ffff:a00:1', MAC)],
  ['device and IP run together', neighbour(1, '11.0.0.1', MAC), neighbour(11, '1.0.0.1', MAC)]
]

for (const [part, a, b] of KEY_PARTS) {
  await t.test(`never alias: ${part}`, (t) => {
    const { neighbours, take } = mirror()
    neighbours.put(a)
    neighbours.put(b)
    t.ok(take().every((line) => line.includes(': none -> ')), 'each is new')
    neighbours.delete(a)
    t.equal(neighbours.get(a.ifindex, a.dst ?? ''), undefined)
    t.strictSame(neighbours.get(b.ifindex, b.dst ?? ''), b)
    t.end()
  })
}

await t.test('one IP has one MAC: a new MAC replaces the old one', (t) => {
  const { neighbours, take } = mirror()
  neighbours.put(neighbour(5, '10.0.0.1', MAC))
  neighbours.put(neighbour(5, '10.0.0.1', OTHER))
  t.equal(neighbours.onDevice(5).size, 1)
  t.strictSame(take(), [`5 10.0.0.1: none -> ${MAC}`, `5 10.0.0.1: ${MAC} -> ${OTHER}`])
  t.end()
})

await t.test('MAC, state, flags and writer are news; the same row again is none', (t) => {
  const row = neighbour(5, '10.0.0.1', MAC)
  const changes: Partial<NeighRow>[] = [{ lladdr: OTHER }, { state: NUD.STALE }, { flags: 0 }, { flags: NTF.EXT_LEARNED | NTF.ROUTER }, { protocol: 85 }]
  for (const change of changes) {
    const { neighbours, take } = mirror()
    neighbours.put(row)
    neighbours.put({ ...row })
    t.equal(take().length, 1, 'the same row')
    neighbours.put({ ...row, ...change })
    t.equal(take().length, 1, JSON.stringify(change))
  }
  t.end()
})

await t.test('resync: what the dump did not show is gone', (t) => {
  const { neighbours, take } = mirror()
  neighbours.put(neighbour(5, '10.0.0.1', MAC))
  neighbours.put(neighbour(5, '2001:db8::1', MAC))
  take()
  neighbours.beginResync()
  neighbours.put(neighbour(5, '2001:db8::1', MAC))
  neighbours.finishResync()
  t.strictSame([...neighbours.onDevice(5).keys()], ['2001:db8::1'])
  t.strictSame(take(), [`5 10.0.0.1: ${MAC} -> none`])
  t.end()
})

await t.test('a row without an IP is no neighbour; deleting what is not there tells nothing', (t) => {
  const { neighbours, take } = mirror()
  const { dst: _, ...row } = neighbour(5, '10.0.0.1', MAC)
  neighbours.put(row)
  neighbours.delete(row)
  neighbours.delete(neighbour(5, '10.0.0.1', MAC))
  t.strictSame(take(), [])
  t.equal(neighbours.onDevice(5).size, 0)
  t.end()
})
