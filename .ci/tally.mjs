// Runs tap over the given files (compiled tests), shows failures as they come, and closes with one line of counts. Files that
// need what this machine lacks are named instead (test/lab/needs.ts).
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { selectFiles } from '../dist/test/lab/needs.js'

const { run, notes } = selectFiles(process.argv.slice(2))
if (run.length === 0) {
  console.log(notes.join('\n'))
  console.log('0 passed, 0 failed, 0 skipped')
  process.exit(1)
}
const tap = spawn('npx', ['tap', '--reporter=tap', ...run], { stdio: ['ignore', 'pipe', 'inherit'] })
const counts = { passed: 0, failed: 0, skipped: 0 }
let inFailure = false

for await (const line of createInterface({ input: tap.stdout })) {
  const point = /^\s+(not )?ok \d+(.*)$/.exec(line)
  const isGroup = / # time=/.test(line) || line.trimEnd().endsWith('{')
  if (point && !isGroup) {
    if (/# (SKIP|TODO)/i.test(line)) counts.skipped++
    else if (point[1]) counts.failed++
    else counts.passed++
  }
  // A test without assertions passes by not throwing; the plan of a file without tests has less before it.
  if (/^\s{8,}1\.\.0$/.test(line)) counts.passed++
  if (/^\s*not ok/.test(line)) inFailure = true
  else if (/^\s*ok /.test(line)) inFailure = false
  if (inFailure || /^(ok|not ok|Bail out|# Subtest)/.test(line) || /SKIP/.test(line)) console.log(line)
}

const code = await new Promise((resolve) => tap.on('close', resolve))
if (code !== 0 && counts.failed === 0) counts.failed = 1
for (const note of notes) console.log(note)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(code === 0 ? 0 : 1)
