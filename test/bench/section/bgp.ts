// Routes all the way: a plain Linux VTEP with FRR learns MACs, BGP carries them, FRR on the chassis writes them into the kernel, and
// the daemon brings them to the switch. Which of the stages takes how much.
import { readFileSync, writeFileSync } from 'node:fs'
import { TABLE } from '../../../lib/pipeline/tables.js'
import { Lab } from '../../lab/lab.js'
import { waitFor } from '../../lab/wait.js'
import { Chassis } from '../../system/util/chassis.js'
import { memory } from '../../system/util/daemon-numbers.js'
import { cpuOf, settled, VNI, WORKLOAD } from '../fabric.js'
import type { Figure } from '../figures.js'
import { macOf } from '../rows.js'
import { largest, type BenchOptions, type Section } from '../section.js'

/** Where FRR has its files, in a host's directory. */
const FRR = '/frr'
const FAR = { name: 'far', vtep: 'l1', vni: VNI, mac: '02:00:00:00:00:99', addresses: ['172.31.0.2/16'] } as const
const PATIENCE = 400_000

export const bgp: Section = {
  name: 'bgp',
  what: 'EVPN routes through BGP: FRR, BGP, FRR, kernel, daemon, switch',
  run: async (options: BenchOptions) => {
    const n = largest(options)
    options.say(`bgp: ${n} routes`)
    const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI], workloads: [WORKLOAD, FAR] })
    try {
      return await run(lab, n)
    } finally {
      await lab.down()
    }
  }
}

async function run(lab: Lab, n: number): Promise<Figure[]> {
  const chassis = new Chassis(lab)
  const daemon = await lab.startDaemon('c1')
  await settled(daemon)
  const pidOf = (host: string, name: string, dir = '') => Number(readFileSync(`${lab.host(host).dir}${dir}/${name}.pid`, 'utf8'))
  const stages = {
    'zebra of the sender': pidOf('l1', 'zebra', FRR), 'bgpd of the sender': pidOf('l1', 'bgpd', FRR),
    'bgpd': pidOf('c1', 'bgpd', FRR), 'zebra': pidOf('c1', 'zebra', FRR), 'the daemon': daemon.pid, 'ovs-vswitchd': pidOf('c1', 'ovs-vswitchd')
  }
  const cpu = () => Object.values(stages).map(cpuOf)
  const file = `${lab.host('l1').dir}/macs`
  const port = await portOf(lab)
  writeFileSync(file, Array.from({ length: n }, (_, i) => `fdb replace ${macOf(i)} dev ${port} master static\n`).join(''))
  const [before, began] = [cpu(), performance.now()]
  const since = () => (performance.now() - began) / 1000
  await lab.exec('l1', ['bridge', '-batch', file])
  const written = since()
  // All have been through FRR when the kernel has them; the one that the far workload itself has may come besides.
  await waitFor(`${n} MACs in the kernel, as the daemon sees it`, async () => ((await memory(daemon))['macs'] ?? 0) >= n, PATIENCE, 50)
  const inKernel = since()
  await waitFor(`${n} flows`, async () => await flowsIn(chassis) >= n, PATIENCE, 10)
  const inSwitch = since()
  await settled(daemon)
  const spent = cpu().map((ms, i) => (ms - (before[i] ?? 0)) / 1000)
  const total = spent.reduce((sum, seconds) => sum + seconds, 0)
  const figure = (what: string, unit: string, value: number, target?: number): Figure =>
    ({ section: 'bgp', what, n, unit, samples: [value], ...(target === undefined ? {} : { target }) })
  return [
    figure('the writer at the sender', 's', written),
    figure('last MAC in the kernel', 's', inKernel),
    figure('last flow after the last MAC in the kernel', 's', inSwitch - inKernel, 1),
    ...Object.keys(stages).flatMap((name, i) => [
      figure(`CPU of ${name}`, 's', spent[i] ?? 0), figure('its share', '%', 100 * (spent[i] ?? 0) / total)
    ]),
    figure('CPU of the daemon against all of FRR', 'x', (spent[4] ?? 0) / spent.slice(0, 4).reduce((sum, seconds) => sum + seconds, 0))
  ]
}

async function flowsIn(chassis: Chassis): Promise<number> {
  return Number(/flow_count=(\d+)/.exec(await chassis.ofctl('dump-aggregate', 'br-int', `table=${TABLE.FORWARD}`))?.[1] ?? 0)
}

/** The far workload's port in its kernel bridge. */
async function portOf(lab: Lab): Promise<string> {
  const links = JSON.parse((await lab.exec('l1', ['bridge', '-j', 'link', 'show'])).stdout) as readonly { readonly ifname: string }[]
  return links.map(({ ifname }) => ifname).find((name) => !name.startsWith('vxlan')) ?? ''
}
