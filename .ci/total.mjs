// What both stages of the tests printed (two files), in one line of counts. Fails when a stage did not come to its end, when
// tests failed or were skipped, and when a file that one stage could not run was not run by the other.
import { readFileSync } from 'node:fs'

const stages = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'))
const problems = []
const total = { passed: 0, failed: 0, skipped: 0 }
for (const [i, text] of stages.entries()) {
  const counts = [...text.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)].at(-1)?.slice(1).map(Number)
  if (counts === undefined) {
    problems.push(`${process.argv[2 + i]}: no line with the counts: the stage did not come to its end`)
    total.failed++
    continue
  }
  for (const [j, name] of Object.keys(total).entries()) total[name] += counts[j]
}

// "not run here, needs NEED: FILE, FILE", and from the stage in the machine "# FILE: N passed, ..."
const notRun = stages.map((text) => new Set([...text.matchAll(/^not run here, needs [^:]+: (.*)$/gm)].flatMap(([, files]) => files.split(', '))))
const [, kernel = ''] = stages
const ranInKernel = new Set([...kernel.matchAll(/^# (\S+): \d+ passed, /gm)].map(([, file]) => file))
const nowhere = [...notRun[0] ?? []].filter((file) => !ranInKernel.has(file))
if (nowhere.length > 0) problems.push(`neither stage could run ${nowhere.join(', ')}`)
total.failed += nowhere.length

for (const problem of problems) console.log(`not ok: ${problem}`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed + total.skipped === 0 && total.passed > 0 ? 0 : 1)
