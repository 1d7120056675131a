// The figures in docs/performance.md: what stands between its two marks is written by the benchmark.
import { summarise, verdict, type Figure } from './figures.js'
import type { Section } from './section.js'
import { short } from './table.js'

const BEGIN = '<!-- figures: written by npm run bench -- --all -->'
const END = '<!-- end of figures -->'

export interface Machine {
  readonly date: string
  readonly kernel: string
  readonly cpus: number
  readonly cpu: string
  readonly node: string
  /** Load average before and after. */
  readonly load: readonly number[]
}

/** The page with these figures. Throws when it has no marks. */
export function withFigures(page: string, sections: readonly Section[], figures: readonly Figure[], machine: Machine): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the page lacks the marks "${BEGIN}" and "${END}"`)
  const { date, kernel, cpus, cpu, node, load } = machine
  const head = `Measured on ${date}: Linux ${kernel}, ${cpus} x ${cpu}, Node.js ${node}; load average ${load.join(' before, ')} after.`
  const parts = sections.filter(({ name }) => figures.some(({ section }) => section === name))
    .map(({ name, what }) => `### ${name}: ${what}\n\n${markdown(figures.filter(({ section }) => section === name))}`)
  return `${page.slice(0, begin)}${BEGIN}\n\n${head}\n\n${parts.join('\n\n')}\n\n${page.slice(end)}`
}

function markdown(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { median, p95, min, max } = summarise(figure.samples)
    const isOne = figure.samples.length === 1
    const cells = [
      figure.what, figure.n?.toLocaleString('en') ?? '', `${short(median)} ${figure.unit}`.trimEnd(), isOne ? '' : short(p95), isOne ? '' : `${short(min)} to ${short(max)}`,
      figure.target === undefined ? '' : `<= ${figure.target}`, verdict(figure)
    ]
    return `| ${cells.join(' | ')} |`
  })
  return ['| | N | median | p95 | spread | target | |', '|---|---|---|---|---|---|---|', ...rows].join('\n')
}
