// What makes a process a daemon from its start to its end: the pidfile, and the word to whoever waits for it to be up.
import type { DaemonOptions } from '../options.js'
import { completeDetach, isDetached } from './detach.js'
import { claimPidfile } from './pidfile.js'

export interface DaemonProcess {
  /** Initialisation is done: the command that started us may return. Only the first call does something. */
  ready(): void
  /** The daemon ends: removes the pidfile. Also done when the process exits by itself. */
  leave(): void
}

/** Takes the pidfile. Throws a sentence for the user when another process has it. */
export function enterProcess(options: Pick<DaemonOptions, 'pidfile' | 'overwritePidfile' | 'chdir'>): DaemonProcess {
  const pidfile = options.pidfile === undefined ? undefined : claimPidfile(options.pidfile, options.overwritePidfile)
  const leave = (): void => pidfile?.remove()
  process.once('exit', leave)
  let starting = isDetached()
  const ready = (): void => {
    if (starting) completeDetach(options.chdir)
    starting = false
  }
  return { ready, leave }
}
