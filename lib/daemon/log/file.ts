// The log file: opened for appending, reopened after logrotate moved it away, closed on request. Writing never throws: a full
// disk costs log lines, not the daemon.
import fs from 'node:fs'

/** Mode of new log files, before the umask: that of Open vSwitch. */
const LOG_FILE_MODE = 0o660

export class LogFile {
  #path: string | undefined
  #fd: number | undefined

  /** True while lines are written. */
  get isOpen(): boolean {
    return this.#fd !== undefined
  }

  /** The file configured last, open or not. */
  get path(): string | undefined {
    return this.#path
  }

  /** Opens `path` for appending, and only then lets go of the file open before. Throws the error of open(2). */
  open(path: string): void {
    const fd = fs.openSync(path, 'a', LOG_FILE_MODE)
    this.close()
    this.#path = path
    this.#fd = fd
  }

  /** Stops writing; the path stays known for a later reopening. */
  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd)
    this.#fd = undefined
  }

  /** Appends one line. A line that cannot be written is lost. */
  write(line: string): void {
    if (this.#fd !== undefined) writeLine(this.#fd, line)
  }
}

/** Writes a line and its newline to a descriptor; ENOSPC, EPIPE, EAGAIN and the like lose it silently. */
export function writeLine(fd: number, line: string): void {
  try {
    fs.writeSync(fd, line + '\n')
  } catch {
    // There is no place left to report this to.
  }
}
