// The demo interrupted, by Ctrl-C or worse: nothing of it stays.
import t from 'tap'
import { removeLab } from '../lab/down.js'
import { leftovers, surroundings } from '../lab/leftovers.js'
import { readProcesses } from '../lab/state.js'
import { DemoProgram } from './program.js'

const before = surroundings()

const moments = [
  { when: 'devices are made', says: 'network namespaces and devices' },
  { when: 'routing starts', says: 'FRR on' },
  { when: 'pings run', says: 'every workload pings every other' },
  { when: 'the daemon is about to be killed under traffic', says: 'kill -9' }
] as const

for (const { when, says } of moments) {
  await t.test(`Ctrl-C while ${when}`, async (t) => {
    const demo = new DemoProgram()
    await demo.printed(says)
    t.teardown(() => removeLab(demo.labId))
    const pids = readProcesses(demo.labId).map(({ pid }) => pid)
    demo.signal('SIGINT')
    t.equal(await demo.ended(), 130)
    t.match(demo.stderr, /^\ndemo: ended by SIGINT; removing what was built\n$/)
    t.same(leftovers(demo.labId, pids), [])
  })
}

await t.test('what kill -9 leaves is removed by the next run', async (t) => {
  const killed = new DemoProgram()
  await killed.printed('Type-2 routes')
  const { labId } = killed
  t.teardown(() => removeLab(labId))
  killed.signal('SIGKILL')
  t.equal(await killed.ended(), 'SIGKILL')
  const pids = readProcesses(labId).map(({ pid }) => pid)
  t.not(leftovers(labId).length, 0, 'the kill left something')
  const next = new DemoProgram()
  await next.printed('building the lab')
  t.same(leftovers(labId, pids), [])
  next.signal('SIGTERM')
  t.equal(await next.ended(), 143)
  t.same(leftovers(next.labId), [])
})

t.same(surroundings(), before)
