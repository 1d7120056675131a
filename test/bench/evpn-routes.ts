// EVPN routes as BGP has them on the wire, the way FRR on a VTEP says them.
import { ipToBytes, type Ip } from '../../lib/net/ip.js'
import { macToBytes, type Mac } from '../../lib/net/mac.js'
import type { Vni } from '../../lib/net/number.js'
import { AS } from '../lab/frr.js'

/** A route as BGP has it on the wire, and what it says besides. */
export interface Route {
  readonly nlri: Buffer
  readonly attributes: readonly Buffer[]
}

/** MAC/IP Advertisement routes (RFC 7432 section 7.2) without an IP; the label is the VNI (RFC 8365 section 5.1.3). */
export function macRoutes(vtep: Ip, vni: Vni, macs: readonly Mac[]): Route[] {
  const [before, after] = [Buffer.concat([distinguisher(vtep), Buffer.alloc(10), uint(0, 4), uint(48, 1)]), Buffer.concat([uint(0, 1), uint(vni, 3)])]
  const attributes = attributesOf(vtep, vni)
  return macs.map((mac) => ({ nlri: nlriOf(2, Buffer.concat([before, macToBytes(mac), after])), attributes }))
}

/** Inclusive Multicast Ethernet Tag route (RFC 7432 section 7.3) with ingress replication (RFC 6514 section 5). */
export function floodRoute(vtep: Ip, vni: Vni): Route {
  const tunnel = attribute(0xc0, 22, Buffer.concat([uint(0, 1), uint(6, 1), uint(vni, 3), ipToBytes(vtep)]))
  const body = Buffer.concat([distinguisher(vtep), uint(0, 4), uint(32, 1), ipToBytes(vtep)])
  return { nlri: nlriOf(3, body), attributes: [...attributesOf(vtep, vni), tunnel] }
}

/** Route type, length, route (RFC 7432 section 7). */
function nlriOf(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint(type, 1), uint(body.length, 1), body])
}

/** Type 1: address and number (RFC 4364 section 4.2). */
function distinguisher(ip: Ip): Buffer {
  return Buffer.concat([uint(1, 2), ipToBytes(ip), uint(2, 2)])
}

/** Origin, AS path, next hop, local preference; route target AS:VNI as FRR derives it, encapsulation VXLAN (RFC 9012 section 4.1). */
function attributesOf(ip: Ip, vni: Vni): Buffer[] {
  const target = Buffer.concat([uint(0x0002, 2), uint(AS, 2), uint(vni, 4)])
  const encapsulation = Buffer.concat([uint(0x030c, 2), uint(0, 4), uint(8, 2)])
  return [
    attribute(0x40, 1, uint(0, 1)), attribute(0x40, 2, Buffer.alloc(0)), attribute(0x40, 3, ipToBytes(ip)),
    attribute(0x40, 5, uint(100, 4)), attribute(0xc0, 16, Buffer.concat([target, encapsulation]))
  ]
}

/** A path attribute (RFC 4271 section 4.3). */
function attribute(flags: number, type: number, value: Buffer): Buffer {
  return Buffer.concat([uint(flags, 1), uint(type, 1), uint(value.length, 1), value])
}

/** A number in so many bytes, the highest first. */
export function uint(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
