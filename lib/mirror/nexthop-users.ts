// Which VTEPs the FDB rows of a device (of one VNI of it: see fdbTable) point at by way of nexthops. It is a join of rows with paths
// (nexthop, VTEP), kept as counts: a row costs nothing but its count, unless it is the first of its device or the last,
// and a path that fails costs as much as there are devices, however many rows they have.
import type { Ip } from '../net/ip.js'
import { NestedMap } from './nested.js'

/** Told when a device's first row on a nexthop comes that leads to the VTEP, and when the last goes. */
export type UseChanged = (table: string, ip: Ip) => void

export class NexthopUsers {
  /** Rows of a device on a nexthop. */
  readonly #rows = new NestedMap<number, string, number>()
  /** Where nexthops lead, as counted. */
  readonly #ips = new Map<number, readonly Ip[]>()
  /** Which of them lead to a VTEP. */
  readonly #nexthopsTo = new NestedMap<Ip, number, true>()
  /** Nexthops that rows of a device are on and that lead to a VTEP. */
  readonly #uses = new NestedMap<string, Ip, number>()
  readonly #changed: UseChanged

  constructor(changed: UseChanged) {
    this.#changed = changed
  }

  /** True when a row of the device is on a nexthop that leads to the VTEP. */
  uses(table: string, ip: Ip): boolean {
    return this.#uses.get(table, ip) !== undefined
  }

  /** The VTEPs that rows of the device lead to. */
  ips(table: string): Iterable<Ip> {
    return this.#uses.under(table).keys()
  }

  /** The nexthops that lead to a VTEP. */
  nexthopsTo(ip: Ip): Iterable<number> {
    return this.#nexthopsTo.under(ip).keys()
  }

  /** A row on a nexthop came or went. */
  addRow(table: string, nexthop: number, step: 1 | -1): void {
    const before = this.#rows.get(nexthop, table) ?? 0
    if (before + step === 0) this.#rows.delete(nexthop, table)
    else this.#rows.set(nexthop, table, before + step)
    if (before !== 0 && before + step !== 0) return
    for (const ip of this.#ips.get(nexthop) ?? []) this.#count(table, ip, step)
  }

  /** A nexthop leads to these VTEPs from now on. */
  setPaths(nexthop: number, ips: readonly Ip[]): void {
    const old = this.#ips.get(nexthop) ?? []
    if (ips.length === 0) this.#ips.delete(nexthop)
    else this.#ips.set(nexthop, ips)
    const [fresh, gone] = [ips.filter((ip) => !old.includes(ip)), old.filter((ip) => !ips.includes(ip))]
    for (const ip of fresh) this.#nexthopsTo.set(ip, nexthop, true)
    for (const ip of gone) this.#nexthopsTo.delete(ip, nexthop)
    for (const table of this.#rows.under(nexthop).keys()) {
      for (const ip of fresh) this.#count(table, ip, +1)
      for (const ip of gone) this.#count(table, ip, -1)
    }
  }

  #count(table: string, ip: Ip, step: 1 | -1): void {
    const before = this.#uses.get(table, ip) ?? 0
    if (before + step === 0) this.#uses.delete(table, ip)
    else this.#uses.set(table, ip, before + step)
    if (before === 0 || before + step === 0) this.#changed(table, ip)
  }
}
