// docs/reliability.md against the tests: every row of a fault names tests that exist, in its last column or in the words before its
// table, and every test of this folder is named.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const [TEXT = '', ...SECTIONS] = readFileSync('docs/reliability.md', 'utf8').split(/^## /m)

/** Tests that a text names, as `folder/name`; `evpn-audit=report` and the like are none. */
function named(text: string): string[] {
  return [...text.matchAll(/`([a-z]+\/[a-z-]+)`/g)].flatMap(([, name = '']) => (existsSync(`test/${name.split('/')[0]}`) && name !== 'coverage/show' ? [name] : []))
}

for (const section of SECTIONS) {
  const lines = section.split('\n')
  const title = lines[0] ?? ''
  const rows = lines.map((line, at) => ({ line, at })).filter(({ line, at }) => line.startsWith('| ') && lines[at - 1]?.startsWith('|') === true && !/^\|[-|]+\|$/.test(line))
  if (rows.length === 0) continue
  await t.test(`${title}: every row names a test`, (t) => {
    for (const { line, at } of rows) {
      // A table without a column of tests: the words before it name them.
      const start = lines.slice(0, at).findLastIndex((each) => !each.startsWith('|'))
      const hasColumn = /\| Tests? \|$/.test(lines[start + 1] ?? '')
      const tests = named(hasColumn ? line.split('|').at(-2) ?? '' : lines.slice(0, start + 1).join('\n'))
      t.ok(tests.length > 0, `a test of: ${line.slice(0, 80)}`)
    }
    t.end()
  })
}

await t.test('every test that is named exists, and every test of this folder is named', (t) => {
  const all = new Set(named([TEXT, ...SECTIONS].join('\n')))
  t.ok(all.size > 20, `${all.size} are named`)
  t.strictSame([...all].filter((name) => !existsSync(`test/${name}.test.ts`)), [], 'all of them exist')
  const here = readdirSync('test/reliability').filter((file) => file.endsWith('.test.ts')).map((file) => `reliability/${file.replace('.test.ts', '')}`)
  t.strictSame(here.filter((name) => !all.has(name) && name !== 'reliability/docs'), [], 'none of this folder is missing')
  t.end()
})
