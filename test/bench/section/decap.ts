// VTEPs times VNIs: what letting the packets of each VTEP into each VNI costs, one by one (strict) and together (member).
import { readFileSync } from 'node:fs'
import { waitFor } from '../../lab/wait.js'
import { memory } from '../../system/util/daemon-numbers.js'
import { cpuOf, Fabric, residentOf, settled, WORKLOAD } from '../fabric.js'
import type { Figure } from '../figures.js'
import { largest, type BenchOptions, type Section } from '../section.js'

const FULL = { vteps: 512, vnis: 1000 } as const
const FIRST_VNI = 10_000
/** One vxlan device for all of them: each row says which VNI it is for. */
const DEVICE = 'vxlan-all'

export const decap: Section = {
  name: 'decap',
  what: '512 VTEPs in each of 1,000 VNIs, with evpn-decap strict and member',
  run: async (options: BenchOptions) => {
    const share = Math.min(1, Math.sqrt(largest(options) / 100_000))
    const [vteps, vnis] = [Math.max(2, Math.round(FULL.vteps * share)), Math.max(2, Math.round(FULL.vnis * share))]
    const figures: Figure[] = []
    for (const mode of ['member', 'strict'] as const) {
      options.say(`decap: ${vteps} VTEPs in ${vnis} VNIs, ${mode}`)
      figures.push(...await run(mode, vteps, vnis))
    }
    return figures
  }
}

async function run(mode: 'strict' | 'member', vteps: number, vnis: number): Promise<Figure[]> {
  const fabric = await Fabric.up()
  try {
    const { chassis, lab } = fabric
    await chassis.run(['ip', 'link', 'add', DEVICE, 'type', 'vxlan', 'external', 'local', '192.0.2.1', 'dstport', '60000', 'nolearning'])
    await chassis.run(['ip', 'link', 'set', DEVICE, 'addrgenmode', 'none', 'up'])
    await fabric.ask({ kind: 'mesh', device: DEVICE, vteps, firstVni: FIRST_VNI, vnis })
    await chassis.set('Bridge br-int', { 'dynamic-routing-vxlan-ifname': DEVICE, 'evpn-decap': mode, 'evpn-flood': 'none' })
    const list = Array.from({ length: vnis }, (_, i) => `${i + 1}:${FIRST_VNI + i}`).join(',')
    await chassis.run(['ovs-vsctl', 'set', 'Interface', WORKLOAD.name, `external_ids:dynamic-routing-vni=${list}`])
    const switchPid = Number(readFileSync(`${lab.host('c1').dir}/ovs-vswitchd.pid`, 'utf8'))
    const before = residentOf(switchPid)
    const began = performance.now()
    const daemon = await lab.startDaemon('c1')
    await waitFor('every VTEP in every VNI', async () => (await memory(daemon))['vteps'] === vteps * vnis, 600_000, 100)
    await settled(daemon)
    const seconds = (performance.now() - began) / 1000
    const { flows_realized: flows = 0 } = await memory(daemon)
    const figure = (what: string, unit: string, value: number, target?: number): Figure =>
      ({ section: 'decap', what: `${mode}: ${what}`, n: vteps * vnis, unit, samples: [value], ...(target === undefined ? {} : { target }) })
    // A VNI has some 30 flows of its own.
    const perVtep = mode === 'strict' ? vteps * vnis : vteps
    return [
      figure('flows in the switch', '', flows, perVtep + 40 * vnis + 1000),
      figure('from start to the last flow', 's', seconds),
      figure('CPU of the daemon', 's', cpuOf(daemon.pid) / 1000),
      figure('resident memory of the daemon', 'MB', residentOf(daemon.pid)),
      figure('memory of ovs-vswitchd for it', 'MB', residentOf(switchPid) - before)
    ]
  } finally {
    await fabric.down()
  }
}
