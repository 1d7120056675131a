// The program `npm run bench`: measures sections on labs of its own, prints each figure beside its target, writes JSON, and draws
// how the time of one change grows.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { curve } from './curve.js'
import { verdict, type Figure } from './figures.js'
import type { Section } from './section.js'
import { SECTIONS } from './sections.js'
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

async function bench(chosen: readonly Section[], { all, sizes, json, svg }: Options): Promise<void> {
  const figures: Figure[] = []
  const began = loadNow()
  for (const section of chosen.length === 0 ? SECTIONS : chosen) {
    const measured = await section.run({ sizes, isBrief: false, say: (text) => { console.error(`bench: ${text}`) } })
    figures.push(...measured)
    console.log(`\n${section.name}: ${section.what}\n${table(measured)}`)
  }
  const machine = { date: new Date().toISOString().slice(0, 10), kernel: release(), cpus: cpus().length, cpu: cpus()[0]?.model ?? '', node: process.version, load: [began, loadNow()] }
  for (const file of [json, ...(all ? [DOCS.json] : [])]) if (file !== undefined) writeFileSync(file, JSON.stringify({ machine, figures }, undefined, 2) + '\n')
  const drawing = curve(figures)
  for (const file of [svg, ...(all ? [DOCS.svg] : [])]) if (file !== undefined && drawing !== undefined) writeFileSync(file, drawing)
  if (all) writeFileSync(DOCS.page, withFigures(readFileSync(DOCS.page, 'utf8'), SECTIONS, figures, machine))
  const missed = figures.filter((figure) => verdict(figure) === 'missed')
  console.log(`\n${figures.length} figures, ${figures.filter((figure) => verdict(figure) === 'met').length} targets met, ${missed.length} missed`)
}

function loadNow(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0])
}

await new Command('npm run bench --')
  .description('Measures the daemon on labs of its own. Needs root; give it a machine with nothing else to do.')
  .argument('[section...]', SECTIONS.map(({ name, what }) => `${name}: ${what}`).join('\n'), parseSection)
  .option('--all', `every section; writes ${DOCS.json}, ${DOCS.svg} and the figures in ${DOCS.page}`)
  .option('--sizes <list>', 'numbers of MACs', parseSizes, SIZES)
  .option('--json <file>', 'write every sample there')
  .option('--svg <file>', 'draw the growth of one change there')
  .showHelpAfterError()
  .action(bench)
  .parseAsync()
