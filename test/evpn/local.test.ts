// Local addresses: each MAC and each IP has one owner, the first by name; the others are told.
import fc from 'fast-check'
import t from 'tap'
import type { Address } from '../../lib/config/address.js'
import { formatWarning, type Warning } from '../../lib/config/warning.js'
import { AddressBook, deriveLocal, holderOf, macOfIp, touchedBy, type AddressOwner, type LocalMac } from '../../lib/evpn/local.js'
import type { Ip } from '../../lib/net/ip.js'
import type { Mac } from '../../lib/net/mac.js'

const [A, B, C] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b', '02:00:00:00:00:0c']

function port(name: string, bound: readonly Address[], more: { readonly key?: string, readonly advertise?: boolean } = {}): AddressOwner {
  return { record: `Interface ${name}`, key: more.key ?? 'evpn-addresses', port: name, addresses: bound, advertise: more.advertise ?? true }
}

interface Locals { readonly macs: ReadonlyMap<Mac, LocalMac>, readonly macOfIp: ReadonlyMap<Ip, Mac | undefined>, readonly duplicates: readonly Warning[] }

/** All that a book of these owners, entered in this order, gives. */
function deriveLocals(vni: number, ports: readonly AddressOwner[], bridge: string, portless: readonly Address[]): Locals {
  const book = new AddressBook()
  for (const port of ports) book.set(port.port, port)
  book.set(undefined, { record: `Bridge ${bridge}`, key: `evpn-addresses-${vni}`, port: undefined, advertise: true, addresses: portless })
  return readBook(vni, book)
}

function readBook(vni: number, book: AddressBook): Locals {
  const derived = [...book.macs()].sort().map((mac) => [mac, deriveLocal(vni, mac, book)] as const)
  const macs = new Map(derived.flatMap(([mac, { local }]) => (local === undefined ? [] : [[mac, local]])))
  const ips = [...macs.values()].flatMap((local) => local.ips)
  return { macs, macOfIp: new Map(ips.map((ip) => [ip, macOfIp(book, ip)])), duplicates: derived.flatMap(([, { duplicates }]) => duplicates) }
}

function told({ duplicates }: Locals): string[] {
  return duplicates.map(formatWarning)
}

await t.test('each address with its port, in the order of the names', (t) => {
  const ports = [port('vm2', [{ mac: B, ips: ['10.0.0.2'] }], { advertise: false }), port('vm1', [{ mac: A, ips: ['10.0.0.1', '2001:db8::1'] }])]
  const locals = deriveLocals(1000, ports, 'br-int', [{ mac: C, ips: ['10.0.0.3'] }])
  t.strictSame([...locals.macs.values()], [
    { vni: 1000, mac: A, port: 'vm1', ips: ['10.0.0.1', '2001:db8::1'], advertise: true },
    { vni: 1000, mac: B, port: 'vm2', ips: ['10.0.0.2'], advertise: false },
    { vni: 1000, mac: C, port: undefined, ips: ['10.0.0.3'], advertise: true }
  ])
  t.strictSame(locals.macOfIp, new Map([['10.0.0.1', A], ['2001:db8::1', A], ['10.0.0.2', B], ['10.0.0.3', C]]))
  t.strictSame(told(locals), [])
  t.end()
})

await t.test('a MAC given to two ports: the first by name has it, whoever came first, and the other is told', (t) => {
  const [first, second] = [port('vm1', [{ mac: A, ips: ['10.0.0.1'] }]), port('vm2', [{ mac: A, ips: ['10.0.0.2'] }, { mac: B, ips: [] }])]
  for (const ports of [[first, second], [second, first]]) {
    const locals = deriveLocals(1000, ports, 'br-int', [])
    t.match(locals.macs.get(A), { port: 'vm1', ips: ['10.0.0.1'] })
    t.match(locals.macs.get(B), { port: 'vm2' }, 'its other addresses stand')
    t.notOk(locals.macOfIp.has('10.0.0.2'), 'the IPs of a MAC that was lost are lost with it')
    t.strictSame(told(locals), [`Interface vm2 external_ids:evpn-addresses="${A}": already belongs to Interface vm1 in VNI 1000; the first one keeps it`])
  }
  t.end()
})

