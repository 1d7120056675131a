// Ethernet addresses. The canonical form everywhere is the lower-case colon text `02:00:00:00:00:01`:
// it is what the tools print, a Map key, and compares by value.

/** An Ethernet address in canonical text form. */
export type Mac = string

export const ZERO_MAC: Mac = '00:00:00:00:00:00'

const MAC_TEXT = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i

const COLON = 0x3a

/** Canonical MAC from text in colon notation, or undefined when the text is none. */
export function parseMac(text: string): Mac | undefined {
  return MAC_TEXT.test(text) ? text.toLowerCase() : undefined
}

/** Canonical MAC from 6 bytes at `offset`. In one piece: text that is put together keeps its pieces, and there may be 100,000 of it. */
export function macFromBytes(bytes: Uint8Array, offset = 0): Mac {
  const at = (i: number): number => bytes[offset + i] ?? 0
  const [a, b, c, d, e, f] = [at(0), at(1), at(2), at(3), at(4), at(5)]
  return String.fromCharCode(
    digit(a >> 4), digit(a), COLON, digit(b >> 4), digit(b), COLON, digit(c >> 4), digit(c), COLON,
    digit(d >> 4), digit(d), COLON, digit(e >> 4), digit(e), COLON, digit(f >> 4), digit(f)
  )
}

/** The 6 bytes of a canonical MAC, in transmission order. */
export function macToBytes(mac: Mac): Buffer {
  const bytes = Buffer.allocUnsafe(6)
  writeMac(mac, bytes, 0)
  return bytes
}

/** The same, in place. */
export function writeMac(mac: Mac, target: Uint8Array, offset: number): void {
  for (let i = 0; i < 6; i++) target[offset + i] = nibble(mac.charCodeAt(3 * i)) << 4 | nibble(mac.charCodeAt(3 * i + 1))
}

/** The code of the lower four bits as a hexadecimal digit: 0 to 9, a to f. */
function digit(value: number): number {
  const low = value & 0xf
  return low < 10 ? 0x30 + low : 0x57 + low
}

function nibble(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57
}

/** True for group addresses (the I/G bit of the first octet, IEEE 802), broadcast included. */
export function isMulticastMac(mac: Mac): boolean {
  return (parseInt(mac.slice(0, 2), 16) & 1) === 1
}
