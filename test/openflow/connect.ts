// A client of the library connected to a switch of a test, with what its handlers were told.
import type { Test } from 'tap'
import { OpenFlowClient, type FlowUpdate, type PortDesc } from '../../lib/openflow/index.js'
import { until } from './ovs.js'

export interface Connection {
  readonly client: OpenFlowClient
  /** What the handlers were told, in order: `up`, `down: why`, `unreachable: why`. */
  readonly states: string[]
  readonly ports: { readonly reason: string; readonly port: PortDesc }[]
  readonly updates: FlowUpdate[]
  readonly malformed: string[]
}

/** Starts a client; it is closed at the end of the test. */
export function startClient(t: Test, path: string): Connection {
  const [states, ports, updates, malformed] = [[] as string[], [] as Connection['ports'], [] as FlowUpdate[], [] as string[]]
  const client = new OpenFlowClient({
    path,
    handlers: {
      up: () => states.push('up'),
      down: (reason) => states.push(`down: ${reason}`),
      unreachable: (reason) => states.push(`unreachable: ${reason}`),
      portStatus: (reason, port) => ports.push({ reason, port }),
      flowUpdates: (more) => updates.push(...more),
      malformed: (error) => malformed.push(error.message)
    }
  })
  client.start()
  t.teardown(() => client.close())
  return { client, states, ports, updates, malformed }
}

/** A client that is up. */
export async function connectTo(t: Test, path: string): Promise<Connection> {
  const connection = startClient(t, path)
  await until('the client to be up', () => connection.client.connected)
  return connection
}
