// Every section of the benchmark at a tiny size: that it works and what it counts, never how long anything takes.
import t from 'tap'
import { summarise } from './figures.js'
import { SECTIONS } from './sections.js'
import { table } from './table.js'

const SIZE = 40

/** Figures that are counts, right whatever the machine does: messages, losses, flows. */
const COUNTS: Readonly<Record<string, readonly string[]>> = {
  change: [],
  bulk: ['notifications lost (overruns)', 'tiny buffer: flows missing or wrong at the end'],
  start: ['flow and group messages sent by it'],
  rate: ['storm: MACs not at their last VTEP in the end'],
  ecmp: ['group messages for it', 'flow messages for it'],
  decap: ['member: flows in the switch', 'strict: flows in the switch'],
  flood: ['VTEPs that a broadcast does not reach', 'the same, as the daemon tells'],
  bgp: []
}

// Eight labs, one after the other.
t.setTimeout(280_000)

t.strictSame(SECTIONS.map(({ name }) => name).sort(), Object.keys(COUNTS).sort(), 'every section is here')

for (const { name, what, run } of SECTIONS) {
  await t.test(`${name}: ${what}`, async (t) => {
    const figures = await run({ sizes: [SIZE], isBrief: true, say: (text) => t.comment(text) })
    t.ok(figures.length > 1, 'has figures')
    for (const { what, samples } of figures) t.ok(samples.length > 0 && samples.every(Number.isFinite), `${what}: ${samples.slice(0, 5).join(' ')}`)
    for (const wanted of COUNTS[name] ?? []) {
      const figure = figures.find((one) => one.what === wanted)
      t.ok(figure !== undefined && summarise(figure.samples).max <= (figure.target ?? Number.NaN), `${wanted}: ${figure?.samples.join(' ')}, at most ${figure?.target}`)
    }
    t.match(table(figures), /^what +N +median/, 'prints as a table')
  })
}
