// A dump as the kernel makes it: in pieces, each read from the tables as they are at that moment. Between pieces it
// remembers a device and a count of rows, nothing more (net/core/rtnetlink.c, rtnl_fdb_dump: fdb_idx; net/core/neighbour.c
// likewise): a row that goes from before the mark makes it pass over one that stays, and nobody is told.
import type { DumpKind } from '../../../lib/netlink/index.js'
import type { FakeKernel } from './kernel.js'
import { nexthopNews } from './nexthops.js'
import { filterNews, linkNews, rowNews, vlanNews, type Device, type News } from './rows.js'

export class Dump {
  readonly #kernel: FakeKernel
  readonly kind: DumpKind
  readonly #generation: number
  /** The last device looked at, by ifindex (the last nexthop, by id); its next row. */
  #ifindex = 0
  #index = 0
  /** The table changed underneath: links and nexthops notice, the others do not (no nl_dump_check_consistent). */
  interrupted = false
  isDone = false

  constructor(kernel: FakeKernel, kind: DumpKind) {
    this.#kernel = kernel
    this.kind = kind
    this.#generation = this.#now
  }

  get #now(): number {
    return this.kind === 'nexthop' ? this.#kernel.nexthops.generation : this.#kernel.linkGeneration
  }

  /** The next piece of up to `size` rows. */
  next(size: number): News[] {
    if ((this.kind === 'link' || this.kind === 'nexthop') && this.#now !== this.#generation) this.interrupted = true
    if (this.kind === 'nexthop') return this.#nextNexthops(size)
    const piece: News[] = []
    const devices = [...this.#kernel.devices.values()].sort((a, b) => a.ifindex - b.ifindex)
    for (const device of devices.filter(({ ifindex }) => ifindex >= this.#ifindex)) {
      const rows = this.#rowsOf(device)
      const taken = rows.slice(this.#index, this.#index + size - piece.length)
      piece.push(...taken)
      this.#ifindex = device.ifindex
      this.#index += taken.length
      if (this.#index < rows.length) return piece
      this.#ifindex = device.ifindex + 1
      this.#index = 0
    }
    this.isDone = true
    return piece
  }

  #nextNexthops(size: number): News[] {
    const left = this.#kernel.nexthops.all().filter(({ id }) => id > this.#ifindex)
    const piece = left.slice(0, size)
    this.#ifindex = piece.at(-1)?.id ?? this.#ifindex
    this.isDone = piece.length === left.length
    return piece.map((row) => nexthopNews('new', row))
  }

  #rowsOf(device: Device): News[] {
    const { bridges, vxlans, neighbours } = this.#kernel
    switch (this.kind) {
      case 'link': return [linkNews('new', device)]
      case 'neigh': return neighbours.on(device.ifindex).map((row) => rowNews('new', row))
      case 'nexthop': return []
      case 'vlan': return device.vlans.size === 0 ? [] : [vlanNews('new', device, [...device.vlans.keys()])]
      case 'fdb': {
        const bridge = device.kind === 'bridge' ? device.ifindex : device.master
        const inBridge = bridge === undefined ? [] : bridges.rows(bridge).filter((row) => row.port === device.ifindex)
        const own = device.kind === 'vxlan' ? vxlans.rows(device.ifindex).map((row) => rowNews('new', row)) : [filterNews(device)]
        return [...inBridge.map((row) => rowNews('new', row)), ...own]
      }
    }
  }
}
