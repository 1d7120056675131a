// The table of per-VNI options of the integration bridge: names, defaults, how a value is read.
// Each has two forms in external_ids, OPTION (every VNI) and OPTION-<vni> (that VNI, wins).
import { parseUdpPort, parseWhole, type Vni } from '../net/number.js'

export type Redistribute = 'fdb' | 'ip'
export type DecapMode = 'strict' | 'member' | 'off'

/** Every option's value for one VNI, defaults filled in. */
export interface VniOptions {
  readonly bridgeIfname: string
  readonly vxlanIfnames: readonly string[]
  readonly advertiseIfname: string
  readonly redistribute: readonly Redistribute[]
  readonly fdbPreferLocal: boolean
  readonly arpPreferLocal: boolean
  /** Seconds, 0 = never. */
  readonly fdbAgeThreshold: number
  readonly suppress: boolean
  readonly flood: 'vtep' | 'none'
  readonly decap: DecapMode
  readonly learn: boolean
  readonly snoop: boolean
  readonly innerVlan: 'drop' | 'carry'
  readonly portSecurity: boolean
  readonly vxlanPort: number | undefined
  readonly manageDevices: boolean
  /** Seconds, 0 = not at all. */
  readonly staleTime: number
  readonly audit: 'repair' | 'report'
}

/** Reads a value: the parsed one, or `{ why }` for a warning. */
type Reader<T> = (text: string) => { readonly value: T; readonly why?: string } | { readonly why: string }

/** One row of the table: the key as written in external_ids, and how its value is read. */
interface Option<K extends keyof VniOptions> {
  readonly key: string
  readonly field: K
  readonly read: Reader<VniOptions[K]>
  readonly fallback: (vni: Vni) => VniOptions[K]
}

type AnyOption = { readonly [K in keyof VniOptions]: Option<K> }[keyof VniOptions]

/** The kernel's IFNAMSIZ counts the closing zero (uapi linux/if.h). */
const MAX_IFNAME = 15

function whyNotIfname(name: string): string | undefined {
  if (name === '') return 'a device name is empty'
  if (name.length > MAX_IFNAME) return `device name "${name}" is longer than ${MAX_IFNAME} characters`
  return /[\s/:]/.test(name) || name === '.' || name === '..' ? `"${name}" is no device name` : undefined
}

const readIfname: Reader<string> = (text) => {
  const [first = '', ...more] = listItems(text)
  const why = whyNotIfname(first)
  if (why !== undefined) return { why }
  return more.length > 0 ? { value: first, why: `exactly one device is possible, "${first}" is used` } : { value: first }
}

const readIfnames: Reader<readonly string[]> = (text) => {
  const names = listItems(text)
  const good = names.filter((name) => whyNotIfname(name) === undefined)
  const why = names.map(whyNotIfname).find((reason) => reason !== undefined)
  if (good.length === 0) return { why: why ?? 'a device name is empty' }
  return why === undefined ? { value: good } : { value: good, why }
}

const readBoolean: Reader<boolean> = (text) =>
  text === 'true' || text === 'false' ? { value: text === 'true' } : { why: 'must be true or false' }

function readWord<W extends string>(...words: W[]): Reader<W> {
  return (text) => {
    const value = words.find((word) => word === text)
    return value === undefined ? { why: `must be ${words.join(' or ')}` } : { value }
  }
}

function readSeconds(max: number): Reader<number> {
  return (text) => {
    const value = parseWhole(text, 0, max)
    return value === undefined ? { why: `must be a number of seconds 0..${max}` } : { value }
  }
}

const readRedistribute: Reader<readonly Redistribute[]> = (text) => {
  if (text === 'none') return { value: [] }
  const items = listItems(text)
  const value = (['fdb', 'ip'] as const).filter((word) => items.includes(word))
  const unknown = items.find((item) => item !== 'fdb' && item !== 'ip')
  if (unknown === undefined) return value.length > 0 ? { value } : { why: 'must be a list of fdb, ip, or none' }
  const why = `"${unknown}" is not one of fdb, ip, none`
  return value.length > 0 ? { value, why } : { why }
}

const readOptionalPort: Reader<number | undefined> = (text) => {
  const value = parseUdpPort(text)
  return value === undefined ? { why: 'must be a UDP port 1..65535' } : { value }
}

/** The table itself; what the reference says of each row is in reference.ts. */
export const VNI_OPTIONS: readonly AnyOption[] = [
  { key: 'dynamic-routing-bridge-ifname', field: 'bridgeIfname', read: readIfname, fallback: (vni) => `br-${vni}` },
  { key: 'dynamic-routing-vxlan-ifname', field: 'vxlanIfnames', read: readIfnames, fallback: (vni) => [`vxlan-${vni}`] },
  { key: 'dynamic-routing-advertise-ifname', field: 'advertiseIfname', read: readIfname, fallback: (vni) => `lo-${vni}` },
  { key: 'dynamic-routing-redistribute', field: 'redistribute', read: readRedistribute, fallback: () => ['fdb', 'ip'] },
  { key: 'dynamic-routing-fdb-prefer-local', field: 'fdbPreferLocal', read: readBoolean, fallback: () => false },
  { key: 'dynamic-routing-arp-prefer-local', field: 'arpPreferLocal', read: readBoolean, fallback: () => false },
  { key: 'fdb_age_threshold', field: 'fdbAgeThreshold', read: readSeconds(65535), fallback: () => 300 },
  { key: 'evpn-suppress', field: 'suppress', read: readBoolean, fallback: () => true },
  { key: 'evpn-flood', field: 'flood', read: readWord('vtep', 'none'), fallback: () => 'vtep' },
  { key: 'evpn-decap', field: 'decap', read: readWord('strict', 'member', 'off'), fallback: () => 'strict' },
  { key: 'evpn-learn', field: 'learn', read: readBoolean, fallback: () => false },
  { key: 'evpn-snoop', field: 'snoop', read: readBoolean, fallback: () => true },
  { key: 'evpn-inner-vlan', field: 'innerVlan', read: readWord('drop', 'carry'), fallback: () => 'drop' },
  { key: 'evpn-port-security', field: 'portSecurity', read: readBoolean, fallback: () => false },
  { key: 'evpn-vxlan-port', field: 'vxlanPort', read: readOptionalPort, fallback: () => undefined },
  { key: 'evpn-manage-devices', field: 'manageDevices', read: readBoolean, fallback: () => false },
  { key: 'evpn-stale-time', field: 'staleTime', read: readSeconds(86400), fallback: () => 120 },
  { key: 'evpn-audit', field: 'audit', read: readWord('repair', 'report'), fallback: () => 'repair' }
]

/** The items of a comma list, blanks around them removed, empty ones dropped. */
export function listItems(text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}

/** Reads one option's text into `target`. The reason for a warning, or undefined. */
export function readOption<K extends keyof VniOptions>(option: Option<K>, text: string, target: Partial<Record<K, VniOptions[K]>>): string | undefined {
  const result = option.read(text)
  if (!('value' in result)) return result.why
  target[option.field] = result.value
  return result.why
}
