// `ovs-evpnctl doctor`: what goes wrong in practice, found, with the commands that mend it.
import { oneLine } from '../../daemon/log/line.js'
import { examine, type Finding } from './check.js'
import { CHECKS, leftOut } from './checks.js'
import type { Trouble, Unreachable } from '../unreachable.js'
import type { Facts } from './facts.js'

export interface Diagnosis {
  readonly findings: readonly Finding[]
  /** What could not be looked at and why, with the checks that were left out for it. */
  readonly skipped: readonly string[]
  /** All checks that were left out. */
  readonly left_out: readonly string[]
}

export function diagnose(facts: Facts): Diagnosis {
  return { findings: examine(CHECKS, facts), skipped: whatWasSkipped(facts), left_out: leftOut(facts.skipped.map(({ source }) => source)) }
}

/** Several things may be left out for the same reason. */
function whatWasSkipped({ skipped }: Facts): string[] {
  return [...new Set(skipped.map(({ why }) => why))].map((why) => {
    const ids = leftOut(skipped.filter((one) => one.why === why).map(({ source }) => source))
    return `${why}; left out: ${ids.join(', ')}`
  })
}

/** What a daemon that cannot be asked is called. */
const WITHOUT: Readonly<Record<Trouble, Pick<Finding, 'id' | 'why'>>> = {
  absent: { id: 'daemon-down', why: 'Flows and kernel rows stay as they are, and nothing follows what changes.' },
  silent: { id: 'daemon-silent', why: 'While it does not go on, nothing follows what changes.' },
  denied: { id: 'daemon-denied', why: 'Without its answers nothing can be looked at.' }
}

/** All that can be said while nobody answers on the control socket. */
export function withoutDaemon({ trouble, message, mend }: Pick<Unreachable, 'trouble' | 'message' | 'mend'>): Diagnosis {
  return {
    findings: [{ ...WITHOUT[trouble], severity: 'error', subject: 'ovs-evpnd', what: message, mend }], skipped: ['all other checks: they need the daemon'], left_out: CHECKS.map(({ id }) => id)
  }
}

/** 0: nothing found that is wrong; 1: warnings; 2: errors. */
export function exitCodeOf({ findings }: Pick<Diagnosis, 'findings'>): number {
  return findings.some(({ severity }) => severity === 'error') ? 2 : findings.some(({ severity }) => severity === 'warning') ? 1 : 0
}

export function formatDiagnosis(diagnosis: Diagnosis): string {
  const { findings, skipped } = diagnosis
  const lines = [
    ...findings.flatMap(({ id, severity, what, why, mend }) => [
      `${severity.toUpperCase()} ${id}: ${what}`, `  why: ${why}`, ...mend.map((command, at) => `  ${at === 0 ? 'mend:' : '     '} ${command}`), ''
    ]),
    ...skipped.map((text) => `Not looked at: ${text}.`), summary(diagnosis)
  ]
  return lines.map((line) => oneLine(line) + '\n').join('')
}

function summary({ findings, left_out: { length } }: Diagnosis): string {
  const count = (of: Finding['severity'], noun: string): string => {
    const found = findings.filter(({ severity }) => severity === of).length
    return `${found} ${noun}${found === 1 ? '' : 's'}`
  }
  const hints = findings.some(({ severity }) => severity === 'info') ? `, ${count('info', 'hint')}` : ''
  const made = length === 0 ? `${CHECKS.length} checks` : `${CHECKS.length - length} checks; ${length} others were left out`
  return findings.length === 0 ? `Nothing found in ${made}.` : `${count('error', 'error')}, ${count('warning', 'warning')}${hints}.`
}
