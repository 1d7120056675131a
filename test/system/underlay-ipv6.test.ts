// A fabric whose underlay is IPv6: a Linux VTEP, which takes no UDP packet without a checksum there, and we reach each other.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { ping } from '../lab/ping.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { eventually } from './util/eventually.js'
import { Speaker } from './util/speaker.js'

const VNI = 1000
const vtepIps = { c1: '2001:db8:0:1::1', l1: '2001:db8:0:1::2' } as const
const WAYS = [['c1', 'l1'], ['l1', 'c1']] as const

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [VNI], vtepIps })
t.teardown(() => lab.down())
await lab.startDaemon('c1')
for (const [at, peer] of WAYS) {
  const speaker = new Speaker(new Chassis(lab, at))
  await speaker.vtep(VNI, vtepIps[peer])
  for (const { mac } of lab.plan.workloads.filter(({ vtep }) => vtep === peer)) await speaker.mac(VNI, mac, vtepIps[peer])
}

await t.test('the tunnel port sends checksums', async () => {
  const c1 = new Chassis(lab)
  await eventually('its csum', async () => (await c1.vsctl('get', 'Interface', 'ovn-evpn-4789', 'options')).trim(), (options) => options.includes('csum="true"'))
})

for (const family of [4, 6] as const) {
  for (const [at, peer] of WAYS) {
    const [from, to] = [`${at}-${VNI}-a`, `${peer}-${VNI}-a`]
    await t.test(`IPv${family}: ${from} reaches ${to}`, async (t) => {
      await waitFor('the first reply', async () => (await ping(lab, from, to, { family, count: 1 })).received === 1)
      t.same(await ping(lab, from, to, { family, count: 5 }), { sent: 5, received: 5 })
    })
  }
}
