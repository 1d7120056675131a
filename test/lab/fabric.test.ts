// The fabric itself, with FRR and without our daemon: what FRR needs and writes, what the underlay carries, what is left.
import t from 'tap'
import { Lab } from './lab.js'
import { leftovers, surroundings } from './leftovers.js'
import { ping } from './ping.js'
import { addressOf, labMac, type WorkloadSpec } from './spec.js'
import { readProcesses } from './state.js'
import { labStatus } from './status.js'
import { waitFor } from './wait.js'

const before = surroundings()
const lab = await Lab.up({ vnis: [1000, 2000] })
t.teardown(() => lab.down())

/** Waits until what a command prints on a host contains, or no longer contains, a text. */
async function printed(host: string, command: string, text: string, there = true): Promise<void> {
  await waitFor(`'${text}' ${there ? 'in' : 'gone from'} '${command}' on ${host}`, async () => {
    const { stdout } = await lab.exec(host, command.split(' '))
    return stdout.includes(text) === there || stdout
  })
}

async function macRoute(vtep: string, text: string, there = true): Promise<void> {
  await waitFor(`route ${text} ${there ? 'on' : 'gone from'} ${vtep}`, async () => {
    const routes = await lab.vtysh(vtep, 'show bgp l2vpn evpn route type macip')
    return routes.includes(text) === there || routes
  })
}

await t.test('everything is alive and every VTEP has a session with every other', async (t) => {
  const { healthy, text } = await labStatus(lab)
  t.ok(healthy, text)
  t.equal([...text.matchAll(/Established/g)].length, 6, 'three VTEPs in a full mesh')
})

await t.test('the underlay carries packets between OVS and Linux VTEPs, large enough for VXLAN around 1500 bytes', async (t) => {
  t.same(await ping(lab, 'c1', '192.0.2.3'), { sent: 3, received: 3 })
  t.same(await ping(lab, 'l1', '192.0.2.2'), { sent: 3, received: 3 })
  const whole = ['ping', '-c', '1', '-W', '1', '-M', 'do', '-s', '1572', '192.0.2.2']
  const { code, stdout } = await lab.exec('c1', whole, { allowFailure: true })
  t.equal(code, 0, stdout)
})

await t.test('addresses of the Linux VTEP\'s workloads reach the kernel of an OVS chassis, in the forms FRR writes', async () => {
  const [workload] = lab.plan.workloads.filter(({ vtep, vni }) => vtep === 'l1' && vni === 1000)
  await printed('c1', 'bridge -d fdb show dev vxlan-1000', `${workload?.mac} dst 192.0.2.3 self extern_learn`)
  await printed('c1', 'bridge -d fdb show dev vxlan-1000', `${workload?.mac} extern_learn master br-1000`)
  await printed('c1', 'bridge -d fdb show dev vxlan-1000', '00:00:00:00:00:00 dst 192.0.2.3 self permanent')
  for (const family of [4, 6] as const) {
    const ip = addressOf(workload as WorkloadSpec, family)
    await printed('c1', `ip -${family} -d neigh show dev br-1000`, `${ip} lladdr ${workload?.mac} extern_learn NOARP proto zebra`)
  }
})

await t.test('a static FDB row on the advertise device and a NOARP neighbour become a MAC+IP route, and go with it', async () => {
  const mac = '02:00:00:01:01:01'
  const route = `[2]:[0]:[48]:[${mac}]:[32]:[10.0.1.11]`
  await lab.exec('c1', ['bridge', 'fdb', 'replace', mac, 'dev', 'lo-1000', 'master', 'static'])
  await lab.exec('c1', ['ip', 'neigh', 'replace', '10.0.1.11', 'lladdr', mac, 'dev', 'br-1000', 'nud', 'noarp', 'protocol', '85'])
  await macRoute('l1', route)
  await lab.exec('c1', ['ip', 'neigh', 'del', '10.0.1.11', 'dev', 'br-1000'])
  await lab.exec('c1', ['bridge', 'fdb', 'del', mac, 'dev', 'lo-1000', 'master'])
  await macRoute('l1', mac, false)
})

await t.test('FRR advertises nothing of a chassis that nobody wrote', async (t) => {
  const routes = await lab.vtysh('l1', 'show bgp l2vpn evpn route type macip')
  t.notMatch(routes, /192\.0\.2\.[12]\n/, 'no MAC route from c1 or c2')
})

