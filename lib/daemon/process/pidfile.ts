// The pidfile, the way Open vSwitch keeps it: the process whose pid it holds also holds a record lock on it. ovs-appctl believes
// the lock, not the number; a pidfile without a lock is a leftover, whoever has that pid now.
import fs from 'node:fs'
import { lockFile, lockHolder } from './libc.js'

export interface Pidfile {
  /** Removes the file, unless somebody has replaced it. Safe to call twice. */
  remove(): void
}

/**
 * Writes our pid to `path` and holds its lock. Throws a sentence when a live process holds it; `overwrite` takes the name from
 * that process. The file must not be opened again in this process: closing it would drop the lock.
 */
export function claimPidfile(path: string, overwrite: boolean): Pidfile {
  // Everybody starting at this moment locks the same temporary file; with overwrite, nobody is waited for.
  const temporary = overwrite ? `${path}.tmp${process.pid}` : `${path}.tmp`
  const fd = openPidfile(temporary)
  if (!lockFile(fd)) {
    fs.closeSync(fd)
    throw new Error(`pidfile ${path}: another process is starting with it at this moment`)
  }
  try {
    if (!overwrite) refuseHolder(path)
    fs.ftruncateSync(fd)
    fs.writeSync(fd, `${process.pid}\n`)
    fs.renameSync(temporary, path)
  } catch (error) {
    fs.unlinkSync(temporary)
    fs.closeSync(fd)
    throw error
  }
  return held(path, fd)
}

function openPidfile(path: string): number {
  try {
    return fs.openSync(path, 'a+', 0o644)
  } catch (error) {
    throw new Error(`cannot create pidfile ${path}: ${(error as Error).message}`, { cause: error })
  }
}

function refuseHolder(path: string): void {
  const pid = pidfileHolder(path)
  if (pid === undefined) return
  throw new Error(`pidfile ${path}: already held by ${commandOf(pid)} (pid ${pid}); stop it, or give --overwrite-pidfile`)
}

/** Pid of the live process that holds a pidfile; undefined when there is none. Must not be asked about one's own. */
export function pidfileHolder(path: string): number | undefined {
  let fd: number
  try {
    // Record locks for writing can only be asked about through a descriptor open for writing.
    fd = fs.openSync(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return lockHolder(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function commandOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return 'a process'
  }
}

function held(path: string, fd: number): Pidfile {
  const { dev, ino } = fs.fstatSync(fd)
  let holding = true
  const remove = (): void => {
    if (!holding) return
    holding = false
    const found = fs.statSync(path, { throwIfNoEntry: false })
    if (found?.dev === dev && found.ino === ino) fs.unlinkSync(path)
    fs.closeSync(fd)
  }
  return { remove }
}
