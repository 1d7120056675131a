// Cold start (kernel full, switch empty) against its floor, and restart with everything in the switch.
import { writeFileSync } from 'node:fs'
import type { Daemon } from '../../lab/daemon.js'
import { waitFor } from '../../lab/wait.js'
import { coverage, memory } from '../../system/util/daemon-numbers.js'
import { Fabric, settled } from '../fabric.js'
import type { Figure } from '../figures.js'
import { largest, type BenchOptions, type Section } from '../section.js'
import { POLL } from '../switch.js'

const ROUNDS = 3

export const start: Section = {
  name: 'start',
  what: 'cold start against its floor; restart with everything in the switch',
  run: async (options: BenchOptions) => {
    const n = largest(options)
    const fabric = await Fabric.up()
    try {
      await fabric.ask({ kind: 'macs', op: 'replace', from: 0, to: n, ips: false })
      const cold: number[] = []
      const floor: number[] = []
      const warm: number[] = []
      const mods: number[] = []
      const rounds = options.isBrief ? 1 : ROUNDS
      for (let round = 1; round <= rounds; round++) {
        options.say(`start: ${n} MACs, round ${round} of ${rounds}`)
        const flows = await emptySwitch(fabric)
        const [seconds, daemon] = await coldStart(fabric, n)
        cold.push(seconds)
        await daemon.stop()
        const again = await restart(fabric, n)
        warm.push(again.seconds)
        mods.push(again.mods)
        if (flows !== undefined) floor.push(await floorOf(fabric, flows))
        else floor.push(await floorOf(fabric, await emptySwitch(fabric) ?? ''))
      }
      const ratios = cold.map((seconds, i) => seconds / (floor[i] ?? Number.NaN))
      return [
        figure('cold start: switch empty to last flow', n, 's', cold),
        figure('its floor: raw dump and ovs-ofctl --bundle', n, 's', floor),
        figure('cold start against its floor', n, 'x', ratios, 2),
        figure('restart, nothing changed: until ready', n, 's', warm, 3),
        figure('flow and group messages sent by it', n, '', mods, 0)
      ]
    } finally {
      await fabric.down()
    }
  }
}

function figure(what: string, n: number, unit: string, samples: readonly number[], target?: number): Figure {
  return { section: 'start', what, n, unit, samples, ...(target === undefined ? {} : { target }) }
}

/** Takes every flow and group out of the switch; what its flows were, as ovs-ofctl adds them, or undefined when there was none. */
async function emptySwitch(fabric: Fabric): Promise<string | undefined> {
  const { chassis } = fabric
  const flows = (await chassis.flows('table=202')).join('\n')
  await chassis.ofctl('del-flows', 'br-int')
  await chassis.ofctl('del-groups', 'br-int')
  return flows === '' ? undefined : flows
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

/** Seconds that nobody can beat: the kernel's table read once, the same flows added by ovs-ofctl in one bundle. */
async function floorOf(fabric: Fabric, flows: string): Promise<number> {
  const { chassis, lab } = fabric
  const file = `${lab.host('c1').dir}/flows`
  writeFileSync(file, flows.replaceAll(/^ *cookie=[^,]*, */gm, ''))
  const began = performance.now()
  await chassis.run(['bridge', 'fdb', 'show'])
  await chassis.ofctl('--bundle', 'add-flows', 'br-int', file)
  return (performance.now() - began) / 1000
}
