// Issue 5, fail-static: when what the routing daemon withdraws counts, and when it ends that it does not.
import t from 'tap'
import { PATIENCE } from '../lab/wait.js'
import { eventually } from '../system/util/eventually.js'
import { Speaker } from '../system/util/speaker.js'
import { Watch } from '../system/util/watch.js'
import { AWAY, Mortal, PEER, VNI } from './util/mortal.js'

/** Seconds; longer than anything here takes. */
const STALE_TIME = 30 * PATIENCE

const mortal = await Mortal.up(STALE_TIME)
t.teardown(() => mortal.lab.down())
const { c1 } = mortal
const hand = new Speaker(c1)
await mortal.lab.startDaemon('c1')
await mortal.known('ok')

await t.test('a withdrawal by a living speaker takes effect within 50 ms', async (t) => {
  const watch = await Watch.start(mortal.lab, 'c1')
  const times: number[] = []
  for (let i = 1; i <= 5; i++) {
    const mac = `02:00:00:00:bb:0${i}`
    await hand.mac(VNI, mac, PEER)
    await eventually(`a flow for ${mac}`, () => c1.flows(`dl_dst=${mac}`), (flows) => flows.length > 0)
    times.push(await watch.gap('the withdrawal', () => hand.noMac(VNI, mac), new RegExp(`Deleted.* ${mac} `, 'i'), new RegExp(`event=DELETED.*dl_dst=${mac}`)))
  }
  watch.stop()
  t.comment(`from the kernel's notification to the flow's end: ${times.map((time) => `${time.toFixed(0)} ms`).join(', ')}`)
  t.ok(Math.min(...times) <= 50 * PATIENCE, 'within 50 ms')
})

await t.test('nobody returns: it is over when evpn-stale-time is', async (t) => {
  await c1.set('Bridge br-int', { 'evpn-stale-time': String(3 * PATIENCE) })
  await mortal.stop('bgpd', 'SIGKILL')
  await mortal.known('stale')
  await eventually('no flow to l1', () => c1.flows(`table=202,dl_dst=${AWAY.mac}`), (flows) => flows.length === 0)
  t.same(await c1.report('vteps', VNI), [], 'and no VTEP')
  await mortal.start('bgpd')
  await mortal.known('ok')
  await mortal.noticed('the routing daemon is', false)
})

await t.test('evpn-stale-time=0: what is withdrawn is gone', async (t) => {
  await c1.set('Bridge br-int', { 'evpn-stale-time': '0' })
  await mortal.stop('bgpd', 'SIGKILL')
  const flows = await eventually('no flow to l1', () => c1.flows(`table=202,dl_dst=${AWAY.mac}`), (seen) => seen.length === 0, 1_000)
  t.same(flows, [])
  await mortal.start('bgpd')
  await mortal.known('ok')
})

await t.test('a device that is deleted takes its rows with it, dead speaker or not', async (t) => {
  await c1.set('Bridge br-int', { 'evpn-stale-time': String(STALE_TIME) })
  await mortal.noticed('the routing daemon is', false)
  await mortal.stop('bgpd', 'SIGKILL')
  await mortal.known('stale')
  await c1.run(['ip', 'link', 'del', `vxlan-${VNI}`])
  await eventually('no VTEP', () => c1.report<readonly unknown[]>('vteps', VNI), (vteps) => vteps.length === 0, 1_000)
  t.same(await c1.report('macs', VNI), [], 'and no MAC')
})
