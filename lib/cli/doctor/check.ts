// A check: one thing that goes wrong in practice, as data. What it finds is a pure function of the facts.
import type { Facts } from './facts.js'

export interface Found {
  /** Whom it concerns: a device, a bridge, a VTEP. */
  readonly subject: string
  readonly what: string
  /** Commands, to be typed one after the other, that mend it. */
  readonly mend: readonly string[]
}

export interface Check {
  readonly id: string
  /** error: packets or routes are lost. warning: they may be. */
  readonly severity: 'error' | 'warning'
  /** Why it matters, in a sentence. */
  readonly why: string
  readonly find: (facts: Facts) => readonly Found[]
}

export interface Finding extends Found {
  readonly id: string
  readonly severity: Check['severity']
  readonly why: string
}

/** What the checks find, in their order. */
export function examine(checks: readonly Check[], facts: Facts): Finding[] {
  return checks.flatMap(({ id, severity, why, find }) => find(facts).map((found) => ({ id, severity, why, ...found })))
}
