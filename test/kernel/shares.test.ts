// The stage over several machines: every file is in one share, and a machine that does not come to its end is no success.
import t from 'tap'
import type { PassThrough } from 'node:stream'
import type { Outcome } from './machine.js'
import { dealOut, runShares } from './shares.js'

const ENDED: Outcome = { kind: 'ended', code: 0 }

/** Machines that run no tests, but say so. `losing` ends in the midst of it, `end` is how. */
function pretend(losing?: string, end: Outcome = { kind: 'timeout' }) {
  return async (files: readonly string[], output: PassThrough): Promise<Outcome> => {
    await Promise.resolve()
    for (const file of files) {
      if (file === losing) return end
      output.write(`# ${file}: 2 passed, 0 failed, 0 skipped, 5 s\n`)
    }
    output.write(`${2 * files.length} passed, 0 failed, 0 skipped\n`)
    return ENDED
  }
}

t.same(dealOut(['a', 'b', 'c', 'd', 'e'], 2), [['a', 'c', 'e'], ['b', 'd']], 'in turn')
t.same(dealOut(['a'], 2), [['a']], 'no machine without a file')

await t.test('the last line counts over all machines, which have none of their own', async (t) => {
  const printed: string[] = []
  const { mishaps } = await runShares([['a', 'c'], ['b']], pretend(), (line) => printed.push(line))
  t.same([...printed].sort(), ['# a', '# b', '# c'].map((file) => `${file}: 2 passed, 0 failed, 0 skipped, 5 s`).concat('6 passed, 0 failed, 0 skipped'))
  t.equal(printed.at(-1), '6 passed, 0 failed, 0 skipped')
  t.same(mishaps, [])
})

await t.test('a machine that ended early: each file it owes has failed, by name', async (t) => {
  const printed: string[] = []
  const { mishaps } = await runShares([['a', 'c', 'e'], ['b']], pretend('c'), (line) => printed.push(line))
  t.ok(['c', 'e'].every((file) => printed.includes(`not ok - ${file}: its machine ended before it did`)), printed.join('\n'))
  t.equal(printed.at(-1), '4 passed, 2 failed, 0 skipped')
  t.same(mishaps, [{ kind: 'timeout' }])
})

await t.test('a machine whose program was killed: each file it owes has failed, by name', async (t) => {
  const printed: string[] = []
  await runShares([['a', 'c'], ['b']], pretend('c', { kind: 'ended', code: 137 }), (line) => printed.push(line))
  t.ok(printed.includes('not ok - c: its machine ended before it did'), printed.join('\n'))
  t.equal(printed.at(-1), '4 passed, 1 failed, 0 skipped')
})

await t.test('a file that a machine says it cannot run has not failed', async (t) => {
  const printed: string[] = []
  const boot = async (files: readonly string[], output: PassThrough): Promise<Outcome> => {
    await Promise.resolve()
    output.write(`not run here, needs vrf: ${files.join(', ')}\n0 passed, 0 failed, 0 skipped\n`)
    return ENDED
  }
  await runShares([['a', 'b']], boot, (line) => printed.push(line))
  t.same(printed, ['not run here, needs vrf: a, b', '0 passed, 0 failed, 0 skipped'])
})
