// A workload's port: external_ids of its Interface row. A port has bindings, each to one VNI: an access port one that
// takes all its frames, a trunk one for each VLAN of its list.
import { parseVni, parseWhole, type Range, type Vni } from '../net/number.js'
import { parseAddresses, type Addresses } from './address.js'
import { nearestKey } from './nearest.js'
import { BOOLEAN, listItems } from './option.js'
import { warnInto, type Warn, type Warning } from './warning.js'

export const PORT_KEYS = ['dynamic-routing-vni', 'evpn-addresses', 'dynamic-routing-advertise'] as const

/** What a trunk has in one VLAN only. */
export const VLAN_ADDRESSES = 'evpn-addresses-<vlan>'

/** VLAN ids (IEEE 802.1Q table 9-2): 4095 is reserved, 0 means a frame of no VLAN. */
export const VLANS: Range = { min: 0, max: 4094 }

/** What binds a port to a VNI. */
export interface Binding {
  /** Interface name. */
  readonly port: string
  readonly vni: Vni
  /** The frames of the port that belong to the VNI: of this VLAN, 0 = untagged; undefined = all (an access port). */
  readonly vlan: number | undefined
  readonly addresses: Addresses
  readonly advertise: boolean
}

export interface PortConfig {
  readonly name: string
  /** At least one; no VNI and no VLAN twice. */
  readonly bindings: readonly Binding[]
}

/** Reads an Interface's external_ids; config is undefined when it names no (valid) VNI. */
export function parsePort(name: string, externalIds: ReadonlyMap<string, string>): { readonly config?: PortConfig; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = []
  const warn = warnInto(warnings, `Interface ${name}`)
  const places = readVnis(externalIds.get('dynamic-routing-vni'), warn)
  warnOfUnknownKeys(externalIds, new Set(places.map(({ vlan }) => vlan)), warn)
  if (places.length === 0) return { warnings }
  const advertise = readAdvertise(externalIds, warn)
  // Read once, whatever the number of VLANs that fall back to it: one bad item is one warning.
  const common = readAddresses(externalIds, warn)
  const bindings = places.map(({ vlan, vni }) => ({ port: name, vni, vlan, addresses: readVlanAddresses(externalIds, vlan, warn) ?? common, advertise }))
  return { config: { name, bindings }, warnings }
}

type Place = Pick<Binding, 'vlan' | 'vni'>

function readVnis(text: string | undefined, warn: Warn): readonly Place[] {
  if (text === undefined) return []
  if (text.includes(':')) return readTrunk(text, warn)
  const vni = parseVni(text.trim())
  if (vni === undefined) warn('dynamic-routing-vni', text, 'must be a VNI 0..16777215, or a comma list of VLAN:VNI; the port is left alone')
  return vni === undefined ? [] : [{ vlan: undefined, vni }]
}

/** A bad item is skipped alone. A VLAN is in one VNI; two VLANs of a VNI on one port would be a loop of our own making. */
function readTrunk(text: string, warn: Warn): Place[] {
  const places: Place[] = []
  for (const item of listItems(text)) {
    const place = readItem(item)
    const why = place === undefined ? 'is not VLAN:VNI with a VLAN 0..4094 and a VNI 0..16777215' : whyTwice(place, places)
    if (place !== undefined && why === undefined) places.push(place)
    else warn('dynamic-routing-vni', text, `"${item}" ${why ?? ''}; it is skipped`)
  }
  return places
}

function readItem(item: string): Place | undefined {
  const [vlanText = '', vniText = '', ...more] = item.split(':')
  const vlan = parseWhole(vlanText.trim(), VLANS.min, VLANS.max)
  const vni = parseVni(vniText.trim())
  return vlan === undefined || vni === undefined || more.length > 0 ? undefined : { vlan, vni }
}

function whyTwice({ vlan, vni }: Place, places: readonly Place[]): string | undefined {
  if (places.some((place) => place.vlan === vlan)) return `names VLAN ${vlan} again`
  const other = places.find((place) => place.vni === vni)
  return other === undefined ? undefined : `names VNI ${vni} again, which VLAN ${other.vlan} of this port is in`
}

/** attached-mac is OVS's own convention (ovs-vswitchd.conf.db(5)), read only when evpn-addresses is missing. */
function readAddresses(externalIds: ReadonlyMap<string, string>, warn: Warn): Addresses {
  const key = externalIds.has('evpn-addresses') ? 'evpn-addresses' : 'attached-mac'
  return parseAddresses(key, externalIds.get(key) ?? '', warn)
}

/** What a trunk has in one VLAN only; undefined = what it has in all. */
function readVlanAddresses(externalIds: ReadonlyMap<string, string>, vlan: number | undefined, warn: Warn): Addresses | undefined {
  const key = VLAN_ADDRESSES.replace('<vlan>', String(vlan))
  const text = vlan === undefined ? undefined : externalIds.get(key)
  return text === undefined ? undefined : parseAddresses(key, text, warn)
}

function readAdvertise(externalIds: ReadonlyMap<string, string>, warn: Warn): boolean {
  const text = externalIds.get('dynamic-routing-advertise') ?? 'true'
  const result = BOOLEAN.read(text)
  if ('value' in result) return result.value
  warn('dynamic-routing-advertise', text, result.why)
  return true
}

function warnOfUnknownKeys(externalIds: ReadonlyMap<string, string>, vlans: ReadonlySet<number | undefined>, warn: Warn): void {
  for (const [key, value] of externalIds) {
    if (!key.startsWith('dynamic-routing-') && !key.startsWith('evpn-')) continue
    if (PORT_KEYS.some((known) => key === known)) continue
    const [, vlan] = /^evpn-addresses-(0|[1-9][0-9]*)$/.exec(key) ?? []
    if (vlan === undefined) warn(key, value, `unknown key; the nearest known one is ${nearestKey(key, PORT_KEYS)}`)
    else if (!vlans.has(Number(vlan))) warn(key, value, `VLAN ${vlan} is not in dynamic-routing-vni of this port`)
  }
}
