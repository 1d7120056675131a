// Reading the daemon's log as an operator does: which warnings, how often.
import type { Daemon } from '../../lab/daemon.js'
import { eventually } from './eventually.js'

/** The messages of level WARN and above so far, without time, number and module. */
export function warnings(daemon: Daemon): string[] {
  return daemon.log().split('\n').flatMap((line) => /\|(?:WARN|ERR|EMER)\|(.*)$/.exec(line)?.[1] ?? [])
}

/** Waits until a warning with every text was logged, and returns how often it has been: once is right. */
export async function warned(daemon: Daemon, ...texts: readonly string[]): Promise<number> {
  const matches = (line: string) => texts.every((text) => line.includes(text))
  const what = `a warning with ${texts.map((text) => `'${text}'`).join(' and ')} in the daemon's log`
  return (await eventually(what, () => warnings(daemon), (lines) => lines.some(matches))).filter(matches).length
}

/** Waits until the log says that what a warning with this text described is over. */
export async function noLonger(daemon: Daemon, text: string): Promise<void> {
  await eventually(`the log to say that it is over: ${text}`, daemon.log, (log) =>
    log.split('\n').some((line) => line.includes('|INFO|no longer: ') && line.includes(text)))
}
