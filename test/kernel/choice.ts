// Which test files this stage runs, compiled, as paths from the current directory.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { declaredNeeds } from '../lab/needs.js'

const TESTS = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = fileURLToPath(new URL('../../../test', import.meta.url))

/** Whose tests can run in both stages, unless they declare what only one has. */
const BOTH_STAGES = /^(system|semantics|reliability)\//

/** Which of them do not run in the machine, and why. */
const LEFT_OUT: readonly (readonly [names: RegExp, why: string])[] = [
  [/^reliability\/(overload-|privileges)/, 'about the daemon alone'],
  [/^system\/metrics/, 'about what Prometheus and a browser read'],
  [/^reliability\/restart-packets/, 'sends more packets than an emulated machine forwards']
]

/**
 * Those of them for which `.ci/run` has the time, beside all that declare a need: what the datapaths could do differently.
 * The longest first, so that the machines are done at about the same time.
 */
const CHOSEN: readonly string[] = [
  'semantics/nexthop', 'reliability/frames', 'system/forwarding', 'semantics/vteps', 'semantics/trunk', 'semantics/suppression',
  'system/tunnel', 'system/underlay-ipv6', 'semantics/prefer-local'
]

/** `all`, the choice of `.ci/run`, or those of all whose path contains one of the words. */
export type Which = { readonly kind: 'all' | 'ci' } | { readonly kind: 'only', readonly words: readonly string[] }

/** The files that do not run in the machine though it could run them, by the reason. */
export function leftOut(): { readonly why: string, readonly files: readonly string[] }[] {
  const names = testNames()
  return LEFT_OUT.map(([left, why]) => ({ why, files: names.filter((name) => left.test(name)) }))
}

/** Compiled tests, by their path in dist/test; what is left there of a source that is gone is none. */
function testNames(): string[] {
  return readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js') && existsSync(join(SOURCES, name.replace(/\.js$/, '.ts')))).sort()
}

export function filesOf(which: Which): string[] {
  const names = testNames()
  const needy = names.filter((name) => declaredNeeds(readFileSync(join(TESTS, name), 'utf8'), name).length > 0)
  const others = names.filter((name) => BOTH_STAGES.test(name) && !LEFT_OUT.some(([left]) => left.test(name)) && !needy.includes(name))
  const chosen = CHOSEN.map((name) => `${name}.test.js`)
  const unknown = chosen.filter((name) => !others.includes(name))
  if (unknown.length > 0) throw new Error(`chosen for .ci/run, but there is no such file: ${unknown.join(', ')}`)
  const files = [...needy, ...(which.kind === 'ci' ? chosen : others)]
  return files.filter((name) => which.kind !== 'only' || which.words.some((word) => name.includes(word))).map((name) => relative(process.cwd(), join(TESTS, name)))
}
