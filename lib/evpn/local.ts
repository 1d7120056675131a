// Local addresses of one VNI: what the ports and evpn-addresses-<vni> bind here, each to one owner. Who names what is
// kept in a book, so that one port's change concerns the addresses it names and no others.
import type { Address } from '../config/address.js'
import type { Warning } from '../config/warning.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'

export interface LocalMac {
  readonly vni: Vni
  readonly mac: Mac
  /** Interface name; undefined for an address without a port (evpn-addresses-<vni>). */
  readonly port: string | undefined
  readonly ips: readonly Ip[]
  /** What it may send from with evpn-port-security; undefined = anything. */
  readonly sources?: readonly Ip[]
  readonly advertise: boolean
  /** The switch learned it from the port's packets; missing = it is bound. */
  readonly learned?: true
}

/** Something that names addresses in a VNI: a port, or the integration bridge. */
export interface AddressOwner {
  /** For warnings: where the addresses stand. */
  readonly record: string
  readonly key: string
  /** Interface name; undefined for the bridge, of which there is one. */
  readonly port: string | undefined
  readonly advertise: boolean
  readonly addresses: readonly Address[]
}

/** Who names which address in one VNI: owners in the order in which they have it, ports by name, then the bridge. */
export class AddressBook {
  readonly #owners = new Map<string | undefined, AddressOwner>()
  readonly #ofMac = new Map<Mac, readonly AddressOwner[]>()
  readonly #ofIp = new Map<Ip, readonly AddressOwner[]>()

  /** Another book that says the same. */
  copy(): AddressBook {
    const copy = new AddressBook()
    for (const [port, owner] of this.#owners) copy.#owners.set(port, owner)
    for (const [mac, owners] of this.#ofMac) copy.#ofMac.set(mac, owners)
    for (const [ip, owners] of this.#ofIp) copy.#ofIp.set(ip, owners)
    return copy
  }

  ofMac(mac: Mac): readonly AddressOwner[] {
    return this.#ofMac.get(mac) ?? []
  }

  ofIp(ip: Ip): readonly AddressOwner[] {
    return this.#ofIp.get(ip) ?? []
  }

  macs(): IterableIterator<Mac> {
    return this.#ofMac.keys()
  }

  ips(): IterableIterator<Ip> {
    return this.#ofIp.keys()
  }

  owner(port: string | undefined): AddressOwner | undefined {
    return this.#owners.get(port)
  }

  get isEmpty(): boolean {
    return this.#owners.size === 0
  }

  /** Replaces what one owner names; undefined = nothing more. */
  set(port: string | undefined, owner: AddressOwner | undefined): void {
    const old = this.#owners.get(port)
    if (old !== undefined) this.#enter(old, (owners) => owners.filter((one) => one !== old))
    if (owner === undefined) this.#owners.delete(port)
    else this.#owners.set(port, owner)
    if (owner !== undefined) this.#enter(owner, (owners) => [...owners, owner].sort(byRank))
  }

  #enter(owner: AddressOwner, change: (owners: readonly AddressOwner[]) => readonly AddressOwner[]): void {
    for (const { mac, ips } of owner.addresses) {
      edit(this.#ofMac, mac, change)
      for (const ip of ips) edit(this.#ofIp, ip, (owners) => [...new Set(change(owners))])
    }
  }
}

function edit<K>(map: Map<K, readonly AddressOwner[]>, key: K, change: (owners: readonly AddressOwner[]) => readonly AddressOwner[]): void {
  const owners = change(map.get(key) ?? [])
  if (owners.length === 0) map.delete(key)
  else map.set(key, owners)
}

function byRank(a: AddressOwner, b: AddressOwner): number {
  if (a.port === undefined || b.port === undefined) return Number(a.port === undefined) - Number(b.port === undefined)
  return a.port < b.port ? -1 : 1
}

/** Which MAC of whom has an IP: the first that names it under a MAC it has itself. */
export function holderOf(book: AddressBook, ip: Ip): { readonly owner: AddressOwner, readonly mac: Mac } | undefined {
  for (const owner of book.ofIp(ip)) {
    const address = owner.addresses.find(({ mac, ips }) => ips.includes(ip) && book.ofMac(mac)[0] === owner)
    if (address !== undefined) return { owner, mac: address.mac }
  }
  return undefined
}

/** Which local MAC an IP is bound to. */
export function macOfIp(book: AddressBook, ip: Ip): Mac | undefined {
  return holderOf(book, ip)?.mac
}

export interface DerivedLocal {
  readonly local: LocalMac | undefined
  /** This MAC, and IPs named under it, named twice: who lost them, and to whom. */
  readonly duplicates: readonly Warning[]
}

/** Gives one MAC, and each IP under it, to the first that names it. */
export function deriveLocal(vni: Vni, mac: Mac, book: AddressBook): DerivedLocal {
  const [first, ...losers] = book.ofMac(mac)
  if (first === undefined) return { local: undefined, duplicates: [] }
  const warning = ({ record, key }: AddressOwner, value: string, winner: AddressOwner | undefined): Warning =>
    ({ record, key, value, why: `already belongs to ${winner?.record ?? ''} in VNI ${vni}; the first one keeps it` })
  const { ips: named, sources }: Pick<Address, 'ips' | 'sources'> = first.addresses.find((address) => address.mac === mac) ?? { ips: [] }
  const ips = named.filter((ip) => macOfIp(book, ip) === mac)
  // An IP that another has is not one to send from, either.
  const isLost = (ip: Ip) => named.includes(ip) && !ips.includes(ip)
  return {
    local: {
      vni, mac, port: first.port, ips, advertise: first.advertise,
      ...(sources === undefined ? {} : { sources: sources.filter((ip) => !isLost(ip)) })
    },
    duplicates: [
      ...losers.map((loser) => warning(loser, mac, first)),
      ...named.filter((ip) => !ips.includes(ip)).map((ip) => warning(first, ip, holderOf(book, ip)?.owner))
    ]
  }
}

export interface Touched { readonly macs: ReadonlySet<Mac>, readonly ips: ReadonlySet<Ip> }

/**
 * What can become another's when this owner comes or goes: the MACs it names and the IPs under them, whoever names those; and
 * the MACs that share an IP with one of them, which can lose or win it. Asked while the owner stands in the book.
 */
export function touchedBy(book: AddressBook, owner: AddressOwner): Touched {
  const macs = new Set(owner.addresses.map(({ mac }) => mac))
  const ips = new Set([...macs].flatMap((mac) => book.ofMac(mac).flatMap((other) => ipsUnder(other, mac))))
  for (const ip of ips) {
    for (const other of book.ofIp(ip)) {
      for (const address of other.addresses) if (address.ips.includes(ip)) macs.add(address.mac)
    }
  }
  return { macs, ips }
}

function ipsUnder(owner: AddressOwner, mac: Mac): readonly Ip[] {
  return owner.addresses.find((address) => address.mac === mac)?.ips ?? []
}
