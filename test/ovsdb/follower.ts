// A client under test together with all it has told its handlers.
import type { Test } from 'tap'
import { comment, OvsdbClient, type OvsdbOptions, type RowChange } from '../../lib/ovsdb/index.js'
import { TABLES } from './oracle.js'
import { until } from './server.js'

export interface Follower {
  readonly client: OvsdbClient
  readonly batches: (readonly RowChange[])[]
  readonly downs: string[]
  ups: number
}

/** Starts a client that follows the project's tables; it is closed with the test. */
export function follow(t: Test, remote: string, options: Partial<OvsdbOptions> = {}): Follower {
  const follower: Follower = {
    batches: [],
    downs: [],
    ups: 0,
    client: new OvsdbClient({
      remote,
      database: 'Open_vSwitch',
      tables: TABLES,
      handlers: {
        up: () => { follower.ups++ },
        down: (reason) => { follower.downs.push(reason) },
        changes: (batch) => { follower.batches.push(batch) }
      },
      ...options
    })
  }
  t.teardown(() => follower.client.close())
  follower.client.start()
  return follower
}

/** Waits until the client is up; retries at once instead of waiting for the backoff. */
export async function untilUp({ client }: Follower): Promise<void> {
  await until('the client to be up', () => {
    if (!client.connected) client.retryNow()
    return client.connected
  })
}

/** Waits until all that was committed before is in the replica: updates come before the answer to a later transaction. */
export async function catchUp({ client }: Follower): Promise<void> {
  await client.transact([comment('catch up')])
}
