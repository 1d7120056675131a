// Issue 2, point 4 and "by hand": a plain Linux VTEP with FRR as peer. Pings both ways, IPv4 and IPv6, in two VNIs, and tshark on
// the underlay sees VXLAN with the right VNI, outer addresses and UDP port, in each direction.
import t from 'tap'
import { captureEchoes, type VxlanPacket } from '../demo/underlay.js'
import { Lab } from '../lab/lab.js'
import { ping } from '../lab/ping.js'
import { addressOf, workloadOf } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'

const VNIS = [1000, 16777215] as const
const IP = { c1: '192.0.2.1', l1: '192.0.2.2' } as const
const workloads = VNIS.flatMap((vni, i) => [workloadOf({ name: 'c1', index: 1 }, vni, i + 1, 1), workloadOf({ name: 'l1', index: 2 }, vni, i + 1, 1)])
  .map((workload) => ({ ...workload, name: workload.name.replace('16777215', 'last') }))

const lab = await Lab.up({ chassis: 1, linux: 1, vnis: VNIS, workloads })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
await lab.startDaemon('c1')
const pairs = VNIS.map((vni) => {
  const [ours, theirs] = ['c1', 'l1'].map((vtep) => workloads.find((workload) => workload.vtep === vtep && workload.vni === vni))
  if (ours === undefined || theirs === undefined) throw new Error(`no workloads in VNI ${vni}`)
  return { vni, ours, theirs }
})

for (const { vni, ours, theirs } of pairs) {
  for (const family of [4, 6] as const) {
    await t.test(`VNI ${vni}, IPv${family}: our workload and that of the Linux VTEP reach each other`, async (t) => {
      for (const [from, to] of [[ours.name, theirs.name], [theirs.name, ours.name]] as const) {
        await waitFor(`${from} to reach ${to}`, async () => (await ping(lab, from, to, { family, count: 1 })).received === 1, 20_000)
        t.same(await ping(lab, from, to, { family, count: 5 }), { sent: 5, received: 5 }, `${from} > ${to}`)
      }
    })
  }
}

await t.test('tshark on the underlay sees VXLAN in both directions, each in its VNI, between the two VTEPs, to UDP port 4789', async (t) => {
  const echoes = pairs.flatMap(({ ours, theirs }) => ([4, 6] as const).map((family) => ({ from: ours.name, to: theirs.name, family })))
  const seen = await captureEchoes(lab, 'c1', echoes)
  const line = (packet: VxlanPacket): string => Object.values(packet).join(' ')
  const expected = pairs.flatMap(({ vni, ours, theirs }) => ([4, 6] as const).flatMap((family) => {
    const [inner, other] = [addressOf(ours, family), addressOf(theirs, family)]
    return [`${IP.c1} ${IP.l1} 4789 ${vni} ${inner} ${other}`, `${IP.l1} ${IP.c1} 4789 ${vni} ${other} ${inner}`]
  }))
  t.same(seen.map(line).sort(), expected.sort(), 'outer source, outer destination, UDP port, VNI, inner source, inner destination')
})

await t.test('packets as large as the workloads\' MTU pass, unfragmented', async (t) => {
  for (const { ours, theirs } of pairs) {
    const { code, stdout } = await lab.exec(ours.name, ['ping', '-c', '3', '-i', '0.1', '-W', '1', '-M', 'do', '-s', '1472', addressOf(theirs, 4) ?? ''], { allowFailure: true })
    t.equal(code, 0, stdout)
  }
})

await t.test('the VNIs do not meet, though all workloads are in one subnet', async (t) => {
  const [one, other] = pairs
  for (const to of [other?.ours.name, other?.theirs.name]) {
    t.same(await ping(lab, one?.ours.name ?? '', to ?? '', { count: 2 }), { sent: 2, received: 0 }, `${one?.ours.name} > ${to}`)
  }
})

await t.test('the peer knows our workloads by Type-2 routes, and we know its own', async (t) => {
  for (const { vni, ours, theirs } of pairs) {
    const routes = await lab.vtysh('l1', 'show bgp l2vpn evpn route type macip')
    for (const family of [4, 6] as const) t.match(routes, `[2]:[0]:[48]:[${ours.mac}]:[${family === 4 ? 32 : 128}]:[${addressOf(ours, family)}]`)
    const macs = await c1.report<readonly { readonly mac: string, readonly ip: string }[]>('macs', vni)
    t.ok(macs.some(({ mac, ip }) => mac === theirs.mac && ip === IP.l1), `${theirs.mac} behind ${IP.l1}`)
  }
})
