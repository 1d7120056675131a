// Which ports are bound to which VNIs, and who names which address there: kept up from one configuration to the next, so
// that one port's change marks what hangs on that port.
import { isDeepStrictEqual } from 'node:util'
import type { PortChange } from '../config/bridge-ports.js'
import type { Database } from '../config/database.js'
import type { Binding } from '../config/port.js'
import { AddressBook, touchedBy, type AddressOwner } from '../evpn/local.js'
import type { Vni } from '../net/number.js'
import { markLearned } from './affected.js'
import type { State } from './state.js'

/** Brings bindings and address books from one configuration to the next. */
export function rebind(state: State, old: Database, current: Database): void {
  for (const change of current.portChanges) rebindPort(state, change)
  for (const vni of new Set([...old.bridge.addresses.keys(), ...current.bridge.addresses.keys()])) nameWithoutPort(state, current, vni)
}

function rebindPort(state: State, { old, current }: PortChange): void {
  if (isDeepStrictEqual(old, current)) return
  const name = current?.name ?? old?.name ?? ''
  state.dirty.ports.add(name)
  const bindings = new Map((current?.bindings ?? []).map((binding) => [binding.vni, binding]))
  for (const { vni } of old?.bindings ?? []) if (!bindings.has(vni)) bind(state, vni, name, undefined)
  for (const [vni, binding] of bindings) bind(state, vni, name, binding)
}

function bind(state: State, vni: Vni, port: string, binding: Binding | undefined): void {
  const old = state.bindings.get(vni, port)
  if (binding === undefined) state.bindings.delete(vni, port)
  else state.bindings.set(vni, port, binding)
  // It may be the first of the VNI or its last; and whether it learns is the VNI's affair.
  state.dirty.domains.add(vni)
  if ((old === undefined) !== (binding === undefined) || old?.addresses.unknown !== binding?.addresses.unknown) state.dirty.floods.add(vni)
  if (old?.addresses.unknown === true || binding?.addresses.unknown === true) {
    for (const mac of state.mirrors.learned.under(vni).keys()) markLearned(state, vni, mac)
  }
  nameAddresses(state, vni, port, binding && ownerOf(binding))
}

function ownerOf({ port, addresses, advertise }: Binding): AddressOwner {
  return { record: `Interface ${port}`, key: addresses.key, port, advertise, addresses: addresses.bound }
}

function nameWithoutPort(state: State, { bridge, system }: Database, vni: Vni): void {
  const addresses = bridge.addresses.get(vni)
  const owner = addresses && { record: `Bridge ${system.bridge}`, key: `evpn-addresses-${vni}`, port: undefined, advertise: true, addresses }
  if (isDeepStrictEqual(state.books.get(vni)?.owner(undefined), owner)) return
  state.dirty.domains.add(vni)
  nameAddresses(state, vni, undefined, owner)
}

function nameAddresses(state: State, vni: Vni, port: string | undefined, owner: AddressOwner | undefined): void {
  const book = state.books.get(vni) ?? new AddressBook()
  const mark = (one: AddressOwner | undefined) => {
    if (one === undefined) return
    const { macs, ips } = touchedBy(book, one)
    for (const mac of macs) {
      state.dirty.macs.add(vni, mac)
      // A MAC that is bound has the IPs it is bound with, not those it was heard to have.
      for (const ip of state.mirrors.snooped.ipsOf(vni, mac)) state.dirty.ips.add(vni, ip)
    }
    for (const ip of ips) state.dirty.ips.add(vni, ip)
  }
  mark(book.owner(port))
  book.set(port, owner)
  mark(owner)
  if (book.isEmpty) state.books.delete(vni)
  else state.books.set(vni, book)
}
