// Members of floods, with the hashes the daemon gives them.
import type { FloodMember } from '../../lib/evpn/flood.js'
import { hash32 } from '../../lib/net/hash.js'

export function remote(ip: string, udpPort = 4789, encapVni?: number): FloodMember {
  return { kind: 'remote', ip, udpPort, encapVni, hash: hash32(`${ip} ${udpPort}`) }
}

export function local(ofport: number, port = `vm${ofport}`): FloodMember {
  return { kind: 'local', port, ofport, hash: hash32(port) }
}

/** The first `count` VTEPs of 10.0.0.0/8 or 2001:db8::/96, or that many ports. */
export function members(kind: 'v4' | 'v6' | 'local', count: number): FloodMember[] {
  return Array.from({ length: count }, (_, i) => {
    if (kind === 'v4') return remote(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    return kind === 'v6' ? remote(`2001:db8::${(i + 1).toString(16)}`) : local(i + 1)
  })
}

/** The port of `local` once more, for destinations nobody knows. */
export function unknown(ofport: number, port = `vm${ofport}`): FloodMember {
  return { kind: 'unknown', port, ofport, hash: hash32(port) }
}
