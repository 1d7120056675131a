// The bridge of a VNI inside a VRF, as fabrics with symmetric routing have it: moved there while all is running, which takes
// its neighbours away, and out again.
import t, { type Test } from 'tap'
import { parseMacIpRoutes } from '../demo/routes.js'
import { Lab } from '../lab/lab.js'
import { needs } from '../lab/needs.js'
import { ping } from '../lab/ping.js'
import { withoutPrefix } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { announces } from '../system/util/announced.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually } from '../system/util/eventually.js'
import { rowsOf, workload } from '../system/util/workload.js'

needs('vrf')

const VNI = 1000
const [OURS, THEIRS] = [workload('ours', VNI, 1), workload('theirs', VNI, 2, 'l1')]
const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI], workloads: [OURS, THEIRS] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
await c1.run(['ip', 'link', 'add', 'tenant', 'type', 'vrf', 'table', '100'])
await c1.run(['ip', 'link', 'set', 'tenant', 'up'])
await lab.startDaemon('c1')

const remoteIps = async (): Promise<string[]> =>
  (await c1.neighbours(`br-${VNI}`)).filter(({ protocol }) => protocol === 'zebra').map(({ dst, lladdr }) => `${dst} ${lladdr}`).sort()

/** Both directions of the exchange with the speaker, and packets. */
async function works(t: Test): Promise<void> {
  await announces(c1, 'what the speaker reads of us', rowsOf(OURS))
  await eventually('the peer to have our routes', async () =>
    parseMacIpRoutes(await lab.vtysh('l1', 'show bgp l2vpn evpn route type macip json'))
      .filter(({ mac, nextHop }) => mac === OURS.mac && nextHop === '192.0.2.1').map(({ ip }) => ip ?? 'MAC').sort(),
  (seen) => seen.join() === ['MAC', ...OURS.addresses.map(withoutPrefix)].sort().join(), 20_000)
  for (const family of [4, 6] as const) {
    for (const [from, to] of [['ours', 'theirs'], ['theirs', 'ours']] as const) {
      await waitFor(`${from} to reach ${to} by IPv${family}`, async () => (await ping(lab, from, to, { family, count: 1 })).received === 1, 20_000)
    }
    t.same(await ping(lab, 'ours', 'theirs', { family, count: 5 }), { sent: 5, received: 5 }, `IPv${family}`)
  }
  t.same(await c1.problems(), [], 'nothing to report')
}

await t.test('outside a VRF', works)

await t.test('the bridge moves into a VRF: its neighbours are gone, and ours come back', async (t) => {
  await c1.run(['ip', 'link', 'set', `br-${VNI}`, 'master', 'tenant'])
  await works(t)
})

await t.test('inside the VRF the peer\'s IPs are known as before', async () => {
  await eventually('the speaker to write them', remoteIps, (seen) =>
    THEIRS.addresses.map(withoutPrefix).every((ip) => seen.includes(`${ip} ${THEIRS.mac}`)), 20_000)
})

await t.test('the bridge leaves the VRF', async (t) => {
  await c1.run(['ip', 'link', 'set', `br-${VNI}`, 'nomaster'])
  await works(t)
})
