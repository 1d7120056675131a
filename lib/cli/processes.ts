// Processes of this machine, as /proc shows them to anybody.
import fs from 'node:fs'

/** A pid of a program of that name (of at most 15 characters, which is all that the kernel keeps); undefined: there is none. */
export function findProcess(name: string): number | undefined {
  const isIt = (pid: string): boolean => readProc(pid, 'comm')?.trim() === name
  const pid = fs.readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && isIt(entry))
  return pid === undefined ? undefined : Number(pid)
}

export type ProcessState = 'gone' | 'stopped' | 'running'

/** `stopped`: by a signal or a debugger (proc(5): T and t). What has ended and is waited for is gone. */
export function stateOf(pid: number): ProcessState {
  const stat = readProc(String(pid), 'stat')
  // The name before the state is in parentheses, and may have some itself.
  const letter = stat?.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  if (letter === undefined || letter === 'Z' || letter === 'X') return 'gone'
  return letter === 'T' || letter === 't' ? 'stopped' : 'running'
}

/** The systemd service that it belongs to. */
export function serviceOf(pid: number): string | undefined {
  return /\/([^/\n]+\.service)$/m.exec(readProc(String(pid), 'cgroup') ?? '')?.[1]
}

function readProc(pid: string, file: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
