// One log line in vlog's format: `2026-01-01T00:00:00.000Z|00001|module|INFO|text`.
import type { Level } from './level.js'

/** A message on its way to a destination; `at` in milliseconds since 1970, `sequence` counts from 1. */
export interface LogMessage {
  readonly at: number
  readonly sequence: number
  readonly module: string
  readonly level: Level
  readonly text: string
}

/** The line without its newline. */
export function formatLine(message: LogMessage): string {
  const { at, sequence, module, level, text } = message
  return `${new Date(at).toISOString()}|${String(sequence).padStart(5, '0')}|${module}|${level.toUpperCase()}|${oneLine(text)}`
}

/** Text with control characters made visible. Names and values come from outside: a line break in one must not look like a line of
 * ours, nor an escape sequence reach a terminal. */
export function oneLine(text: string): string {
  return text.replace(/\n+$/, '').replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, escapeControl)
}

function escapeControl(char: string): string {
  return char === '\n' ? '\\n' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}
