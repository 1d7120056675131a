// Where we listen, and for which names: a listener that answers to any name can be read by every page in a browser on this machine,
// whose owner points a name of his at us (DNS rebinding). Nobody can do that with an address, or with a name that is ours.
import { parseIp } from '../../net/ip.js'

export interface ListenAddress {
  /** An IP address or a name. */
  readonly host: string
  readonly port: number
}

const LOOPBACK = '127.0.0.1'

/** `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` on loopback; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, ipv6, name, digits] = /^(?:\[([\da-fA-F.]*:[\da-fA-F:.]+)\]|([\w.-]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port < 1 || port > 65_535) return undefined
  if (ipv6 === undefined) return { host: name || LOOPBACK, port }
  const host = parseIp(ipv6)
  return host === undefined ? undefined : { host, port }
}

/** True for an address, or a name, that only programs of this machine reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/**
 * What this machine is called, in small letters: its host name, with and without a domain, and what /etc/hosts (hosts(5)) and
 * /etc/resolv.conf (resolv.conf(5)) make of it. Whoever writes these decides about the name anyway; DNS is not asked.
 */
export function namesOfMachine(hostname: string, hosts: string, resolv: string): Set<string> {
  const own = hostname.toLowerCase()
  const short = own.split('.')[0] ?? own
  const lines = (text: string) => text.toLowerCase().split('\n').map((line) => line.replace(/[#;].*/, '').trim().split(/\s+/))
  const aliases = lines(hosts).map(([_address, ...names]) => names).filter((names) => names.includes(own) || names.includes(short))
  const domains = lines(resolv).flatMap(([word, ...names]) => (word === 'search' || word === 'domain' ? names : []))
  return new Set(['localhost', own, short, ...aliases.flat(), ...domains.map((domain) => `${short}.${domain.replace(/\.$/, '')}`)])
}

/** True when the value of a Host header is an address, or one of our names. */
export function isOurName(header: string | undefined, names: ReadonlySet<string>): boolean {
  const [, ipv6, name = ''] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::\d{1,5})?$/.exec(header ?? '') ?? []
  if (ipv6 !== undefined) return parseIp(ipv6) !== undefined
  return name !== '' && (parseIp(name) !== undefined || names.has(name.toLowerCase().replace(/\.$/, '')))
}
