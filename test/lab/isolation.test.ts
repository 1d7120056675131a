// A fabric of plain Linux VTEPs, none of our code and no switch of ours: what the lab's own network does, as the measure
// for what ours must do. Two labs at once, to show that they do not meet.
import t from 'tap'
import { Lab } from './lab.js'
import { ping } from './ping.js'
import { labMac } from './spec.js'
import { waitFor } from './wait.js'

const [lab, other] = await Promise.all([
  Lab.up({ chassis: 0, linux: 2, vnis: [0, 16777215] }),
  Lab.up({ chassis: 0, linux: 2, vnis: [5], frr: false })
])
t.teardown(() => Promise.all([lab.down(), other.down()]))

for (const family of [4, 6] as const) {
  await t.test(`IPv${family}: workloads of one VNI reach each other across VTEPs, those of different VNIs do not`, async (t) => {
    for (const vni of lab.plan.vnis) {
      t.same(await ping(lab, `l1-${vni}-a`, `l2-${vni}-b`, { family }), { sent: 3, received: 3 }, `VNI ${vni}`)
    }
    t.match(await ping(lab, 'l1-0-a', 'l2-16777215-a', { family, count: 1 }), { received: 0 }, 'across VNIs')
    t.match(await ping(lab, 'l1-0-a', 'l1-16777215-a', { family, count: 1 }), { received: 0 }, 'across VNIs on one VTEP')
  })
}

await t.test('a workload that moves to another VTEP is reached there', async (t) => {
  const vni = 16777215
  const guest = { name: 'guest', vni, mac: labMac({ index: 1 }, 2, 7), addresses: ['10.0.2.17/16', 'fd00::2:17/64'] }
  for (const vtep of ['l1', 'l2', 'l1']) {
    await lab.addWorkload({ ...guest, vtep })
    const peer = vtep === 'l1' ? `l2-${vni}-a` : `l1-${vni}-a`
    for (const family of [4, 6] as const) {
      const reached = async (): Promise<boolean> => (await ping(lab, peer, 'guest', { family, count: 1 })).received === 1
      await waitFor(`${peer} to reach the guest on ${vtep} by IPv${family}`, reached)
      t.same(await ping(lab, peer, 'guest', { family }), { sent: 3, received: 3 }, `${vtep}, IPv${family}`)
    }
    const routes = await lab.vtysh('l1', `show evpn mac vni ${vni} mac ${guest.mac}`)
    t.match(routes, vtep === 'l1' ? /Intf: guest/ : /Remote VTEP: 192\.0\.2\.2/, 'FRR knows where it is')
    await lab.removeWorkload('guest')
  }
})

await t.test('without FRR the fabric does what `bridge fdb` is told', async (t) => {
  t.match(await ping(other, 'l1-5-a', 'l2-5-a', { count: 1 }), { received: 0 }, 'nobody told the VTEPs of each other')
  await other.exec('l1', ['bridge', 'fdb', 'append', '00:00:00:00:00:00', 'dev', 'vxlan-5', 'dst', '192.0.2.2'])
  await other.exec('l2', ['bridge', 'fdb', 'append', '00:00:00:00:00:00', 'dev', 'vxlan-5', 'dst', '192.0.2.1'])
  t.same(await ping(other, 'l1-5-a', 'l2-5-a'), { sent: 3, received: 3 })
})
