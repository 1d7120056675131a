// Packets that our flows sent us: what each kind is for. Whatever is in them came from a workload: it is judged, never trusted.
import { decodeMatch, type Match, type PacketIn } from '../openflow/index.js'
import { macFromBytes } from '../net/mac.js'
import { isOurCookie } from '../pipeline/slots.js'
import { readUserdata, type PacketKind } from '../pipeline/userdata.js'
import { hear } from './learned.js'
import { witness } from './refresh/index.js'
import type { State } from './state.js'

export interface SentPacket {
  readonly packet: Buffer
  /** OpenFlow port it came in by. */
  readonly inPort: number
  /** The VNI. */
  readonly metadata: number
  /** All fields the switch told: registers that are not 0, tunnel fields. */
  readonly fields: Match
  /** What stands behind the kind in the action's userdata. */
  readonly payload: Buffer
}

const ETHERNET_HEADER = 14

type Handler = (state: State, sent: SentPacket) => void

/** Who takes which kind. */
const HANDLERS: Record<PacketKind, Handler> = {
  SNOOP: (state, { packet, inPort, metadata }) => hear(state, metadata, inPort, packet),
  WITNESS: (state, { packet, inPort, metadata }) => {
    if (packet.length >= ETHERNET_HEADER) witness(state, metadata, macFromBytes(packet, 6), inPort)
  }
}

/** Hands one packet to who wants it. Throws OpenFlowDecodeError when what the switch told of it cannot be read. */
export function receivePacket(state: State, packetIn: PacketIn): void {
  const userdata = readUserdata(packetIn.userdata)
  if (userdata === undefined || !isOurCookie(packetIn.cookie)) return
  const fields = decodeMatch(packetIn.match)
  const sent = { packet: packetIn.packet, inPort: Number(fields.in_port ?? 0), metadata: Number(fields.metadata ?? 0), fields, payload: userdata.payload }
  HANDLERS[userdata.kind](state, sent)
}
