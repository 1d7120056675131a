// What the kernel says at this moment, one question at a time. Nothing here needs privileges.
import { constants } from 'node:os'
import { NetlinkClient, type LinkRow, type NeighRow, type NetlinkRequest, type RouteRow, type RtMessage, AF, NTF, neighQuery, routeQuery } from '../netlink/index.js'
import { ipFamily, type Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'

/** "There is none": of a row, of a way to an address. */
const NOTHING: readonly number[] = [constants.errno.ENOENT, constants.errno.ENETUNREACH, constants.errno.EHOSTUNREACH, constants.errno.EINVAL, constants.errno.EACCES]

/** Answers are small, and nothing else comes on this socket. */
const RECEIVE_BUFFER_BYTES = 4 << 20

export class KernelReader {
  readonly #client: NetlinkClient
  #received: RtMessage[] = []

  /** Throws NetlinkError. */
  constructor() {
    this.#client = NetlinkClient.open({
      groups: [], withAges: true, receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      handlers: { messages: (batch) => this.#received.push(...batch), overrun: () => undefined }
    })
  }

  close(): void {
    this.#client.close()
  }

  async links(): Promise<LinkRow[]> {
    this.#received = []
    await this.#client.dump('link')
    return this.#received.flatMap((message) => (message.kind === 'link' ? [message.row] : []))
  }

  /** A vxlan device's own row; on a device of many VNIs, that of one. */
  async deviceRow(ifindex: number, mac: Mac, vni?: number): Promise<NeighRow | undefined> {
    return await this.#row(neighQuery({ family: AF.BRIDGE, ifindex, flags: NTF.SELF, lladdr: mac, ...(vni === undefined ? {} : { vni }) }))
  }

  /** The bridge's row, in a VLAN if it is not 0. */
  async bridgeRow(master: number, mac: Mac, vlan: number): Promise<NeighRow | undefined> {
    return await this.#row(neighQuery({ family: AF.BRIDGE, ifindex: 0, flags: NTF.MASTER, lladdr: mac, master, ...(vlan === 0 ? {} : { vlan }) }))
  }

  async neighbour(ifindex: number, ip: Ip): Promise<NeighRow | undefined> {
    return await this.#row(neighQuery({ family: ipFamily(ip) === 4 ? AF.INET : AF.INET6, ifindex, flags: 0, dst: ip }))
  }

  /** Which way packets to an address go; undefined: there is none. */
  async route(destination: Ip): Promise<RouteRow | undefined> {
    const [message] = await this.#ask(routeQuery(destination))
    return message?.kind === 'route' ? message.row : undefined
  }

  async #row(request: NetlinkRequest): Promise<NeighRow | undefined> {
    const [message] = await this.#ask(request)
    return message?.kind === 'neigh' ? message.row : undefined
  }

  async #ask(request: NetlinkRequest): Promise<readonly RtMessage[]> {
    this.#received = []
    const [error] = await this.#client.request([request])
    if (error !== undefined && !NOTHING.includes(error.errno)) throw error
    return this.#received
  }
}
