// Addresses read lately, as text. The kernel names one MAC in several rows (the vxlan device's, the bridge's, a neighbour's) and one
// VTEP in thousands: equal bytes give the same string, which is made, hashed and held once. Of fixed size, and never wrong: what
// another address has pushed out is made anew.
import { ipFromBytes, type Ip } from './ip.js'
import { macFromBytes, writeMac, type Mac } from './mac.js'

const MAC_SLOTS = 1 << 17
const IPV4_SLOTS = 1 << 12
const GOLDEN_RATIO = 0x9e3779b1

export class AddressCache {
  readonly #macs = new Array<Mac | undefined>(MAC_SLOTS)
  readonly #quads = new Array<Ip | undefined>(IPV4_SLOTS)
  readonly #numbers = new Uint32Array(IPV4_SLOTS)
  readonly #compared = new Uint8Array(6)

  /** As macFromBytes. */
  mac(bytes: Buffer, offset: number): Mac {
    const slot = Math.imul(bytes.readUInt32BE(offset + 2) ^ bytes.readUInt16BE(offset), GOLDEN_RATIO) >>> 15
    const known = this.#macs[slot]
    if (known !== undefined && this.#isMac(known, bytes, offset)) return known
    return this.#macs[slot] = macFromBytes(bytes, offset)
  }

  /** As ipFromBytes, of bytes[start, end). */
  ip(bytes: Buffer, start: number, end: number): Ip {
    if (end - start !== 4) return ipFromBytes(bytes.subarray(start, end))
    const number = bytes.readUInt32BE(start)
    const slot = Math.imul(number, GOLDEN_RATIO) >>> 20
    const known = this.#quads[slot]
    if (known !== undefined && this.#numbers[slot] === number) return known
    this.#numbers[slot] = number
    return this.#quads[slot] = ipFromBytes(bytes.subarray(start, end))
  }

  #isMac(known: Mac, bytes: Buffer, offset: number): boolean {
    writeMac(known, this.#compared, 0)
    return this.#compared.every((byte, i) => byte === bytes[offset + i])
  }
}
