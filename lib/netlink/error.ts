// The two errors of this folder: bytes that make no sense (ours to report), and the kernel's refusals (its errno and words).
import { constants } from 'node:os'

/** Bytes that are no valid netlink. `path` names message and attribute, `offset` counts from the start of the buffer decoded. */
export class NetlinkDecodeError extends Error {
  override readonly name = 'NetlinkDecodeError'

  constructor(readonly path: string, readonly problem: string, readonly offset: number) {
    super(`${path}: ${problem} (byte ${offset})`)
  }
}

export interface NetlinkErrorDetails {
  /** What was asked for, in words. */
  readonly request: string
  /** Positive errno. */
  readonly errno: number
  /** The kernel's own explanation, when it gave one (NLMSGERR_ATTR_MSG). */
  readonly extack?: string
  /** Offset of the offending attribute in the request, header included (NLMSGERR_ATTR_OFFS). */
  readonly attributeOffset?: number
}

/** A request that the kernel refused, or a system call on the socket that failed. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError'
  /** The errno's name, e.g. `ENOENT`. */
  readonly code: string
  readonly errno: number
  readonly extack?: string
  readonly attributeOffset?: number

  constructor(details: NetlinkErrorDetails) {
    const code = errnoName(details.errno)
    super(`${details.request}: ${code}${details.extack === undefined ? '' : ` (${details.extack})`}`)
    this.code = code
    this.errno = details.errno
    if (details.extack !== undefined) this.extack = details.extack
    if (details.attributeOffset !== undefined) this.attributeOffset = details.attributeOffset
  }
}

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map([
  // Aliases (EAGAIN/EWOULDBLOCK, EOPNOTSUPP/ENOTSUP) share a number: the first name stays. 524 never leaves the uapi, but reaches us.
  ...Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]).reverse(),
  [constants.errno.EOPNOTSUPP, 'EOPNOTSUPP'],
  [524, 'ENOTSUPP']
])

/** Name of a positive errno, or `errno N` for one this platform does not name. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`
}
