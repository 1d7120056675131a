// Runs tap over the given files, shows failures as they come, and closes with one line of counts.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const tap = spawn('npx', ['tap', '--reporter=tap', ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'inherit'] })
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
  if (/^\s*not ok/.test(line)) inFailure = true
  else if (/^\s*ok /.test(line)) inFailure = false
  if (inFailure || /^(ok|not ok|Bail out|# Subtest)/.test(line) || /SKIP/.test(line)) console.log(line)
}

const code = await new Promise((resolve) => tap.on('close', resolve))
if (code !== 0 && counts.failed === 0) counts.failed = 1
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(code === 0 ? 0 : 1)
