// The switch as the benchmark asks it: on a connection of its own, and only for what costs it next to nothing. (A count by OFPMP_AGGREGATE
// walks every flow in ovs-vswitchd's main thread, and slows what it measures.)
import { OpenFlowClient, type OpenFlowHandlers } from '../../lib/openflow/index.js'

/** How often whoever waits may look, in ms. */
export const POLL = 50

/** Resolves when it is connected. */
export function connectSwitch(path: string, handlers: Partial<OpenFlowHandlers> = {}): Promise<OpenFlowClient> {
  return new Promise((resolve, reject) => {
    const client: OpenFlowClient = new OpenFlowClient({
      path, handlers: { ...handlers, up: () => resolve(client), down: (reason) => reject(new Error(reason)), portStatus: () => undefined }
    })
    client.start()
  })
}

/** How many flows these tables have. */
export async function flowsIn(client: OpenFlowClient, tables: readonly number[]): Promise<number> {
  return (await client.tableStats()).filter(({ tableId }) => tables.includes(tableId)).reduce((sum, { flows }) => sum + flows, 0)
}
