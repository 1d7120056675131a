// The same operations on the real kernel, in a network namespace of the test's own, and what it says to them: the
// measure of the fake one.
import { deleteNexthopRequest, NetlinkClient, type DumpKind, nexthopRequest, type NexthopRow, type RtMessage, type WriteRequest } from '../../../lib/netlink/index.js'
import { run } from '../../netlink/support/namespace.js'

/** An id that no nexthop has: a request that changes nothing. */
const NO_NEXTHOP = 0x7fffffff

export class RealKernel {
  #told: RtMessage[] = []
  readonly #monitor = NetlinkClient.open({
    groups: ['link', 'neigh', 'nexthop'],
    handlers: { messages: (batch) => this.#told.push(...batch), overrun: () => { throw new Error('the test lost notifications') } }
  })
  readonly #requests = NetlinkClient.open({ groups: [], handlers: { messages: () => undefined, overrun: () => undefined } })

  /** Carries out one request; the errno's name when it is refused. */
  async write(request: WriteRequest): Promise<string | undefined> {
    const [error] = await this.#requests.write([request])
    return error?.code
  }

  /** Creates or replaces a nexthop, or deletes the one of that id. */
  async nexthop(row: NexthopRow | number): Promise<string | undefined> {
    const [error] = await this.#requests.request([typeof row === 'number' ? deleteNexthopRequest(row) : nexthopRequest(row)])
    return error?.code
  }

  ip(command: string): void {
    run(`ip ${command}`)
  }

  bridge(command: string): void {
    run(`bridge ${command}`)
  }

  /** What it told since the last time. All of it has come when the answer to a request behind it has. */
  async told(): Promise<RtMessage[]> {
    await this.#monitor.request([deleteNexthopRequest(NO_NEXTHOP)])
    const told = this.#told
    this.#told = []
    return told
  }

  async dump(kind: DumpKind): Promise<RtMessage[]> {
    await this.told()
    await this.#monitor.dump(kind)
    return await this.told()
  }

  close(): void {
    this.#monitor.close()
    this.#requests.close()
  }
}
