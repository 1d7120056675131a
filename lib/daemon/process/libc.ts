// The calls of the C library that Node lacks and a daemon needs: record locks (ovs-appctl finds a daemon by the lock on its
// pidfile) and replacing standard error once the terminal is given up.
import koffi from 'koffi'

// <fcntl.h> of Linux. struct flock with 64-bit offsets is laid out alike on x86-64 and arm64: short l_type, short l_whence,
// 4 bytes of padding, l_start, l_len, int l_pid, 4 bytes of padding.
const F_GETLK = 5
const F_SETLK = 6
const F_WRLCK = 1
const F_UNLCK = 2
const FLOCK_SIZE = 32
const FLOCK_PID_OFFSET = 24

const libc = koffi.load(null)
const fcntl = libc.func('int fcntl(int fd, int cmd, ...)') as (fd: number, cmd: number, ...rest: unknown[]) => number
const dup2 = libc.func('int dup2(int from, int to)') as (from: number, to: number) => number

/** Locks a whole file for writing; false when another process holds it. The lock ends when *any* descriptor of the file is closed. */
export function lockFile(fd: number): boolean {
  return fcntl(fd, F_SETLK, 'void *', writeLock()) === 0
}

/** Pid of the process that holds the write lock on a file, or undefined. Never the caller itself: its own locks do not count. */
export function lockHolder(fd: number): number | undefined {
  const lock = writeLock()
  if (fcntl(fd, F_GETLK, 'void *', lock) !== 0) throw new Error(`fcntl(F_GETLK) failed with errno ${koffi.errno()}`)
  return lock.readInt16LE(0) === F_UNLCK ? undefined : lock.readInt32LE(FLOCK_PID_OFFSET)
}

/** Makes descriptor `to` mean what `from` does. */
export function replaceDescriptor(from: number, to: number): void {
  if (dup2(from, to) < 0) throw new Error(`dup2(${from}, ${to}) failed with errno ${koffi.errno()}`)
}

function writeLock(): Buffer {
  const lock = Buffer.alloc(FLOCK_SIZE)
  lock.writeInt16LE(F_WRLCK, 0)
  return lock
}
