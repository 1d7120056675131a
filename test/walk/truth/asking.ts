// The truth about ARP and ND: which requests the switch answers, and with what.
import type { Packet } from '../switch/packet.js'
import { number } from '../switch/packet.js'
import { ALL_MACS } from '../pools.js'
import type { Random } from '../random.js'
import type { TrueVni } from './vni.js'

/** Addresses nobody ever has. */
export const UNKNOWN_IPS = ['10.0.9.9', 'fd00::99'] as const

export interface Request {
  readonly ip: string
  readonly sender: string
  readonly mac: string
  /** It may not be answered, whatever is known. */
  readonly isForOthers: boolean
  readonly fields: Readonly<Record<string, unknown>>
}

/** A request for an IP: mostly a plain one, else a probe, an announcement, or one that cannot be answered. */
export function requestFor(ip: string, r: Random): Request {
  const mac = r.chance(0.5) ? r.pick(ALL_MACS) : '02:00:00:00:ee:02'
  return ip.includes(':') ? solicitation(ip, mac, r) : arpRequest(ip, mac, r)
}

function arpRequest(ip: string, mac: string, r: Random): Request {
  const sender = r.weighted([[6, '10.0.0.77'], [2, ip], [1, '0.0.0.0'], [2, '10.0.0.5']])
  const op = r.chance(0.9) ? 1 : 2
  return {
    ip, sender, mac, isForOthers: op === 2 || sender === ip || sender === '0.0.0.0',
    fields: { eth_src: mac, eth_dst: 'ff:ff:ff:ff:ff:ff', eth_type: 0x0806, arp_op: op, arp_spa: sender, arp_sha: mac, arp_tpa: ip }
  }
}

function solicitation(ip: string, mac: string, r: Random): Request {
  const sender = r.chance(0.8) ? 'fd00::77' : '::'
  const hasOption = sender !== '::' && r.chance(0.8)
  const hopLimit = r.chance(0.9) ? 255 : 64
  return {
    ip, sender, mac, isForOthers: sender === '::' || !hasOption || hopLimit !== 255,
    fields: {
      eth_src: mac, eth_dst: '33:33:ff:00:00:01', eth_type: 0x86dd, nw_proto: 58, nw_ttl: hopLimit, icmpv6_type: 135, icmpv6_code: 0,
      ipv6_src: sender, ipv6_dst: 'ff02::1:ff00:1', nd_target: ip, nd_sll: hasOption ? mac : '00:00:00:00:00:00'
    }
  }
}

/** What the switch says, as saidBy puts it; undefined = the request is flooded. */
export function answerTo(
  { ip, sender, mac, isForOthers }: Request, vni: TrueVni, option: (key: string) => string | undefined, isUp: (port: string) => boolean
): string | undefined {
  const remote = vni.remoteIps.get(ip)
  const local = vni.locals.find(({ ips }) => ips.includes(ip))
  // Who has the address itself is looking for another who has it.
  if (isForOthers || option('evpn-suppress') === 'false' || local?.mac === mac) return undefined
  const isLocal = local !== undefined && (local.port === undefined || isUp(local.port.name))
  const has = isLocal && (remote === undefined || option('dynamic-routing-arp-prefer-local') === 'true') ? { mac: local.mac, router: false } : remote
  if (has === undefined) return undefined
  const flags = ip.includes(':') ? (has.router ? 0xe0000000 : 0x60000000) : 0
  return said({ ip: number(ip), has: number(has.mac), to: number(sender), mac: number(mac), flags: BigInt(flags) })
}

interface Said { readonly ip: bigint, readonly has: bigint, readonly to: bigint, readonly mac: bigint, readonly flags: bigint }

function said({ ip, has, to, mac, flags }: Said): string {
  return ` says that ${ip.toString(16)} is at ${has.toString(16)} flags ${flags.toString(16)} to ${to.toString(16)} at ${mac.toString(16)}`
}

/** What a packet says, when it is an answer of the switch: nothing but a whole and right one counts. */
export function saidBy(fields: Packet): string {
  const is = (name: string, value: bigint | undefined) => fields[name] === value
  const [from = 0n, to = 0n] = [fields['eth_src'], fields['eth_dst']]
  const isBack = (fields['in_port'] ?? 0n) > 0xff00n
  if (!isBack) return ''
  if (is('arp_op', 2n) && is('arp_sha', from) && is('arp_tha', to)) {
    return said({ ip: fields['arp_spa'] ?? 0n, has: from, to: fields['arp_tpa'] ?? 0n, mac: to, flags: 0n })
  }
  if (is('icmpv6_type', 136n) && is('nd_tll', from) && is('nd_options_type', 2n) && is('ipv6_src', fields['nd_target']) && is('nw_ttl', 255n)) {
    return said({ ip: fields['nd_target'] ?? 0n, has: from, to: fields['ipv6_dst'] ?? 0n, mac: to, flags: fields['nd_reserved'] ?? 0n })
  }
  return ' as a broken answer'
}
