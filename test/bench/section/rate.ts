// Changes at a steady rate, a storm of them, and none at all.
import { setTimeout as sleep } from 'node:timers/promises'
import { counted, cpuOf, Fabric, residentOf, settled } from '../fabric.js'
import type { Figure } from '../figures.js'
import { largest, type BenchOptions, type Section } from '../section.js'

const SUSTAINED = { perSecond: 100, seconds: 20 } as const
const STORM = { perSecond: 10_000, seconds: 30 } as const
const IDLE_SECONDS = 10

export const rate: Section = {
  name: 'rate',
  what: 'moves at a steady rate, a storm of moves, and no change at all',
  run: async (options: BenchOptions) => {
    const n = largest(options)
    const [idleSeconds, sustained, stormed] = options.isBrief ? [1, { perSecond: n, seconds: 1 }, { perSecond: n, seconds: 1 }] : [IDLE_SECONDS, SUSTAINED, STORM]
    const fabric = await Fabric.up()
    try {
      await fabric.ask({ kind: 'macs', op: 'replace', from: 0, to: n, ips: false })
      const daemon = await fabric.lab.startDaemon('c1')
      await settled(daemon)
      const figure = (what: string, unit: string, samples: readonly number[], target?: number): Figure =>
        ({ section: 'rate', what, n, unit, samples, ...(target === undefined ? {} : { target }) })
      const share = async (seconds: number, work: () => Promise<unknown>): Promise<number> => {
        const before = cpuOf(daemon.pid)
        await work()
        return (cpuOf(daemon.pid) - before) / 10 / seconds
      }
      options.say(`rate: idle for ${idleSeconds} s`)
      const idle = await share(idleSeconds, () => sleep(idleSeconds * 1000))
      options.say(`rate: ${sustained.perSecond} moves a second for ${sustained.seconds} s`)
      let samples: number[] = []
      const busy = await share(sustained.seconds, async () => { samples = await fabric.ask({ kind: 'rate', macs: n, by: 1, ...sustained }) })
      options.say(`rate: ${stormed.perSecond} moves a second for ${stormed.seconds} s`)
      let storm: number[] = []
      const numbers = await counted(daemon, async () => { storm = await fabric.ask({ kind: 'rate', macs: n, by: 2, ...stormed }) })
      await settled(daemon)
      return [
        figure('idle: share of a core', '%', [idle], 0.5),
        figure(`${sustained.perSecond} moves/s: latency`, 'ms', samples, 2),
        figure(`${sustained.perSecond} moves/s: share of a core`, '%', [busy], 15),
        figure(`${stormed.perSecond} moves/s for ${stormed.seconds} s: latency`, 'ms', storm),
        figure('storm: overruns', '', [numbers['netlink_overruns'] ?? 0]),
        figure('storm: resident memory after it', 'MB', [residentOf(daemon.pid)])
      ]
    } finally {
      await fabric.down()
    }
  }
}
