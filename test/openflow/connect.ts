// A client of the library connected to a switch of a test, with what its handlers were told.
import type { Test } from 'tap'
import { OpenFlowClient, type FlowUpdate, type PacketIn, type PortDesc } from '../../lib/openflow/index.js'
import { until } from './ovs.js'

export interface Connection {
  readonly client: OpenFlowClient
  /** What the handlers were told, in order: `up`, `down: why`, `unreachable: why`. */
  readonly states: string[]
  readonly ports: { readonly reason: string; readonly port: PortDesc }[]
  readonly updates: FlowUpdate[]
  readonly packets: PacketIn[]
  readonly malformed: string[]
}

/** Starts a client; it is closed at the end of the test. */
export function startClient(t: Test, path: string, controllerId = 0): Connection {
  const [states, ports, updates, malformed] = [[] as string[], [] as Connection['ports'], [] as FlowUpdate[], [] as string[]]
  const packets: PacketIn[] = []
  const client = new OpenFlowClient({
    path,
    controllerId,
    handlers: {
      up: () => states.push('up'),
      down: (reason) => states.push(`down: ${reason}`),
      unreachable: (reason) => states.push(`unreachable: ${reason}`),
      portStatus: (reason, port) => ports.push({ reason, port }),
      flowUpdates: (more) => updates.push(...more),
      packetIn: (packetIn) => packets.push(packetIn),
      malformed: (error) => malformed.push(error.message)
    }
  })
  client.start()
  t.teardown(() => client.close())
  return { client, states, ports, updates, packets, malformed }
}

/** A client that is up. */
export async function connectTo(t: Test, path: string, controllerId = 0): Promise<Connection> {
  const connection = startClient(t, path, controllerId)
  await until('the client to be up', () => connection.client.connected)
  return connection
}
