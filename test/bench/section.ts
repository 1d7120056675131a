// A section of the benchmark: what it is asked for by, and what it measures.
import { summarise, type Figure } from './figures.js'

export interface BenchOptions {
  /** Numbers of MACs, ascending. */
  readonly sizes: readonly number[]
  /** Few samples, one round, short storms: shows that it works, measures nothing. */
  readonly isBrief: boolean
  readonly say: (text: string) => void
}

export interface Section {
  readonly name: string
  readonly what: string
  readonly run: (options: BenchOptions) => Promise<Figure[]>
}

/** What came of a section, and when. */
export interface Outcome {
  readonly section: string
  readonly date: string
  readonly seconds: number
  /** Load average before and after. */
  readonly load: readonly number[]
  readonly figures: readonly Figure[]
  /** Why there are no figures. */
  readonly failure?: string
}

/** The largest size asked for: what the targets are set at. */
export function largest({ sizes }: BenchOptions): number {
  return Math.max(...sizes)
}

/** How much slower each of these is at the largest size than at 1,000. */
export function growth(figures: readonly Figure[], section: string, whats: readonly string[]): Figure[] {
  return whats.flatMap((what): Figure[] => {
    const of = figures.filter((figure) => figure.what === what)
    const base = of.find(({ n }) => n === 1000)
    const last = of.at(-1)
    if (base === undefined || last === undefined || base === last) return []
    const ratio = summarise(last.samples).median / summarise(base.samples).median
    return [{ section, what: `${what}: ${last.n} against 1000`, unit: 'x', samples: [ratio], target: 1.3 }]
  })
}
