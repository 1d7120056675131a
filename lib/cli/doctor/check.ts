// A check: one thing that goes wrong in practice, as data. What it finds is a pure function of the facts.
import type { Problem } from '../../daemon/report/report.js'
import type { Facts } from './facts.js'

export interface Found {
  /** Whom it concerns: a device, a bridge, a VTEP. */
  readonly subject: string
  readonly what: string
  /** Commands, to be typed one after the other, that mend it. Empty where no command can. */
  readonly mend: readonly string[]
}

export interface Check {
  readonly id: string
  /** error: packets or routes are lost. warning: they may be. info: nothing is wrong, and it could be better. */
  readonly severity: 'error' | 'warning' | 'info'
  /** Why it matters, in a sentence. */
  readonly why: string
  /** `isSaid`: a check before this one has found what the daemon tells in this problem. */
  readonly find: (facts: Facts, isSaid: (problem: Problem) => boolean) => readonly Found[]
  /** True when a finding is what the daemon tells in a problem of its own. Without: the daemon has no word for it. */
  readonly covers?: (problem: Problem, found: Found) => boolean
}

export interface Finding extends Found {
  readonly id: string
  readonly severity: Check['severity']
  readonly why: string
}

/** What the checks find, in their order. */
export function examine(checks: readonly Check[], facts: Facts): Finding[] {
  const findings: Finding[] = []
  const said: ((problem: Problem) => boolean)[] = []
  for (const { id, severity, why, find, covers } of checks) {
    const found = find(facts, (problem) => said.some((isIt) => isIt(problem)))
    findings.push(...found.map((one) => ({ id, severity, why, ...one })))
    if (covers !== undefined) said.push((problem) => found.some((one) => covers(problem, one)))
  }
  return findings
}

/** Covers problems in such words that name whom the finding concerns. */
export function naming(words: RegExp): NonNullable<Check['covers']> {
  return ({ record, what }, { subject }) => words.test(what) && `${record} ${what}`.split(/\s+/).some((word) => word === subject || word.replace(/^\(|[:,;)]+$/g, '') === subject)
}