await t.test('an IP given to two ports: the first by name has it, and the other keeps its MAC', (t) => {
  const [first, second] = [port('vm1', [{ mac: A, ips: ['10.0.0.1'] }]), port('vm2', [{ mac: B, ips: ['10.0.0.1', '10.0.0.2'] }], { key: 'attached-mac' })]
  for (const ports of [[first, second], [second, first]]) {
    const locals = deriveLocals(1000, ports, 'br-int', [])
    t.equal(locals.macOfIp.get('10.0.0.1'), A)
    t.strictSame(locals.macs.get(B)?.ips, ['10.0.0.2'])
    t.strictSame(told(locals), ['Interface vm2 external_ids:attached-mac="10.0.0.1": already belongs to Interface vm1 in VNI 1000; the first one keeps it'],
      'the warning names the key it was read from')
  }
  t.end()
})

await t.test('names are compared as text: vm10 comes before vm2', (t) => {
  const locals = deriveLocals(1000, [port('vm2', [{ mac: A, ips: [] }]), port('vm10', [{ mac: A, ips: [] }])], 'br-int', [])
  t.equal(locals.macs.get(A)?.port, 'vm10')
  t.end()
})

await t.test('an IP twice on one port, under two MACs: the first MAC has it', (t) => {
  const locals = deriveLocals(1000, [port('vm1', [{ mac: A, ips: ['10.0.0.1'] }, { mac: B, ips: ['10.0.0.1'] }])], 'br-int', [])
  t.equal(locals.macOfIp.get('10.0.0.1'), A)
  t.strictSame(told(locals), ['Interface vm1 external_ids:evpn-addresses="10.0.0.1": already belongs to Interface vm1 in VNI 1000; the first one keeps it'])
  t.end()
})

await t.test('a port wins over evpn-addresses-<vni>', (t) => {
  const locals = deriveLocals(1000, [port('vm1', [{ mac: A, ips: ['10.0.0.1'] }])], 'br-evpn', [{ mac: A, ips: [] }, { mac: C, ips: ['10.0.0.1'] }])
  t.equal(locals.macs.get(A)?.port, 'vm1')
  t.strictSame(told(locals), [A, '10.0.0.1'].map((value) =>
    `Bridge br-evpn external_ids:evpn-addresses-1000="${value}": already belongs to Interface vm1 in VNI 1000; the first one keeps it`))
  t.end()
})

const MACS = [A, B, C]
const SHARED_IPS = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
const bound = fc.uniqueArray(fc.record({ mac: fc.constantFrom(...MACS), ips: fc.uniqueArray(fc.constantFrom(...SHARED_IPS)) }), { selector: ({ mac }) => mac })
const changes = fc.array(fc.tuple(fc.constantFrom('vm1', 'vm2', 'vm3', undefined), fc.option(bound)), { maxLength: 12 })

await t.test('an owner that comes, changes or goes touches all addresses that fare differently, and a book holds what a fresh one would', (t) => {
  fc.assert(fc.property(changes, (steps) => {
    const book = new AddressBook()
    const standing = new Map<string | undefined, AddressOwner>()
    for (const [name, addresses] of steps) {
      const owner = addresses === null ? undefined : { ...port(name ?? 'bridge', addresses), port: name }
      const before = readBook(1, book)
      const held = SHARED_IPS.map((ip) => [ip, holderOf(book, ip)] as const)
      const touched = new Set<string>()
      const ask = (one: AddressOwner | undefined) => {
        if (one === undefined) return
        const { macs, ips } = touchedBy(book, one)
        for (const address of [...macs, ...ips]) touched.add(address)
      }
      ask(book.owner(name))
      book.set(name, owner)
      ask(owner)
      const after = readBook(1, book)
      for (const mac of MACS) if (!touched.has(mac)) t.strictSame(after.macs.get(mac), before.macs.get(mac), `${mac} is not touched`)
      for (const [ip, holder] of held) if (!touched.has(ip)) t.strictSame(holderOf(book, ip), holder, `${ip} is not touched`)
      if (owner === undefined) standing.delete(name)
      else standing.set(name, owner)
      const fresh = new AddressBook()
      for (const [key, one] of standing) fresh.set(key, one)
      t.strictSame(after, readBook(1, fresh))
      t.equal(book.isEmpty, standing.size === 0)
    }
  }), { numRuns: 200, seed: 1 })
  t.end()
})
