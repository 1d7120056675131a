// One MAC added, moved, removed, at growing numbers of MACs: latency and the daemon's processor time.
import { HOLD } from '../../../lib/daemon/stale/stale.js'
import { waitFor } from '../../lab/wait.js'
import { cpuOf, Fabric, settled } from '../fabric.js'
import { summarise, type Figure } from '../figures.js'
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
      figures.push(await withdrawn(fabric, filled, isBrief ? 5 : SAMPLES))
      await daemon.stop()
      const floor = await fabric.ask<number[]>({ kind: 'floor', from: filled, count: isBrief ? 5 : SAMPLES, gap: GAP })
      return [
        ...beside(figures, filled, summarise(floor).median),
        { section: 'change', what: 'its floor: a row written, its flow added by who wrote it', n: filled, unit: 'ms', samples: floor },
        ...growth(figures, 'change', Object.values(WHAT))
      ]
    } finally {
      await fabric.down()
    }
  }
}

/** The floor stands beside every latency of that size. */
function beside(figures: readonly Figure[], n: number, floor: number): Figure[] {
  const whats: readonly string[] = Object.values(WHAT)
  return figures.map((figure) => (figure.n === n && whats.includes(figure.what) ? { ...figure, floor } : figure))
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

/** The same while a routing daemon lives, whose withdrawals are held first. The probe listens in its place: nothing else is known of it. */
async function withdrawn(fabric: Fabric, n: number, count: number): Promise<Figure> {
  const path = `${fabric.lab.host('c1').dir}/speaker`
  await fabric.ask({ kind: 'listen', path })
  await fabric.chassis.set('Bridge br-int', { 'evpn-speaker': path })
  const remove = async (macs: number): Promise<number[]> => {
    await fabric.ask({ kind: 'latency', change: 'add', from: n, count: macs, gap: 0 })
    return fabric.ask<number[]>({ kind: 'latency', change: 'remove', from: n, count: macs, gap: GAP })
  }
  await waitFor('the daemon to see that it lives: a withdrawal that is held', async () => {
    const [ms = 0] = await remove(1)
    return ms >= HOLD || ms
  }, 60_000)
  return { section: 'change', what: `${WHAT.remove}, with a living routing daemon`, n, unit: 'ms', samples: await remove(count) }
}
