// The truth about forwarding: packets are sent through the fake switch's tables, and what leaves is compared with what
// should. Unicast reaches its one destination, broadcast everybody once, nothing crosses VNIs, nothing from a tunnel
// enters one.
import { ALL_MACS, HOST_MACS, UDP_PORTS, VTEPS, WORKLOAD_IPS } from '../pools.js'
import type { Random } from '../random.js'
import { number, packet, Pipeline, type Packet, type Sent } from '../switch/packet.js'
import { answerTo, requestFor, saidBy, UNKNOWN_IPS } from './asking.js'
import { enter, fieldsOf, isCarrying, leave, mayEnter, randomFrame, randomTag, STRANGER, tagsOf, tagsText, type Frame, type Inside } from './frame.js'
import { readConfig, trueVnis, type TrueConfig, type TruePort } from './config.js'
import type { Bridge, Things } from './world.js'
import { readVni, type TruePlace, type TrueVni, type TrueVtep } from './vni.js'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
const UNTAGGED: Inside = { tags: [], pcp: 0 }

interface World {
  readonly config: TrueConfig
  readonly fake: Bridge
  readonly pipeline: Pipeline
  readonly vnis: readonly TrueVni[]
}

/** Every disagreement between what a packet does and what it should do, in words. */
export function checkForwarding(things: Things, r: Random): string[] {
  const config = readConfig(things.database)
  const fake = things.vswitchd.switches.get(config.bridge)
  if (config.isOvns || fake === undefined || !config.exists) return []
  const vnis = trueVnis(config).map((vni) => readVni(vni, config, things.kernel, fake))
  const world = { config, fake, pipeline: new Pipeline(fake.tables), vnis }
  return [...fromPorts(world, r), ...world.vnis.flatMap((vni) => [...askedByPorts(world, vni, r), ...fromTunnels(world, vni, r)])]
}

function ofport(world: World, name: string): number | undefined {
  return world.fake.ports.get(name)?.port
}

/** The tunnel port for a UDP port, when it is the agent's and there. */
function tunnelPort(world: World, udpPort: number): number | undefined {
  return world.config.tunnels.includes(udpPort) ? ofport(world, `ovn-evpn-${udpPort}`) : undefined
}

// --- what should leave, as lines that compare

function toPort(world: World, port: TruePort, inPort: number, inside: Inside): string[] {
  const number = ofport(world, port.name)
  const tags = leave(port, inside)
  return number === undefined || number === inPort || tags === undefined ? [] : [`port ${number}${tagsText(tags)}`]
}

function toVtep(world: World, vni: TrueVni, { ip, udpPort, encapVni }: TruePlace, { tags }: Inside): string[] {
  const tunnel = tunnelPort(world, udpPort)
  const local = vni.localIp(ip)
  return tunnel === undefined || local === undefined ? [] : [`port ${tunnel}${tagsText(tags)} vni ${encapVni} from ${local} to ${ip}`]
}

/** Of several ways each is taken by its share of the packets; that of an only one means nothing. */
function withShare(line: string, share: number): string {
  return share === 1 ? line : `${line} share ${share}`
}

function everybody(world: World, vni: TrueVni, inPort: number, fromTunnel: boolean, inside: Inside): string[] {
  const isFlooding = !fromTunnel && world.config.option('evpn-flood', vni.vni) !== 'none'
  const vteps = isFlooding ? vni.vteps.filter(({ flood }) => flood) : []
  return [...vni.ports.flatMap((port) => toPort(world, port, inPort, inside)), ...vteps.flatMap((vtep) => toVtep(world, vni, vtep, inside))]
}

