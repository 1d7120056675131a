// One MAC added, moved, removed, at growing numbers of MACs: latency and the daemon's processor time.
import { cpuOf, Fabric, settled } from '../fabric.js'
import type { Figure } from '../figures.js'
import type { Change } from '../probe.js'
import { growth, type BenchOptions, type Section } from '../section.js'

const SAMPLES = 200
/** Between two changes, in ms: each finds the daemon idle. */
const GAP = 5
const WHAT: Readonly<Record<Change, string>> = { add: 'one MAC added', move: 'one MAC moved to another VTEP', remove: 'one MAC removed' }

export const change: Section = {
  name: 'change',
  what: 'one MAC added, moved, removed: netlink write to flow in br-int',
  run: async ({ sizes, say, isBrief }: BenchOptions) => {
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
        for (const kind of ['add', 'move', 'remove'] as const) figures.push(...await measure(fabric, daemon.pid, kind, n, isBrief ? 5 : SAMPLES))
      }
    } finally {
      await fabric.down()
    }
    return [...figures, ...growth(figures, 'change', Object.values(WHAT))]
  }
}

async function measure(fabric: Fabric, pid: number, kind: Change, n: number, count: number): Promise<Figure[]> {
  const before = cpuOf(pid)
  const samples = await fabric.ask<number[]>({ kind: 'latency', change: kind, from: n, count, gap: GAP })
  const cpu = (cpuOf(pid) - before) / count
  const isLargest = n >= 100_000
  return [
    { section: 'change', what: WHAT[kind], n, unit: 'ms', samples, ...(isLargest ? { target: 1.5 } : {}) },
    { section: 'change', what: `${WHAT[kind]}: CPU of the daemon`, n, unit: 'ms', samples: [cpu], ...(isLargest ? { target: 1 } : {}) }
  ]
}
