// A line of TAP counts once, and a test without assertions counts, too.
import t from 'tap'
import { countsOf, countsText, NONE, parseCounts, sum } from './counts.js'

const cases = [
  ['an assertion that holds', '    ok 1 - the MAC', '1 passed, 0 failed, 0 skipped'],
  ['one that does not', '        not ok 2 - the MAC', '0 passed, 1 failed, 0 skipped'],
  ['one that was skipped', 'ok 1 - the MAC # SKIP', '0 passed, 0 failed, 1 skipped'],
  ['a group of assertions', 'ok 1 - rule 1 # time=5.738ms', '0 passed, 0 failed, 0 skipped'],
  ['a group that failed', 'not ok 4 - rule 1 # time=34.395ms', '0 passed, 0 failed, 0 skipped'],
  ['a buffered group', '    ok 1 - rule 1 {', '0 passed, 0 failed, 0 skipped'],
  ['a group without assertions, which would have thrown', '    1..0', '1 passed, 0 failed, 0 skipped'],
  ['the plan of a group with some', '    1..2', '0 passed, 0 failed, 0 skipped'],
  ['a file without tests', '1..0', '0 passed, 0 failed, 0 skipped'],
  ['anything else', '# Subtest: ok 1', '0 passed, 0 failed, 0 skipped']
] as const

for (const [what, line, counts] of cases) t.equal(countsText(countsOf(line)), counts, what)

const some = { passed: 3, failed: 2, skipped: 1 }
t.same(parseCounts(countsText(some)), some, 'the line is read as it is written')
t.equal(parseCounts('# a.test.js: 3 passed, 0 failed, 0 skipped'), undefined, 'a file\'s line is not the last one')
t.same(sum(sum(NONE, some), some), { passed: 6, failed: 4, skipped: 2 })
