// A program with an open client that ends as its argument says; see test/netlink/exit.test.ts.
import { NetlinkClient } from '../../../lib/netlink/index.js'

const overrun = (): void => undefined
const client = NetlinkClient.open({ groups: ['link', 'neigh', 'nexthop'], handlers: { messages: () => undefined, overrun } })
await client.dump('link')
switch (process.argv[2]) {
  case 'close': client.close(); break
  case 'close in a handler': {
    const messages = (): void => { other.close(); client.close() }
    const other = NetlinkClient.open({ groups: [], handlers: { messages, overrun } })
    void other.dump('link').catch(() => undefined)
    break
  }
  case 'exit': process.exit(7)
  case 'throw': throw new Error('uncaught')
  default: throw new Error('how?')
}
