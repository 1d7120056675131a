// The integration bridge's external_ids: options of every VNI, of one VNI, and addresses without a port.
import { parseVni, type Vni } from '../net/number.js'
import { parseAddresses, type Address } from './address.js'
import { nearestKey } from './nearest.js'
import { readOption, VNI_OPTIONS, type VniOptions } from './option.js'
import type { Warn, Warning } from './warning.js'

const ADDRESSES = 'evpn-addresses'
/** Daemon-wide, so without a per-VNI form: the speaker's listening sockets. */
const SPEAKER = 'evpn-speaker'

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
  const warn: Warn = (key, value, why) => warnings.push({ record: `Bridge ${name}`, key, value, why })
  const all: Partial<VniOptions> = {}
  const ofVni = new Map<Vni, Partial<VniOptions>>()
  const addresses = new Map<Vni, readonly Address[]>()
  let speaker = EMPTY_BRIDGE.speaker
  for (const [key, text] of externalIds) {
    if (key === SPEAKER) {
      speaker = text.split(',').map((path) => path.trim()).filter((path) => path !== '')
      continue
    }
    if (!isOurs(key)) continue
    const split = splitKey(key)
    if (split === undefined) {
      warn(key, text, `unknown key; the nearest known one is ${nearestKey(key, [...VNI_OPTIONS.map((option) => option.key), SPEAKER, `${ADDRESSES}-<vni>`])}`)
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

function isOurs(key: string): boolean {
  return key.startsWith('dynamic-routing-') || key.startsWith('evpn-') || key.startsWith('fdb_age_threshold')
}

function splitKey(key: string): { readonly base: string; readonly vni?: Vni } | undefined {
  if (VNI_OPTIONS.some((option) => option.key === key)) return { base: key }
  const dash = key.lastIndexOf('-')
  const base = key.slice(0, dash)
  const vni = parseVni(key.slice(dash + 1))
  if (vni === undefined) return undefined
  return base === ADDRESSES || VNI_OPTIONS.some((option) => option.key === base) ? { base, vni } : undefined
}

function readAddresses(key: string, text: string, vni: Vni | undefined, addresses: Map<Vni, readonly Address[]>, warn: Warn): void {
  if (vni === undefined) return
  const parsed = parseAddresses(key, text, warn)
  if (parsed.unknown) warn(key, text, '"unknown" needs a port to learn from')
  addresses.set(vni, parsed.bound)
}
