// What .ci/run says last, over both stages: a test that ran nowhere, or a stage that ended early, is never a success.
import t from 'tap'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainEnv } from './process.js'
import { run } from './run.js'

const VRF = 'not run here, needs vrf: dist/a.test.js, dist/b.test.js\n'
const RAN = '# dist/a.test.js: 3 passed, 0 failed, 0 skipped, 5 s\n# dist/b.test.js: 4 passed, 0 failed, 0 skipped, 5 s\n'

const cases = [
  ['both stages pass', '5 passed, 0 failed, 0 skipped\n', '7 passed, 0 failed, 0 skipped\n', '12 passed, 0 failed, 0 skipped', 0],
  ['what one cannot run the other has run', `${VRF}5 passed, 0 failed, 0 skipped\n`, `${RAN}7 passed, 0 failed, 0 skipped\n`, '12 passed, 0 failed, 0 skipped', 0],
  ['a file that neither ran', `${VRF}5 passed, 0 failed, 0 skipped\n`, '7 passed, 0 failed, 0 skipped\n', '12 passed, 2 failed, 0 skipped', 1],
  ['a failure in one stage', '5 passed, 1 failed, 0 skipped\n', '7 passed, 0 failed, 0 skipped\n', '12 passed, 1 failed, 0 skipped', 1],
  ['a skipped test', '5 passed, 0 failed, 1 skipped\n', '7 passed, 0 failed, 0 skipped\n', '12 passed, 0 failed, 1 skipped', 1],
  ['a stage that did not come to its end', '5 passed, 0 failed, 0 skipped\n', 'booting\n', '5 passed, 1 failed, 0 skipped', 1]
] as const

for (const [what, machine, kernel, line, code] of cases) {
  await t.test(`${what}: ${line}`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'total-'))
    t.teardown(() => { rmSync(dir, { recursive: true }) })
    const [a, b] = [join(dir, 'machine'), join(dir, 'kernel')]
    writeFileSync(a, machine)
    writeFileSync(b, kernel)
    const result = await run([process.execPath, '.ci/total.mjs', a, b], { allowFailure: true, env: plainEnv() })
    t.equal(result.stdout.trim().split('\n').at(-1), line)
    t.equal(result.code, code, 'the exit code')
  })
}

await t.test('what fails before the tests ends .ci/run with the line, too: both stages have failed', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'total-'))
  t.teardown(() => { rmSync(dir, { recursive: true }) })
  const env = plainEnv()
  // Its first step, `bash .ci/setup`, which installs what is missing.
  writeFileSync(join(dir, 'bash'), '#!/bin/sh\nexit 2\n', { mode: 0o755 })
  const result = await run(['/bin/bash', '.ci/run'], { allowFailure: true, env: { ...env, PATH: `${dir}:${env['PATH']}` } })
  t.equal(result.stdout.trim().split('\n').at(-1), '0 passed, 2 failed, 0 skipped')
  t.equal(result.code, 1, 'the exit code')
})
