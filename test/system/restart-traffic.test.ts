// Issue 2, "kill -9 and restart": the daemon ends and returns while packets pass both ways. None is lost, and nobody who
// watches the switch or the kernel sees an event.
import t from 'tap'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { FlowMonitor } from '../demo/flow-monitor.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { coverage, memory } from './util/daemon-numbers.js'
import { Speaker } from './util/speaker.js'
import { losses, packetsSent, underTraffic } from './util/traffic.js'

const VNI = 1000
const IP = { c1: '192.0.2.1', l1: '192.0.2.2' } as const
const HOME = { name: 'home', vtep: 'c1', vni: VNI, mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/16', 'fd00::1/64'] } as const
const AWAY = { name: 'away', vtep: 'l1', vni: VNI, mac: '02:00:00:00:00:02', addresses: ['10.0.0.2/16', 'fd00::2/64'] } as const
const OTHERS = 1000

const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [VNI], workloads: [HOME, AWAY] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await speaker.vtep(VNI, IP.l1)
await speaker.mac(VNI, AWAY.mac, IP.l1)
await c1.run(['bridge', '-batch', '-'], { input: Array.from({ length: OTHERS }, (_, i) =>
  `fdb replace 02:aa:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')} dev vxlan-${VNI} dst ${IP.l1} self master dynamic extern_learn`).join('\n') + '\n' })
const linux = new Speaker(new Chassis(lab, 'l1'))
await linux.vtep(VNI, IP.c1)
await linux.mac(VNI, HOME.mac, IP.c1)
let daemon = await lab.startDaemon('c1')
await ready()

/** Waits until the daemon knows everything and everything it wants is there. */
async function ready(): Promise<void> {
  await waitFor('the daemon to know everything and to have nothing to do', async () => {
    const [now, { switch_read_backs: readBacks = 0 }] = [await memory(daemon), await coverage(daemon)]
    return (readBacks > 0 && now['macs'] === OTHERS + 1 && now['flows_desired'] === now['flows_realized'] && now['groups_desired'] === now['groups_realized'] &&
      now['kernel_rows_desired'] === 3 && now['kernel_rows_realized'] === 3) || now
  })
}

/** The kernel's own monitors, for the devices of the VNI; rows of our own that come and go prove that they see. */
class KernelMonitor {
  readonly #lines: string[] = []
  readonly #children: readonly ChildProcess[]

  constructor() {
    this.#children = [['bridge', 'monitor', 'fdb'], ['ip', 'monitor', 'neigh', 'link', 'nexthop']].map((argv) => {
      const child = lab.spawn('c1', argv)
      if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => this.#lines.push(line))
      return child
    })
  }

  /** Returns when everything up to now has been seen. */
  async probe(): Promise<void> {
    const before = this.#probes()
    await waitFor('both monitors to see the probe', async () => {
      await c1.run(['bridge', 'fdb', 'add', '02:ff:00:00:00:01', 'dev', 'lop-1000', 'self', 'permanent'])
      await c1.run(['ip', 'neigh', 'replace', '10.255.0.1', 'lladdr', '02:ff:00:00:00:01', 'dev', 'lop-1000', 'nud', 'permanent'])
      await c1.run(['ip', 'neigh', 'del', '10.255.0.1', 'dev', 'lop-1000'])
      await c1.run(['bridge', 'fdb', 'del', '02:ff:00:00:00:01', 'dev', 'lop-1000', 'self'])
      const now = this.#probes()
      return (now.fdb > before.fdb && now.neigh > before.neigh) || this.#lines.slice(-5)
    })
  }

  /** Every event so far but the probe's, and those of the underlay (its ARP is its own business). */
  get events(): readonly string[] {
    return this.#lines.filter((line) => /dev (br|vxlan|lo)-1000\b/.test(line))
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGTERM')
  }

  #probes(): { readonly fdb: number, readonly neigh: number } {
    const probes = this.#lines.filter((line) => line.includes('02:ff:00:00:00:01') || line.includes('10.255.0.1'))
    const neigh = probes.filter((line) => line.includes('10.255.0.1')).length
    return { fdb: probes.length - neigh, neigh }
  }
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  await t.test(`${signal} and a restart under traffic, 1,000 MACs: no packet is lost, nothing is sent, nobody sees an event`, async (t) => {
    const [flows, kernel] = [await FlowMonitor.start(lab, 'c1'), new KernelMonitor()]
    await kernel.probe()
    const results = await underTraffic(lab, [['home', 'away'], ['away', 'home']], async () => {
      await daemon.stop(signal)
      daemon = await lab.startDaemon('c1')
      await ready()
    })
    await flows.probe()
    await kernel.probe()
    t.comment(`${packetsSent(results)} packets`)
    t.same(losses(results), [], 'every packet is answered once')
    t.same(flows.events, [], 'the OpenFlow monitor sees no event')
    t.same(kernel.events, [], 'bridge monitor and ip monitor see no event on the VNI\'s devices')
    const { flow_mods = 0, group_mods = 0, kernel_writes = 0 } = await coverage(daemon)
    t.same({ flow_mods, group_mods, kernel_writes }, { flow_mods: 0, group_mods: 0, kernel_writes: 0 }, 'the new daemon has sent nothing')
    flows.stop()
    kernel.stop()
  })
}

await t.test('without a daemon packets pass, too', async (t) => {
  const results = await underTraffic(lab, [['home', 'away'], ['away', 'home']], async () => { await daemon.stop('SIGKILL') })
  t.same(losses(results), [], 'every packet is answered once')
  daemon = await lab.startDaemon('c1')
  await ready()
})

await t.test('ovs-vswitchd killed and back: packets pass again, whatever numbers the ports have now', async (t) => {
  await lab.stopService('c1', 'ovs-vswitchd', 'SIGKILL')
  await lab.startService('c1', 'ovs-vswitchd')
  const results = await underTraffic(lab, [['home', 'away'], ['away', 'home']], () => Promise.resolve())
  t.same(losses(results), [], 'every packet is answered once')
  t.ok(packetsSent(results) >= 4 * 60, `${packetsSent(results)} packets`)
})

await t.test('ovsdb-server killed and back: no packet is lost', async (t) => {
  const results = await underTraffic(lab, [['home', 'away'], ['away', 'home']], async () => {
    await lab.stopService('c1', 'ovsdb-server', 'SIGKILL')
    await lab.startService('c1', 'ovsdb-server')
    await waitFor('the daemon to be connected to the database', async () =>
      (await c1.report<{ readonly ovsdb: string }>('show')).ovsdb.startsWith('connected'))
  })
  t.same(losses(results), [], 'every packet is answered once')
})
