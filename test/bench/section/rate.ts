// Changes at a steady rate, a storm of them, and none at all.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from '../../lab/daemon.js'
import { macsAstray } from '../contents.js'
import { counted, cpuOf, Fabric, forgetPeak, peakOf, residentOf, settled } from '../fabric.js'
import type { Figure } from '../figures.js'
import type { Rate } from '../probe.js'
import { VTEPS } from '../rows.js'
import { largest, type BenchOptions, type Section } from '../section.js'

const SUSTAINED = { perSecond: 100, seconds: 20, by: 1 } as const
const STORM = { perSecond: 10_000, seconds: 30, by: 2 } as const
const IDLE_SECONDS = 10

/** So many moves a second; the first of each MAC goes `by` VTEPs further on than where it was at first, each of its later ones to the next. */
interface Moves {
  readonly perSecond: number
  readonly seconds: number
  readonly by: number
}

export const rate: Section = {
  name: 'rate',
  what: 'moves at a steady rate, a storm of moves, and no change at all',
  run: async (options: BenchOptions) => {
    const n = largest(options)
    const brief = options.isBrief ? { perSecond: n, seconds: 1 } : {}
    const [idleSeconds, sustained, storm] = [options.isBrief ? 1 : IDLE_SECONDS, { ...SUSTAINED, ...brief }, { ...STORM, ...brief }]
    const fabric = await Fabric.up()
    try {
      await fabric.ask({ kind: 'macs', op: 'replace', from: 0, to: n, ips: false })
      const daemon = await fabric.lab.startDaemon('c1')
      await settled(daemon)
      options.say(`rate: idle for ${idleSeconds} s`)
      const { share } = await watched(daemon, () => sleep(idleSeconds * 1000))
      const steady = await move(fabric, daemon, n, sustained, options)
      forgetPeak(daemon.pid)
      const stormed = await move(fabric, daemon, n, storm, options)
      const peak = peakOf(daemon.pid)
      await settled(daemon)
      const astray = await macsAstray(fabric, n, (mac) => vtepAfter([sustained, storm], n, mac))
      const figure = (what: string, unit: string, samples: readonly number[], target?: number): Figure =>
        ({ section: 'rate', what, n, unit, samples, ...(target === undefined ? {} : { target }) })
      return [
        figure('idle: share of a core', '%', [share], 0.5),
        figure(`${sustained.perSecond} moves/s: latency`, 'ms', steady.samples, 2),
        figure(`${sustained.perSecond} moves/s: share of a core`, '%', [steady.share], 15),
        figure(`${sustained.perSecond} moves/s: achieved`, '/s', [steady.samples.length / steady.seconds]),
        figure('storm: latency', 'ms', stormed.samples),
        figure('storm: share of a core', '%', [stormed.share]),
        figure(`storm: achieved, of ${storm.perSecond}`, '/s', [stormed.samples.length / stormed.seconds]),
        figure(`storm: duration, of ${storm.seconds}`, 's', [stormed.seconds]),
        figure('storm: overruns', '', [stormed.overruns]),
        figure('storm: MACs not at their last VTEP in the end', '', [astray], 0),
        figure('storm: largest resident memory', 'MB', [peak]),
        figure('storm: resident memory after it', 'MB', [residentOf(daemon.pid)])
      ]
    } finally {
      await fabric.down()
    }
  }
}

/** `share`: of a core, in percent, over the real time that the work took. */
async function watched<T>(daemon: Daemon, work: () => Promise<T>): Promise<{ readonly done: T, readonly share: number }> {
  const [cpu, began] = [cpuOf(daemon.pid), performance.now()]
  const done = await work()
  return { done, share: 100 * (cpuOf(daemon.pid) - cpu) / (performance.now() - began) }
}

async function move(fabric: Fabric, daemon: Daemon, macs: number, moves: Moves, { say }: BenchOptions): Promise<Rate & { readonly share: number, readonly overruns: number }> {
  say(`rate: ${moves.perSecond} moves a second for ${moves.seconds} s`)
  let outcome: Rate = { samples: [], seconds: 0 }
  let share = 0
  const { netlink_overruns: overruns = 0 } = await counted(daemon, async () => {
    const all = await watched(daemon, () => fabric.ask<Rate>({ kind: 'rate', macs, ...moves }))
    outcome = all.done
    share = all.share
  })
  return { ...outcome, share, overruns }
}

/** Where a MAC is after these moves, one after the other, among so many MACs: the last that moved it says. */
function vtepAfter(moves: readonly Moves[], macs: number, mac: number): number {
  const by = moves.flatMap((one) => {
    const after = one.perSecond * one.seconds - 1 - mac
    return after < 0 ? [] : [one.by + Math.floor(after / macs)]
  })
  return (mac + (by.at(-1) ?? 0)) % VTEPS
}
