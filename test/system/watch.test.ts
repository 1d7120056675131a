// Issue 7, point 4: `ovs-evpnctl watch`, `history` and `trace` on a real chassis: each kind of event is provoked, seen as it happens, and
// remembered with who did it; packets are traced with names.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { TransitionReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { PATIENCE } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { eventually } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { Speaker } from './util/speaker.js'
import { workload } from './util/workload.js'

t.setTimeout(280_000 * PATIENCE)

const [A, B] = ['192.0.2.11', '192.0.2.12']
const [MAC, IP, OURS, NOBODY] = ['02:aa:00:00:00:01', '10.0.0.9', '02:00:00:00:00:01', '02:ff:00:00:00:01']

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10], workloads: [workload('a', 10, 1)] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
let daemon = await lab.startDaemon('c1')
await eventually('the workload to be announced', () => c1.report<readonly { readonly state: string }[]>('local'), (rows) => rows.length === 1 && rows[0]?.state === 'advertised')

const watching = lab.spawn('c1', [process.execPath, fileURLToPath(new URL('../../bin/ovs-evpnctl.js', import.meta.url)), 'watch'])
const output = { stdout: '', stderr: '' }
for (const name of ['stdout', 'stderr'] as const) watching[name]?.setEncoding('utf8').on('data', (text: string) => { output[name] += text })
const ended = new Promise<number | null>((resolve) => watching.on('close', resolve))
await eventually('watch to begin', () => output.stderr, (text) => text.includes('watching'), 30_000)

/** Waits for a line of watch. */
async function sees(line: RegExp): Promise<void> {
  await eventually(`watch to show ${line}`, () => output.stdout, (text) => line.test(text), 30_000)
}

const history = async (address: string): Promise<TransitionReport[]> => JSON.parse((await evpnctl(lab, 'c1', ['history', address, '--json'])).stdout) as TransitionReport[]

/** Waits until the last events of an address are these, each as "event by". */
async function remembers(address: string, ...events: readonly string[]): Promise<readonly TransitionReport[]> {
  const words = (one: TransitionReport): string => `${one.kind} ${one.event} by ${one.by}`
  return await eventually(`the history of ${address} to be ${events.join(', ')}`, () => history(address), (seen) => seen.map(words).join() === events.join(), 30_000)
}

await t.test('a VTEP, a MAC and an IP come, move and go', async (t) => {
  await speaker.vtep(10, A)
  await sees(/VNI 10 +VTEP up +.*192\.0\.2\.11 +flood and unicast {2}by routing daemon/)
  await speaker.mac(10, MAC, A)
  await sees(/VNI 10 +MAC learned +.*02:aa:00:00:00:01 {2}192\.0\.2\.11 {2}by routing daemon/)
  await speaker.mac(10, MAC, B)
  await sees(/MAC moved +.*02:aa:00:00:00:01 {2}192\.0\.2\.11 -> 192\.0\.2\.12 /)
  await sees(/VTEP up +.*192\.0\.2\.12 +unicast only /)
  await speaker.ip(10, IP, MAC)
  await sees(/IP learned +.*10\.0\.0\.9 +02:aa:00:00:00:01 /)
  await speaker.noIp(10, IP)
  await sees(/IP withdrawn +.*10\.0\.0\.9 +was 02:aa:00:00:00:01 /)
  await speaker.noMac(10, MAC)
  await sees(/MAC withdrawn +.*was 192\.0\.2\.12 /)
  await sees(/VTEP down +.*192\.0\.2\.12 +was unicast only /)
  t.match(output.stdout, /\d+\.\d ms/, 'with the time until the switch had it')
  const events = await remembers(MAC, 'mac learned by speaker', 'mac moved by speaker', 'mac withdrawn by speaker')
  await eventually('the latency of each', () => history(MAC), (seen) => seen.length === 3 && seen.every(({ latency }) => latency !== undefined && latency > 0), 30_000)
  t.ok(events.every(({ time }, at) => at === 0 || time >= (events[at - 1]?.time ?? '')), 'oldest first')
  await remembers(IP, 'ip learned by speaker', 'ip withdrawn by speaker')
  await remembers(B, 'vtep up by speaker', 'vtep down by speaker')
})

await t.test('another chassis announces an address of ours: it is contested until that is over', async () => {
  await c1.run(['ovs-vsctl', 'set', 'Interface', 'a', 'external_ids:dynamic-routing-vni=10'])
  await speaker.mac(10, OURS, A)
  await sees(/claim contested .*02:00:00:00:00:01 {2}advertised on a -> contested on a: another chassis announces this MAC;/)
  await speaker.noMac(10, OURS).catch(() => undefined)
  await sees(/claim advertised .*02:00:00:00:00:01 {2}contested on a.* -> advertised on a/)
})

