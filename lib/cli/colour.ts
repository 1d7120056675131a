// Colour for terminals: never in a pipe, and never for who has set NO_COLOR (https://no-color.org) or has a terminal without.
import type { Environment } from '../daemon/options.js'

const CODES = { green: 32, yellow: 33, red: 31, dim: 2 } as const
export type Colour = keyof typeof CODES
export type Paint = (text: string, colour: Colour) => string

export function paintFor(isTerminal: boolean, env: Environment): Paint {
  const isPlain = !isTerminal || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return isPlain ? (text) => text : (text, colour) => `\x1b[${CODES[colour]}m${text}\x1b[0m`
}
