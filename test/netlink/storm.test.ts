// A storm that never lets the queue empty: what was dropped in it is told all the same, once all that can have waited then is read.
import t from 'tap'
import { encodeFrame, NetlinkClient } from '../../lib/netlink/index.js'
import { NetlinkSocket, type DatagramSink, type ReadResult } from '../../lib/netlink/socket.js'

/** Of which the kernel makes twice as much: room for 256 datagrams, as it counts them. */
const BUFFER_BYTES = 64 * 1024
const MOST_QUEUED = 256
const NOTHING = encodeFrame({ type: 1, flags: 0, seq: 0 }, Buffer.alloc(0))

/** A socket whose queue is never empty; reads of these numbers find that something was dropped. */
class Storm {
  reads = 0
  constructor(readonly dropsAt: readonly number[]) {}

  wait(done: () => void): void {
    setImmediate(done)
  }

  read(sink: DatagramSink): ReadResult {
    if (this.dropsAt.includes(this.reads++)) return 'overrun'
    sink(NOTHING)
    return 'more'
  }

  close(): void { /* nothing is open */ }
}

/** Reads of the storm after which an overrun was told. */
async function toldAt(dropsAt: readonly number[], count: number): Promise<readonly number[]> {
  const storm = new Storm(dropsAt)
  Object.assign(NetlinkSocket, { open: () => storm })
  const told: number[] = []
  const client = NetlinkClient.open({ groups: ['neigh'], receiveBufferBytes: BUFFER_BYTES, handlers: { messages: () => undefined, overrun: () => told.push(storm.reads) } })
  while (told.length < count && storm.reads < 100 * MOST_QUEUED) await new Promise((resolve) => setImmediate(resolve))
  client.close()
  return told
}

await t.test('an overrun in a storm without end is told when all that can have waited before it is read, and not sooner', async (t) => {
  const [at = 0] = await toldAt([10], 1)
  t.ok(at > 10 + MOST_QUEUED, `after ${at} reads`)
  t.ok(at < 10 * MOST_QUEUED, 'and soon')
})

await t.test('one that happens again meanwhile is told again', async (t) => {
  const told = await toldAt([10, 600], 2)
  t.equal(told.length, 2, `after ${told.join(' and ')} reads`)
})
