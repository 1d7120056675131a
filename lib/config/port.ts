// A workload's port: external_ids of its Interface row.
import { parseVni, parseWhole, type Vni } from '../net/number.js'
import { parseAddresses, type Addresses } from './address.js'
import { nearestKey } from './nearest.js'
import { listItems, NO_EFFECT } from './option.js'
import type { Warn, Warning } from './warning.js'

export const PORT_KEYS = ['dynamic-routing-vni', 'evpn-addresses', 'dynamic-routing-advertise'] as const

export interface PortConfig {
  readonly name: string
  readonly vni: Vni
  readonly addresses: Addresses
  readonly advertise: boolean
}

/** Reads an Interface's external_ids; config is undefined when it names no (valid) VNI. */
export function parsePort(name: string, externalIds: ReadonlyMap<string, string>): { readonly config?: PortConfig; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = []
  const warn: Warn = (key, value, why) => warnings.push({ record: `Interface ${name}`, key, value, why })
  warnOfUnknownKeys(externalIds, warn)
  const vni = readVni(externalIds.get('dynamic-routing-vni'), warn)
  if (vni === undefined) return { warnings }
  const config = { name, vni, addresses: readAddresses(externalIds, warn), advertise: readAdvertise(externalIds, warn) }
  return { config, warnings }
}

function readVni(text: string | undefined, warn: Warn): Vni | undefined {
  if (text === undefined) return undefined
  const vni = parseVni(text.trim())
  if (vni !== undefined) return vni
  const isTrunk = listItems(text).every((item) => {
    const [vlan = '', trunkVni = '', ...more] = item.split(':')
    return more.length === 0 && parseWhole(vlan, 0, 4095) !== undefined && parseVni(trunkVni) !== undefined
  })
  warn('dynamic-routing-vni', text, isTrunk && text.includes(':')
    ? 'trunk ports (VLAN:VNI lists) are not supported by this version; the port is left alone'
    : 'must be a VNI 0..16777215; the port is left alone')
  return undefined
}

/** attached-mac is OVS's own convention (ovs-vswitchd.conf.db(5)), read only when evpn-addresses is missing. */
function readAddresses(externalIds: ReadonlyMap<string, string>, warn: Warn): Addresses {
  const key = externalIds.has('evpn-addresses') ? 'evpn-addresses' : 'attached-mac'
  return parseAddresses(key, externalIds.get(key) ?? '', warn)
}

function readAdvertise(externalIds: ReadonlyMap<string, string>, warn: Warn): boolean {
  const text = externalIds.get('dynamic-routing-advertise') ?? 'true'
  if (text !== 'true' && text !== 'false') warn('dynamic-routing-advertise', text, 'must be true or false')
  return text !== 'false'
}

function warnOfUnknownKeys(externalIds: ReadonlyMap<string, string>, warn: Warn): void {
  for (const [key, value] of externalIds) {
    if (!key.startsWith('dynamic-routing-') && !key.startsWith('evpn-')) continue
    if (PORT_KEYS.some((known) => key === known)) continue
    // A trunk's addresses of one VLAN.
    if (/^evpn-addresses-[0-9]+$/.test(key)) warn(key, value, NO_EFFECT)
    else warn(key, value, `unknown key; the nearest known one is ${nearestKey(key, PORT_KEYS)}`)
  }
}
