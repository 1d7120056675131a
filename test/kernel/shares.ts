// The stage over several machines: one CPU and a share of the test files each. Two machines with one CPU are twice as fast as
// one with two: an emulated CPU waits long for another one, most of all when the host has something else to do.
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { countsText, NONE, parseCounts, sum, type Counts } from './counts.js'
import type { Outcome } from './machine.js'

/** Boots a machine that runs these test files by the stage's program; what it prints goes to `output`. */
export type BootShare = (files: readonly string[], output: PassThrough) => Promise<Outcome>

export interface StageResult {
  readonly counts: Counts
  /** How machines ended otherwise than by their program's end. */
  readonly mishaps: readonly Exclude<Outcome, { readonly kind: 'ended' }>[]
}

/** Deals the files out, one after the other, in their order; no share is empty. */
export function dealOut(files: readonly string[], machines: number): string[][] {
  const shares = Array.from({ length: Math.min(machines, files.length) }, (): string[] => [])
  files.forEach((file, i) => shares[i % shares.length]?.push(file))
  return shares
}

/** Runs all shares at the same time. Prints what they print, in whole lines, and last the line with the counts over all. */
export async function runShares(shares: readonly (readonly string[])[], boot: BootShare, print: (line: string) => void): Promise<StageResult> {
  const results = await Promise.all(shares.map((files) => runShare(files, boot, print)))
  const counts = results.map((result) => result.counts).reduce(sum, NONE)
  print(countsText(counts))
  return { counts, mishaps: results.flatMap(({ outcome }) => outcome.kind === 'ended' ? [] : [outcome]) }
}

async function runShare(files: readonly string[], boot: BootShare, print: (line: string) => void): Promise<{ counts: Counts, outcome: Outcome }> {
  const output = new PassThrough()
  const read = readShare(output, print)
  const outcome = await boot(files, output).finally(() => output.end())
  const { counts, reported } = await read
  // However the machine ended, even as if all were well: what it told of its files counts, and each of the others has failed.
  const lost = files.filter((file) => !reported.has(file))
  for (const file of lost) print(`not ok - ${file}: its machine ended before it did`)
  return { counts: { ...counts, failed: counts.failed + lost.length }, outcome }
}

async function readShare(output: PassThrough, print: (line: string) => void): Promise<{ counts: Counts, reported: Set<string> }> {
  const reported = new Set<string>()
  let counts = NONE
  for await (const line of createInterface({ input: output })) {
    if (parseCounts(line) !== undefined) continue
    // Files that it cannot run it names (test/lab/needs.ts), and owes no more.
    for (const file of /^not run here, needs [^:]+: (.*)$/.exec(line)?.[1]?.split(', ') ?? []) reported.add(file)
    const [, file, text = ''] = /^# (\S+): (\d+ passed, \d+ failed, \d+ skipped), \d+ s$/.exec(line) ?? []
    if (file !== undefined) {
      reported.add(file)
      counts = sum(counts, parseCounts(text) ?? NONE)
    }
    print(line)
  }
  return { counts, reported }
}
