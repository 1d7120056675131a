// A storm that never lets the queue empty: what was dropped in it is told all the same, once all that can have waited then is read.
import t from 'tap'
import { encodeFrame, NetlinkClient } from '../../lib/netlink/index.js'
import { NetlinkSocket, type DatagramSink, type ReadResult } from '../../lib/netlink/socket.js'

/** Of which the kernel makes twice as much: room for 256 datagrams, as it counts them. */
const BUFFER_BYTES = 64 * 1024
const MOST_QUEUED = 256
const NOTHING = encodeFrame({ type: 1, flags: 0, seq: 0 }, Buffer.alloc(0))

/** A socket whose queue is never empty; reads of these numbers find that something was dropped. Nothing that is sent is answered. */
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

  send(): void { /* the answer is dropped */ }

  close(): void { /* nothing is open */ }
}

/** A client in a storm with these drops; `told`: after how many reads an overrun was. */
function open(dropsAt: readonly number[]): { readonly client: NetlinkClient, readonly storm: Storm, readonly told: readonly number[] } {
  const storm = new Storm(dropsAt)
  Object.assign(NetlinkSocket, { open: () => storm })
  const told: number[] = []
  const client = NetlinkClient.open({ groups: ['neigh'], receiveBufferBytes: BUFFER_BYTES, handlers: { messages: () => undefined, overrun: () => told.push(storm.reads) } })
  return { client, storm, told }
}

/** Lets the storm go on until `isOver`, but not for ever. */
async function until(storm: Storm, isOver: () => boolean): Promise<void> {
  while (!isOver() && storm.reads < 100 * MOST_QUEUED) await new Promise((resolve) => setImmediate(resolve))
}

/** Reads of the storm after which an overrun was told. */
async function toldAt(dropsAt: readonly number[], count: number): Promise<readonly number[]> {
  const { client, storm, told } = open(dropsAt)
  await until(storm, () => told.length >= count)
  client.close()
  return told
}

await t.test('an overrun in a storm without end is told when all that can have waited before it is read, and not sooner', async (t) => {
  const [at = 0] = await toldAt([10], 1)
  t.ok(at > 10 + MOST_QUEUED, `after ${at} reads`)
  t.ok(at < 10 * MOST_QUEUED, 'and soon')
})

await t.test('one that happens again before it is told is told again', async (t) => {
  const told = await toldAt([10, 300], 2)
  t.equal(told.length, 2, `after ${told.join(' and ')} reads`)
  t.ok((told[0] ?? 0) > 300, 'the second one happened before the first was told')
})

const WRITE = [{ op: 'replace', row: { family: 7, ifindex: 3, state: 0x42, flags: 2, type: 0, lladdr: '02:00:00:00:00:01' } }] as const

await t.test('what was sent before an overrun and is not acknowledged when it is told was lost; what was sent later may still be', async (t) => {
  const { client, storm, told } = open([10])
  const ends: string[] = []
  const write = async (name: string) => { ends.push(...(await client.write(WRITE)).map((error) => `${name}: ${error?.code}`)) }
  void write('before')
  await until(storm, () => storm.reads > 10)
  void write('after')
  await until(storm, () => told.length > 0)
  await until(storm, () => ends.length > 0)
  t.strictSame(ends, ['before: ENOBUFS'], 'the writer is free to go on')
  await until(storm, () => storm.reads > 10 * MOST_QUEUED)
  t.strictSame(ends, ['before: ENOBUFS'])
  client.close()
})