await t.test('Open vSwitch and Linux exchange full-size VXLAN packets over hand-written flows', async (t) => {
  await lab.exec('c1', ['ovs-vsctl', '--timeout=10', 'add-port', 'br-int', 'hand', '--', 'set', 'Interface', 'hand', 'type=vxlan',
    'options:remote_ip=192.0.2.3', 'options:key=1000'])
  await lab.exec('c1', ['ovs-ofctl', 'add-flow', 'br-int', 'in_port=c1-1000-a,actions=output:hand'])
  await lab.exec('c1', ['ovs-ofctl', 'add-flow', 'br-int', 'in_port=hand,actions=output:c1-1000-a'])
  for (const family of [4, 6] as const) {
    const first = async (): Promise<boolean> => (await ping(lab, 'c1-1000-a', 'l1-1000-a', { family, count: 1 })).received === 1
    await waitFor(`IPv${family} to pass`, first)
    t.same(await ping(lab, 'c1-1000-a', 'l1-1000-a', { family }), { sent: 3, received: 3 }, `IPv${family}`)
  }
  const whole = ['ping', '-c', '1', '-W', '1', '-M', 'do', '-s', '1472', '10.0.1.31']
  const { code, stdout } = await lab.exec('c1-1000-a', whole, { allowFailure: true })
  t.equal(code, 0, stdout)
  t.same(await ping(lab, 'c1-1000-b', 'l1-1000-a', { count: 1 }), { sent: 1, received: 0 }, 'a port without flows reaches nobody')
  await lab.exec('c1', ['ovs-ofctl', 'del-flows', 'br-int'])
  await lab.exec('c1', ['ovs-vsctl', '--timeout=10', 'del-port', 'br-int', 'hand'])
})

await t.test('workloads come and go while the lab runs', async (t) => {
  const addresses = ['10.0.2.37/16', 'fd00::2:37/64']
  const added: WorkloadSpec = { name: 'guest', vtep: 'l1', vni: 2000, mac: labMac({ index: 3 }, 2, 7), addresses }
  await lab.addWorkload(added)
  await macRoute('c2', `[${added.mac}]:[32]:[10.0.2.37]`)
  await macRoute('c2', `[${added.mac}]:[128]:[fd00::2:37]`)
  await lab.removeWorkload('guest')
  await macRoute('c2', added.mac, false)
  await lab.addWorkload({ ...added, vtep: 'c1' })
  const { stdout } = await lab.exec('c1', ['ovs-vsctl', 'get', 'Interface', 'guest', 'ofport', 'external_ids'])
  t.match(stdout, /^\d+\n.*dynamic-routing-vni="2000", evpn-addresses="02:00:00:02:03:07 10\.0\.2\.37 fd00::2:37"/)
  await lab.removeWorkload('guest')
})

await t.test('kernel devices of a VNI come and go', async () => {
  await lab.removeVniDevices('c2', 2000)
  await printed('l1', 'bridge fdb show dev vxlan-2000', '00:00:00:00:00:00 dst 192.0.2.2', false)
  await lab.addVniDevices('c2', 2000)
  await printed('l1', 'bridge fdb show dev vxlan-2000', '00:00:00:00:00:00 dst 192.0.2.2')
})

for (const service of ['ovs-vswitchd', 'ovsdb-server', 'zebra', 'bgpd'] as const) {
  await t.test(`${service} can be killed and started again`, async (t) => {
    await lab.stopService('c1', service, 'SIGKILL')
    await t.rejects(lab.stopService('c1', service), { message: `lab: ${service} does not run on c1` })
    await lab.startService('c1', service)
    await lab.waitForSessions()
    await printed('c1', 'bridge fdb show dev vxlan-1000', '00:00:00:00:00:00 dst 192.0.2.3')
    t.same(await ping(lab, 'c1', '192.0.2.3'), { sent: 3, received: 3 }, 'underlay works again')
  })
}

await t.test('after down nothing is left, and down can be repeated', async (t) => {
  const pids = readProcesses(lab.id).map(({ pid }) => pid)
  await lab.down()
  t.same(leftovers(lab.id, pids), [])
  t.same(surroundings(), before)
  await lab.down()
})
