// Numbers out of samples: median, 95th percentile, spread; a figure with its target and floor.

export interface Figure {
  readonly section: string
  readonly what: string
  /** Size it was measured at; undefined = there is none. */
  readonly n?: number
  readonly unit: string
  readonly samples: readonly number[]
  /** Largest median that is good. */
  readonly target?: number
  /** What cannot be beaten, measured in the same run, in the same unit: a median. */
  readonly floor?: number
  readonly note?: string
}

export interface Summary {
  readonly median: number
  readonly p95: number
  readonly min: number
  readonly max: number
}

/** Throws RangeError without samples. */
export function summarise(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError('no samples')
  const sorted = [...samples].sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 }
}

/** At most so many of the samples, four digits each, with the same spread and much the same median. */
export function thinned(samples: readonly number[], count = 1000): number[] {
  const sorted = [...samples].sort((a, b) => a - b)
  const kept = samples.length <= count ? samples : Array.from({ length: count }, (_, i) => sorted[Math.round(i * (sorted.length - 1) / (count - 1))] ?? 0)
  return kept.map((sample) => Number(sample.toPrecision(4)))
}

/** Linear interpolation between the neighbours of the position. */
function quantile(sorted: readonly number[], q: number): number {
  const position = (sorted.length - 1) * q
  const [below, above] = [sorted[Math.floor(position)] ?? 0, sorted[Math.ceil(position)] ?? 0]
  return below + (above - below) * (position - Math.floor(position))
}

export type Verdict = 'met' | 'missed' | ''

export function verdict({ samples, target }: Figure): Verdict {
  if (target === undefined) return ''
  return summarise(samples).median <= target ? 'met' : 'missed'
}
