// The table of per-VNI options of the integration bridge: names, defaults, which values there are and how they are read.
// Each has two forms in external_ids, OPTION (every VNI) and OPTION-<vni> (that VNI, wins).
import { parseUdpPort, parseWhole, rangeText, UDP_PORTS, type Vni } from '../net/number.js'

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

/** What becomes of a bad value. default: the default holds; first: of several, the first is taken; skip: the bad item of a list is left out. */
export type WhenBad = 'default' | 'first' | 'skip'

/** The values of an option: what the parser takes, and the words that the reference has for exactly that. */
interface Values<T> {
  /** In Markdown. */
  readonly about: string
  readonly whenBad: WhenBad
  /** The parsed value, or `{ why }` for a warning. */
  readonly read: (text: string) => { readonly value: T; readonly why?: string } | { readonly why: string }
}

/** One row of the table: the key as written in external_ids, and the values it may have. */
interface Option<K extends keyof VniOptions> {
  readonly key: string
  readonly field: K
  readonly values: Values<VniOptions[K]>
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

const IFNAME: Values<string> = {
  about: `a device name of at most ${MAX_IFNAME} characters`, whenBad: 'first',
  read: (text) => {
    const [first = '', ...more] = listItems(text)
    const why = whyNotIfname(first)
    if (why !== undefined) return { why }
    return more.length > 0 ? { value: first, why: `exactly one device is possible, "${first}" is used` } : { value: first }
  }
}

const IFNAMES: Values<readonly string[]> = {
  about: `a comma list of device names of at most ${MAX_IFNAME} characters`, whenBad: 'skip',
  read: (text) => {
    const names = listItems(text)
    const good = names.filter((name) => whyNotIfname(name) === undefined)
    const why = names.map(whyNotIfname).find((reason) => reason !== undefined)
    if (good.length === 0) return { why: why ?? 'a device name is empty' }
    return why === undefined ? { value: good } : { value: good, why }
  }
}

export const BOOLEAN: Values<boolean> = {
  about: '`true`, `false`', whenBad: 'default',
  read: (text) => text === 'true' || text === 'false' ? { value: text === 'true' } : { why: 'must be true or false' }
}

function code(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}

function oneOf<W extends string>(...words: W[]): Values<W> {
  return {
    about: code(words), whenBad: 'default',
    read: (text) => {
      const value = words.find((word) => word === text)
      return value === undefined ? { why: `must be ${words.join(' or ')}` } : { value }
    }
  }
}

function seconds(max: number): Values<number> {
  const about = `seconds ${rangeText({ min: 0, max })}`
  return {
    about, whenBad: 'default',
    read: (text) => {
      const value = parseWhole(text, 0, max)
      return value === undefined ? { why: `must be a number of ${about}` } : { value }
    }
  }
}

/** Words of which several may be given; `none` for none of them. */
function someOf<W extends string>(...words: W[]): Values<readonly W[]> {
  return {
    about: `a comma list of ${code(words)}; or \`none\``, whenBad: 'skip',
    read: (text) => {
      if (text === 'none') return { value: [] }
      const items = listItems(text)
      const value = words.filter((word) => items.includes(word))
      const unknown = items.find((item) => !words.some((word) => word === item))
      if (unknown === undefined) return value.length > 0 ? { value } : { why: `must be a list of ${words.join(', ')}, or none` }
      const why = `"${unknown}" is not one of ${words.join(', ')}, none`
      return value.length > 0 ? { value, why } : { why }
    }
  }
}

const UDP_PORT: Values<number | undefined> = {
  about: `a UDP port ${rangeText(UDP_PORTS)}`, whenBad: 'default',
  read: (text) => {
    const value = parseUdpPort(text)
    return value === undefined ? { why: `must be a UDP port ${rangeText(UDP_PORTS)}` } : { value }
  }
}

/** The table itself; what else the reference says of each row is in reference.ts. */
export const VNI_OPTIONS: readonly AnyOption[] = [
  { key: 'dynamic-routing-bridge-ifname', field: 'bridgeIfname', values: IFNAME, fallback: (vni) => `br-${vni}` },
  { key: 'dynamic-routing-vxlan-ifname', field: 'vxlanIfnames', values: IFNAMES, fallback: (vni) => [`vxlan-${vni}`] },
  { key: 'dynamic-routing-advertise-ifname', field: 'advertiseIfname', values: IFNAME, fallback: (vni) => `lo-${vni}` },
  { key: 'dynamic-routing-redistribute', field: 'redistribute', values: someOf('fdb', 'ip'), fallback: () => ['fdb', 'ip'] },
  { key: 'dynamic-routing-fdb-prefer-local', field: 'fdbPreferLocal', values: BOOLEAN, fallback: () => false },
  { key: 'dynamic-routing-arp-prefer-local', field: 'arpPreferLocal', values: BOOLEAN, fallback: () => false },
  { key: 'fdb_age_threshold', field: 'fdbAgeThreshold', values: seconds(65535), fallback: () => 300 },
  { key: 'evpn-suppress', field: 'suppress', values: BOOLEAN, fallback: () => true },
  { key: 'evpn-flood', field: 'flood', values: oneOf('vtep', 'none'), fallback: () => 'vtep' },
  { key: 'evpn-decap', field: 'decap', values: oneOf('strict', 'member', 'off'), fallback: () => 'strict' },
  { key: 'evpn-learn', field: 'learn', values: BOOLEAN, fallback: () => false },
  { key: 'evpn-snoop', field: 'snoop', values: BOOLEAN, fallback: () => true },
  { key: 'evpn-inner-vlan', field: 'innerVlan', values: oneOf('drop', 'carry'), fallback: () => 'drop' },
  { key: 'evpn-port-security', field: 'portSecurity', values: BOOLEAN, fallback: () => false },
  { key: 'evpn-vxlan-port', field: 'vxlanPort', values: UDP_PORT, fallback: () => undefined },
  { key: 'evpn-manage-devices', field: 'manageDevices', values: BOOLEAN, fallback: () => false },
  { key: 'evpn-stale-time', field: 'staleTime', values: seconds(86400), fallback: () => 120 },
  { key: 'evpn-audit', field: 'audit', values: oneOf('repair', 'report'), fallback: () => 'repair' }
]

/** The items of a comma list, blanks around them removed, empty ones dropped. */
export function listItems(text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}

/** Reads one option's text into `target`. The reason for a warning, or undefined. */
export function readOption<K extends keyof VniOptions>(option: Option<K>, text: string, target: Partial<Record<K, VniOptions[K]>>): string | undefined {
  const result = option.values.read(text)
  if (!('value' in result)) return result.why
  target[option.field] = result.value
  return result.why
}
