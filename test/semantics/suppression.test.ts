// Issue 4, rule 14: ARP and ND for known IPs are answered in the switch, byte by byte, and what must not be answered is flooded.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually, eventuallyHas, eventuallyLacks } from '../system/util/eventually.js'
import { BROADCAST, encodeVxlan } from '../system/util/frame.js'
import { encodeArp, encodeNd, encodeNs, isArp, isNd, linkLayerOption, type Arp, type Nd } from '../system/util/neighbour-frame.js'
import { Speaker } from '../system/util/speaker.js'
import { Wire } from '../system/util/wire.js'

const MAC = { a: '02:00:00:00:00:01', b: '02:00:00:00:00:02', remote: '02:aa:00:00:00:01', router: '02:aa:00:00:00:02', stranger: '02:ee:00:00:00:01' } as const
const IP = { a: '10.0.0.1', b: '10.0.0.2', remote: '10.0.0.21', unknown: '10.0.0.99' } as const
const IP6 = { a: 'fd00::1', b: 'fd00::2', remote: 'fd00::21', router: 'fd00::ff:22', unknown: 'fd00::99' } as const
const VTEP = '192.0.2.11'

const workload = (name: 'a' | 'b') => ({
  name, vtep: 'c1', vni: 1000, mac: MAC[name], addresses: [`${IP[name]}/16`, `${IP6[name]}/64`],
  externalIds: { 'dynamic-routing-vni': '1000', 'evpn-addresses': `${MAC[name]} ${IP[name]} ${IP6[name]}` }
})
const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, vnis: [1000], workloads: [workload('a'), workload('b')] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
let serial = 0
const speaker = new Speaker(c1)
await lab.exec('l1', ['ip', 'addr', 'add', `${VTEP}/24`, 'dev', 'eth0'])
await lab.startDaemon('c1')
await speaker.vtep(1000, VTEP)
await speaker.mac(1000, MAC.remote, VTEP)
await speaker.mac(1000, MAC.router, VTEP)
await speaker.ip(1000, IP.remote, MAC.remote)
await speaker.ip(1000, IP6.remote, MAC.remote)
await speaker.ip(1000, IP6.router, MAC.router, 'br-1000', 'router')
const [a, b, underlay] = await Promise.all(['a', 'b', 'l1'].map((host) => Wire.open(lab, host)))
if (a === undefined || b === undefined || underlay === undefined) throw new Error('three wires')
await eventually('the underlay to be resolved', async () => (await lab.exec('c1', ['ping', '-c', '1', '-W', '1', VTEP], { allowFailure: true })).code, (code) => code === 0)
await eventuallyHas('the responders', responders, 'nd_target=fd00::ff:22')
await eventuallyHas('the responders', responders, 'arp_tpa=10.0.0.21')
// A host whose link-local address passes DAD announces it, about two seconds after its interface came up: no answer of the switch.
await eventually('the hosts to have announced themselves', tentative, (addresses) => addresses === '')
await settled()

async function tentative(): Promise<string> {
  const outputs = await Promise.all(['a', 'b'].map((host) => lab.exec(host, ['ip', '-6', '-o', 'addr', 'show', 'dev', 'eth0', 'tentative'])))
  return outputs.map(({ stdout }) => stdout).join('')
}

function responders(): Promise<string[]> {
  return c1.ourFlows('table=201')
}

/** Frames equal to this one. */
function equal(frame: Buffer): (bytes: Buffer) => boolean {
  // A host's interface may show a frame padded to 60 bytes.
  return (bytes) => bytes.subarray(0, frame.length).equals(frame) && bytes.subarray(frame.length).every((byte) => byte === 0)
}

/** Everything that a got, of ARP and ND, since. */
function answersSince(count: number): Buffer[] {
  return a!.captures((bytes) => isArp(bytes) || isNd(bytes, 136)).slice(count).map(({ bytes }) => bytes)
}

function answered(): number {
  return answersSince(0).length
}

