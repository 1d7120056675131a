// Issue 5, fail-static: a routing daemon that dies takes nothing with it. FRR on both sides, and traffic both ways while c1's dies
// and comes back. On l1, a plain Linux VTEP, zebra is stopped meanwhile: it would take c1's addresses out of the kernel there.
import t from 'tap'
import type { ServiceName } from '../lab/build.js'
import { PATIENCE } from '../lab/wait.js'
import { eventually } from '../system/util/eventually.js'
import { Speaker } from '../system/util/speaker.js'
import { losses, packetsSent, underTraffic } from '../system/util/traffic.js'
import { AWAY, Mortal, PEER, VNI } from './util/mortal.js'

const BOTH_WAYS = [['home', 'away'], ['away', 'home']] as const
/** Seconds; longer than FRR takes to be back and to have settled. */
const STALE_TIME = 30 * PATIENCE

const mortal = await Mortal.up(STALE_TIME)
t.teardown(() => mortal.lab.down())
let daemon = await mortal.lab.startDaemon('c1')
await mortal.known('ok')
const hand = new Speaker(mortal.c1)

interface Death {
  readonly name: string
  readonly kill: readonly (readonly [ServiceName, NodeJS.Signals])[]
  /** Whether zebra takes the rows away. */
  readonly rowsGo: boolean
  /** What is ended, too, before all that is ended starts again: bgpd tells a new zebra nothing of what it told the old one. */
  readonly alsoEnds: readonly ServiceName[]
}

const DEATHS: readonly Death[] = [
  { name: 'kill -9 bgpd', kill: [['bgpd', 'SIGKILL']], rowsGo: true, alsoEnds: [] },
  { name: 'SIGTERM zebra', kill: [['zebra', 'SIGTERM']], rowsGo: true, alsoEnds: ['bgpd'] },
  { name: 'kill -9 zebra', kill: [['zebra', 'SIGKILL']], rowsGo: false, alsoEnds: ['bgpd'] },
  { name: 'a restart of all FRR', kill: [['bgpd', 'SIGTERM'], ['zebra', 'SIGTERM']], rowsGo: true, alsoEnds: [] }
]

for (const { name, kill, rowsGo, alsoEnds } of DEATHS) {
  await t.test(`${name}: no packet is lost until it is back and has settled`, async (t) => {
    await mortal.withPeerFrozen(async () => {
      const results = await underTraffic(mortal.lab, BOTH_WAYS, async () => {
        for (const [service, signal] of kill) await mortal.stop(service, signal)
        await mortal.noticed('the routing daemon is gone', true)
        if (rowsGo) {
          await mortal.rowsAreGone()
          await mortal.known('stale')
        }
        for (const service of alsoEnds) await mortal.stop(service, 'SIGTERM')
        await mortal.start(...[...kill.map(([service]) => service), ...alsoEnds].sort().reverse())
        await mortal.known('ok')
        await mortal.noticed('the routing daemon is', false)
      })
      t.comment(`${name}: of ${packetsSent(results)} packets ${results.reduce((sum, { lost }) => sum + lost, 0)} lost`)
      t.same(losses(results), [], 'every packet is answered once')
    })
    await mortal.known('ok')
  })
}

await t.test('ovs-evpnd and all FRR restarted in the same minute: no packet is lost', async (t) => {
  await mortal.withPeerFrozen(async () => {
    const results = await underTraffic(mortal.lab, BOTH_WAYS, async () => {
      await daemon.stop('SIGTERM')
      for (const service of ['bgpd', 'zebra'] as const) await mortal.stop(service, 'SIGTERM')
      await mortal.rowsAreGone()
      daemon = await mortal.lab.startDaemon('c1')
      await eventually('VTEP and MAC of l1 to be adopted', () => mortal.shown(),
        (seen) => [PEER, AWAY.mac].every((address) => seen.includes(`${address} stale`)))
      await mortal.start('zebra', 'bgpd')
      await mortal.known('ok')
      await mortal.noticed('the routing daemon is', false)
    })
    t.comment(`of ${packetsSent(results)} packets ${results.reduce((sum, { lost }) => sum + lost, 0)} lost`)
    t.same(losses(results), [], 'every packet is answered once')
  })
})

await t.test('what was withdrawn while ovs-evpnd was away is gone once the routing daemon has nothing more to say', async (t) => {
  const [mac, multihomed] = ['02:00:00:00:bb:01', '02:00:00:00:bb:02']
  await hand.mac(VNI, mac, PEER)
  await hand.nexthops({ 1: PEER })
  await hand.nexthopGroup(10, { 1: 1 })
  await hand.multihomed(VNI, [multihomed], 10)
  const flows = async () => (await mortal.c1.flows('table=202')).filter((flow) => flow.includes(mac) || flow.includes(multihomed))
  await eventually('a flow for each', flows, (seen) => seen.length === 2)
  await daemon.stop('SIGTERM')
  await hand.noMac(VNI, mac)
  await hand.noNexthop(10)
  daemon = await mortal.lab.startDaemon('c1')
  await eventually('both to be adopted, that of a nexthop group behind a VTEP of it', () => mortal.c1.report<readonly { readonly mac: string, readonly ip: string, readonly state: string }[]>('macs', VNI),
    (macs) => [mac, multihomed].every((one) => macs.some((row) => row.mac === one && row.ip === PEER && row.state === 'stale')))
  t.equal((await flows()).length, 2)
  await eventually('no flow', flows, (seen) => seen.length === 0, 20_000)
})

await t.test('ovs-evpnd and all FRR end, and FRR does not return: what was adopted is stale for evpn-stale-time, then it is gone', async (t) => {
  await mortal.withPeerFrozen(async () => {
    await daemon.stop('SIGTERM')
    for (const service of ['bgpd', 'zebra'] as const) await mortal.stop(service, 'SIGTERM')
    await mortal.rowsAreGone()
    const seconds = 8 * PATIENCE
    await mortal.c1.set('Bridge br-int', { 'evpn-stale-time': String(seconds) })
    const start = performance.now()
    daemon = await mortal.lab.startDaemon('c1')
    const adopted = [PEER, AWAY.mac].map((address) => `${address} stale`)
    await eventually('VTEP and MAC of l1 to be adopted', () => mortal.shown(), (seen) => adopted.every((line) => seen.includes(line)))
    const flows = () => mortal.c1.flows(`table=202,dl_dst=${AWAY.mac}`)
    t.equal((await flows()).length, 1, 'its flow stands')
    await eventually('VTEP and MAC to go', () => mortal.shown(), (seen) => seen.length === 0, 30_000)
    t.ok(performance.now() - start >= seconds * 1_000, `not before ${seconds} s are over`)
    await eventually('no flow to l1', flows, (seen) => seen.length === 0)
  })
})