function expected(world: World, vni: TrueVni, dst: string, inPort: number, fromTunnel: boolean, inside: Inside): string[] {
  if (inside.tags.length > 0 && !isCarrying(world.config, vni.vni)) return []
  if (dst === BROADCAST) return everybody(world, vni, inPort, fromTunnel, inside)
  const local = vni.locals.find(({ mac }) => mac === dst)
  // While others announce a MAC of ours, traffic follows them.
  const isHere = local?.port !== undefined && !vni.claimed.has(dst) && ofport(world, local.port.name) !== undefined
  if (isHere) return toPort(world, local.port, inPort, inside)
  const learned = vni.learned.local.get(dst)
  const isPreferred = world.config.option('dynamic-routing-fdb-prefer-local', vni.vni) === 'true'
  if (learned !== undefined && (isPreferred || !vni.remote.has(dst))) return toPort(world, learned, inPort, inside)
  if (local !== undefined && local.port === undefined && !vni.claimed.has(dst)) return []
  const remote = vni.remote.get(dst)
  if (remote !== undefined) return fromTunnel ? [] : remote.flatMap((path) => toVtep(world, vni, path, inside).map((line) => withShare(line, path.weight)))
  return nobodyKnows(world, vni, dst, inPort, fromTunnel, inside)
}

/** Where packets from the MAC came from; else to `unknown` ports and VTEPs, when there is such a port. */
function nobodyKnows(world: World, vni: TrueVni, dst: string, inPort: number, fromTunnel: boolean, inside: Inside): string[] {
  const taught = vni.learned.remote.get(dst)
  if (taught !== undefined) {
    const vtep = vni.vteps.find(({ ip, udpPort }) => number(ip) === taught.ip && udpPort === taught.udpPort)
    if (vtep === undefined) return ['nowhere: what its VTEP taught went with it']
    return fromTunnel ? [] : toVtep(world, vni, { ...vtep, encapVni: vni.vni }, inside)
  }
  const ports = vni.ports.filter(({ name, unknown }) => unknown && ofport(world, name) !== undefined)
  return ports.length === 0 ? [] : everybody(world, { ...vni, ports }, inPort, fromTunnel, inside)
}

// --- what does leave

function lines(world: World, sent: readonly Sent[]): string[] {
  const tunnels = new Set(UDP_PORTS.map((udpPort) => tunnelPort(world, udpPort)))
  return sent.map(({ port, packet: fields, share }) => {
    const tunnelled = ` vni ${fields['tun_id']} from ${ends(fields, 'src')} to ${ends(fields, 'dst')}`
    return withShare(`port ${port}${tagsText(tagsOf(fields))}${tunnels.has(port) ? tunnelled : ''}${saidBy(fields)}`, share)
  })
}

/** The tunnel address: IPv4's if set, as Open vSwitch decides; both set is a mistake that shows as such. */
function ends(fields: Packet, end: 'src' | 'dst'): string {
  const v4 = fields[`tun_${end}`] ?? 0n
  const v6 = fields[`tun_ipv6_${end}`] ?? 0n
  return [...v4 === 0n ? [] : [nameOf(v4)], ...v6 === 0n ? [] : [nameOf(v6)]].join(' and ')
}

function nameOf(address: bigint): string {
  return ADDRESSES.find((ip) => number(ip) === address) ?? address.toString(16)
}

const ADDRESSES: readonly string[] = [...VTEPS, '198.51.100.1', '198.51.100.2', '2001:db8:f::1', '2001:db8:f::2']

// --- the packets

function compare(world: World, what: () => string, start: Packet, wanted: readonly string[]): string[] {
  const run = world.pipeline.run(start)
  const got = lines(world, run.sent).sort()
  const want = [...wanted].sort()
  // What is left out for a VNI may not take a share of the packets.
  if (want.length > 0 && run.deadEnds > 0) run.problems.push(`${run.deadEnds} buckets of a select group lead nowhere`)
  if (run.problems.length === 0 && got.join('\n') === want.join('\n')) return []
  const text = (items: readonly string[]) => items.join('; ') || 'nothing'
  return [[
    what(), `should leave as: ${text(want)}`, `leaves as: ${text(got)}`, `flows: ${run.path.join(', ')}`, ...run.problems.map((problem) => `problem: ${problem}`)
  ].join('\n    ')]
}

function fromPorts(world: World, r: Random): string[] {
  return [...new Set(world.config.ports.map(({ name }) => name))].flatMap((name) => {
    const inPort = ofport(world, name)
    if (inPort === undefined) return []
    const bindings = world.config.ports.filter((port) => port.name === name)
    return [BROADCAST, STRANGER, ...r.some([...ALL_MACS, ...HOST_MACS], 0.5)].flatMap((dst) => fromPort(world, name, inPort, bindings, randomFrame(r, bindings, dst)))
  })
}

