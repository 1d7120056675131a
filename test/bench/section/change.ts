// One MAC added, moved, removed, at growing numbers of MACs: latency and the daemon's processor time.
import { cpuOf, Fabric, settled } from '../fabric.js'
import { summarise, type Figure } from '../figures.js'
import type { Change } from '../probe.js'
import type { BenchOptions, Section } from '../section.js'

const SAMPLES = 200
/** Between two changes, in ms: each finds the daemon idle. */
const GAP = 5
const WHAT: Readonly<Record<Change, string>> = { add: 'one MAC added', move: 'one MAC moved to another VTEP', remove: 'one MAC removed' }

export const change: Section = {
  name: 'change',
  what: 'one MAC added, moved, removed: netlink write to flow in br-int',
  run: async ({ sizes, say }: BenchOptions) => {
    const figures: Figure[] = []
    const fabric = await Fabric.up()
    try {
      const daemon = await fabric.lab.startDaemon('c1')
      let filled = 0
      for (const n of sizes) {
        say(`change: ${n} MACs`)
        await fabric.ask({ kind: 'macs', op: 'replace', from: filled, to: n, ips: false })
        filled = n
        await settled(daemon)
        for (const kind of ['add', 'move', 'remove'] as const) figures.push(...await measure(fabric, daemon.pid, kind, n))
      }
    } finally {
      await fabric.down()
    }
    return [...figures, ...growth(figures)]
  }
}

async function measure(fabric: Fabric, pid: number, kind: Change, n: number): Promise<Figure[]> {
  const before = cpuOf(pid)
  const samples = await fabric.ask<number[]>({ kind: 'latency', change: kind, from: n, count: SAMPLES, gap: GAP })
  const cpu = (cpuOf(pid) - before) / SAMPLES
  const isLargest = n >= 100_000
  return [
    { section: 'change', what: WHAT[kind], n, unit: 'ms', samples, ...(isLargest ? { target: 1.5 } : {}) },
    { section: 'change', what: `${WHAT[kind]}: CPU of the daemon`, n, unit: 'ms', samples: [cpu], ...(isLargest ? { target: 1 } : {}) }
  ]
}

/** How much slower at the largest size than at 1,000. */
function growth(figures: readonly Figure[]): Figure[] {
  return Object.values(WHAT).flatMap((what): Figure[] => {
    const of = figures.filter((figure) => figure.what === what)
    const base = of.find(({ n }) => n === 1000)
    const last = of.at(-1)
    if (base === undefined || last === undefined || base === last) return []
    const ratio = summarise(last.samples).median / summarise(base.samples).median
    return [{ section: 'change', what: `${what}: ${last.n} against 1000`, unit: 'x', samples: [ratio], target: 1.3 }]
  })
}
