// The addresses of a workload's port: `MAC [IP...]`, several separated by commas, and the word `unknown`.
import { ipFamily, isLinkLocalIp, isMulticastIp, isUnspecifiedIp, parseIp, type Ip } from '../net/ip.js'
import { isMulticastMac, parseMac, ZERO_MAC, type Mac } from '../net/mac.js'
import { listItems } from './option.js'
import type { Warn } from './warning.js'

/** One MAC and the IPs bound to it, in the order written. */
export interface Address {
  readonly mac: Mac
  readonly ips: readonly Ip[]
  /** What the MAC may send from where that is checked: `ips` and link-local addresses; undefined = anything, it names no IP. */
  readonly sources?: readonly Ip[]
}

export interface Addresses {
  /** The external_ids key they were read from. */
  readonly key: string
  readonly bound: readonly Address[]
  /** The port also learns MACs from what it sends. */
  readonly unknown: boolean
}

/** Reads the value of an addresses key. A bad item is warned about and skipped, the others stand; a MAC named twice is merged. */
export function parseAddresses(key: string, text: string, warn: Warn): Addresses {
  const bound = new Map<Mac, Set<Ip> | undefined>()
  let unknown = false
  for (const item of listItems(text)) {
    if (item === 'unknown') {
      unknown = true
      continue
    }
    const [macText = '', ...ipTexts] = item.split(/\s+/)
    const mac = parseMac(macText)
    const why = mac === undefined ? `"${macText}" is no MAC address` : whyNotWorkloadMac(mac)
    if (mac === undefined || why !== undefined) {
      warn(key, text, `${why}; write MAC [IP...], items separated by commas`)
      continue
    }
    const ips = parseIps(key, text, ipTexts, warn)
    const known = bound.get(mac)
    // A MAC whose IPs are all misspelt is still one that names IPs: nothing is opened by a slip.
    bound.set(mac, ipTexts.length === 0 ? known : new Set([...known ?? [], ...ips]))
  }
  return { key, bound: [...bound].map(([mac, ips]) => readAddress(mac, ips)), unknown }
}

/** IPv6 link-local is valid for a workload, but it names a host on its link only: never announced to other chassis. */
function readAddress(mac: Mac, named: ReadonlySet<Ip> | undefined): Address {
  const sources = [...named ?? []]
  const ips = sources.filter((ip) => ipFamily(ip) === 4 || !isLinkLocalIp(ip))
  return named === undefined ? { mac, ips } : { mac, ips, sources }
}

function whyNotWorkloadMac(mac: Mac): string | undefined {
  if (mac === ZERO_MAC) return 'the zero MAC is no address of a workload'
  return isMulticastMac(mac) ? `"${mac}" is a multicast MAC` : undefined
}

function parseIps(key: string, text: string, items: readonly string[], warn: Warn): Ip[] {
  const ips: Ip[] = []
  for (const item of items) {
    const ip = parseIp(item)
    if (ip === undefined) warn(key, text, `"${item}" is no IP address`)
    else if (isMulticastIp(ip) || isUnspecifiedIp(ip)) warn(key, text, `"${item}" is no address of a host`)
    else ips.push(ip)
  }
  return ips
}
