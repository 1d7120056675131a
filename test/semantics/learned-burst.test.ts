// Issue 4, rule 11: as many MACs as a port may teach, in several VNIs, all at once, while the daemon stands still: the switch cannot
// tell it all of them as they come, and pauses its monitors.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { Chassis } from '../system/util/chassis.js'
import { memory } from '../system/util/daemon-numbers.js'
import { eventually, eventuallyHas, eventuallyLacks } from '../system/util/eventually.js'
import { BROADCAST } from '../system/util/frame.js'
import { Wire } from '../system/util/wire.js'

/** VNIs of a trunk, by VLAN. */
const VNIS = Array.from({ length: 8 }, (_, i) => ({ vlan: 10 + i, vni: 1000 + i }))
/** MACs that one port may teach in one VNI (lib/pipeline/learned.ts). */
const LIMIT = 1024

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [], workloads: [{
  name: 'trunk', vtep: 'c1', vni: 1000, mac: '02:00:00:00:00:01', addresses: [],
  externalIds: { 'dynamic-routing-vni': VNIS.map(({ vlan, vni }) => `${vlan}:${vni}`).join(), 'evpn-addresses': 'unknown' }
}] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
for (const { vni } of VNIS) await lab.addVniDevices('c1', vni)
const daemon = await lab.startDaemon('c1')
const trunk = await Wire.open(lab, 'trunk')
await eventually('a flow that learns in each VNI', () => c1.ourFlows('table=207'), (flows) => flows.filter((flow) => flow.includes('learn(')).length === VNIS.length)

const mac = (n: number) => `02:cc:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`
const known = async () => (await memory(daemon))['learned_macs'] ?? 0

/** What the switch has learned, as `VNI MAC`. */
async function inSwitch(): Promise<Set<string>> {
  const places = (await c1.flows('table=209')).map((flow) => /metadata=(0x[0-9a-f]+),dl_dst=([0-9a-f:]+)/.exec(flow))
  return new Set(places.flatMap((place) => (place === null ? [] : [`${Number(place[1])} ${place[2]}`])))
}

/** Sends frames with so many source MACs in each of the VNIs, again and again, as many at once as a socket takes, until the switch has learned `enough`. */
async function teach(vnis: typeof VNIS, count: number, enough: number): Promise<void> {
  await eventually(`the switch to have learned ${enough} MACs`, async () => {
    const there = await inSwitch()
    const missing = vnis.flatMap(({ vlan, vni }) => Array.from({ length: count }, (_, n) => ({ vlan, n })).filter(({ n }) => !there.has(`${vni} ${mac(n)}`)))
    for (const { vlan, n } of missing.slice(0, 300)) trunk.send({ src: mac(n), dst: BROADCAST, tags: [{ vlan, priority: 0 }], name: 'burst' })
    return there.size
  }, (size) => size >= enough, 120_000)
}

await t.test('rule 11: a limit per port in the flow: of more MACs than that the switch learns no more, and what it learned is announced', async (t) => {
  await teach(VNIS.slice(0, 1), LIMIT + 50, LIMIT)
  await eventually('the daemon to know them all', known, (count) => count === LIMIT, 20_000)
  t.equal((await inSwitch()).size, LIMIT)
  const rows = async () => (await c1.fdb('lo-1000')).filter((row) => row.mac.startsWith('02:cc:') && row.master === 'br-1000').length
  await eventually('all of them to be announced', rows, (count) => count === LIMIT, 20_000)
})

await t.test('rule 11: what is learned while the daemon stands still is known in the end, though the switch pauses its flow monitor', async (t) => {
  process.kill(daemon.pid, 'SIGSTOP')
  try {
    await teach(VNIS, LIMIT, VNIS.length * LIMIT)
  } finally {
    process.kill(daemon.pid, 'SIGCONT')
  }
  await eventually('the daemon to know all that the switch has learned', known, (count) => count === VNIS.length * LIMIT, 60_000)
  // An emulated machine takes so long to learn them that the switch gives the connection up meanwhile.
  t.match(daemon.log(), /could not keep up with telling what it learned|connection to .*br-int\.mgmt lost/, 'it was not told all of it, so all of it was read again')
})

/** In all VNIs and ports together (lib/mirror/learned.ts). */
const TOTAL = 50_000

await t.test('rule 11: a total kept by the daemon: of more learned MACs than that it keeps no more, says so, and has room again when they age', async (t) => {
  await c1.set('Bridge br-int', { 'dynamic-routing-redistribute': 'none' })
  const before = await known()
  // As learn() would leave them; 49 ports that send from 1,024 MACs each would take minutes.
  const [flow = ''] = (await c1.ofctl('--no-names', '--no-stats', 'dump-flows', 'br-int', 'table=209')).split('\n').filter((line) => line.includes('actions='))
  const actions = flow.slice(flow.indexOf('actions='))
  const hex = (n: number) => n.toString(16).padStart(4, '0').replace(/^(..)/, '$1:')
  const flows = Array.from({ length: TOTAL - before + 100 }, (_, n) => `cookie=0x6576706e80000001,table=209,priority=100,metadata=1000,dl_dst=02:dd:00:00:${hex(n)},${actions}`)
  await c1.run(['ovs-ofctl', '-O', 'OpenFlow15', '--bundle', 'add-flows', 'br-int', '-'], { input: flows.join('\n') + '\n' })
  await eventually('the daemon to keep as many as it may', known, (count) => count === TOTAL, 60_000)
  await eventuallyHas('that there are more', () => c1.problems(), 'more than 50000 MACs')
  await c1.ofctl('del-flows', 'br-int', 'cookie=0x6576706e80000001/-1,table=209')
  await eventually('the daemon to know what is there, and only that', known, (left) => left === before, 60_000)
  await eventuallyLacks('nothing to report any more', () => c1.problems(), 'more than 50000 MACs')
  t.equal((await inSwitch()).size, before, 'what the port itself taught is as before')
})
