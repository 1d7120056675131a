// The tunnels' own address: which one it should be, and the command that sets it for some VNIs and leaves those of all others.
import { optionsOf } from '../../config/bridge.js'
import { listItems } from '../../config/option.js'
import type { LocalIps } from '../../config/system.js'
import type { VniReport } from '../../daemon/report/report.js'
import { command } from '../shell.js'
import type { Facts } from './facts.js'

const LOCAL_IP = 'ovn-evpn-local-ip'

type Family = 4 | 6

export function familyOf(ip: string): Family {
  return ip.includes(':') ? 6 : 4
}

/** What the configuration says for a VNI, by the daemon's own rule; addresses of devices are none. */
export function configuredIps({ system }: Facts, vni: number): LocalIps {
  return { ...system.localIps, ...system.localIpsOfVni.get(vni) }
}

/** True when the daemon makes and keeps the VNI's devices: with an address that is configured, or not at all. */
export function isManaged({ options }: Facts, vni: number): boolean {
  return optionsOf(options, vni).manageDevices
}

/** The one that the way to a VTEP takes, else the only one of this machine: of several only the operator knows. */
export function candidate({ underlay, addresses }: Facts, family: Family): string | undefined {
  const source = underlay.find(({ vtep, route }) => familyOf(vtep) === family && route?.src !== undefined)?.route?.src
  const all = [...addresses.keys()].filter((ip) => familyOf(ip) === family)
  return source ?? (all.length === 1 ? all[0] : undefined)
}

/** Sets the address of these VNIs, and keeps what the key says of others and of the other family. */
export function setLocalIp(facts: Facts, family: Family, vnis: readonly number[]): string[] {
  const ip = candidate(facts, family) ?? 'IP'
  const { key, items } = effectiveKey(facts)
  const own = (item: string): number | undefined => {
    const vni = /^(\d+)-/.exec(item)?.[1]
    return vni === undefined ? undefined : Number(vni)
  }
  const rest = items.filter((item) => familyOf(item.replace(/^\d+-/, '')) !== family || (own(item) !== undefined && !vnis.includes(own(item) ?? -1)))
  const hasOwn = (vni: number): boolean => rest.some((item) => own(item) === vni && familyOf(item.replace(/^\d+-/, '')) === family)
  const keeps = ({ vni, local_ips: ips }: VniReport): boolean => hasOwn(vni) || ips.every((one) => familyOf(one) !== family || one === ip)
  const others = facts.show.vnis.filter(({ vni }) => !vnis.includes(vni))
  const byDefault = items.filter((item) => familyOf(item) === family && own(item) === undefined)
  const value = others.every(keeps) ? [ip, ...rest] : [...byDefault, ...rest, ...vnis.map((vni) => `${vni}-${ip}`)]
  return [command`ovs-vsctl set Open_vSwitch . ${`external_ids:${key}=${value.join(',')}`}`]
}

/** The key with the system-id wins. */
function effectiveKey({ system, systemIds }: Facts): { readonly key: string, readonly items: readonly string[] } {
  const suffixed = `${LOCAL_IP}-${system.systemId}`
  const key = system.systemId !== undefined && systemIds.has(suffixed) ? suffixed : LOCAL_IP
  return { key, items: listItems(systemIds.get(key) ?? '') }
}
