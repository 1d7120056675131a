// Rule 16, frame by frame: what ends another chassis' claim on a MAC that is bound here, what does not, and how often. The
// other chassis is played by hand.
import t from 'tap'
import type { LocalReport } from '../../lib/daemon/report/report.js'
import { ipToBytes } from '../../lib/net/ip.js'
import { macToBytes } from '../../lib/net/mac.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually } from '../system/util/eventually.js'
import { BROADCAST, encodeFrame } from '../system/util/frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Watch } from '../system/util/watch.js'
import { Wire } from '../system/util/wire.js'
import { workload } from '../system/util/workload.js'

const VNI = 10
const VTEP = '192.0.2.9'
const [vm, near] = [workload('vm', VNI, 1), workload('near', VNI, 2)]
const { mac } = vm

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI], workloads: [vm, near] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
// Nothing is sent but what the test sends.
for (const name of ['vm', 'near']) await lab.exec(name, ['ip', 'addr', 'flush', 'dev', 'eth0'])
await lab.startDaemon('c1')
const [wire, other] = [await Wire.open(lab, 'vm'), await Wire.open(lab, 'near')]
await hasState('advertised')

async function stateOf(): Promise<string> {
  const row = (await c1.report<LocalReport[]>('local')).find((local) => local.mac === mac)
  return `${row?.state}: ${row?.reason ?? ''}`
}

function hasState(state: string, timeoutMs = 10_000): Promise<string> {
  return eventually(`${mac} to be ${state}`, stateOf, (seen) => seen.startsWith(state), timeoutMs)
}

const witnessFlows = async () => (await c1.ourFlows(`table=207,dl_src=${mac}`)).filter((flow) => flow.includes('controller('))

/** The bridge port that has the MAC. */
async function inBridge(): Promise<string> {
  return (await c1.fdb()).filter((row) => row.mac === mac && row.master !== undefined).map(({ ifname }) => ifname).join()
}

/** Another chassis takes the MAC and its IP over. */
async function taken(...more: readonly string[]): Promise<void> {
  await speaker.mac(VNI, mac, VTEP, undefined, ...more)
  await speaker.ip(VNI, '10.0.0.1', mac)
}

async function withdrawn(): Promise<void> {
  await c1.run(['ip', 'neigh', 'del', '10.0.0.1', 'dev', 'br-10'], { allowFailure: true })
  await c1.run(['bridge', 'fdb', 'del', mac, 'dev', 'vxlan-10', 'self', 'master'], { allowFailure: true })
  await c1.run(['bridge', 'fdb', 'del', mac, 'dev', 'vxlan-10', 'self'], { allowFailure: true })
}

/** Unbound and bound again: nothing is remembered. */
async function afresh(): Promise<void> {
  await withdrawn()
  await c1.unset('Interface vm', 'evpn-addresses')
  await eventually('the address to be forgotten', stateOf, (seen) => seen.startsWith('undefined'))
  await c1.set('Interface vm', { 'evpn-addresses': `${mac} 10.0.0.1 fd00::1` })
  await hasState('advertised')
}

const ethernet = (dst: string, type: number, ...rest: readonly Buffer[]) =>
  Buffer.concat([macToBytes(dst), macToBytes(mac), Buffer.from([type >> 8, type & 255]), ...rest, Buffer.alloc(20)])
/** ARP and RARP for Ethernet and IPv4 (RFC 826, RFC 903). */
const arp = (op: number, sender: string, target: string) =>
  Buffer.concat([Buffer.from([0, 1, 8, 0, 6, 4, 0, op]), macToBytes(mac), ipToBytes(sender), macToBytes(mac), ipToBytes(target)])
/** RFC 4861 section 4.4, to all nodes, override flag set; the checksum is for whoever looks. */
const advertisement = Buffer.concat([
  Buffer.from([0x60, 0, 0, 0, 0, 32, 58, 255]), ipToBytes('fd00::1'), ipToBytes('ff02::1'),
  Buffer.from([136, 0, 0, 0, 0x20, 0, 0, 0]), ipToBytes('fd00::1'), Buffer.from([2, 1]), macToBytes(mac)
])

