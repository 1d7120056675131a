// Ethernet addresses. The canonical form everywhere is the lower-case colon text `02:00:00:00:00:01`:
// it is what the tools print, a Map key, and compares by value.

/** An Ethernet address in canonical text form. */
export type Mac = string

export const ZERO_MAC: Mac = '00:00:00:00:00:00'

const MAC_TEXT = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Canonical MAC from text in colon notation, or undefined when the text is none. */
export function parseMac(text: string): Mac | undefined {
  return MAC_TEXT.test(text) ? text.toLowerCase() : undefined
}

/** Canonical MAC from 6 bytes at `offset`. */
export function macFromBytes(bytes: Uint8Array, offset = 0): Mac {
  let text = HEX[bytes[offset] ?? 0] ?? ''
  for (let i = 1; i < 6; i++) text += ':' + (HEX[bytes[offset + i] ?? 0] ?? '')
  return text
}

/** The 6 bytes of a canonical MAC, in transmission order. */
export function macToBytes(mac: Mac): Buffer {
  const bytes = Buffer.allocUnsafe(6)
  for (let i = 0; i < 6; i++) bytes[i] = parseInt(mac.slice(3 * i, 3 * i + 2), 16)
  return bytes
}

/** True for group addresses (the I/G bit of the first octet, IEEE 802), broadcast included. */
export function isMulticastMac(mac: Mac): boolean {
  return (parseInt(mac.slice(0, 2), 16) & 1) === 1
}
