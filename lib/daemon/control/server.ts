// The control socket: a unix stream socket that answers ovs-appctl (Open vSwitch's unixctl protocol). It owns the socket file
// and the connections; what can be asked is a table of commands given to it.
import fs from 'node:fs'
import net from 'node:net'
import { type Command, commandTable } from './command.js'
import { Connection } from './connection.js'
import { groupId } from './group.js'
import { checkSocketPath, probeSocket } from './probe.js'
import { type LimitedLog, limitLog } from '../log/limit.js'
import type { ModuleLog } from '../log/log.js'

/** Clients served at once; more are turned away, so that they cannot use up the daemon's file descriptors. */
const MAX_CONNECTIONS = 64

/** Milliseconds that `close` waits for answers to be taken. */
const CLOSE_PATIENCE = 1000

export interface ControlOptions {
  /** All commands but `list-commands` and `set-options`, which every connection has. */
  readonly commands: readonly Command[]
  readonly log: ModuleLog
  /** Name or number of a group that may use the socket as well; without, only its owner may. */
  readonly group?: string
}

export class ControlServer {
  readonly #options: ControlOptions
  readonly #log: LimitedLog
  readonly #server: net.Server
  readonly #connections = new Map<Connection, Promise<void>>()

  /** Throws when two commands have the same name. */
  constructor(options: ControlOptions) {
    commandTable(options.commands)
    this.#options = options
    this.#log = limitLog(options.log)
    this.#server = net.createServer({ allowHalfOpen: true }, socket => this.#accept(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  /**
   * Listens on `path`; a socket file that a dead process left there is replaced. Rejects with a sentence that says what is in
   * the way: a live process, a file that is no socket, an unknown group, no permission.
   */
  async listen(path: string): Promise<void> {
    const gid = this.#options.group === undefined ? undefined : groupId(this.#options.group)
    try {
      checkSocketPath(path)
      await clearPath(path)
      await bind(this.#server, path)
    } catch (error) {
      throw new Error(`cannot listen on control socket ${path}: ${(error as Error).message}`, { cause: error })
    }
    this.#server.on('error', error => this.#log.warn('accept', `${path}: accept failed: ${error.message}`))
    if (gid === undefined) return
    fs.chownSync(path, -1, gid)
    fs.chmodSync(path, 0o660)
  }

  /** Stops listening, removes the socket file, lets every answer being given go out and ends all connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const connection of this.#connections.keys()) connection.close()
    const abort = setTimeout(() => this.#abort(), CLOSE_PATIENCE)
    await Promise.all(this.#connections.values())
    await closed
    clearTimeout(abort)
  }

  #abort(): void {
    for (const connection of this.#connections.keys()) connection.abort()
  }

  #accept(socket: net.Socket): void {
    // An error ends the connection's reading, where it is handled; without a listener it would end the process.
    socket.on('error', () => undefined)
    const connection = new Connection(socket, this.#options.commands, this.#log)
    const served = connection.serve().finally(() => this.#connections.delete(connection))
    this.#connections.set(connection, served)
  }
}

async function bind(server: net.Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // bind(2) happens within this call, so at no time can others connect.
    const umask = process.umask(0o177)
    try {
      server.listen({ path }, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(umask)
    }
  })
}

async function clearPath(path: string): Promise<void> {
  const found = fs.lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error('a file that is no socket is there; remove it or give another --unixctl')
  if (await probeSocket(path) === 'answered') throw new Error('another process listens there; stop it or give another --unixctl')
  fs.unlinkSync(path)
}