const SIGNS: readonly (readonly [what: string, frame: Buffer])[] = [
  ['any frame with its source MAC', encodeFrame({ src: mac, dst: near.mac, name: 'sign' })],
  ['a gratuitous ARP', ethernet(BROADCAST, 0x0806, arp(1, '10.0.0.1', '10.0.0.1'))],
  ['a RARP, as QEMU sends after a migration', ethernet(BROADCAST, 0x8035, arp(3, '0.0.0.0', '0.0.0.0'))],
  ['an unsolicited neighbour advertisement', ethernet('33:33:00:00:00:01', 0x86dd, advertisement)]
]

await t.test('rule 16: a witness flow stands for waiting and contested addresses only, metered, and the frame goes on', async (t) => {
  t.same(await witnessFlows(), [], 'none while it is ours')
  await taken()
  await hasState('contested: another chassis announces this MAC; waiting for a frame from the port')
  const [flow, ...more] = await witnessFlows()
  t.match(flow, /metadata=0xa/)
  t.match(flow, /in_port=/)
  t.match(flow, /meter_id=/)
  t.same(more, [])
  await waitFor('traffic to follow the claim', async () => (await c1.ourFlows(`table=202,metadata=10,dl_dst=${mac}`)).join().includes(VTEP))
  wire.send({ src: mac, dst: BROADCAST, name: 'goes on' })
  t.equal((await other.waitFor('goes on')).length, 1, 'delivered once')
  await hasState('advertised')
  await eventually('no witness flow', witnessFlows, (flows) => flows.length === 0)
  t.equal(await inBridge(), 'lo-10')
})

for (const [what, frame] of SIGNS) {
  await t.test(`rule 16: claimed again on evidence: ${what}`, async (t) => {
    await afresh()
    await taken()
    await hasState('contested')
    wire.send(frame)
    await hasState('advertised')
    t.equal(await inBridge(), 'lo-10')
    const rows = (await c1.neighbours('br-10')).filter(({ dst }) => dst === '10.0.0.1')
    t.match(rows, [{ lladdr: mac, protocol: '85' }], 'the IP moves with the MAC')
  })
}

await t.test('rule 16: claimed again when the remote claim is withdrawn, without any frame', async (t) => {
  await afresh()
  await taken()
  await hasState('contested')
  await withdrawn()
  await hasState('advertised')
  t.equal(await inBridge(), 'lo-10')
})

await t.test('rule 16: a frame of another MAC, or from another port, is no evidence', async (t) => {
  await afresh()
  await taken()
  await hasState('contested')
  wire.send({ src: '02:00:00:00:00:55', dst: BROADCAST, name: 'another MAC' })
  other.send({ src: mac, dst: BROADCAST, name: 'another port' })
  await other.waitFor('another MAC')
  await wire.waitFor('another port')
  // What it says now it says after both frames have passed.
  t.match(await stateOf(), 'contested')
  t.equal(await inBridge(), 'vxlan-10', 'the claim stands')
})

await t.test('rule 16: a sticky MAC may not move: no frame is watched for', async (t) => {
  await afresh()
  await c1.run(['bridge', 'fdb', 'replace', mac, 'dev', 'vxlan-10', 'dst', VTEP, 'self', 'master', 'sticky', 'static'])
  t.match(await hasState('contested'), /it is sticky there and may not move/)
  t.same(await witnessFlows(), [])
})

await t.test('rule 16: two live hosts with one MAC: growing pauses between claims, never a timer that claims', async (t) => {
  await afresh()
  const talking = setInterval(() => wire.send({ src: mac, dst: near.mac, name: 'alive' }), 20)
  const watch = await Watch.start(lab, 'c1')
  const times: number[] = []
  try {
    for (let claims = 0; claims < 4; claims++) times.push(await watch.time('the MAC to be claimed again', taken, new RegExp(`^dev lo-10 lladdr ${mac}`)))
  } finally {
    clearInterval(talking)
    watch.stop()
  }
  const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  t.comment(`pauses between claims: ${pauses.map((pause) => `${pause} ms`).join(', ')}`)
  for (const [i, seconds] of [1, 2, 4].entries()) t.ok((pauses[i] ?? 0) > seconds * 900, `claim ${i + 2} comes ${seconds} s after the one before, not sooner`)
  await taken()
  t.match(await hasState('contested'), /claimed against it lately, pausing for 8 s/)
  // Silent now: after the pause it is watched for again, and nothing else happens.
  await hasState('contested: another chassis announces this MAC; waiting for a frame from the port', 20_000)
  t.equal(await inBridge(), 'vxlan-10', 'the claim stands')
})
