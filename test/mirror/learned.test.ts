import t from 'tap'
import { LearnedMirror, MAX_LEARNED } from '../../lib/mirror/learned.js'

const VNI = 1000
const [A, B] = ['02:00:00:00:00:01', '02:00:00:00:00:02'] as const

function mirror(): { readonly learned: LearnedMirror, readonly take: () => string[] } {
  const news: string[] = []
  return { learned: new LearnedMirror((vni, mac) => news.push(`${vni} ${mac}`)), take: () => news.splice(0) }
}

await t.test('learned, moved, forgotten: each is told once; the same again is no news', (t) => {
  const { learned, take } = mirror()
  learned.put({ vni: VNI, mac: A, ofport: 1 })
  learned.put({ vni: VNI, mac: A, ofport: 1 })
  t.same(take(), [`${VNI} ${A}`])
  learned.put({ vni: VNI, mac: A, ofport: 2 })
  t.same(take(), [`${VNI} ${A}`])
  t.match(learned.get(VNI, A), { ofport: 2 })
  t.equal(learned.size, 1)
  learned.delete(VNI, A)
  learned.delete(VNI, A)
  t.same(take(), [`${VNI} ${A}`])
  t.equal(learned.size, 0)
  t.end()
})

await t.test('a MAC in two VNIs is two', (t) => {
  const { learned } = mirror()
  for (const vni of [VNI, VNI + 1]) learned.put({ vni, mac: A, ofport: 1 })
  learned.delete(VNI, A)
  t.same([...learned.under(VNI).keys(), ...learned.under(VNI + 1).keys()], [A])
  t.end()
})

await t.test('what the switch has when the monitor starts replaces everything, and only what differs is told', (t) => {
  const { learned, take } = mirror()
  learned.put({ vni: VNI, mac: A, ofport: 1 })
  learned.put({ vni: VNI + 1, mac: A, ofport: 1 })
  take()
  learned.replaceAll([{ vni: VNI, mac: A, ofport: 1 }, { vni: VNI, mac: B, ofport: 1 }])
  t.same(take(), [`${VNI + 1} ${A}`, `${VNI} ${B}`])
  t.equal(learned.size, 2)
  t.end()
})

await t.test('packets cannot fill it: newcomers are refused and counted, those that are in may move, and one that goes makes room', (t) => {
  const { learned, take } = mirror()
  const mac = (i: number) => `02:00:00:${[16, 8, 0].map((shift) => ((i >> shift) & 255).toString(16).padStart(2, '0')).join(':')}`
  for (let i = 0; i < MAX_LEARNED; i++) learned.put({ vni: VNI, mac: mac(i), ofport: 1 })
  take()
  learned.put({ vni: VNI, mac: mac(MAX_LEARNED), ofport: 1 })
  t.same(take(), [])
  t.equal(learned.refused, 1)
  t.notOk(learned.hasRoom, 'it is full')
  t.equal(learned.size, MAX_LEARNED)
  learned.put({ vni: VNI, mac: mac(0), ofport: 2 })
  t.same(take(), [`${VNI} ${mac(0)}`])
  learned.delete(VNI, mac(1))
  learned.put({ vni: VNI, mac: mac(MAX_LEARNED), ofport: 1 })
  t.same(take(), [`${VNI} ${mac(1)}`, `${VNI} ${mac(MAX_LEARNED)}`])
  t.notOk(learned.hasRoomAgain, 'one that goes is no reason to read them all again')
  t.notOk(learned.hasRoom, 'one has come for the one that went')
  learned.delete(VNI, mac(2))
  t.notOk(learned.hasRoomAgain, 'not at once')
  t.ok(learned.hasRoom, 'but in a while')
  for (let i = 3; i <= MAX_LEARNED / 10 + 1; i++) learned.delete(VNI, mac(i))
  t.ok(learned.hasRoomAgain, 'a tenth is')
  learned.replaceAll([])
  t.notOk(learned.hasRoomAgain || learned.hasRoom, 'none is refused any more')
  t.end()
})
