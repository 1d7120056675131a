// Where a database server listens, in the text form of ovsdb(7) "Active connections": unix:PATH, tcp:HOST[:PORT], ssl:HOST[:PORT].
import { OvsdbError } from './error.js'

export type Remote =
  | { readonly kind: 'unix', readonly path: string }
  | { readonly kind: 'tcp' | 'ssl', readonly host: string, readonly port: number }

/** The IANA port of OVSDB (RFC 7047 section 4), used when the remote names none. */
export const DEFAULT_PORT = 6640

/** Bytes of sun_path less its terminating zero (unix(7)); a longer path would be cut silently. */
const MAX_UNIX_PATH = 107

function bad(text: string, why: string): OvsdbError {
  return new OvsdbError('argument', `database remote "${text}": ${why}`)
}

function parseUnix(text: string, path: string): Remote {
  if (path === '') throw bad(text, 'unix: needs the path of a socket')
  if (Buffer.byteLength(path) > MAX_UNIX_PATH) throw bad(text, `the path is longer than the ${MAX_UNIX_PATH} bytes a unix socket can have`)
  return { kind: 'unix', path }
}

function parsePort(text: string, port: string | undefined): number {
  if (port === undefined) return DEFAULT_PORT
  const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0
  if (number < 1 || number > 65535) throw bad(text, `"${port}" is no TCP port (1..65535)`)
  return number
}

function parseInet(text: string, kind: 'tcp' | 'ssl', rest: string): Remote {
  const parts = /^\[([0-9a-fA-F:.%a-z]+)\](?::(.*))?$/.exec(rest) ?? /^([^:[\],\s]*)(?::([^:]*))?$/.exec(rest)
  if (!parts) throw bad(text, `expected ${kind}:HOST:PORT with an IPv6 address in brackets`)
  const host = parts[1] ?? ''
  if (host === '') throw bad(text, `${kind}: needs a host`)
  return { kind, host, port: parsePort(text, parts[2]) }
}

/** A remote from its text form. A relative unix path is relative to the working directory. Throws OvsdbError that names what is wrong. */
export function parseRemote(text: string): Remote {
  const colon = text.indexOf(':')
  const kind = text.slice(0, Math.max(colon, 0))
  const rest = text.slice(colon + 1)
  switch (kind) {
    case 'unix': return parseUnix(text, rest)
    case 'tcp':
    case 'ssl': return parseInet(text, kind, rest)
    case 'punix':
    case 'ptcp':
    case 'pssl': throw bad(text, `${kind}: is where a server listens; use ${kind.slice(1)}:`)
    default: throw bad(text, 'expected unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT')
  }
}