await t.test('what somebody else changes is seen, and that it was repaired', async () => {
  await speaker.mac(10, MAC, A)
  await eventually('the flow', () => c1.ourFlows(`table=202,dl_dst=${MAC}`), (flows) => flows.length === 1)
  await c1.ofctl('del-flows', 'br-int', `table=202,dl_dst=${MAC}`)
  await sees(/drift (repaired|found) +.*flow table=202, priority=300,metadata=0xa,dl_dst=02:aa:00:00:00:01: somebody else deleted it; it is put back/)
  await eventually('the repair in the history of the address', () => history(MAC), (seen) => seen.some(({ event, by }) => event === 'repaired' && by === 'others'), 30_000)
})

await t.test('packets that are dropped are seen, with the reason', async () => {
  await lab.exec('a', ['ip', 'neigh', 'replace', '10.0.0.77', 'lladdr', NOBODY, 'dev', 'eth0', 'nud', 'permanent'])
  await eventually('watch to show the drop', async () => {
    await lab.exec('a', ['ping', '-c', '1', '-W', '1', '10.0.0.77'], { allowFailure: true })
    return output.stdout
  }, (text) => /VNI 10 +drops +\d+ packets, \d+ bytes: unknown unicast/.test(text), 60_000)
})

await t.test('what the configuration does is told from what the routing daemon does', async () => {
  await c1.unset('Interface a', 'dynamic-routing-vni')
  await eventually('the VNI to be gone', () => history(MAC), (seen) => seen.at(-1)?.event === 'withdrawn' && seen.at(-1)?.by === 'configuration', 30_000)
  await sees(/claim gone .*02:00:00:00:00:01 .*by configuration/)
  await c1.set('Interface a', { 'dynamic-routing-vni': '10' })
  await eventually('the VNI to be back', () => history(MAC), (seen) => seen.at(-1)?.event === 'learned' && seen.at(-1)?.by === 'configuration', 30_000)
})

await t.test('trace shows the way of a packet with names, and what becomes of it', async (t) => {
  await speaker.nexthops({ 8: A, 9: B })
  await speaker.nexthopGroup(19, { 8: 1, 9: 1 })
  await speaker.multihomed(10, ['02:aa:00:00:00:09'], 19)
  const last = async (port: string, packet: string): Promise<string> => {
    const { stdout } = await evpnctl(lab, 'c1', ['trace', port, packet])
    return stdout.trimEnd().split('\n').at(-1) ?? ''
  }
  const from = `dl_src=${OURS}`
  await eventually('the trace to a MAC behind a VTEP', () => last('a', `${from},dl_dst=${MAC}`), (line) => line === `a -> VTEP ${A} by ovn-evpn-4789`, 30_000)
  await eventually('the trace to a MAC behind two', () => last('a', `${from},dl_dst=02:aa:00:00:00:09`), (line) => /^a -> VTEP 192\.0\.2\.1[12] by ovn-evpn-4789$/.test(line), 30_000)
  t.equal(await last('a', `${from},dl_dst=${NOBODY}`), 'a -> dropped: unknown unicast')
  t.equal(await last('ovn-evpn-4789', `tun_id=10,tun_src=${A},tun_dst=192.0.2.1,dl_src=${MAC},dl_dst=${OURS}`), 'ovn-evpn-4789 -> a')
  const json = JSON.parse((await evpnctl(lab, 'c1', ['trace', 'a', `${from},dl_dst=${MAC}`, '--json'])).stdout) as { readonly lines: readonly string[] }
  for (const line of ['    resubmit(FORWARD)', `FORWARD: metadata=VNI 10,dl_dst=${MAC}, priority 300`, `    set_field:VTEP ${A}->tun_dst`, '    output:ovn-evpn-4789']) t.ok(json.lines.includes(line), line)
  for (const [port, packet, sentence] of [['b', 'arp', 'bridge br-int has no port "b", did you mean "a"?'], ['a', 'dl_sr=1', 'unknown field dl_sr, did you mean "dl_src"?']] as const) {
    const { code, stderr } = await evpnctl(lab, 'c1', ['trace', port, packet], { allowFailure: true })
    t.equal(code, 2)
    t.match(stderr, sentence)
  }
})

await t.test('an address that nobody knows: the nearest that is known, exit code 2', async (t) => {
  const { code, stderr } = await evpnctl(lab, 'c1', ['history', '02:aa:00:00:00:02'], { allowFailure: true })
  t.equal(code, 2)
  t.match(stderr, /nobody knows 02:aa:00:00:00:02, and nothing is remembered of it; did you mean 02:aa:00:00:00:01 or /)
})

await t.test('watch outlives the daemon, and says so; Ctrl-C ends it with 0', async (t) => {
  await daemon.stop()
  await eventually('watch to notice', () => output.stderr, (text) => /(ovs-evpnd is not running: tried .*; start it with: .*|ask again in a moment); waiting for it/.test(text), 30_000)
  daemon = await lab.startDaemon('c1')
  await eventually('watch to notice', () => output.stderr, (text) => text.includes('ovs-evpnd was started anew'), 30_000)
  await speaker.mac(10, '02:aa:00:00:00:05', A)
  await sees(/MAC learned .*02:aa:00:00:00:05 /)
  watching.kill('SIGINT')
  t.equal(await ended, 0)
  t.notMatch(output.stdout, /\x1b/, 'no colour in a pipe')
})
