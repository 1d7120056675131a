// Routes all the way: GoBGP announces MACs, BGP carries them, FRR on the chassis writes them into the kernel, and the daemon brings
// them to the switch. Which of the stages takes how much.
import { readFileSync } from 'node:fs'
import { TABLE } from '../../../lib/pipeline/tables.js'
import { waitForSessions } from '../../lab/build.js'
import { configureFrr } from '../../lab/frr.js'
import { hostTools, vtepOf } from '../../lab/host.js'
import { Lab } from '../../lab/lab.js'
import { waitFor } from '../../lab/wait.js'
import { memory } from '../../system/util/daemon-numbers.js'
import { cpuOf, settled, VNI, WORKLOAD } from '../fabric.js'
import type { Figure } from '../figures.js'
import { startGobgp } from '../gobgp.js'
import { macOf } from '../rows.js'
import { largest, type BenchOptions, type Section } from '../section.js'
import { connectSwitch, flowsIn, POLL } from '../switch.js'

const PATIENCE = 400_000

export const bgp: Section = {
  name: 'bgp',
  what: 'EVPN routes through BGP: GoBGP, FRR, kernel, daemon, switch',
  run: async (options: BenchOptions) => {
    const n = largest(options)
    options.say(`bgp: ${n} routes`)
    const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [VNI], workloads: [WORKLOAD] })
    try {
      return await run(lab, n)
    } finally {
      await lab.down()
    }
  }
}

async function run(lab: Lab, n: number): Promise<Figure[]> {
  const daemon = await lab.startDaemon('c1')
  await settled(daemon)
  await startFrr(lab, 'c1')
  const gobgp = await startGobgp(lab, 'l1', 'c1')
  await gobgp.announce(VNI, [])
  await waitForSessions(lab.plan, vtepOf(lab.plan, 'c1'))
  const pidOf = (file: string) => Number(readFileSync(`${lab.host('c1').dir}/${file}.pid`, 'utf8'))
  const stages = { gobgpd: gobgp.pid, bgpd: pidOf('frr/bgpd'), zebra: pidOf('frr/zebra'), 'the daemon': daemon.pid, 'ovs-vswitchd': pidOf('ovs-vswitchd') }
  const cpu = () => Object.values(stages).map(cpuOf)
  const [before, began] = [cpu(), performance.now()]
  const since = () => (performance.now() - began) / 1000
  await gobgp.announce(VNI, Array.from({ length: n }, (_, i) => macOf(i)))
  const announced = since()
  // All have been through FRR when the kernel has them.
  await waitFor(`${n} MACs in the kernel, as the daemon sees it`, async () => ((await memory(daemon))['macs'] ?? 0) >= n, PATIENCE, POLL)
  const inKernel = since()
  await untilFlows(lab, n)
  const inSwitch = since()
  await settled(daemon)
  const spent = cpu().map((ms, i) => (ms - (before[i] ?? 0)) / 1000)
  const [, bgpd = 0, zebra = 0, own = 0] = spent
  const total = spent.reduce((sum, seconds) => sum + seconds, 0)
  const figure = (what: string, unit: string, value: number, target?: number): Figure =>
    ({ section: 'bgp', what, n, unit, samples: [value], ...(target === undefined ? {} : { target }) })
  return [
    figure('GoBGP has them all', 's', announced),
    figure('last MAC in the kernel', 's', inKernel),
    figure('last flow after the last MAC in the kernel', 's', inSwitch - inKernel, 1),
    ...Object.keys(stages).flatMap((name, i) => [
      figure(`CPU of ${name}`, 's', spent[i] ?? 0), figure(`CPU of ${name}: share`, '%', 100 * (spent[i] ?? 0) / total)
    ]),
    figure('CPU of the daemon against FRR (bgpd and zebra)', 'x', own / (bgpd + zebra))
  ]
}

async function untilFlows(lab: Lab, n: number): Promise<void> {
  const br = await connectSwitch(`${lab.host('c1').dir}/br-int.mgmt`)
  try {
    await waitFor(`${n} flows`, async () => await flowsIn(br, [TABLE.FORWARD]) >= n, PATIENCE, POLL)
  } finally {
    br.close()
  }
}

async function startFrr(lab: Lab, vtep: string): Promise<void> {
  await configureFrr(hostTools(lab.plan, vtep), vtepOf(lab.plan, vtep), lab.plan)
  await lab.startService(vtep, 'zebra')
  await lab.startService(vtep, 'bgpd')
}
