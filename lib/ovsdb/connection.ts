// One connection to a database server: the socket, and the inactivity probe that notices a dead one. Bytes only.
import { readFileSync } from 'node:fs'
import { connect as connectNet, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { OvsdbError } from './error.js'
import type { Remote } from './remote.js'

/** Paths of PEM files, as for the OVS programs' --private-key, --certificate and --ca-cert. */
export interface TlsFiles { readonly privateKey: string, readonly certificate: string, readonly caCert: string }

/** A remote with all that is needed to reach it. */
export type Endpoint =
  | { readonly kind: 'unix', readonly path: string }
  | { readonly kind: 'tcp', readonly host: string, readonly port: number }
  | { readonly kind: 'ssl', readonly host: string, readonly port: number, readonly tls: TlsFiles }

/** The endpoint of a remote. Throws OvsdbError when ssl: comes without TLS files. */
export function endpointOf(remote: Remote, tls: TlsFiles | undefined): Endpoint {
  if (remote.kind === 'unix') return remote
  const { kind, host, port } = remote
  if (kind === 'tcp') return { kind, host, port }
  if (!tls) throw new OvsdbError('argument', 'ssl: needs a private key, a certificate and a CA certificate')
  return { kind, host, port, tls }
}

export interface ConnectionHandlers {
  opened(): void
  received(bytes: Uint8Array): void
  /** Nothing came for a while: send an echo. When nothing comes for as long again, the connection is closed. */
  idle(): void
  /** The end; called once, and not after close(). */
  closed(reason: string): void
}

export interface Connection {
  send(text: string): void
  close(): void
}

/** Bytes that wait to be sent: a server that asks on and on, and does not read our answers, is given up. */
export const MAX_UNSENT_BYTES = 1 << 24

function readFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new OvsdbError('argument', `cannot read the ${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The chain is verified, the host name is not: OVS certificates name a switch, not a host (ovs-pki(8)). */
function openTls(host: string, port: number, files: TlsFiles): Socket {
  const key = readFile(files.privateKey, 'private key')
  const cert = readFile(files.certificate, 'certificate')
  const ca = readFile(files.caCert, 'CA certificate')
  try {
    return connectTls({ host, port, key, cert, ca, rejectUnauthorized: true, checkServerIdentity: () => undefined })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new OvsdbError('argument', `cannot use ${files.privateKey}, ${files.certificate}, ${files.caCert}: ${why}`)
  }
}

function openSocket(endpoint: Endpoint): Socket {
  switch (endpoint.kind) {
    case 'unix': return connectNet({ path: endpoint.path })
    case 'tcp': return connectNet({ host: endpoint.host, port: endpoint.port, noDelay: true })
    case 'ssl': return openTls(endpoint.host, endpoint.port, endpoint.tls)
  }
}

/**
 * Connects. `probeMs` is the silence after which the peer is probed, and the further silence after which it counts as dead.
 * Throws OvsdbError when it cannot even try (TLS files); everything later goes to the handlers.
 */
export function openConnection(endpoint: Endpoint, probeMs: number, handlers: ConnectionHandlers): Connection {
  const socket = openSocket(endpoint)
  let reason = 'the server closed the connection'
  let closed = false
  let probed = true // while connecting there is nobody to probe: the first silence is the last

  const timer = setTimeout(() => {
    if (probed) {
      socket.destroy(new Error('no answer from the server'))
    } else {
      probed = true
      timer.refresh()
      handlers.idle()
    }
  }, probeMs)
  const heard = (): void => {
    probed = false
    timer.refresh()
  }

  socket.once(endpoint.kind === 'ssl' ? 'secureConnect' : 'connect', () => {
    heard()
    handlers.opened()
  })
  socket.on('data', (bytes) => {
    heard()
    if (!closed) handlers.received(bytes)
  })
  socket.on('error', (error) => { reason = error.message })
  socket.once('close', () => {
    clearTimeout(timer)
    if (!closed) handlers.closed(reason)
  })

  return {
    send: (text) => {
      socket.write(text)
      if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy(new Error('the server does not read what we send'))
    },
    close: () => {
      closed = true
      clearTimeout(timer)
      socket.destroy()
    }
  }
}
