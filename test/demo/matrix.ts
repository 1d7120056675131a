// Who reaches whom: one ping for each ordered pair of workloads and family. Within a VNI all must pass, across VNIs none.
import type { Lab } from '../lab/lab.js'
import { ping } from '../lab/ping.js'
import type { LabPlan, Workload } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { some } from './compare.js'
import { mapConcurrently } from './concurrent.js'
import { Unmet } from './screen.js'

export type Family = 4 | 6

/** One ping that was sent. */
export interface Cell {
  readonly from: Workload
  readonly to: Workload
  readonly family: Family
  readonly passed: boolean
}

/** Pings that mostly wait for a reply that must not come: many fit into one second. */
const AT_ONCE = 40

/**
 * Waits until a ping passes between each two VTEPs: the first packets are lost while a switch resolves its peer by ARP.
 * Returns the number of ways.
 */
export async function warmUp(lab: Lab): Promise<number> {
  const first = lab.plan.vteps.flatMap(({ name }) => lab.plan.workloads.find(({ vtep }) => vtep === name) ?? [])
  const pairs = first.flatMap((from) => first.filter((to) => to !== from).map((to) => [from.name, to.name] as const))
  await Promise.all(pairs.map(([from, to]) => waitFor(`a ping from ${from} to ${to}`, async () => {
    const { received } = await ping(lab, from, to, { count: 1 })
    return received === 1 || 'no reply'
  })))
  return pairs.length
}

/** Pings every pair once, in both families. */
export async function pingMatrix(lab: Lab): Promise<Cell[]> {
  const workloads = byVni(lab.plan)
  const pairs = workloads.flatMap((from) => workloads.filter((to) => to !== from).map((to) => ({ from, to })))
  const cells = pairs.flatMap((pair) => ([4, 6] as const).map((family) => ({ ...pair, family })))
  return await mapConcurrently(cells, AT_ONCE, async ({ from, to, family }) => {
    // A reply ends the waiting at once: those that must come may take longer on a busy machine.
    const timeout = from.vni === to.vni ? 3 : 1
    const { received } = await ping(lab, from.name, to.name, { family, count: 1, timeout })
    return { from, to, family, passed: received === 1 }
  })
}

/** Checks the cells of one family, within VNIs or across them; returns how many there are. Throws Unmet for those that differ. */
export function judgeCells(cells: readonly Cell[], family: Family, where: 'within' | 'across'): number {
  const judged = cells.filter((cell) => cell.family === family && (cell.from.vni === cell.to.vni) === (where === 'within'))
  const wrong = judged.filter(({ passed }) => passed !== (where === 'within'))
  if (wrong.length > 0) {
    const pairs = some(wrong.map(({ from, to }) => `${from.name} > ${to.name}`))
    const [share, reply] = where === 'within' ? ['all', 'no reply'] : ['none of', 'a reply']
    throw new Unmet(`${share} ${judged.length} pairs to reach each other`, `${reply} for ${pairs}`)
  }
  return judged.length
}

/** `46` = IPv4 and IPv6 pass, `4-` and `-6` one of them, `.` none. */
export function formatMatrix(plan: LabPlan, cells: readonly Cell[]): string {
  const workloads = byVni(plan)
  const mark = (from: Workload, to: Workload): string => {
    if (from === to) return ''
    const ofPair = cells.filter((cell) => cell.from === from && cell.to === to && cell.passed)
    const families = ([4, 6] as const).map((family) => ofPair.some((cell) => cell.family === family) ? String(family) : '-').join('')
    return families === '--' ? '.' : families
  }
  const groups = plan.vnis.map((vni) => workloads.filter((workload) => workload.vni === vni))
  const row = (head: string, text: (to: Workload) => string): string =>
    [head.padEnd(15), ...groups.map((group) => group.map((to) => text(to).padEnd(5)).join(''))].join('  ').trimEnd()
  return [
    ['from \\ to'.padEnd(15), ...groups.map((group, i) => `VNI ${plan.vnis[i]}`.padEnd(group.length * 5))].join('  ').trimEnd(),
    row('', (to) => shortName(to)),
    ...workloads.map((from) => row(from.name, (to) => mark(from, to)))
  ].join('\n')
}

function byVni(plan: LabPlan): Workload[] {
  return plan.vnis.flatMap((vni) => plan.workloads.filter((workload) => workload.vni === vni))
}

/** `c1-1000-a` -> `c1-a`. */
function shortName({ name, vni }: Workload): string {
  return name.replace(`-${vni}-`, '-')
}
