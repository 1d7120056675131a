// Many MACs and IPs at once: how long after the writer the last flow is in, what it costs, and whether anything is lost.
import { writeFileSync } from 'node:fs'
import { TABLE } from '../../../lib/pipeline/tables.js'
import { ipsAstray, macsAstray } from '../contents.js'
import { counted, cpuOf, Fabric, residentOf, settled, VNI } from '../fabric.js'
import { summarise, type Figure } from '../figures.js'
import { loadingFloor, saveFlows } from '../floor.js'
import { ipLines, macLines, VTEPS } from '../rows.js'
import { largest, type BenchOptions, type Section } from '../section.js'

const ROUNDS = 3
/** A datagram or two. */
const TINY_BUFFER = 4096
/** Tables that are read again and again through it take their time. */
const TINY_SIZE = 20_000

export const bulk: Section = {
  name: 'bulk',
  what: 'MACs and as many IPs in one `bridge -batch` and one `ip -batch`',
  run: async (options: BenchOptions) => {
    const n = largest(options)
    const runs: Run[] = []
    const rounds = options.isBrief ? 1 : ROUNDS
    for (let round = 1; round <= rounds; round++) {
      options.say(`bulk: ${n} MACs and IPs, round ${round} of ${rounds}`)
      runs.push(await run(n))
    }
    const of = (key: keyof Run): number[] => runs.map((one) => one[key])
    const median = (value: (one: Run) => number): number => summarise(runs.map(value)).median
    const figure = (what: string, unit: string, samples: readonly number[], target?: number, floor?: number): Figure =>
      ({ section: 'bulk', what, n, unit, samples, ...(target === undefined ? {} : { target }), ...(floor === undefined ? {} : { floor }) })
    return [
      // The switch cannot have them sooner than it takes for them alone, were it told from the writer's start on.
      figure('last flow after the writer finished', 's', of('lag'), 1, median(({ floor, withUs }) => Math.max(0, floor - withUs))),
      figure('last flow after the writer started', 's', runs.map(({ withUs, lag }) => withUs + lag), undefined, median(({ floor, alone }) => Math.max(floor, alone))),
      figure('its floor: the switch alone, ovs-ofctl --bundle', 's', of('floor')),
      figure('the writer alone', 's', of('alone')),
      figure('the writer, against without us', 'x', runs.map(({ withUs, alone }) => withUs / alone), 1.3),
      figure('CPU of the daemon for an entry', 'us', of('cpu'), 25),
      figure('notifications lost (overruns)', '', of('overruns'), 0),
      figure('resident memory', 'MB', of('resident'), 250),
      figure('memory for an entry', 'B', of('perEntry'), 1024),
      ...await tiny(Math.min(n, TINY_SIZE), options)
    ]
  }
}

interface Run {
  /** Of the switch, and of the writer. */
  readonly floor: number
  readonly alone: number
  readonly withUs: number
  readonly lag: number
  readonly cpu: number
  readonly overruns: number
  readonly resident: number
  readonly perEntry: number
}

async function run(n: number): Promise<Run> {
  const fabric = await Fabric.up()
  try {
    const alone = await write(fabric, n)
    await fabric.ask({ kind: 'macs', op: 'delete', from: 0, to: n, ips: true })
    const daemon = await fabric.lab.startDaemon('c1')
    await settled(daemon)
    const others = await fabric.ask<number>({ kind: 'count', ips: true })
    const [cpu, resident] = [cpuOf(daemon.pid), residentOf(daemon.pid)]
    let [withUs, lag] = [0, 0]
    const { netlink_overruns: overruns = 0 } = await counted(daemon, async () => {
      withUs = await write(fabric, n)
      lag = await fabric.untilFlows(others + 2 * n, true)
    })
    await settled(daemon)
    const [spent, after] = [cpuOf(daemon.pid) - cpu, residentOf(daemon.pid)]
    await daemon.stop()
    const floor = await loadingFloor(fabric, await saveFlows(fabric, [TABLE.FORWARD, TABLE.SUPPRESS]))
    return { floor, alone, withUs, lag, overruns, resident: after, cpu: spent * 1000 / (2 * n), perEntry: (after - resident) * 1024 * 1024 / (2 * n) }
  } finally {
    await fabric.down()
  }
}

/** The same with a receive buffer that cannot hold it: notifications are lost, and the end is right all the same. */
async function tiny(n: number, { say }: BenchOptions): Promise<Figure[]> {
  say(`bulk: ${n} MACs and IPs, a receive buffer of ${TINY_BUFFER} bytes`)
  const fabric = await Fabric.up()
  try {
    const daemon = await fabric.lab.startDaemon('c1', [`--netlink-rcvbuf=${TINY_BUFFER}`])
    await settled(daemon)
    const others = await fabric.ask<number>({ kind: 'count', ips: true })
    let lag = 0
    const { netlink_overruns: overruns = 0, netlink_resyncs: resyncs = 0 } = await counted(daemon, async () => {
      await write(fabric, n)
      lag = await fabric.untilFlows(others + 2 * n, true)
    })
    await settled(daemon)
    const astray = await macsAstray(fabric, n, (i) => i % VTEPS) + await ipsAstray(fabric, n)
    const figure = (what: string, unit: string, value: number, target?: number): Figure =>
      ({ section: 'bulk', what: `tiny buffer: ${what}`, n, unit, samples: [value], ...(target === undefined ? {} : { target }) })
    return [figure('overruns', '', overruns), figure('tables read again', '', resyncs), figure('last flow after the writer', 's', lag), figure('flows missing or wrong at the end', '', astray, 0)]
  } finally {
    await fabric.down()
  }
}

/** Seconds that the two writers take, one after the other. */
async function write(fabric: Fabric, n: number): Promise<number> {
  const { dir } = fabric.lab.host('c1')
  writeFileSync(`${dir}/macs`, macLines(`vxlan-${VNI}`, 0, n))
  writeFileSync(`${dir}/ips`, ipLines(`br-${VNI}`, 0, n))
  const start = performance.now()
  await fabric.chassis.run(['bridge', '-batch', `${dir}/macs`])
  await fabric.chassis.run(['ip', '-batch', `${dir}/ips`])
  return (performance.now() - start) / 1000
}
