// The words of vlog: levels, destinations, and the specification that sets one for the other (ovs-appctl(8), vlog/set).
import { LOG_MODULES, type LogModule } from './modules.js'

/** From silent to talkative; a destination set to a level shows that level and everything before it. */
export const LEVELS = ['off', 'emer', 'err', 'warn', 'info', 'dbg'] as const
export type Level = (typeof LEVELS)[number]

/** `syslog` is understood, because Open vSwitch's start scripts name it, but nothing is sent there. */
export const DESTINATIONS = ['console', 'syslog', 'file'] as const
export type Destination = (typeof DESTINATIONS)[number]

/** What a specification asks for: level `level` for `module` (every one when absent) at `destination` (likewise). */
export type LevelSpec =
  | { readonly kind: 'levels', readonly module?: LogModule, readonly destination?: Destination, readonly level: Level }
  | { readonly kind: 'invalid', readonly error: string }

interface Found {
  module?: LogModule
  destination?: Destination
  level?: Level
}

/** True when a destination at `limit` shows messages of `level`. */
export function shows(limit: Level, level: Level): boolean {
  return LEVELS.indexOf(limit) >= LEVELS.indexOf(level)
}

/**
 * Reads `MODULE:DESTINATION:LEVEL`: words in any order, any of them missing, `ANY` for no restriction, any case, separated by
 * colons, commas or blanks. A missing level is `dbg`. The error texts are those of Open vSwitch.
 */
export function parseLevelSpec(text: string): LevelSpec {
  const found: Found = {}
  for (const word of text.split(/[ ,:\t]+/).filter(word => word !== '' && !sameWord(word, 'ANY'))) {
    const error = takeWord(found, word)
    if (error !== undefined) return { kind: 'invalid', error }
  }
  return { kind: 'levels', ...found, level: found.level ?? 'dbg' }
}

/** Files one word of a specification under what it is; returns the error text when it is nothing, or given twice. */
function takeWord(found: Found, word: string): string | undefined {
  const destination = DESTINATIONS.find(name => sameWord(name, word))
  const level = LEVELS.find(name => sameWord(name, word))
  const module = LOG_MODULES.find(name => sameWord(name, word))
  if (destination !== undefined) {
    if (found.destination !== undefined) return 'cannot specify multiple destinations'
    found.destination = destination
  } else if (level !== undefined) {
    if (found.level !== undefined) return 'cannot specify multiple levels'
    found.level = level
  } else if (module !== undefined) {
    if (found.module !== undefined) return 'cannot specify multiple modules'
    found.module = module
  } else {
    return `no destination, level, or module "${word}"`
  }
  return undefined
}

function sameWord(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
