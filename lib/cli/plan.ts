// `ovs-evpnctl plan KEY=VALUE...`: what a change of the configuration would add, change and remove.
import { oneLine } from '../daemon/log/line.js'
import type { PlanEntry, PlannedReport, PlanReport } from '../daemon/report/report.js'
import type { Colour, Paint } from './colour.js'

/** Entries of each kind that are shown. */
const SHOWN = 20

const KINDS = [
  ['tunnel_ports', 'tunnel port'], ['devices', 'kernel device'], ['flows', 'flow'], ['groups', 'group'], ['kernel_rows', 'kernel row']
] as const satisfies readonly (readonly [keyof PlanReport, string])[]

const SIGNS: Readonly<Record<PlanEntry['change'], readonly [sign: string, colour: Colour]>> = { added: ['+', 'green'], changed: ['~', 'yellow'], removed: ['-', 'red'] }

export function formatPlan(plan: PlanReport, paint: Paint): string {
  const sections = KINDS.flatMap(([kind, noun]) => section(plan[kind], noun, paint))
  const lines = [
    ...plan.commands.map(oneLine), '',
    ...(sections.length === 0 ? ['would change nothing.', ''] : sections),
    ...plan.problems.slice(0, SHOWN).map((text) => `  problem: ${oneLine(text)}`), ...(plan.problems.length === 0 ? [] : ['']),
    'Nothing has been changed.'
  ]
  return lines.map((line) => line + '\n').join('')
}

function section(planned: PlannedReport, noun: string, paint: Paint): string[] {
  const { added, changed, removed, meanwhile, entries } = planned
  const total = added + changed + removed
  if (total === 0 && meanwhile === 0) return []
  const counts = Object.entries({ added, changed, removed }).filter(([, count]) => count > 0).map(([word, count]) => `${count} ${word}`)
  const more = total - Math.min(entries.length, SHOWN)
  return [
    `${total} ${noun}${total === 1 ? '' : 's'} would be touched: ${counts.join(', ')}`,
    ...entries.slice(0, SHOWN).flatMap(({ change, what, was }) => {
      const [sign, colour] = SIGNS[change]
      return [...(was === undefined ? [] : [paint(`  ${sign} ${oneLine(was)}`, 'dim')]), paint(`  ${sign} ${oneLine(what)}`, colour)]
    }),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(meanwhile > 0 ? [`  and ${meanwhile} that changed while this was planned; ask again`] : []),
    ''
  ]
}
