// Frames that workloads and VTEPs send: what the switch learns from them, and what of them the agent gets to see.
import { encodeMatch } from '../../../lib/openflow/index.js'
import { macToBytes } from '../../../lib/net/mac.js'
import type { Chassis } from '../chassis.js'
import { ALL_MACS, HOST_MACS, LOCAL_IPS, SHARED_MACS, UDP_PORTS, VNIS, VTEPS } from '../pools.js'
import type { Random } from '../random.js'
import { forget, learn } from '../switch/learned.js'
import { packet, Pipeline, type Packet } from '../switch/packet.js'
import type { FakeSwitch } from '../switch/switch.js'
import { flowActions, flowMatch } from '../switch/tables.js'
import type { Operation, Weighted } from './operation.js'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
const OUR_COOKIE = 0x6576706e_00000000n
const CLASSIFY = 200

function anySwitch({ vswitchd }: Chassis, r: Random): FakeSwitch | undefined {
  return r.maybe([...vswitchd.switches.values()])
}

/** Sends a frame for everybody into a switch. Returns what came of it, in words. */
function send(chassis: Chassis, fake: FakeSwitch, mac: string, fields: Packet): string {
  const run = new Pipeline(fake.tables).run({ ...packet({ eth_src: mac, eth_dst: BROADCAST }), ...fields })
  const told = run.lessons.flatMap((lesson) => learn(fake.tables, lesson))
  fake.tellLearned(told)
  const { life } = chassis
  const isOurs = life?.connection !== undefined && chassis.vswitchd.connections.get(life.connection) === fake
  const bytes = Buffer.concat([macToBytes(BROADCAST), macToBytes(mac), Buffer.alloc(48)])
  for (const { userdata, fields: seen } of isOurs ? run.toUs : []) {
    const match = encodeMatch({ in_port: Number(fields['in_port'] ?? 0n), metadata: Number(seen['metadata'] ?? 0n) })
    life?.connection?.tellPacket(() => {
      chassis.seen(mac)
      life.agent.packetIn({ packet: bytes, length: bytes.length, tableId: 0, cookie: OUR_COOKIE, reason: 1, match, userdata })
    })
  }
  return `${told.length > 0 ? ', the switch learns' : ''}${isOurs && run.toUs.length > 0 ? ', the agent gets a copy' : ''}`
}

const frame: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  const port = r.maybe([...fake?.ports.values() ?? []])
  if (fake === undefined || port === undefined) return undefined
  const mac = r.pick([...SHARED_MACS, ...HOST_MACS])
  return `${port.name} of ${fake.name} sends a frame of ${mac}${send(chassis, fake, mac, packet({ in_port: port.port }))}`
}

/** A frame that comes in by a port that teaches: as one that a flow of CLASSIFY takes. */
const lesson: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  const flows = [...fake?.tables.flows.values() ?? []]
  const ports = new Set(flows.filter(({ instructions }) => flowActions(instructions).some(({ kind }) => kind === 'learn')).map(({ match }) => flowMatch(match).in_port))
  const way = r.maybe(flows.filter(({ table, priority, match }) => table === CLASSIFY && priority >= 199 && ports.has(flowMatch(match).in_port)))
  if (fake === undefined || way === undefined) return undefined
  const fields = packet(Object.fromEntries(Object.entries(flowMatch(way.match)).map(([name, given]) => [name, Array.isArray(given) ? given[0] : given])))
  const mac = r.pick([...SHARED_MACS, ...HOST_MACS, ...HOST_MACS])
  const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`).join(' ')
  return `a frame of ${mac} comes in to ${fake.name}, ${words}${send(chassis, fake, mac, fields)}`
}

const frameFromVtep: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  const udpPort = r.pick(UDP_PORTS)
  const port = fake?.ports.get(`ovn-evpn-${udpPort}`)
  if (fake === undefined || port === undefined) return undefined
  const [mac, vni, from] = [r.pick([...ALL_MACS, ...HOST_MACS]), r.pick(VNIS), r.pick(VTEPS)]
  const to = r.pick(LOCAL_IPS.filter((ip) => ip.includes(':') === from.includes(':')))
  const outer = from.includes(':') ? { tun_ipv6_src: from, tun_ipv6_dst: to } : { tun_src: from, tun_dst: to }
  return `VTEP ${from} port ${udpPort} sends a frame of ${mac} in VNI ${vni} to ${to}${send(chassis, fake, mac, packet({ in_port: port.port, tun_id: vni, ...outer }))}`
}

const age: Operation = (chassis, r) => {
  const fake = anySwitch(chassis, r)
  if (fake === undefined) return undefined
  const gone = forget(fake.tables, () => r.chance(0.5))
  fake.tellLearned(gone)
  return gone.length === 0 ? undefined : `${fake.name} forgets ${gone.length} learned MACs, which were silent`
}

/** Nobody reads what the switch tells, then somebody does again. */
const pause: Operation = (chassis, r) => {
  const connection = chassis.life?.connection
  if (connection === undefined) return undefined
  connection.pause()
  const said = Array.from({ length: r.int(0, 4) }, () => lesson(chassis, r) as string | undefined).filter((text) => text !== undefined)
  connection.resume()
  return `flow monitors pause for a while: ${said.join('; ')}`
}

export const PACKETS: Weighted = [[4, frame], [12, lesson], [1, frameFromVtep], [3, age], [2, pause]]
