// From a walk that fails to the few steps that make it fail: leaves steps out as long as the same thing goes wrong.
import { STEPS, walk, type WalkResult } from './walk.js'

/** More walks than this are not spent on one failure. */
const MAX_WALKS = 250

/** The shortest walk found that fails as this one does. */
export async function shrink(failed: WalkResult): Promise<WalkResult> {
  const kind = kindOf(failed)
  let shortest = failed
  let walks = 0
  const left = new Set<number>()
  for (let size = STEPS >> 2; size >= 1; size >>= 1) {
    for (let from = 0; from < STEPS && walks < MAX_WALKS; from += size) {
      const attempt = new Set([...left, ...Array.from({ length: Math.min(size, STEPS - from) }, (_, i) => from + i)])
      if (attempt.size === left.size) continue
      walks++
      const result = await walk(failed.seed, attempt)
      if (kindOf(result) !== kind) continue
      for (const step of attempt) left.add(step)
      shortest = result
    }
  }
  return shortest
}

/** What went wrong, without the numbers and addresses that differ from walk to walk. */
export function kindOf({ failures }: WalkResult): string {
  return (failures[0] ?? '').split('\n', 1).join('').replace(/\b[0-9a-f]+([.:][0-9a-f.:]+)?\b/g, '#').slice(0, 80)
}

/** A failed walk as a person reads it. */
export function report(failed: WalkResult, shortest: WalkResult): string {
  return [
    `walk ${failed.seed} fails; run it alone with WALK_SEED=${failed.seed}`,
    'the steps that are enough:', ...shortest.steps.map((step) => `  ${step}`),
    'what is wrong then:', ...shortest.failures.slice(0, 8).map((text) => `  ${text}`),
    'what the agent said last:', ...shortest.log.slice(-12).map((line) => `  ${line}`)
  ].join('\n')
}
