// The link mirror: by ifindex as the kernel keys, by name as users write; names change hands.
import t from 'tap'
import { LinkMirror } from '../../lib/mirror/links.js'
import { link } from './rows.js'

function mirror() {
  const told: string[] = []
  const links = new LinkMirror((old, current) => told.push(`${old === undefined ? 'none' : `${old.ifindex} ${old.name}`} -> ${current === undefined ? 'none' : `${current.ifindex} ${current.name}`}`))
  return { links, take: () => told.splice(0) }
}

await t.test('found by index and by name, until deleted', (t) => {
  const { links, take } = mirror()
  links.put(link(5, 'br-1000'))
  t.equal(links.byIndex(5), links.byName('br-1000'))
  t.equal(links.byName('br-2000'), undefined)
  links.delete(5)
  links.delete(5)
  t.equal(links.byIndex(5), undefined)
  t.equal(links.byName('br-1000'), undefined)
  t.strictSame(take(), ['none -> 5 br-1000', '5 br-1000 -> none'])
  t.end()
})

await t.test('a rename: the old name finds nothing, the change has both names', (t) => {
  const { links, take } = mirror()
  links.put(link(5, 'eth0'))
  links.put(link(5, 'br-1000'))
  t.equal(links.byName('eth0'), undefined)
  t.equal(links.byName('br-1000')?.ifindex, 5)
  t.strictSame(take(), ['none -> 5 eth0', '5 eth0 -> 5 br-1000'])
  t.end()
})

await t.test('swapped names, whichever device is told of first', (t) => {
  for (const order of [[5, 6], [6, 5]]) {
    const { links } = mirror()
    links.put(link(5, 'a'))
    links.put(link(6, 'b'))
    for (const ifindex of order) links.put(link(ifindex, ifindex === 5 ? 'b' : 'a'))
    t.equal(links.byName('a')?.ifindex, 6, `${order[0]} first`)
    t.equal(links.byName('b')?.ifindex, 5, `${order[0]} first`)
  }
  t.end()
})

await t.test('names passed round three devices', (t) => {
  const { links } = mirror()
  for (const [ifindex, name] of [[1, 'a'], [2, 'b'], [3, 'c']] as const) links.put(link(ifindex, name))
  for (const [ifindex, name] of [[1, 'b'], [2, 'c'], [3, 'a']] as const) links.put(link(ifindex, name))
  t.strictSame(['a', 'b', 'c'].map((name) => links.byName(name)?.ifindex), [3, 1, 2])
  t.end()
})

await t.test('a device recreated under its name: the news of the old one coming late takes nothing away', (t) => {
  const { links } = mirror()
  links.put(link(5, 'vxlan-1000'))
  links.put(link(9, 'vxlan-1000'))
  links.delete(5)
  t.equal(links.byName('vxlan-1000')?.ifindex, 9)
  t.equal(links.byIndex(5), undefined)
  t.end()
})

await t.test('resync: devices that are gone leave, names that changed hands stay with their new owners', (t) => {
  const { links, take } = mirror()
  links.put(link(5, 'a'))
  links.put(link(6, 'b'))
  take()
  links.beginResync()
  links.put(link(6, 'a'))
  links.finishResync()
  t.equal(links.byName('a')?.ifindex, 6)
  t.equal(links.byName('b'), undefined)
  t.equal(links.byIndex(5), undefined)
  t.strictSame(links.rows().map((row) => row.ifindex), [6])
  t.strictSame(take(), ['6 b -> 6 a', '5 a -> none'])
  t.end()
})
