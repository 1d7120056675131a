// What a test declares is what the stages read, in any form the compiler leaves it in, and nothing is overlooked.
import t from 'tap'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { declaredNeeds, selectFiles } from './needs.js'
import { run } from './run.js'

const IMPORT = 'import { needs } from \'../lab/needs.js\';\n'

const declarations = [
  ['nothing', 'import t from \'tap\';\n', []],
  ['one', `${IMPORT}needs('vrf');\n`, ['vrf']],
  ['several, one with a space', `${IMPORT}needs('kernel datapath', "dummy");\n`, ['kernel datapath', 'dummy']],
  ['in two lines', `${IMPORT}needs('vrf');\nneeds('dummy');\n`, ['vrf', 'dummy']]
] as const

for (const [what, text, expected] of declarations) {
  await t.test(`a file that declares ${what}`, (t) => {
    t.same(declaredNeeds(text, 'x.test.js'), expected)
    t.end()
  })
}

for (const [what, text] of [
  ['a need nobody knows', `${IMPORT}needs('wings');\n`],
  ['a need inside a test, where no stage sees it', `${IMPORT}t.test('x', () => {\n  needs('vrf');\n});\n`],
  ['needs that are no literals', `${IMPORT}needs(...all);\n`]
] as const) {
  await t.test(`${what} is an error that names the file and what is possible`, (t) => {
    t.throws(() => declaredNeeds(text, 'x.test.js'), { message: /^x\.test\.js: .*needs\('NAME', \.\.\.\).*vrf/ })
    t.end()
  })
}

await t.test('a machine\'s files are those whose needs it has; the others are named with what they need', async (t) => {
  const hasDummy = (await run(['unshare', '--net', 'ip', 'link', 'add', 'probe', 'type', 'dummy'], { allowFailure: true })).code === 0
  const dir = mkdtempSync(join(tmpdir(), 'needs-'))
  t.teardown(() => { rmSync(dir, { recursive: true }) })
  const [plain, dummy] = [join(dir, 'plain.test.js'), join(dir, 'dummy.test.js')]
  writeFileSync(plain, 'import t from \'tap\';\n')
  writeFileSync(dummy, `${IMPORT}needs('dummy');\n`)
  const selected = selectFiles([plain, dummy])
  t.same(selected, hasDummy ? { run: [plain, dummy], notes: [] } : { run: [plain], notes: [`not run here, needs dummy: ${dummy}`] })
})
