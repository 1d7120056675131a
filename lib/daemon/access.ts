// Open vSwitch's sockets belong to root and let nobody else in: what an operator is told whose daemon is another user.

/** The reason why a connection failed, with what to do about it where that is not plain. */
export function withAdvice(reason: string): string {
  return reason.includes('EACCES') ? `${reason} (the daemon's user needs write access to the socket: docs/privileges.md)` : reason
}
