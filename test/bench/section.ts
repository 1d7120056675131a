// A section of the benchmark: what it is asked for by, and what it measures.
import type { Figure } from './figures.js'

export interface BenchOptions {
  /** Numbers of MACs, ascending. */
  readonly sizes: readonly number[]
  readonly say: (text: string) => void
}

export interface Section {
  readonly name: string
  readonly what: string
  readonly run: (options: BenchOptions) => Promise<Figure[]>
}

/** The largest size asked for: what the targets are set at. */
export function largest({ sizes }: BenchOptions): number {
  return Math.max(...sizes)
}