/** Waits until all that came from a before has been dealt with, and a has got what it was sent. */
async function settled(): Promise<void> {
  const name = `settled ${++serial}`
  a!.send({ src: MAC.a, dst: BROADCAST, name })
  await Promise.all([b!.waitFor(name), underlay!.waitFor(name)])
  b!.send({ src: MAC.b, dst: MAC.a, name: `${name} back` })
  await a!.waitFor(`${name} back`)
}

const arp = (more: Partial<Arp>): Arp => ({ src: MAC.a, op: 1, spa: IP.a, tpa: IP.remote, ...more })
const answer = (mac: string, ip: string, to: Partial<Arp> = {}): Buffer =>
  encodeArp({ src: mac, dst: MAC.a, op: 2, sha: mac, spa: ip, tha: MAC.a, tpa: IP.a, ...to })
const advertisement = (mac: string, ip: string, flags: number, more: Partial<Nd> = {}): Buffer =>
  encodeNd({ src: mac, dst: MAC.a, from: ip, to: IP6.a, type: 136, flags, target: ip, options: linkLayerOption(2, mac), ...more })
const ns = (target: string, more: Partial<Nd> = {}): Buffer => encodeNs({ src: MAC.a, from: IP6.a, target, ...more })

const R = 0x80
const SO = 0x60

interface Answered { readonly what: string, readonly request: Buffer, readonly reply: Buffer }

const ANSWERED: readonly Answered[] = [
  { what: 'an ARP request for a remote IP', request: encodeArp(arp({})), reply: answer(MAC.remote, IP.remote) },
  { what: 'an ARP request for a local IP', request: encodeArp(arp({ tpa: IP.b })), reply: answer(MAC.b, IP.b) },
  {
    what: 'an ARP request that names another sender than the frame does', request: encodeArp(arp({ sha: MAC.stranger, spa: '10.0.7.7' })),
    reply: answer(MAC.remote, IP.remote, { tha: MAC.stranger, tpa: '10.0.7.7' })
  },
  {
    what: 'an ARP request of a neighbour whose address differs in one bit', request: encodeArp(arp({ spa: '10.0.0.20' })),
    reply: answer(MAC.remote, IP.remote, { tpa: '10.0.0.20' })
  },
  {
    what: 'an ARP request of one whose address differs in the first bit', request: encodeArp(arp({ spa: '138.0.0.21' })),
    reply: answer(MAC.remote, IP.remote, { tpa: '138.0.0.21' })
  },
  { what: 'a solicitation for a remote IP', request: ns(IP6.remote), reply: advertisement(MAC.remote, IP6.remote, SO) },
  { what: 'a solicitation for a remote router', request: ns(IP6.router), reply: advertisement(MAC.router, IP6.router, R | SO) },
  { what: 'a solicitation for a local IP', request: ns(IP6.b), reply: advertisement(MAC.b, IP6.b, SO) },
  {
    what: 'a solicitation from a link-local address', request: ns(IP6.remote, { from: 'fe80::1' }), reply: advertisement(MAC.remote, IP6.remote, SO, { to: 'fe80::1' })
  },
  {
    what: 'a solicitation whose option names another address than the frame', request: ns(IP6.remote, { options: linkLayerOption(1, MAC.stranger) }),
    reply: advertisement(MAC.remote, IP6.remote, SO)
  }
]

for (const { what, request, reply } of ANSWERED) {
  await t.test(`rule 14: ${what} is answered in the switch, byte by byte, and goes nowhere`, async (t) => {
    const before = answered()
    a.send(request)
    await a.waitForCapture('the answer', (bytes) => equal(reply)(bytes) || (answered() > before && (isArp(bytes) || isNd(bytes, 136))), 1)
    await settled()
    t.same(answersSince(before).map(hex), [hex(reply)], 'one answer')
    t.same(b.captures(equal(request)), [], 'the other port does not see the request')
    t.same(underlay.captures(equal(request)), [], 'nor does the VTEP')
  })
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex')
}

interface Flooded { readonly what: string, readonly request: Buffer }

