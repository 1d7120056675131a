// How many tests passed, failed and were skipped: in TAP as a test file prints it, and in the line that ends a stage.

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 }

export function sum(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

/** As .ci/total.mjs reads it: `N passed, N failed, N skipped`. */
export function countsText({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** The counts, if the whole line is what `countsText` writes. */
export function parseCounts(line: string): Counts | undefined {
  const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line) ?? []
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }
}

/**
 * What one line of a test file's TAP counts: an assertion, or a test without any (its plan is `1..0`), which passes by not
 * throwing. A group of assertions has its duration behind it and counts for nothing.
 */
export function countsOf(line: string): Counts {
  if (/^\s+1\.\.0$/.test(line)) return { ...NONE, passed: 1 }
  const point = /^\s*(not )?ok \d+/.exec(line)
  if (point === null || / # time=/.test(line) || line.trimEnd().endsWith('{')) return NONE
  if (/# (SKIP|TODO)/i.test(line)) return { ...NONE, skipped: 1 }
  return point[1] === undefined ? { ...NONE, passed: 1 } : { ...NONE, failed: 1 }
}
