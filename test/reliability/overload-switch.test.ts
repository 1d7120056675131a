// A switch that cannot keep up: ovs-vswitchd that stops reading, and one whose table is full.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { announced } from '../system/util/announced.js'
import { coverage } from '../system/util/daemon-numbers.js'
import { eventually, eventuallyHas, eventuallyLacks } from '../system/util/eventually.js'
import { evpnctl } from '../system/util/evpnctl.js'
import { Patient, VNI, VTEP } from './util/patient.js'
import { residentMib, whileStopped } from './util/process.js'

const patient = await Patient.up()
const { lab, c1, speaker, daemon, dir } = patient

function macs(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}:${[i >> 8, i & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`)
}

async function bridge(lines: readonly string[]): Promise<void> {
  await c1.run(['bridge', '-batch', '-'], { input: lines.join('\n') + '\n' })
}

const appear = (many: readonly string[]): Promise<void> => bridge(many.map((mac) => `fdb replace ${mac} dev vxlan-${VNI} dst ${VTEP} self master dynamic extern_learn`))
const disappear = (many: readonly string[]): Promise<void> => bridge(many.map((mac) => `fdb del ${mac} dev vxlan-${VNI} self master`))

await t.test('ovs-vswitchd stops reading, and 20,000 MACs come and go: other work goes on, memory is bounded, then all is right', async (t) => {
  const many = macs(20_000, '02:cc:00:00')
  const vswitchd = Number(readFileSync(`${dir}/ovs-vswitchd.pid`, 'utf8'))
  const memory = residentMib(daemon.pid)
  await whileStopped(vswitchd, async () => {
    for (const round of [1, 2, 3]) {
      await appear(many)
      await eventually(`round ${round}: the daemon to know them`, () => c1.report<readonly unknown[]>('macs'), (rows) => rows.length > many.length, 30_000)
      await disappear(many)
    }
    await appear(many.slice(0, 100))
    await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:07' })
    await eventually('our own announcements to change meanwhile', () => announced(c1), (rows) => rows.some((row) => row.startsWith('02:00:00:00:00:07')))
    await eventually('the daemon to have read all that', () => c1.report<readonly unknown[]>('macs'), (rows) => rows.length < many.length / 2, 30_000)
    await patient.away(t)
  })
  await eventually('the MACs that are left on the switch', async () => (await c1.ourFlows('table=202')).filter((flow) => flow.includes('02:cc:')).length, (count) => count === 100, 30_000)
  const grown = residentMib(daemon.pid) - memory
  t.ok(grown < 250, `${Math.round(grown)} MiB more memory`)
  await disappear(many.slice(0, 100))
  await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:02 10.0.0.2 fd00::2' })
  await patient.asBefore('ovs-vswitchd reads again')
})

await t.test('a full table refuses some MACs: they alone are missing, shown as problems, and tried again until there is room', async (t) => {
  const many = macs(100, '02:dd:00:00')
  const present = (await c1.ourFlows('table=202')).length
  await c1.vsctl('--', '--id=@full', 'create', 'Flow_Table', `flow_limit=${present + 90}`, 'overflow_policy=refuse', '--', 'set', 'Bridge', 'br-int', 'flow_tables:202=@full')
  const installed = async (): Promise<number> => (await c1.ourFlows('table=202')).filter((flow) => flow.includes('02:dd:')).length
  await appear(many)
  await eventually('90 of 100 MACs on the switch', installed, (count) => count === 90)
  await speaker.vtep(VNI, '192.0.2.10')
  await eventuallyHas('other work goes on: a VTEP of another table', () => c1.ourFlows('table=200'), 'tun_src=192.0.2.10')
  await eventually('the ten as problems', () => c1.problems(), (lines) => lines.filter((line) => line.includes('02:dd:') && line.includes('refused')).length === 10)
  const { stdout } = await evpnctl(lab, 'c1', ['problems'])
  t.match(stdout, /flow table=202, priority=300,.*dl_dst=02:dd:.* +refused by the switch: OFPFMFC_TABLE_FULL/, '`ovs-evpnctl problems` says which, and why')
  const before = await coverage(daemon)
  await eventually('some of them tried again', () => coverage(daemon), (now) => (now['switch_refused'] ?? 0) > (before['switch_refused'] ?? 0))
  t.equal((await c1.ourFlows('table=202')).filter((flow) => flow.includes('02:dd:')).length, 90, 'the others stay')
  await c1.vsctl('clear', 'Bridge', 'br-int', 'flow_tables')
  await eventually('all of them once there is room', installed, (count) => count === 100, 30_000)
  await eventuallyLacks('no problem is left', () => c1.problems(), '02:dd:')
  t.ok(daemon.log().split('the switch refused').length <= 12, 'the log is not filled')
  await disappear(many)
  await speaker.noVtep(VNI, '192.0.2.10')
  await patient.asBefore('room again')
})