const FLOODED: readonly Flooded[] = [
  { what: 'gratuitous ARP, a request for the own address', request: encodeArp(arp({ spa: IP.a, tpa: IP.a })) },
  { what: 'gratuitous ARP for an address that is remote', request: encodeArp(arp({ spa: IP.remote, tpa: IP.remote })) },
  { what: 'gratuitous ARP for an address of another port', request: encodeArp(arp({ spa: IP.b, tpa: IP.b })) },
  { what: 'gratuitous ARP as a reply', request: encodeArp(arp({ op: 2, spa: IP.remote, tpa: IP.remote, tha: BROADCAST })) },
  { what: 'an ARP probe (sender 0.0.0.0) for a remote IP', request: encodeArp(arp({ spa: '0.0.0.0' })) },
  { what: 'an ARP probe for a local IP', request: encodeArp(arp({ spa: '0.0.0.0', tpa: IP.b })) },
  { what: 'an ARP request for an unknown IP', request: encodeArp(arp({ tpa: IP.unknown })) },
  { what: 'an ARP request of the owner itself, from another address', request: encodeArp(arp({ spa: '10.0.7.7', tpa: IP.a })) },
  { what: 'DAD (a solicitation from ::) for a remote IP', request: ns(IP6.remote, { from: '::', options: Buffer.alloc(0) }) },
  { what: 'DAD with a nonce (RFC 7527)', request: ns(IP6.remote, { from: '::', options: Buffer.from('0e01010203040506', 'hex') }) },
  { what: 'DAD for a local IP', request: ns(IP6.b, { from: '::', options: Buffer.alloc(0) }) },
  { what: 'a solicitation for an unknown IP', request: ns(IP6.unknown) },
  { what: 'a solicitation without source link-layer option', request: ns(IP6.remote, { options: Buffer.alloc(0) }) },
  { what: 'a solicitation whose hop limit is not 255', request: ns(IP6.remote, { hopLimit: 64 }) },
  { what: 'an unsolicited advertisement', request: encodeNd({ src: MAC.a, dst: '33:33:00:00:00:01', from: IP6.remote, to: 'ff02::1', type: 136, flags: 0x20, target: IP6.remote, options: linkLayerOption(2, MAC.a) }) }
]

for (const { what, request } of FLOODED) {
  await t.test(`rule 14: ${what} is flooded, and not answered`, async (t) => {
    const before = answered()
    const [atB, atVtep] = [b.captures(equal(request)).length, underlay.captures(equal(request)).length]
    a.send(request)
    await Promise.all([b.waitForCapture(what, equal(request), atB + 1), underlay.waitForCapture(what, equal(request), atVtep + 1)])
    await settled()
    t.same(answersSince(before).filter((bytes) => isFromSwitch(bytes)).map(hex), [], 'nobody answers in the switch')
  })
}

/** The kernel of b answers, too, when it hears of its own address: with the MAC of b. */
function isFromSwitch(bytes: Buffer): boolean {
  return bytes.toString('hex', 6, 12) !== MAC.b.replaceAll(':', '')
}

await t.test('rule 14: unicast probes pass to whom they are for', async (t) => {
  for (const [what, request, wire] of [
    ['an ARP request to a local MAC', encodeArp(arp({ dst: MAC.b, tpa: IP.b })), b],
    ['an ARP request to a remote MAC', encodeArp(arp({ dst: MAC.remote })), underlay],
    ['a solicitation to a local MAC', ns(IP6.b, { dst: MAC.b, to: IP6.b }), b],
    ['a solicitation to a remote MAC', ns(IP6.remote, { dst: MAC.remote, to: IP6.remote }), underlay]
  ] as const) {
    const before = answered()
    a.send(request)
    t.equal((await wire.waitForCapture(what, equal(request))).length, 1, what)
    await settled()
    if (wire === underlay) t.same(answersSince(before).map(hex), [], `${what} is not answered`)
  }
})

