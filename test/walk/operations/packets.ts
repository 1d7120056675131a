// Frames that workloads send, and what of them the agent gets to see.
import { encodeMatch } from '../../../lib/openflow/index.js'
import { macToBytes } from '../../../lib/net/mac.js'
import { SHARED_MACS } from '../pools.js'
import { packet, Pipeline } from '../switch/packet.js'
import type { Operation, Weighted } from './operation.js'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
const OUR_COOKIE = 0x6576706e_00000000n

const frame: Operation = (chassis, r) => {
  const { life } = chassis
  const fake = life?.connection && chassis.vswitchd.connections.get(life.connection)
  const port = r.maybe([...fake?.ports.values() ?? []])
  if (life?.connection === undefined || fake === undefined || port === undefined) return undefined
  const mac = r.pick(SHARED_MACS)
  const { toUs } = new Pipeline(fake.tables).run(packet({ in_port: port.port, eth_src: mac, eth_dst: BROADCAST }))
  const bytes = Buffer.concat([macToBytes(BROADCAST), macToBytes(mac), Buffer.alloc(48)])
  for (const { userdata, fields } of toUs) {
    const match = encodeMatch({ in_port: port.port, metadata: Number(fields['metadata'] ?? 0n) })
    life.connection.tellPacket(() => {
      chassis.seen(mac)
      life.agent.packetIn({ packet: bytes, length: bytes.length, tableId: 0, cookie: OUR_COOKIE, reason: 1, match, userdata })
    })
  }
  return `${port.name} sends a frame of ${mac}${toUs.length > 0 ? ', the agent gets a copy' : ''}`
}

export const PACKETS: Weighted = [[1, frame]]
