// A flood to more VTEPs than one translation of the kernel datapath carries (docs/datapaths.md): it arrives whole, in parts.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { needs } from '../lab/needs.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from '../system/util/chassis.js'
import { memory } from '../system/util/daemon-numbers.js'
import { BROADCAST } from '../system/util/frame.js'
import { knowNextHop } from '../system/util/next-hop.js'
import { Wire } from '../system/util/wire.js'

needs('kernel datapath')

const VNI = 1000
const VTEPS = 1500
const GATEWAY = '192.0.2.254'
const SENDER = '02:00:00:00:00:01'
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI], datapath: 'system', workloads: [
  { name: 'sender', vtep: 'c1', vni: VNI, mac: SENDER, addresses: [] }
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
await c1.run(['ip', 'route', 'add', '10.0.0.0/8', 'via', GATEWAY, 'dev', 'br-phy'])
await knowNextHop(lab, 'c1', GATEWAY)
const vteps = Array.from({ length: VTEPS }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
await c1.run(['bridge', '-batch', '-'], { input: vteps.map((ip) => `fdb append 00:00:00:00:00:00 dev vxlan-${VNI} dst ${ip} self`).join('\n') + '\n' })
const daemon = await lab.startDaemon('c1')
const [sender, underlay] = await Promise.all([Wire.open(lab, 'sender'), Wire.open(lab, 'underlay', [4789], 'c1')])

await t.test(`a broadcast to ${VTEPS} VTEPs arrives whole: each gets exactly one copy, every time`, async (t) => {
  await waitFor('all VTEPs to be in the switch', async () => {
    const now = await memory(daemon)
    return (now['vteps'] === VTEPS && now['flows_desired'] === now['flows_realized'] && now['groups_desired'] === now['groups_realized']) || now
  }, 20_000)
  const [flood] = await c1.report<readonly { readonly reached: number, readonly parts: number }[]>('flood', VNI)
  t.ok((flood?.parts ?? 0) > 1, `${flood?.parts} parts`)
  for (const name of ['first', 'second', 'third']) {
    sender.send({ src: SENDER, dst: BROADCAST, name })
    await underlay.waitFor(name, VTEPS)
  }
  // When the copies of the third are there, nothing more of the others will come.
  for (const name of ['first', 'second']) {
    t.same(underlay.arrivals(name).map(({ vxlan }) => vxlan?.to ?? 'nobody').sort(), [...vteps].sort(), name)
  }
})
