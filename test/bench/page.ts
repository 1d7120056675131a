// The figures in docs/performance.md: what stands between its two marks is written by the benchmark.
import { summarise, verdict, type Figure } from './figures.js'
import { machineText, type Machine } from './machine.js'
import type { Outcome, Section } from './section.js'
import { short } from './table.js'

const BEGIN = '<!-- figures: written by npm run bench -- --all -->'
const END = '<!-- end of figures -->'

/** The page with these figures. Throws when it has no marks. */
export function withFigures(page: string, sections: readonly Section[], outcomes: readonly Outcome[], machine: Machine): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the page lacks the marks "${BEGIN}" and "${END}"`)
  const parts = sections.flatMap((section) => outcomes.filter((outcome) => outcome.section === section.name).map((outcome) => part(section, outcome)))
  return `${page.slice(0, begin)}${BEGIN}\n\n${machineText(machine)}\n\n${parts.join('\n\n')}\n\n${page.slice(end)}`
}

function part({ name, what }: Section, { date, seconds, load, figures, failure }: Outcome): string {
  const when = `Measured on ${date} in ${seconds.toFixed(0)} s; load average ${load.join(' before, ')} after.`
  return `### ${name}: ${what}\n\n${when}\n\n${failure === undefined ? markdown(figures) : `It failed: ${failure}`}`
}

function markdown(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { median, p95, min, max } = summarise(figure.samples)
    const isOne = figure.samples.length === 1
    const cells = [
      figure.what, figure.n?.toLocaleString('en') ?? '', `${short(median)} ${figure.unit}`.trimEnd(), isOne ? '' : short(p95), isOne ? '' : `${short(min)} to ${short(max)}`,
      figure.floor === undefined ? '' : short(figure.floor), figure.target === undefined ? '' : `<= ${figure.target}`, verdict(figure)
    ]
    return `| ${cells.join(' | ')} |`
  })
  return ['| | N | median | p95 | spread | floor | target | |', '|---|---|---|---|---|---|---|---|', ...rows].join('\n')
}
