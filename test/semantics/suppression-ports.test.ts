// Issue 4, rule 14, by kind of port: a trunk's VLAN, and a port with the address `unknown`, are answered as any other, byte by byte.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { Chassis } from '../system/util/chassis.js'
import { eventuallyHas } from '../system/util/eventually.js'
import { encodeArp, encodeNd, encodeNs, linkLayerOption } from '../system/util/neighbour-frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Wire } from '../system/util/wire.js'

const MAC = { trunk: '02:00:00:00:00:01', bound: '02:00:00:00:00:02', host: '02:bb:00:00:00:01', remote: '02:aa:00:00:00:01' } as const
const [IP, IP6] = [{ bound: '10.0.0.2', remote: '10.0.0.21' }, { bound: 'fd00::2', remote: 'fd00::21' }] as const
const [VLAN, VNI] = [10, 1000]

const port = (name: string, mac: string, vni: string, addresses: string) =>
  ({ name, vtep: 'c1', vni: VNI, mac, addresses: [], externalIds: { 'dynamic-routing-vni': vni, 'evpn-addresses': addresses } })
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI], workloads: [
  port('trunk', MAC.trunk, `${VLAN}:${VNI}`, MAC.trunk), port('open', '02:00:00:00:00:03', String(VNI), 'unknown'),
  port('bound', MAC.bound, String(VNI), `${MAC.bound} ${IP.bound} ${IP6.bound}`)
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await lab.startDaemon('c1')
await speaker.mac(VNI, MAC.remote, '192.0.2.11')
await speaker.ip(VNI, IP.remote, MAC.remote)
await speaker.ip(VNI, IP6.remote, MAC.remote)
const [trunk, open, bound] = await Promise.all(['trunk', 'open', 'bound'].map((name) => Wire.open(lab, name)))
if (trunk === undefined || open === undefined || bound === undefined) throw new Error('three wires')
for (const ip of [...Object.values(IP), ...Object.values(IP6)]) await eventuallyHas(`a responder for ${ip}`, () => c1.ourFlows('table=201'), ip.includes(':') ? `nd_target=${ip} ` : `arp_tpa=${ip},`)

/** With the tag of the trunk's VLAN, and a priority. */
const tagged = (frame: Buffer, priority = 0) => Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0x00, priority << 5, VLAN]), frame.subarray(12)])
const equal = (frame: Buffer) => (bytes: Buffer) => bytes.subarray(0, frame.length).equals(frame) && bytes.subarray(frame.length).every((byte) => byte === 0)

const arp = (src: string, tpa: string) => encodeArp({ src, op: 1, spa: '10.0.7.7', tpa })
const arpReply = (dst: string, mac: string, ip: string) => encodeArp({ src: mac, dst, op: 2, sha: mac, spa: ip, tha: dst, tpa: '10.0.7.7' })
const ns = (src: string, target: string, options = linkLayerOption(1, src)) => encodeNs({ src, from: 'fd00::7', target, options })
const na = (dst: string, mac: string, ip: string) => encodeNd({ src: mac, dst, from: ip, to: 'fd00::7', type: 136, flags: 0x60, target: ip, options: linkLayerOption(2, mac) })

for (const [whose, mac, ip, ip6] of [['a remote', MAC.remote, IP.remote, IP6.remote], ['a local', MAC.bound, IP.bound, IP6.bound]] as const) {
  await t.test(`rule 14: requests of a trunk for ${whose} IP are answered with its tag and priority, byte by byte`, async (t) => {
    for (const [request, reply] of [[arp(MAC.trunk, ip), arpReply(MAC.trunk, mac, ip)], [ns(MAC.trunk, ip6), na(MAC.trunk, mac, ip6)]] as const) {
      const wanted = tagged(reply, 5)
      const before = trunk.captures(equal(wanted)).length
      trunk.send(tagged(request, 5))
      await trunk.waitForCapture('the answer', equal(wanted), before + 1)
      t.same(bound.captures(equal(request)), [], 'nobody else sees the request')
    }
  })

  await t.test(`rule 14: requests of a host behind an \`unknown\` port for ${whose} IP are answered, and teach where it is`, async (t) => {
    for (const [request, reply] of [[arp(MAC.host, ip), arpReply(MAC.host, mac, ip)], [ns(MAC.host, ip6), na(MAC.host, mac, ip6)]] as const) {
      const before = open.captures(equal(reply)).length
      open.send(request)
      await open.waitForCapture('the answer', equal(reply), before + 1)
      t.same(bound.captures(equal(request)), [], 'nobody else sees the request')
    }
    await eventuallyHas('the host to be learned', () => c1.flows('table=209'), MAC.host)
  })
}

const IP6_BOUND_HEX = 'fd000000000000000000000000000002'

/** An option that is no link-layer address: type, length in units of 8 bytes. */
const option = (type: number, units: number) => Buffer.from([type, units, ...Array.from({ length: units * 8 - 2 }, (_, i) => i + 1)])

for (const [what, options] of [
  ['a nonce of 16 bytes', [option(14, 2), linkLayerOption(1, MAC.trunk)]],
  ['an option of 8 bytes', [option(14, 1), linkLayerOption(1, MAC.trunk)]],
  ['an option nobody knows of 40 bytes', [option(253, 5), linkLayerOption(1, MAC.trunk)]]
] as const) {
  await t.test(`rule 14: a solicitation with ${what} before its source link-layer address is flooded as it is, not answered wrong`, async (t) => {
    const request = ns(MAC.trunk, IP6.remote, Buffer.concat(options))
    const isAdvertisement = (bytes: Buffer) => bytes.length > 58 && bytes.readUInt16BE(16) === 0x86dd && bytes.readUInt8(58) === 136
    const before = trunk.captures(isAdvertisement).length
    trunk.send(tagged(request))
    await bound.waitForCapture('the solicitation', equal(request))
    // The next answer comes after what the one before could have led to.
    trunk.send(tagged(ns(MAC.trunk, IP6.bound)))
    await trunk.waitForCapture('the next answer', equal(tagged(na(MAC.trunk, MAC.bound, IP6.bound))))
    const answers = trunk.captures(isAdvertisement).slice(before).map(({ bytes }) => bytes.toString('hex'))
    t.same(answers.filter((hex) => !hex.includes(IP6_BOUND_HEX)), [], 'no answer')
  })
}
