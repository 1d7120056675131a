// Which test files this stage runs, compiled, as paths from the current directory.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { declaredNeeds } from '../lab/needs.js'

const TESTS = fileURLToPath(new URL('..', import.meta.url))

/**
 * Whose tests can run in both stages, unless they declare what only one has. Of those of reliability not the ones that are about
 * the daemon alone, under overload and with few privileges, nor what is read by Prometheus and a browser, and not the one that sends more packets than an emulated machine forwards.
 */
const BOTH_STAGES = /^((semantics|system(?!\/metrics))\/|reliability\/(?!overload-|privileges|restart-packets))/

/**
 * Those of them for which `.ci/run` has the time, beside all that declare a need: what the datapaths could do differently.
 * The longest first, so that the machines are done at about the same time.
 */
const CHOSEN: readonly string[] = [
  'semantics/nexthop', 'reliability/frames', 'system/forwarding', 'semantics/vteps', 'semantics/trunk', 'semantics/suppression', 'system/tunnel',
  'system/underlay-ipv6', 'semantics/prefer-local'
]

/** `all`, the choice of `.ci/run`, or those of all whose path contains one of the words. */
export type Which = { readonly kind: 'all' | 'ci' } | { readonly kind: 'only', readonly words: readonly string[] }

export function filesOf(which: Which): string[] {
  const names = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.js')).sort()
  const needy = names.filter((name) => declaredNeeds(readFileSync(join(TESTS, name), 'utf8'), name).length > 0)
  const others = names.filter((name) => BOTH_STAGES.test(name) && !needy.includes(name))
  const chosen = CHOSEN.map((name) => `${name}.test.js`)
  const unknown = chosen.filter((name) => !others.includes(name))
  if (unknown.length > 0) throw new Error(`chosen for .ci/run, but there is no such file: ${unknown.join(', ')}`)
  const files = [...needy, ...(which.kind === 'ci' ? chosen : others)]
  return files.filter((name) => which.kind !== 'only' || which.words.some((word) => name.includes(word))).map((name) => relative(process.cwd(), join(TESTS, name)))
}
