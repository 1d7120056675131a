// The integration bridge's external_ids: options of every VNI, of one VNI, and addresses without a port.
import { parseVni, type Vni } from '../net/number.js'
import { parseAddresses, type Address } from './address.js'
import { nearestKey } from './nearest.js'
import { listItems, readOption, VNI_OPTIONS, type VniOptions } from './option.js'
import { warnInto, type Warn, type Warning } from './warning.js'

export const ADDRESSES = 'evpn-addresses'
/** Daemon-wide, so without a per-VNI form: the speaker's listening sockets. */
export const SPEAKER = 'evpn-speaker'

export interface BridgeConfig {
  readonly all: Partial<VniOptions>
  readonly ofVni: ReadonlyMap<Vni, Partial<VniOptions>>
  /** evpn-addresses-<vni>: a VNI named here exists without a port. */
  readonly addresses: ReadonlyMap<Vni, readonly Address[]>
  readonly speaker: readonly string[]
}

export const EMPTY_BRIDGE: BridgeConfig = {
  all: {}, ofVni: new Map(), addresses: new Map(), speaker: ['/run/frr/zserv.api', '/run/frr/bgpd.vty']
}

/** Reads the integration bridge's external_ids. Bad items are reported in `warnings` and skipped. */
export function parseBridge(name: string, externalIds: ReadonlyMap<string, string>): { readonly config: BridgeConfig; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = []
  const warn = warnInto(warnings, `Bridge ${name}`)
  const all: Partial<VniOptions> = {}
  const ofVni = new Map<Vni, Partial<VniOptions>>()
  const addresses = new Map<Vni, readonly Address[]>()
  let speaker = EMPTY_BRIDGE.speaker
  for (const [key, text] of externalIds) {
    if (key === SPEAKER) {
      speaker = listItems(text).map((path) => path.replace(/^\/var\/run\//, '/run/'))
      continue
    }
    if (!isOurs(key)) continue
    const split = splitKey(key)
    if (split === undefined) {
      warn(key, text, whyUnknown(key))
    } else if (split.base === ADDRESSES) {
      readAddresses(key, text, split.vni, addresses, warn)
    } else {
      const target = split.vni === undefined ? all : ofVni.get(split.vni) ?? {}
      if (split.vni !== undefined) ofVni.set(split.vni, target)
      const option = VNI_OPTIONS.find((candidate) => candidate.key === split.base)
      const why = option && readOption(option as never, text, target)
      if (why !== undefined) warn(key, text, why)
    }
  }
  return { config: { all, ofVni, addresses, speaker }, warnings }
}

/** The options in force for one VNI: its own, else every VNI's, else the default. */
export function optionsOf(config: BridgeConfig, vni: Vni): VniOptions {
  const fallback = Object.fromEntries(VNI_OPTIONS.map((option) => [option.field, option.fallback(vni)])) as unknown as VniOptions
  return { ...fallback, ...config.all, ...config.ofVni.get(vni) }
}

/** True for a key that parseBridge reads. */
export function isBridgeKey(key: string): boolean {
  return key === SPEAKER || splitKey(key) !== undefined
}

function isOurs(key: string): boolean {
  return key.startsWith('dynamic-routing-') || key.startsWith('evpn-') || key.startsWith('fdb_age_threshold')
}

const PER_VNI: readonly string[] = [...VNI_OPTIONS.map((option) => option.key), ADDRESSES]

function splitKey(key: string): { readonly base: string; readonly vni?: Vni } | undefined {
  if (VNI_OPTIONS.some((option) => option.key === key)) return { base: key }
  const dash = key.lastIndexOf('-')
  const base = key.slice(0, dash)
  const vni = parseVni(key.slice(dash + 1))
  return vni !== undefined && PER_VNI.includes(base) ? { base, vni } : undefined
}

function whyUnknown(key: string): string {
  const [, base = key, number] = /^(.*)-([0-9]+)$/.exec(key) ?? []
  if (PER_VNI.includes(base) && number !== undefined) return `"${number}" is no VNI 0..16777215`
  const nearest = nearestKey(base, [...PER_VNI, SPEAKER])
  return `unknown key; the nearest known one is ${nearest === ADDRESSES ? `${ADDRESSES}-<vni>` : nearest}`
}

function readAddresses(key: string, text: string, vni: Vni | undefined, addresses: Map<Vni, readonly Address[]>, warn: Warn): void {
  if (vni === undefined) return
  const parsed = parseAddresses(key, text, warn)
  if (parsed.unknown) warn(key, text, '"unknown" needs a port to learn from')
  addresses.set(vni, parsed.bound)
}
