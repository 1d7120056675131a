// Figures as an aligned table: median, 95th percentile and spread beside target and floor.
import { summarise, verdict, type Figure } from './figures.js'

const HEAD = ['what', 'N', 'median', 'p95', 'min..max', 'unit', 'floor', 'target', ''] as const

export function table(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(row)]
  const widths = HEAD.map((_, i) => Math.max(...rows.map((cells) => cells[i]?.length ?? 0)))
  return rows.map((cells) => cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join('  ').trimEnd()).join('\n')
}

function row(figure: Figure): string[] {
  const { median, p95, min, max } = summarise(figure.samples)
  const isOne = figure.samples.length === 1
  return [
    figure.what, figure.n === undefined ? '' : figure.n.toLocaleString('en'), short(median), isOne ? '' : short(p95),
    isOne ? '' : `${short(min)}..${short(max)}`, figure.unit, figure.floor === undefined ? '' : short(figure.floor), figure.target === undefined ? '' : `<= ${figure.target}`, verdict(figure)
  ]
}

/** Three digits that matter. */
export function short(value: number): string {
  if (value === 0 || Math.abs(value) >= 100) return value.toFixed(0)
  return value.toPrecision(3)
}
