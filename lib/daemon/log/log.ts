// The log of one process: modules with a level for each destination, a running number, and where the lines go.
import { type Destination, DESTINATIONS, type Level, parseLevelSpec, shows } from './level.js'
import { LogFile, writeLine } from './file.js'
import { formatLine } from './line.js'
import { LOG_MODULES, type LogModule } from './modules.js'

/** The text of a message, or how to make it: a function is called only when somebody listens. */
export type LogText = string | (() => string)

/** The log as one part of the program sees it. */
export interface ModuleLog {
  readonly name: string
  emer(text: LogText): void
  err(text: LogText): void
  warn(text: LogText): void
  info(text: LogText): void
  dbg(text: LogText): void
  /** Writes at a level chosen at run time. */
  write(level: Level, text: LogText): void
  /** True when a message of this level would be written anywhere. */
  enabled(level: Level): boolean
}

export interface LogOptions {
  /** vlog specifications, applied in order; the empty one sets everything to `dbg`. */
  readonly verbose?: readonly string[]
  readonly logFile?: string
  /** Where console lines go; standard error when absent. */
  readonly console?: (line: string) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface Log {
  module(name: LogModule): ModuleLog
  /** Applies one specification; returns Open vSwitch's error text when it is invalid. */
  set(spec: string): string | undefined
  /** The table that `vlog/list` prints. */
  list(): string
  /** Path of the log file, if one was ever configured. */
  readonly file: string | undefined
  /** Opens the log file again by its name, as after logrotate. Throws the error of open(2), or when there is no log file. */
  reopen(): void
  /** Stops writing to the log file until the next `reopen`. */
  close(): void
}

/** A specification of `--verbose` that cannot be used. */
export class LogSpecError extends Error {}

type Levels = Record<Destination, Level>

const NOTHING_SET: Levels = { console: 'info', syslog: 'off', file: 'info' }

/** Starts a log. Throws LogSpecError for a bad specification and an error that names the file when the log file cannot be opened. */
export function createLog(options: LogOptions = {}): Log {
  return new VLog(options)
}

class VLog implements Log {
  readonly #levels = Object.fromEntries(LOG_MODULES.map(name => [name, { ...NOTHING_SET }])) as Record<LogModule, Levels>
  readonly #file = new LogFile()
  readonly #console: (line: string) => void
  readonly #now: () => number
  #sequence = 0

  constructor(options: LogOptions) {
    this.#console = options.console ?? (line => writeLine(2, line))
    this.#now = options.now ?? Date.now
    for (const spec of options.verbose ?? []) {
      const error = this.set(spec)
      if (error !== undefined) throw new LogSpecError(`--verbose=${spec}: ${error}`)
    }
    if (options.logFile === undefined) return
    try {
      this.#open(options.logFile)
    } catch (error) {
      throw new Error(`--log-file=${options.logFile}: ${(error as Error).message}`, { cause: error })
    }
  }

  get file(): string | undefined {
    return this.#file.path
  }

  module(name: LogModule): ModuleLog {
    const levels = this.#levels[name]
    const write = (level: Level, text: LogText): void => this.#write(name, levels, level, text)
    return {
      name,
      emer: text => write('emer', text),
      err: text => write('err', text),
      warn: text => write('warn', text),
      info: text => write('info', text),
      dbg: text => write('dbg', text),
      write,
      enabled: level => this.#enabled(levels, level)
    }
  }

  set(text: string): string | undefined {
    const spec = parseLevelSpec(text)
    if (spec.kind === 'invalid') return spec.error
    const destinations = spec.destination === undefined ? DESTINATIONS : [spec.destination]
    for (const name of spec.module === undefined ? LOG_MODULES : [spec.module]) {
      for (const destination of destinations) if (destination !== 'syslog') this.#levels[name][destination] = spec.level
    }
    return undefined
  }

  list(): string {
    return LIST_HEADER + [...LOG_MODULES].sort().map(name => listRow(name, this.#levels[name])).join('')
  }

  reopen(): void {
    if (this.#file.path === undefined) throw new Error('Logging to file not configured')
    this.#open(this.#file.path)
  }

  close(): void {
    this.#file.close()
  }

  #open(path: string): void {
    this.#file.open(path)
    this.module('vlog').info(`opened log file ${path}`)
  }

  #enabled(levels: Levels, level: Level): boolean {
    return shows(levels.console, level) || (this.#file.isOpen && shows(levels.file, level))
  }

  #write(module: string, levels: Levels, level: Level, text: LogText): void {
    if (!this.#enabled(levels, level)) return
    const line = formatLine({
      at: this.#now(), sequence: ++this.#sequence, module, level, text: typeof text === 'string' ? text : text()
    })
    if (shows(levels.console, level)) this.#console(line)
    if (shows(levels.file, level)) this.#file.write(line)
  }
}

const LIST_HEADER = '                 console    syslog    file\n                 -------    ------    ------\n'

function listRow(name: string, levels: Levels): string {
  const [console, syslog, file] = DESTINATIONS.map(destination => levels[destination].toUpperCase().padStart(4))
  return `${name.padEnd(16)}  ${console}       ${syslog}       ${file}\n`
}
