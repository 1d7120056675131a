// The neighbour tables as net/core/neighbour.c keeps them: one row for a device and IP, whoever wrote it.
import { NTF, NUD, type NeighRow } from '../../../lib/netlink/index.js'
import type { Ip } from '../../../lib/net/ip.js'
import type { Mac } from '../../../lib/net/mac.js'
import type { Notify } from './fdb.js'
import { rowNews, type Neighbour, type Writer } from './rows.js'

const STATIC = NUD.NOARP | NUD.PERMANENT

export class Neighbours {
  readonly #rows = new Map<string, Neighbour>()

  all(): Neighbour[] {
    return [...this.#rows.values()]
  }

  on(ifindex: number): Neighbour[] {
    return this.all().filter((row) => row.ifindex === ifindex)
  }

  get(ifindex: number, ip: Ip): Neighbour | undefined {
    return this.#rows.get(`${ifindex} ${ip}`)
  }

  /** RTM_NEWNEIGH. A writer that names no protocol leaves the one of the row it takes over. */
  add(request: NeighRow, writer: Writer, notify: Notify): void {
    const { ifindex, dst = '', lladdr, state } = request
    const old = this.get(ifindex, dst)
    const flags = request.flags & (NTF.EXT_LEARNED | NTF.ROUTER)
    const protocol = request.protocol ?? old?.protocol ?? 0
    this.#put({ table: 'neighbour', ifindex, ip: dst, mac: lladdr, state, flags, protocol, writer }, notify)
  }

  /** The kernel's own ARP or ND: never touches a row that is static. */
  resolve(ifindex: number, ip: Ip, mac: Mac, state: number, notify: Notify): boolean {
    const old = this.get(ifindex, ip)
    if (old !== undefined && (old.state & STATIC) !== 0) return false
    const { flags, protocol, writer } = old ?? { flags: 0, protocol: 0, writer: 'kernel' as const }
    this.#put({ table: 'neighbour', ifindex, ip, mac, state, flags, protocol, writer }, notify)
    return true
  }

  /** RTM_DELNEIGH, by IP alone: the row first turns FAILED, and that is told too. */
  remove(ifindex: number, ip: Ip, notify: Notify): string | undefined {
    const row = this.get(ifindex, ip)
    if (row === undefined) return 'ENOENT'
    const failed: Neighbour = { ...row, mac: undefined, state: NUD.FAILED, flags: 0 }
    this.#rows.delete(`${ifindex} ${ip}`)
    notify(rowNews('new', failed))
    notify(rowNews('del', failed))
    return undefined
  }

  drop(row: Neighbour, notify: Notify): void {
    this.#rows.delete(`${row.ifindex} ${row.ip}`)
    notify(rowNews('del', row))
  }

  #put(row: Neighbour, notify: Notify): void {
    const key = `${row.ifindex} ${row.ip}`
    const old = this.#rows.get(key)
    const isSame = old !== undefined && old.mac === row.mac && old.state === row.state && old.flags === row.flags
    if (isSame && old.protocol === row.protocol) return
    this.#rows.set(key, row)
    // That nothing but the protocol changed is told to nobody.
    if (!isSame) notify(rowNews('new', row))
  }
}