await t.test('rule 14: requests out of a tunnel are flooded to local ports as they are, and not answered', async (t) => {
  const macs = await underlayMacs()
  for (const request of [encodeArp({ src: MAC.remote, op: 1, spa: IP.remote, tpa: '10.0.0.21' }), encodeArp({ src: MAC.remote, op: 1, spa: '10.0.3.3', tpa: IP.remote }),
    encodeNs({ src: MAC.remote, from: 'fd00::3', target: IP6.router })]) {
    const answers = underlay.captures((bytes) => isArp(bytes) || isNd(bytes, 136)).filter(({ vxlan }) => vxlan !== undefined).length
    underlay.send(encodeVxlan({ from: VTEP, to: '192.0.2.1', udpPort: 4789, vni: 1000, inner: request }, macs))
    await Promise.all([a.waitForCapture('the request', equal(request)), b.waitForCapture('the request', equal(request))])
    await settled()
    t.equal(underlay.captures((bytes) => isArp(bytes) || isNd(bytes, 136)).filter(({ vxlan }) => vxlan !== undefined).length, answers, 'the VTEP gets no answer')
  }
})

async function underlayMacs(): Promise<readonly [string, string]> {
  const address = async (host: string, device: string): Promise<string> =>
    (JSON.parse((await lab.exec(host, ['ip', '-j', 'link', 'show', device])).stdout) as readonly { readonly address: string }[])[0]?.address ?? ''
  return [await address('l1', 'eth0'), await address('c1', 'br-phy')]
}

await t.test('rule 14: answers are metered, in the datapath, before the slow path', async (t) => {
  const meter = 'meter=1702232066'
  t.match(await c1.ofctl('dump-meters', 'br-int'), new RegExp(`${meter} pktps burst [^]*rate=2000 burst_size=2000`))
  // Else the meter is put back as it was.
  await c1.set('Bridge br-int', { 'evpn-audit': 'report' })
  for (const [what, request, reply] of [
    ['ARP requests', encodeArp(arp({})), answer(MAC.remote, IP.remote)], ['solicitations', ns(IP6.remote), advertisement(MAC.remote, IP6.remote, SO)]
  ] as const) {
    // Each time it begins with what it lets through at once.
    await c1.ofctl('mod-meter', 'br-int', `${meter},pktps,burst,band=type=drop,rate=5,burst_size=5`)
    const before = answered()
    for (let i = 0; i < 300; i++) a.send(request)
    await settled()
    const answers = answersSince(before)
    t.ok(answers.length > 0 && answers.length < 150, `${answers.length} of 300 ${what} are answered, at 5 in a second`)
    t.ok(answers.every(equal(reply)), `each as it should be`)
  }
  await c1.ofctl('mod-meter', 'br-int', `${meter},pktps,burst,band=type=drop,rate=2000,burst_size=2000`)
})

await t.test('rule 14: evpn-suppress=false turns it off, for one VNI as for all', async (t) => {
  await c1.set('Bridge br-int', { 'evpn-suppress-1000': 'false' })
  await eventuallyLacks('no responder', responders, 'metadata=0x3e8')
  for (const request of [encodeArp(arp({ spa: '10.0.8.8' })), ns(IP6.remote, { from: 'fd00::8:8' })]) {
    const before = answered()
    a.send(request)
    await Promise.all([b.waitForCapture('the request', equal(request)), underlay.waitForCapture('the request', equal(request))])
    await settled()
    t.same(answersSince(before).map(hex), [])
  }
  await c1.unset('Bridge br-int', 'evpn-suppress-1000')
  await eventuallyHas('the responders again', responders, 'arp_tpa=10.0.0.21')
})

await t.test('rule 14: an IP that is withdrawn is flooded again, one flow goes', async (t) => {
  const before = await responders()
  await speaker.noIp(1000, IP.remote)
  const after = await eventually('the responder to go', responders, (flows) => flows.length < before.length)
  t.equal(before.length - after.length, 1)
  const request = encodeArp(arp({ spa: '10.0.9.9' }))
  a.send(request)
  await b.waitForCapture('the request', equal(request))
  t.pass('flooded')
})
