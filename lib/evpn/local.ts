// Local addresses of one VNI: what the ports and evpn-addresses-<vni> bind here, each to one owner.
import type { Address } from '../config/address.js'
import type { PortConfig } from '../config/port.js'
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
  readonly advertise: boolean
}

export interface Locals {
  readonly macs: ReadonlyMap<Mac, LocalMac>
  /** Which of these MACs an IP is bound to. */
  readonly macOfIp: ReadonlyMap<Ip, Mac>
  /** Addresses named twice: who lost them, and to whom. */
  readonly duplicates: readonly Warning[]
}

/** Gives each MAC and each IP to the first that names it: ports by name, then addresses without a port (those of the integration bridge). */
export function deriveLocals(vni: Vni, ports: readonly PortConfig[], bridge: string, portless: readonly Address[]): Locals {
  const owners = [...ports].sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((port): Owner => ({
      record: `Interface ${port.name}`, key: port.addresses.key, port: port.name, advertise: port.advertise, addresses: port.addresses.bound
    }))
  owners.push({ record: `Bridge ${bridge}`, key: `evpn-addresses-${vni}`, port: undefined, advertise: true, addresses: portless })
  return assign(vni, owners)
}

interface Owner {
  readonly record: string
  readonly key: string
  readonly port: string | undefined
  readonly advertise: boolean
  readonly addresses: readonly Address[]
}

function assign(vni: Vni, owners: readonly Owner[]): Locals {
  const macs = new Map<Mac, LocalMac>()
  const macOwners = new Map<Mac, Owner>()
  const macOfIp = new Map<Ip, Mac>()
  const duplicates: Warning[] = []
  for (const owner of owners) {
    for (const { mac, ips } of owner.addresses) {
      const warn = (value: string, first: string) => duplicates.push({
        record: owner.record, key: owner.key, value, why: `already belongs to ${first} in VNI ${vni}; the first one keeps it`
      })
      const first = macOwners.get(mac)
      if (first !== undefined) {
        warn(mac, first.record)
        continue
      }
      macOwners.set(mac, owner)
      const free = ips.filter((ip) => {
        const holder = macOfIp.get(ip)
        if (holder === undefined) macOfIp.set(ip, mac)
        else warn(ip, macOwners.get(holder)?.record ?? '')
        return holder === undefined
      })
      macs.set(mac, { vni, mac, port: owner.port, ips: free, advertise: owner.advertise })
    }
  }
  return { macs, macOfIp, duplicates }
}
