// The one error type of this library. Hostile or broken input, refused requests and lost connections all arrive as
// an OvsdbError; its `kind` says what the caller can do about it.

/**
 * - `argument`: the caller's own mistake (a remote that cannot be parsed, missing TLS files)
 * - `protocol`: the server sent something RFC 7047 does not allow; the connection is dropped and the replica read afresh
 * - `refused`: the server answered with an error; nothing was changed
 * - `offline`: there was no connection, so nothing was sent
 * - `lost`: the connection went away before the answer came; the request may or may not have taken effect
 */
export type OvsdbErrorKind = 'argument' | 'protocol' | 'refused' | 'offline' | 'lost'

/** What the server said about a failed operation of a transaction. */
export interface Refusal {
  /** Index of the operation in the transaction; equal to the number of operations when the commit itself failed. */
  readonly operation?: number
  /** RFC 7047 section 3.1 `<error>`: its `error` member, e.g. `constraint violation`. */
  readonly error: string
  readonly details?: string
}

export class OvsdbError extends Error {
  override readonly name = 'OvsdbError'
  readonly kind: OvsdbErrorKind
  readonly operation: number | undefined
  readonly error: string | undefined
  readonly details: string | undefined

  constructor(kind: OvsdbErrorKind, message: string, refusal?: Refusal) {
    super(message)
    this.kind = kind
    this.operation = refusal?.operation
    this.error = refusal?.error
    this.details = refusal?.details
  }
}

/** An error for input that RFC 7047 does not allow. */
export function protocolError(message: string): OvsdbError {
  return new OvsdbError('protocol', message)
}

/** The start of any JSON value as text, short enough for a log line. */
export function excerpt(json: unknown): string {
  const text = JSON.stringify(json) ?? 'nothing'
  return text.length > 80 ? text.slice(0, 77) + '...' : text
}
