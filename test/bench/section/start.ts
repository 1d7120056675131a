// Cold start (kernel full, switch empty) and restart with everything in the switch, each against its floor.
import type { Daemon } from '../../lab/daemon.js'
import { waitFor } from '../../lab/wait.js'
import { TABLE } from '../../../lib/pipeline/tables.js'
import { coverage, memory } from '../../system/util/daemon-numbers.js'
import { Fabric, settled } from '../fabric.js'
import { summarise, type Figure } from '../figures.js'
import { coldFloor, emptySwitch, readingFloor, saveFlows } from '../floor.js'
import { largest, type BenchOptions, type Section } from '../section.js'
import { POLL } from '../switch.js'

const ROUNDS = 3

export const start: Section = {
  name: 'start',
  what: 'cold start, and restart with everything in the switch, against their floors',
  run: async (options: BenchOptions) => {
    const n = largest(options)
    const fabric = await Fabric.up()
    try {
      await fabric.ask({ kind: 'macs', op: 'replace', from: 0, to: n, ips: false })
      const rounds: Round[] = []
      const count = options.isBrief ? 1 : ROUNDS
      while (rounds.length < count) {
        options.say(`start: ${n} MACs, round ${rounds.length + 1} of ${count}`)
        rounds.push(await round(fabric, n))
      }
      return figures(n, rounds)
    } finally {
      await fabric.down()
    }
  }
}

/** In seconds, but `mods`: flow and group messages that the restart sent. */
interface Round {
  readonly cold: number
  readonly coldFloor: number
  readonly warm: number
  readonly warmFloor: number
  readonly mods: number
}

async function round(fabric: Fabric, n: number): Promise<Round> {
  await emptySwitch(fabric)
  const [cold, daemon] = await coldStart(fabric, n)
  await daemon.stop()
  const { seconds: warm, mods } = await restart(fabric, n)
  const warmFloor = await readingFloor(fabric)
  const flows = await saveFlows(fabric, [TABLE.FORWARD])
  return { cold, coldFloor: await coldFloor(fabric, flows), warm, warmFloor, mods }
}

function figures(n: number, rounds: readonly Round[]): Figure[] {
  const of = (key: keyof Round): number[] => rounds.map((one) => one[key])
  const floor = (key: keyof Round): { readonly floor: number } => ({ floor: summarise(of(key)).median })
  const common = { section: 'start', n }
  return [
    { ...common, what: 'cold start: switch empty to last flow', unit: 's', samples: of('cold'), ...floor('coldFloor') },
    { ...common, what: 'its floor: raw dump and ovs-ofctl --bundle', unit: 's', samples: of('coldFloor') },
    { ...common, what: 'cold start against its floor', unit: 'x', samples: rounds.map((one) => one.cold / one.coldFloor), target: 2 },
    { ...common, what: 'restart, nothing changed: until ready', unit: 's', samples: of('warm'), target: 3, ...floor('warmFloor') },
    { ...common, what: 'its floor: raw dumps of kernel and switch', unit: 's', samples: of('warmFloor') },
    { ...common, what: 'flow and group messages sent by it', unit: '', samples: of('mods'), target: 0 }
  ]
}

/** Seconds from the program's start to the last flow. */
async function coldStart(fabric: Fabric, n: number): Promise<[number, Daemon]> {
  const began = performance.now()
  const daemon = await fabric.lab.startDaemon('c1')
  await waitFor(`${n} flows`, async () => await fabric.ask<number>({ kind: 'count' }) >= n, 120_000, POLL)
  const seconds = (performance.now() - began) / 1000
  await settled(daemon)
  return [seconds, daemon]
}

/** Ready: the switch was read back, and everything desired is there. */
async function restart(fabric: Fabric, n: number): Promise<{ readonly seconds: number, readonly mods: number }> {
  const began = performance.now()
  const daemon = await fabric.lab.startDaemon('c1')
  await waitFor('the daemon to be ready', async () => {
    const { flows_desired: desired = 0, flows_realized: realized = 0 } = await memory(daemon)
    return desired > n && desired === realized
  }, 120_000, POLL)
  const seconds = (performance.now() - began) / 1000
  await settled(daemon)
  const { flow_mods: flows = 0, group_mods: groups = 0 } = await coverage(daemon)
  await daemon.stop()
  return { seconds, mods: flows + groups }
}
