// Command lines: whatever is given, both programs either understand it or end with one sentence and a code that is not 0.
import fc from 'fast-check'
import t from 'tap'
import { parseCliArguments } from '../../lib/cli/arguments.js'
import { Failure } from '../../lib/cli/failure.js'
import { parseArguments } from '../../lib/daemon/arguments.js'
import type { DaemonOptions } from '../../lib/daemon/options.js'
import { SEED } from './input.js'

const WORDS = [
  '--pidfile', '--pidfile=', '--overwrite-pidfile', '--detach', '--no-chdir', '--chdir', '--log-file', '--log-file=x', '--unixctl', '--unixctl=none',
  '--unixctl-group', '--unixctl-group=0', '--metrics', '--metrics=h:1', '-p', '-c', '-C', '-v', '-vconsole:off', '--verbose', '-h', '--help', '-V',
  '--version', '--', '-', '', '=', '--=', '-=', '--private-key=', 'unix:', 'unix:x', 'tcp:h:1', 'ssl:h:1', 'ssl:', 'show', 'macs', 'drops', '--json',
  '--vni', '--vni=1000', '--vni=-1', '-t', '-t=', '--target', '__proto__', '--__proto__', 'constructor', 'help', '\n', '\0'
]

const words = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...WORDS) }, { weight: 1, arbitrary: fc.string({ unit: 'binary' }) }), { maxLength: 6 })

/** Stands for the end of the process. */
class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`)
  }
}

/** parseArguments in this process, which must not end: what it would have ended with is caught. */
function parseHere(args: readonly string[]): { readonly options?: DaemonOptions, readonly code?: number, readonly said: string } {
  const exit = process.exit.bind(process)
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write.bind(stream) }))
  let said = ''
  process.exit = (code = 0) => { throw new Exit(Number(code)) }
  for (const { stream } of streams) stream.write = (text: unknown) => { said += String(text); return true }
  try {
    return { options: parseArguments(args, { OVS_RUNDIR: '/r' }, '1.2.3'), said }
  } catch (error) {
    if (error instanceof Exit) return { code: error.code, said }
    throw error
  } finally {
    process.exit = exit
    for (const { stream, write } of streams) stream.write = write
  }
}

await t.test(`ovs-evpnd: options with absolute paths, or an end with words (seed ${SEED})`, (t) => {
  const outcomes = { options: 0, ends: 0 }
  fc.assert(fc.property(words, (args) => {
    const { options, code, said } = parseHere(args)
    if (options === undefined) {
      outcomes.ends++
      if (said.trim() === '') throw new Error(`ends with ${code} and says nothing`)
      if (code !== 0 && !said.includes('error: ')) throw new Error(`ends with ${code} and says: ${said}`)
      return
    }
    outcomes.options++
    const paths = [options.rundir, options.pidfile, options.logFile, options.unixctl === 'none' ? undefined : options.unixctl]
    const relative = paths.filter((path) => path !== undefined && !path.startsWith('/'))
    if (relative.length > 0) throw new Error(`not absolute: ${relative.join()}`)
  }), { numRuns: 2000, seed: SEED })
  t.ok(outcomes.options > 50 && outcomes.ends > 50, `${outcomes.options} understood, ${outcomes.ends} ended`)
  t.end()
})

await t.test(`ovs-evpnctl: a question, help, or a Failure with a sentence (seed ${SEED})`, (t) => {
  const outcomes = { options: 0, help: 0, failures: 0 }
  fc.assert(fc.property(words, (args) => {
    try {
      const options = parseCliArguments(args, '1.2.3', () => undefined)
      outcomes[options === undefined ? 'help' : 'options']++
    } catch (error) {
      if (!(error instanceof Failure) || error.message === '' || error.exitCode === 0) throw error
      outcomes.failures++
    }
  }), { numRuns: 2000, seed: SEED })
  t.ok(outcomes.options > 10 && outcomes.help > 10 && outcomes.failures > 10, JSON.stringify(outcomes))
  t.end()
})
