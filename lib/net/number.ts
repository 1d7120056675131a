// Whole numbers as users write them, and the ranges of the field: VNI, UDP port.

/** A VXLAN network identifier, 0..16777215 (RFC 7348 section 5). 0 is a valid VNI. */
export type Vni = number

export const MAX_VNI = 0xffffff

/** Whole numbers from `min` to `max`, both among them. */
export interface Range {
  readonly min: number
  readonly max: number
}

export const VNIS: Range = { min: 0, max: MAX_VNI }
export const UDP_PORTS: Range = { min: 1, max: 65535 }

/** As users are told of it: `1..65535`. */
export function rangeText({ min, max }: Range): string {
  return `${min}..${max}`
}

/** A whole decimal number within [min, max], or undefined. No sign, no blanks, no hex, no leading zeros. */
export function parseWhole(text: string, min: number, max: number): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value : undefined
}

/** A VNI from text, or undefined. */
export function parseVni(text: string): Vni | undefined {
  return parseWhole(text, VNIS.min, VNIS.max)
}

/** A UDP port 1..65535 from text, or undefined. */
export function parseUdpPort(text: string): number | undefined {
  return parseWhole(text, UDP_PORTS.min, UDP_PORTS.max)
}
