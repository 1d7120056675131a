// The demo's judgement: what must pass passes, and what must not is said in one sentence.
import t from 'tap'
import type { Workload } from '../lab/spec.js'
import { requireSame } from './compare.js'
import { mapConcurrently } from './concurrent.js'
import { formatMatrix, judgeCells, type Cell } from './matrix.js'
import { judgeEvents, judgeLoss, judgeMods } from './restart.js'
import { parseMacIpRoutes } from './routes.js'
import { Screen, Unmet, type Output } from './screen.js'

const workloads = [['a', 10], ['b', 10], ['c', 20]].map(([name, vni]) => ({ name: `c1-${vni}-${name}`, vni, vtep: 'c1' }) as Workload)

/** Every ordered pair in both families; passing as it must unless `not` names it. */
function cells(not: readonly string[] = []): Cell[] {
  const pairs = workloads.flatMap((from) => workloads.filter((to) => to !== from).map((to) => ({ from, to })))
  return pairs.flatMap(({ from, to }) => ([4, 6] as const).map((family) => {
    const isWrong = not.includes(`${from.name} ${to.name} ${family}`)
    return { from, to, family, passed: (from.vni === to.vni) !== isWrong }
  }))
}

await t.test('a matrix as it must be is counted', (t) => {
  t.equal(judgeCells(cells(), 4, 'within'), 2)
  t.equal(judgeCells(cells(), 6, 'across'), 4)
  t.end()
})

await t.test('one lost ping within a VNI fails that family alone, and is named', (t) => {
  const wrong = cells(['c1-10-a c1-10-b 6'])
  t.equal(judgeCells(wrong, 4, 'within'), 2)
  t.throws(() => judgeCells(wrong, 6, 'within'), {
    message: 'expected all 2 pairs to reach each other; got no reply for c1-10-a > c1-10-b'
  })
  t.end()
})

await t.test('one answered ping across VNIs fails, and is named', (t) => {
  t.throws(() => judgeCells(cells(['c1-20-c c1-10-b 4']), 4, 'across'), {
    message: 'expected none of 4 pairs to reach each other; got a reply for c1-20-c > c1-10-b'
  })
  t.end()
})

await t.test('the matrix as a table', (t) => {
  const plan = { vnis: [10, 20], workloads } as unknown as Parameters<typeof formatMatrix>[0]
  t.equal(formatMatrix(plan, cells(['c1-10-b c1-10-a 4', 'c1-20-c c1-10-a 6'])), [
    'from \\ to        VNI 10      VNI 20',
    '                 c1-a c1-b   c1-c',
    'c1-10-a               46     .',
    'c1-10-b          -6          .',
    'c1-20-c          -6   .'
  ].join('\n'))
  t.end()
})

const sets = [
  { expected: ['a', 'b'], got: ['b', 'a', 'a'], message: undefined },
  { expected: ['a', 'b'], got: ['a'], message: 'expected 2 things; got 1, without b' },
  { expected: ['a'], got: ['b', 'c'], message: 'expected 1 things; got 2, without a and with b, c on top' },
  { expected: [], got: ['1', '2', '3', '4', '5', '6', '7'], message: 'expected 0 things; got 7, with 1, 2, 3, 4, 5 and 2 more on top' }
] as const

for (const { expected, got, message } of sets) {
  await t.test(`${got.join(' ')} instead of ${expected.join(' ') || 'nothing'}`, (t) => {
    const compare = (): void => { requireSame('things', expected, got) }
    if (message === undefined) t.doesNotThrow(compare)
    else t.throws(compare, { message })
    t.end()
  })
}

await t.test('a restart without loss, writes and events is good', (t) => {
  const stream = { name: 'x', sent: 10, lost: 0, duplicates: 0 }
  t.equal(judgeLoss([stream, { ...stream, sent: 5 }]), 15)
  t.doesNotThrow(() => { judgeMods({ netlink_messages: 7, flow_mods: 0, kernel_writes: 4 }) })
  t.doesNotThrow(() => { judgeEvents([]) })
  t.end()
})

