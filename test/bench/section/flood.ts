// One VNI with very many VTEPs: what one that joins or leaves costs, and how many of them a broadcast reaches, counted where the
// packets leave for them.
import type { FloodReport } from '../../../lib/daemon/report/report.js'
import { waitFor } from '../../lab/wait.js'
import { coverage, memory } from '../../system/util/daemon-numbers.js'
import { BROADCAST } from '../../system/util/frame.js'
import { knowNextHop } from '../../system/util/next-hop.js'
import { Wire } from '../../system/util/wire.js'
import { cpuOf, Fabric, settled, VNI, WORKLOAD } from '../fabric.js'
import type { Figure } from '../figures.js'
import { vtepOf, VTEPS } from '../rows.js'
import { largest, type BenchOptions, type Section } from '../section.js'

/** The targets are set at so many, or at the largest size when that is less. */
const MANY = 4000
const GATEWAY = '192.0.2.254'

export const flood: Section = {
  name: 'flood',
  what: 'a VNI with thousands of VTEPs: one joins, one leaves, and all get a broadcast',
  run: async (options: BenchOptions) => {
    const n = Math.max(Math.min(MANY, largest(options)), VTEPS)
    const count = options.isBrief ? 3 : 100
    const fabric = await Fabric.up()
    try {
      options.say(`flood: ${n} VTEPs`)
      await fabric.chassis.run(['ip', 'route', 'add', '198.18.0.0/15', 'via', GATEWAY, 'dev', 'br-phy'])
      const daemon = await fabric.lab.startDaemon('c1')
      await fabric.ask({ kind: 'vteps', op: 'append', from: VTEPS, to: n })
      await waitFor(`${n} VTEPs`, async () => (await memory(daemon))['vteps'] === n, 60_000, 50)
      await settled(daemon)
      const [before, cpu] = [await coverage(daemon), cpuOf(daemon.pid)]
      const samples = await fabric.ask<number[]>({ kind: 'joins', from: n, count })
      const cost = (cpuOf(daemon.pid) - cpu) / (2 * count)
      const after = await coverage(daemon)
      const messages = (name: string) => ((after[name] ?? 0) - (before[name] ?? 0)) / (2 * count)
      const figure = (what: string, unit: string, values: readonly number[], target?: number): Figure =>
        ({ section: 'flood', what, n, unit, samples: values, ...(target === undefined ? {} : { target }) })
      const [missed, told] = await broadcast(fabric, n)
      return [
        figure('a VTEP joins or leaves', 'ms', samples),
        figure('CPU of the daemon for it', 'ms', [cost]),
        figure('group messages for it', '', [messages('group_mods')], 2),
        figure('flow messages for it', '', [messages('flow_mods')], 2),
        figure('VTEPs that a broadcast does not reach', '', [missed], 0),
        figure('the same, as the daemon tells', '', [told], 0)
      ]
    } finally {
      await fabric.down()
    }
  }
}

/** How many of `n` VTEPs get no copy, or more than one, and how many of them the daemon says are not reached. */
async function broadcast(fabric: Fabric, n: number): Promise<[missed: number, told: number]> {
  const { lab, chassis } = fabric
  const [sender, underlay] = await Promise.all([Wire.open(lab, WORKLOAD.name), Wire.open(lab, 'underlay', [4789], 'c1')])
  await waitFor('the switch to know the route', async () => (await chassis.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'ovs/route/show'])).includes('198.18.0.0/15'))
  let name = ''
  for (const which of ['first', 'second']) {
    // The first one fills the datapath's cache, and frames may be lost meanwhile.
    await knowNextHop(lab, 'c1', GATEWAY)
    name = `bench ${which}`
    sender.send({ src: WORKLOAD.mac, dst: BROADCAST, name })
    await underlay.waitFor(name, n).catch(() => undefined)
  }
  const copies = new Map<string, number>()
  for (const { vxlan } of underlay.arrivals(name)) copies.set(vxlan?.to ?? '', (copies.get(vxlan?.to ?? '') ?? 0) + 1)
  const reached = Array.from({ length: n }, (_, i) => vtepOf(i)).filter((ip) => copies.get(ip) === 1).length
  const [report] = await chassis.report<readonly FloodReport[]>('flood', VNI)
  return [n - reached, n - (report?.reached ?? 0)]
}