/** Requests of ARP and ND: answered to the port they come from, or flooded. */
function askedByPorts(world: World, vni: TrueVni, r: Random): string[] {
  // With evpn-port-security not everybody may ask; what may be sent then is randomFrame's to try.
  if (world.config.option('evpn-port-security', vni.vni) === 'true') return []
  return vni.ports.flatMap((port) => {
    const inPort = ofport(world, port.name)
    if (inPort === undefined) return []
    const tag = port.vlan === undefined || port.vlan === 0 ? {} : { vlan_vid: 0x1000 | port.vlan }
    const back = tagsText(leave(port, UNTAGGED) ?? [])
    return r.some([...WORKLOAD_IPS, ...UNKNOWN_IPS], 0.5).flatMap((ip) => {
      const request = requestFor(ip, r)
      const said = answerTo(request, vni, (option) => world.config.option(option, vni.vni), (name) => ofport(world, name) !== undefined)
      return compare(world, () => `a request for ${ip} in VNI ${vni.vni} from ${port.name} (port ${inPort}) as ${request.mac} ${request.sender}`,
        packet({ in_port: inPort, ...tag, ...request.fields }), said === undefined ? everybody(world, vni, inPort, false, UNTAGGED) : [`port ${inPort}${back}${said}`])
    })
  })
}

function fromPort(world: World, name: string, inPort: number, bindings: readonly TruePort[], frame: Frame): string[] {
  const entered = enter(frame, bindings, world.config)
  const vni = world.vnis.find((one) => one.vni === entered?.binding.vni)
  const isTaken = entered !== undefined && vni !== undefined && mayEnter(frame, entered.binding, vni, world.config)
  return compare(world,
    () => `a frame from ${name} (port ${inPort}): ${JSON.stringify(frame)}, of VNI ${vni?.vni}`,
    { ...fieldsOf(frame), in_port: BigInt(inPort) }, isTaken ? expected(world, vni, frame.dst, inPort, false, entered) : [])
}

function fromTunnels(world: World, vni: TrueVni, r: Random): string[] {
  const decap = world.config.option('evpn-decap', vni.vni) ?? 'strict'
  return world.config.udpPorts.flatMap((udpPort) => {
    const inPort = tunnelPort(world, udpPort)
    if (inPort === undefined) return []
    return r.some(VTEPS, 0.4).flatMap((source) => {
      const local = vni.localIp(source)
      const knows = ({ vteps }: TrueVni) => vteps.some((vtep: TrueVtep) => vtep.ip === source && vtep.udpPort === udpPort)
      const known = decap === 'off' || (decap === 'member' ? world.vnis.some(knows) : knows(vni))
      const to = r.chance(0.8) ? local : '192.0.2.200'
      const isAccepted = local !== undefined && to === local && known
      const dst = r.pick([BROADCAST, STRANGER, ...ALL_MACS, ...HOST_MACS])
      const src = r.pick([STRANGER, STRANGER, ...ALL_MACS])
      const tags = r.some([randomTag(r)], 0.2)
      return compare(world,
        () => `a frame of VNI ${vni.vni} from VTEP ${source} port ${udpPort} (port ${inPort}) to ${to}, inside from ${src} to ${dst}${tagsText(tags)}`,
        { ...fieldsOf({ src, dst, tags, payload: { kind: 'other' } }), ...packet({ in_port: inPort, tun_id: vni.vni, ...tunnel(source, to ?? source) }) },
        isAccepted && !isSpoofed(world, vni, src) ? expected(world, vni, dst, inPort, true, { tags, pcp: 0 }) : [])
    })
  })
}

/** A MAC that we tell others is on a port here does not come out of a tunnel. */
function isSpoofed(world: World, vni: TrueVni, src: string): boolean {
  const port = vni.locals.find(({ mac }) => mac === src)?.port
  return port !== undefined && ofport(world, port.name) !== undefined && vni.told.some((row) => row.startsWith('fdb ') && row.split(' ')[2] === src)
}

function tunnel(source: string, to: string): Record<string, string> {
  if (source.includes(':')) return { tun_ipv6_src: source, tun_ipv6_dst: to.includes(':') ? to : '2001:db8:f::99' }
  return { tun_src: source, tun_dst: to.includes(':') ? '192.0.2.200' : to }
}