await t.test('a lost or doubled packet, a write, an event is not', (t) => {
  const streams = [
    { name: 'x', sent: 10, lost: 1, duplicates: 0 },
    { name: 'y', sent: 5, lost: 0, duplicates: 2 }
  ]
  t.throws(() => judgeLoss(streams), {
    message: 'expected every packet to be answered once; ' +
      'got x: of 10 packets 1 lost, 0 answered twice; y: of 5 packets 0 lost, 2 answered twice'
  })
  for (const counter of ['flow_mods', 'group_mods']) {
    t.throws(() => { judgeMods({ [counter]: 3 }) }, { message: `expected no flow-mod and no group-mod; got ${counter} 3` })
  }
  t.throws(() => { judgeEvents(['event=ADDED table=202']) }, { message: 'expected no event; got 1: event=ADDED table=202' })
  t.end()
})

await t.test('Type-2 routes are read from what FRR prints as JSON, several paths of a prefix included', (t) => {
  const path = (ip: string | undefined, nextHop: string): object => ({
    mac: '02:00:00:01:01:01',
    ...(ip === undefined ? {} : { ip }),
    extendedCommunity: { string: 'RT:65000:1000 ET:8' },
    nexthops: [{ ip: nextHop }]
  })
  const json = JSON.stringify({
    '192.0.2.1:2': {
      rd: '192.0.2.1:2',
      '[2]:[0]:[48]:[02:00:00:01:01:01]': { prefixLen: 352, paths: [[path(undefined, '192.0.2.1')], [path(undefined, '192.0.2.2')]] },
      '[2]:[0]:[48]:[02:00:00:01:01:01]:[32]:[10.0.1.11]': { prefixLen: 352, paths: [[path('10.0.1.11', '192.0.2.1')]] }
    },
    numPrefix: 2,
    numPaths: 3
  })
  const common = { rd: '192.0.2.1:2', mac: '02:00:00:01:01:01', communities: 'RT:65000:1000 ET:8' }
  t.same(parseMacIpRoutes(json), [
    { ...common, ip: undefined, nextHop: '192.0.2.1' },
    { ...common, ip: undefined, nextHop: '192.0.2.2' },
    { ...common, ip: '10.0.1.11', nextHop: '192.0.2.1' }
  ])
  t.same(parseMacIpRoutes('{"numPrefix":0}'), [])
  t.end()
})

await t.test('at most so many at once, every one of them, results in order', async (t) => {
  let running = 0
  let most = 0
  const results = await mapConcurrently([5, 1, 4, 2, 3], 2, async (n) => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < n; turn++) await new Promise((resolve) => setImmediate(resolve))
    running--
    return n * 10
  })
  t.same(results, [50, 10, 40, 20, 30])
  t.equal(most, 2)
  await t.rejects(mapConcurrently([1, 2], 2, (n) => n === 2 ? Promise.reject(new Error('two')) : Promise.resolve(n)), { message: 'two' })
})

class Paper implements Output {
  text = ''
  constructor(readonly isTTY: boolean, readonly colored: boolean) {}
  write(text: string): void { this.text += text }
  hasColors(): boolean { return this.colored }
}

for (const [isTTY, colored] of [[true, true], [true, false], [false, true]] as const) {
  await t.test(`colours: ${isTTY ? 'a terminal' : 'no terminal'} that ${colored ? 'has' : 'wants no'} colours`, async (t) => {
    const paper = new Paper(isTTY, colored)
    const screen = new Screen(paper)
    await screen.check('one', () => 1, String)
    screen.show('Heading', 'text')
    t.equal(paper.text.includes('\x1b['), isTTY && colored)
  })
}

await t.test('what fails is said, does not stop what follows, and is in the summary', async (t) => {
  const paper = new Paper(false, false)
  const screen = new Screen(paper)
  t.equal(await screen.check('one', () => 1, String), 1)
  t.ok(screen.allPassed)
  t.equal(await screen.check('two', () => { throw new Unmet('2', '3') }, String), undefined)
  t.notOk(screen.allPassed)
  screen.summarize()
  t.match(paper.text, /\nSummary\n\n {2}PASS {2}one: 1\n {2}FAIL {2}two: expected 2; got 3\n\ndemo: 1 of 2 checks failed in \d+\.\d s\n$/)
})
