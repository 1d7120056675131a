// How long events take: from the moment the kernel's message was read to the switch's answer that its flow or group is there (or
// gone); of a withdrawal, with the time for which it is held. Kept as histograms, one for each kind of change.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** A flow that came, changed or went; a group that did any of it. */
export const CHANGES = ['learn', 'move', 'withdraw', 'group'] as const
export type Change = (typeof CHANGES)[number]

/** Times in ms; 0 without events. */
export interface LatencySummary {
  readonly change: Change
  readonly events: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Events that took up to `le` ms, and longer than the bucket before; null = longer than all others. */
export interface LatencyBucket {
  readonly le: number | null
  readonly events: number
}

/** `buckets`: those that have events, ascending. */
export interface LatencyReport extends LatencySummary {
  readonly buckets: readonly LatencyBucket[]
}

/** How many events took at most as long as each bound; how many there were; how long all of them took, in s. */
export interface Distribution {
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
}

/** In s: the bounds of the buckets in which it is told. */
export const BOUNDS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** In us: up to an hour, in steps of 1 %. */
const RANGE = { lowest: 1, highest: 3_600_000_000, figures: 2 } as const

export class Latency {
  readonly #histograms: Readonly<Record<Change, RecordableHistogram>> = {
    learn: createHistogram(RANGE), move: createHistogram(RANGE), withdraw: createHistogram(RANGE), group: createHistogram(RANGE)
  }

  /** In ms. */
  record(change: Change, ms: number): void {
    this.#histograms[change].record(Math.min(RANGE.highest, Math.max(RANGE.lowest, Math.round(ms * 1_000))))
  }

  /** Of the events since the start; `bounds` ascend, in s. Read from the histogram's own steps: a bound is exact to 1 %. */
  distribution(change: Change, bounds: readonly number[]): Distribution {
    const histogram = this.#histograms[change]
    const { count } = histogram
    let below = 0
    // The k-th of n is at the percentile 100 k / n: so many lie below a bound as there are k whose value does.
    const counts = bounds.map((bound) => {
      let high = count
      while (below < high) {
        const middle = Math.ceil((below + high) / 2)
        if (histogram.percentile(100 * middle / count) <= bound * 1_000_000) below = middle
        else high = middle - 1
      }
      return below
    })
    return { counts, count, sum: count === 0 ? 0 : count * histogram.mean / 1_000_000 }
  }

  summaries(): LatencySummary[] {
    return CHANGES.map((change) => {
      const histogram = this.#histograms[change]
      const at = (percent: number) => histogram.count === 0 ? 0 : histogram.percentile(percent) / 1_000
      return { change, events: histogram.count, p50: at(50), p95: at(95), p99: at(99), max: at(100) }
    })
  }
  report(): LatencyReport[] {
    return this.summaries().map((summary) => ({ ...summary, buckets: this.#buckets(summary.change) }))
  }

  #buckets(change: Change): LatencyBucket[] {
    const { counts, count } = this.distribution(change, BOUNDS)
    return [...counts, count]
      .map((upTo, i) => ({ le: BOUNDS[i] === undefined ? null : BOUNDS[i] * 1_000, events: upTo - (counts[i - 1] ?? 0) }))
      .filter(({ events }) => events > 0)
  }
}
