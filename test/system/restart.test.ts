// Issue 2, "nothing changed = nothing sent": the daemon, ovs-vswitchd and ovsdb-server die and return, and an OpenFlow
// monitor, the kernel's monitors and the daemon's own counters say what that did to the tables.
import t from 'tap'
import { FlowMonitor } from '../demo/flow-monitor.js'
import type { Daemon } from '../lab/daemon.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { announced } from './util/announced.js'
import { Chassis } from './util/chassis.js'
import { coverage, memory } from './util/daemon-numbers.js'
import { eventually } from './util/eventually.js'
import { Speaker } from './util/speaker.js'

const VNI = 1000
const VTEP = '192.0.2.11'
const MACS = Array.from({ length: 1000 }, (_, i) => `02:aa:00:00:${hex(i >> 8)}:${hex(i & 0xff)}`)
const [CHANGED = '', REMOVED = ''] = MACS
const ADDED = '02:bb:00:00:00:01'

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await speaker.vtep(VNI, VTEP)
await c1.run(['bridge', '-batch', '-'], { input: MACS.map((mac) => `fdb replace ${mac} dev vxlan-1000 dst ${VTEP} self master dynamic extern_learn`).join('\n') })
let daemon = await lab.startDaemon('c1')
await settled(daemon, MACS.length)

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** Waits until the daemon knows this many MACs and everything it wants is there. */
async function settled(of: Daemon, macs: number): Promise<void> {
  await eventually(`${macs} MACs known, all flows, groups and rows as desired`, () => memory(of), (seen) =>
    seen['macs'] === macs && (seen['flows_realized'] ?? 0) > macs && seen['flows_desired'] === seen['flows_realized'] &&
    seen['groups_desired'] === seen['groups_realized'] && seen['kernel_rows_desired'] === seen['kernel_rows_realized'])
}

async function sent(of: Daemon): Promise<Readonly<Record<string, number>>> {
  const { flow_mods = 0, group_mods = 0, kernel_writes = 0 } = await coverage(of)
  return { flow_mods, group_mods, kernel_writes }
}

/** How often the daemon's log says this. */
function times(text: string): number {
  return daemon.log().split(text).length - 1
}

/** Flow durations in seconds, by flow. */
async function durations(): Promise<Map<string, number>> {
  const text = await c1.ofctl('dump-flows', 'br-int', 'table=202')
  return new Map([...text.matchAll(/duration=([\d.]+)s,.*?(priority=\S+)/g)].map(([, seconds, flow = '']) => [flow, Number(seconds)]))
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  await t.test(`${signal} and a restart with 1,000 MACs: nothing is sent, no flow event, no kernel event, durations survive`, async (t) => {
    const before = await durations()
    const rows = await announced(c1)
    const monitor = await FlowMonitor.start(lab, 'c1')
    await daemon.stop(signal)
    daemon = await lab.startDaemon('c1')
    await settled(daemon, MACS.length)
    await monitor.probe()
    monitor.stop()
    t.strictSame(await sent(daemon), { flow_mods: 0, group_mods: 0, kernel_writes: 0 }, 'the new daemon sends nothing')
    t.strictSame(monitor.events, [], 'the OpenFlow monitor sees no event')
    t.strictSame(await announced(c1), rows, 'the rows that announce our workloads are as before')
    const after = await durations()
    t.ok(before.size > MACS.length, `${before.size} flows are looked at`)
    t.strictSame([...before].filter(([flow, seconds]) => !((after.get(flow) ?? 0) > seconds)), [], 'every flow is older than before')
  })
}

await t.test('what changed while the daemon was down is exactly what is sent', async (t) => {
  await daemon.stop('SIGKILL')
  await speaker.vtep(VNI, '192.0.2.12')
  await speaker.mac(VNI, CHANGED, '192.0.2.12')
  await speaker.noMac(VNI, REMOVED)
  await speaker.mac(VNI, ADDED, VTEP)
  const monitor = await FlowMonitor.start(lab, 'c1')
  daemon = await lab.startDaemon('c1')
  await settled(daemon, MACS.length)
  await monitor.probe()
  monitor.stop()
  // MAC added, MAC removed, MAC moved, the new VTEP's decap flow; and the new VTEP as one bucket of the flood.
  t.strictSame(await sent(daemon), { flow_mods: 4, group_mods: 1, kernel_writes: 0 }, 'four flows and one group')
  const kinds = monitor.events.map((event) => /^event=(\w+)/.exec(event)?.[1]).sort()
  t.strictSame(kinds, ['ADDED', 'ADDED', 'DELETED', 'MODIFIED'], 'a moved MAC is a modification, which keeps the flow')
})

await t.test('ovs-vswitchd killed and back: everything is installed again, the kernel rows stay', async (t) => {
  const flows = (await c1.ourFlows()).sort()
  const groups = (await c1.groups()).sort()
  const rows = await announced(c1)
  await lab.stopService('c1', 'ovs-vswitchd', 'SIGKILL')
  await lab.startService('c1', 'ovs-vswitchd')
  await waitFor('all flows to be back', async () => {
    const now = (await c1.ourFlows()).sort()
    return (now.length === flows.length && now.every((flow, i) => flow === flows[i])) || `${now.length} of ${flows.length}`
  }, 15_000)
  t.strictSame((await c1.groups()).sort(), groups, 'the groups are the same')
  t.strictSame(await announced(c1), rows, 'the workloads were announced all the time')
})

await t.test('ovsdb-server killed and back: nothing is sent but what was learned meanwhile', async (t) => {
  await settled(daemon, MACS.length)
  const before = await sent(daemon)
  const monitor = await FlowMonitor.start(lab, 'c1')
  const [losses, connections] = [times('keeping the last configuration'), times('|ovsdb|INFO|connected to')]
  await lab.stopService('c1', 'ovsdb-server', 'SIGKILL')
  await eventually('the daemon to say that the database is gone', () => times('keeping the last configuration'), (seen) => seen > losses)
  // ovs-vswitchd 3.1 answers no OpenFlow while its database is gone (it lost the lock there): the flow has to wait for it.
  await speaker.mac(VNI, REMOVED, VTEP)
  await eventually('a MAC to be learned while the database is gone', () => memory(daemon), (seen) => seen['macs'] === MACS.length + 1)
  await lab.startService('c1', 'ovsdb-server')
  await eventually('the daemon to be connected again', () => times('|ovsdb|INFO|connected to'), (seen) => seen > connections, 15_000)
  await settled(daemon, MACS.length + 1)
  await monitor.probe()
  monitor.stop()
  t.equal(monitor.events.length, 1, 'the one MAC is the only event')
  t.strictSame(await sent(daemon), { ...before, flow_mods: (before['flow_mods'] ?? 0) + 1 }, 'the database cost no message')
})
