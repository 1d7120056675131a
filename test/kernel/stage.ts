// The program that runs test files in a machine, those that it can run, one for each CPU at a time, by node alone: the
// runner of tap takes a minute to start on an emulated machine. Ends with the line `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { selectFiles } from '../lab/needs.js'
import { countsOf, countsText, NONE, sum, type Counts } from './counts.js'

/** Runs one file, shows what failed in it, and returns its counts; a file that ends badly has failed at least once. */
async function runFile(file: string): Promise<Counts> {
  const started = Date.now()
  const failures: string[] = []
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject))
  let counts = NONE
  let isFailure = false
  for await (const line of createInterface({ input: child.stdout })) {
    const verdict = /^\s*(not )?ok\b/.exec(line)
    if (verdict) isFailure = verdict[1] !== undefined
    if (isFailure || /^(not ok|Bail out)|# (SKIP|TODO)/.test(line)) failures.push(line)
    counts = sum(counts, countsOf(line))
  }
  const code = await ended
  if (counts.passed + counts.failed === 0) failures.push(`not ok - ${file}: nothing was tested`)
  if ((code !== 0 || counts.passed === 0) && counts.failed === 0) counts = { ...counts, failed: 1 }
  // At once: the other files' lines do not come between.
  console.log([...failures, `# ${file}: ${countsText(counts)}, ${Math.round((Date.now() - started) / 1000)} s`].join('\n'))
  return counts
}

let total = NONE
const { run, notes } = selectFiles(process.argv.slice(2))
const queue = [...run]

/** Takes files from the queue until it is empty. */
async function work(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const counts = await runFile(file)
    total = sum(total, counts)
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work))
for (const note of notes) console.log(note)
console.log(countsText(total))
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
