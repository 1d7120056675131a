// The chassis-wide configuration: external_ids of the Open_vSwitch row. Each key may carry the suffix
// `-<system-id>` (several daemons on one database); the suffixed one wins.
import { ipFamily, isMulticastIp, isUnspecifiedIp, parseIp, type Ip, type IpFamily } from '../net/ip.js'
import { parseUdpPort, parseVni, type Vni } from '../net/number.js'
import { listItems } from './option.js'
import { nearestKey } from './nearest.js'
import { warnInto, type Warn, type Warning } from './warning.js'

export const SYSTEM_KEYS = ['ovn-evpn-local-ip', 'ovn-evpn-vxlan-ports', 'ovn-bridge'] as const

/** A source address for each family. */
export type LocalIps = Readonly<Partial<Record<IpFamily, Ip>>>

export interface SystemConfig {
  readonly systemId: string | undefined
  readonly bridge: string
  /** Never empty, in the order written: the first is the default of every VNI. */
  readonly vxlanPorts: readonly [number, ...number[]]
  readonly localIps: LocalIps
  readonly localIpsOfVni: ReadonlyMap<Vni, LocalIps>
}

const RECORD = 'Open_vSwitch .'

/** Reads the Open_vSwitch row's external_ids. Bad items are reported in `warnings` and skipped. */
export function parseSystem(externalIds: ReadonlyMap<string, string>): { readonly config: SystemConfig; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = []
  const warn = warnInto(warnings, RECORD)
  const systemId = externalIds.get('system-id')
  const lookup = (key: string) => {
    const suffixed = `${key}-${systemId}`
    return systemId !== undefined && externalIds.has(suffixed)
      ? { key: suffixed, text: externalIds.get(suffixed) ?? '' }
      : { key, text: externalIds.get(key) ?? '' }
  }
  warnOfUnknownKeys(externalIds, warn)
  const bridge = lookup('ovn-bridge').text.trim()
  const config: SystemConfig = {
    systemId,
    bridge: bridge === '' ? 'br-int' : bridge,
    vxlanPorts: parseVxlanPorts(lookup('ovn-evpn-vxlan-ports'), warn),
    ...parseLocalIps(lookup('ovn-evpn-local-ip'), warn)
  }
  return { config, warnings }
}

interface Entry { readonly key: string; readonly text: string }

function parseVxlanPorts({ key, text }: Entry, warn: Warn): readonly [number, ...number[]] {
  const ports = new Set<number>()
  for (const item of listItems(text)) {
    const port = parseUdpPort(item)
    if (port === undefined) warn(key, text, `"${item}" is no UDP port 1..65535`)
    else ports.add(port)
  }
  const [first, ...more] = ports
  return first === undefined ? [4789] : [first, ...more]
}

function parseLocalIps({ key, text }: Entry, warn: Warn): Pick<SystemConfig, 'localIps' | 'localIpsOfVni'> {
  const localIps: Partial<Record<IpFamily, Ip>> = {}
  const localIpsOfVni = new Map<Vni, Partial<Record<IpFamily, Ip>>>()
  for (const item of listItems(text)) {
    const parsed = parseLocalIp(item)
    if ('why' in parsed) {
      warn(key, text, parsed.why)
      continue
    }
    const { vni, ip } = parsed
    const family = ipFamily(ip)
    const target = vni === undefined ? localIps : localIpsOfVni.get(vni) ?? {}
    if (target[family] !== undefined) {
      warn(key, text, `"${item}" is a second IPv${family} address ${vni === undefined ? 'by default' : `of VNI ${vni}`}; ${target[family]} is used`)
      continue
    }
    target[family] = ip
    if (vni !== undefined) localIpsOfVni.set(vni, target)
  }
  return { localIps, localIpsOfVni }
}

function parseLocalIp(item: string): { readonly vni?: Vni; readonly ip: Ip } | { readonly why: string } {
  const dash = item.indexOf('-')
  const vni = dash < 0 ? undefined : parseVni(item.slice(0, dash))
  if (dash >= 0 && vni === undefined) return { why: `"${item.slice(0, dash)}" in "${item}" is no VNI 0..16777215` }
  const ip = parseIp(item.slice(dash + 1))
  if (ip === undefined) return { why: `"${item.slice(dash + 1)}" is no IP address; write IP or VNI-IP` }
  if (isMulticastIp(ip) || isUnspecifiedIp(ip)) return { why: `"${ip}" is no address of a host` }
  return vni === undefined ? { ip } : { vni, ip }
}

/** A key that only begins like ours is a suffixed one, perhaps for another system-id, and none of our business. */
function warnOfUnknownKeys(externalIds: ReadonlyMap<string, string>, warn: Warn): void {
  for (const [key, value] of externalIds) {
    if (!key.startsWith('ovn-evpn-') || SYSTEM_KEYS.some((known) => key === known || key.startsWith(`${known}-`))) continue
    warn(key, value, `unknown key; the nearest known one is ${nearestKey(key, SYSTEM_KEYS)}`)
  }
}
