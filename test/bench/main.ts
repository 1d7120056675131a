// The program `npm run bench`: measures sections on labs of its own, prints each figure beside its target, writes JSON, and draws
// how the time of one change grows.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { curve } from './curve.js'
import { thinned, verdict, type Verdict } from './figures.js'
import type { Outcome, Section } from './section.js'
import { SECTIONS } from './sections.js'
import { machine, type Machine } from './machine.js'
import { withFigures } from './page.js'
import { table } from './table.js'

const SIZES = [100, 1000, 10_000, 100_000]

/** What --all writes. */
const DOCS = { json: 'docs/performance.json', svg: 'docs/growth.svg', page: 'docs/performance.md' } as const

interface Options {
  readonly all?: true
  readonly sizes: readonly number[]
  readonly json?: string
  readonly svg?: string
}

function parseSizes(text: string): number[] {
  const sizes = text.split(',').map(Number)
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) throw new InvalidArgumentError('must be a list of numbers, e.g. 1000,100000')
  return sizes.sort((a, b) => a - b)
}

function parseSection(name: string, chosen: readonly Section[] = []): Section[] {
  const section = SECTIONS.find((known) => known.name === name)
  if (section === undefined) throw new InvalidArgumentError(`there are ${SECTIONS.map((known) => known.name).join(', ')}`)
  return [...chosen, section]
}

async function bench(chosen: readonly Section[], options: Options): Promise<void> {
  const sections = chosen.length === 0 ? SECTIONS : chosen
  // A section that is not measured now keeps the figures it has.
  const outcomes = new Map<string, Outcome>(options.all ? outcomesBefore().map((outcome) => [outcome.section, outcome]) : [])
  for (const section of sections) {
    const outcome = await measure(section, options.sizes)
    outcomes.set(section.name, outcome)
    const { figures, seconds, failure } = outcome
    console.log(`\n${section.name}: ${section.what}\n${failure === undefined ? table(figures) : `failed: ${failure}`}\n${seconds.toFixed(0)} s`)
    // As they come: what fails or is interrupted later loses none.
    write(SECTIONS.flatMap(({ name }) => outcomes.get(name) ?? []), options)
  }
  const all = sections.map(({ name }) => outcomes.get(name)).filter((outcome) => outcome !== undefined)
  const count = (wanted: Verdict) => all.flatMap(({ figures }) => figures).filter((figure) => verdict(figure) === wanted).length
  const failed = all.filter(({ failure }) => failure !== undefined).map(({ section }) => section)
  console.log(`\n${all.flatMap(({ figures }) => figures).length} figures, ${count('met')} targets met, ${count('missed')} missed; sections that failed: ${failed.join(', ') || 'none'}`)
  if (failed.length > 0) process.exitCode = 1
}

/** Never throws: a section that fails is an outcome, too. */
async function measure(section: Section, sizes: readonly number[]): Promise<Outcome> {
  const [before, began, date] = [loadNow(), performance.now(), new Date().toISOString().slice(0, 10)]
  const done = (): Omit<Outcome, 'figures'> => ({ section: section.name, date, seconds: (performance.now() - began) / 1000, load: [before, loadNow()] })
  try {
    const figures = await section.run({ sizes, isBrief: false, say: (text) => { console.error(`bench: ${text}`) } })
    return { ...done(), figures }
  } catch (error) {
    return { ...done(), figures: [], failure: error instanceof Error ? error.message : String(error) }
  }
}

function outcomesBefore(): readonly Outcome[] {
  return existsSync(DOCS.json) ? (JSON.parse(readFileSync(DOCS.json, 'utf8')) as { readonly sections: readonly Outcome[] }).sections : []
}

function write(sections: readonly Outcome[], { all, json, svg }: Options): void {
  const here = machine()
  for (const file of [json, ...(all ? [DOCS.json] : [])]) if (file !== undefined) writeFileSync(file, asJson({ machine: here, sections }))
  const drawing = curve(sections.flatMap(({ figures }) => figures))
  for (const file of [svg, ...(all ? [DOCS.svg] : [])]) if (file !== undefined && drawing !== undefined) writeFileSync(file, drawing)
  if (all) writeFileSync(DOCS.page, withFigures(readFileSync(DOCS.page, 'utf8'), SECTIONS, sections, here))
}

/** A line for each figure. */
function asJson(value: { readonly machine: Machine, readonly sections: readonly Outcome[] }): string {
  const text = JSON.stringify(value, (key, part: unknown) => key === 'samples' ? thinned(part as readonly number[]) : part)
  return text.replaceAll('{"section"', '\n{"section"') + '\n'
}

function loadNow(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0])
}

await new Command('npm run bench --')
  .description('Measures the daemon on labs of its own. Needs root; give it a machine with nothing else to do.')
  .argument('[section...]', SECTIONS.map(({ name, what }) => `${name}: ${what}`).join('\n'), parseSection)
  .option('--all', `every section, or those named; writes ${DOCS.json}, ${DOCS.svg} and the figures in ${DOCS.page}`)
  .option('--sizes <list>', 'numbers of MACs', parseSizes, SIZES)
  .option('--json <file>', 'write the samples there')
  .option('--svg <file>', 'draw the growth of one change there')
  .showHelpAfterError()
  .action(bench)
  .parseAsync()
