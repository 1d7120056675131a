// A private ovsdb-server per test: the real program, in a temporary directory, gone at the end of the test whatever happens.
// Also the tools that serve as oracles: ovs-vsctl makes changes, ovsdb-client says what the database holds.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const execute = promisify(execFile)

export const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const DEADLINE_MS = 20_000

/** Waits until the condition holds; throws with `what` when it never does. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A temporary directory that the test removes. */
export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'ovsdb-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

export interface ServerOptions {
  /** A cluster of one, which keeps a transaction history; a standalone database does not. */
  readonly clustered?: boolean
  /** More arguments for ovsdb-server, such as `--remote=ptcp:0:127.0.0.1`. */
  readonly arguments?: readonly string[]
}

export class Server {
  readonly directory: string
  readonly socket: string
  readonly remote: string
  readonly #options: ServerOptions
  readonly #database: string
  #child: ChildProcess | undefined
  #log = ''

  constructor(t: Test, options: ServerOptions = {}) {
    this.#options = options
    this.directory = temporaryDirectory(t)
    this.socket = join(this.directory, 'db.sock')
    this.remote = `unix:${this.socket}`
    this.#database = join(this.directory, 'conf.db')
    const kill = (): void => { this.#child?.kill('SIGKILL') }
    process.once('exit', kill)
    t.teardown(async () => {
      await this.stop()
      process.removeListener('exit', kill)
    })
  }

  /** Makes an empty database, in place of the one that was there. */
  async create(): Promise<void> {
    rmSync(this.#database, { force: true })
    await execute('ovsdb-tool', this.#options.clustered
      ? ['create-cluster', this.#database, SCHEMA, `unix:${join(this.directory, 'raft.sock')}`]
      : ['create', this.#database, SCHEMA])
  }

  async start(): Promise<void> {
    this.#log = ''
    const child = spawn('ovsdb-server', [
      this.#database, `--remote=punix:${this.socket}`, `--pidfile=${join(this.directory, 'pid')}`, '--no-chdir',
      `--unixctl=${join(this.directory, 'ctl')}`, '-vconsole:info', ...this.#options.arguments ?? []
    ], { stdio: ['ignore', 'ignore', 'pipe'], env: this.#environment() })
    child.stderr.on('data', (bytes: Buffer) => { this.#log += bytes.toString() })
    this.#child = child
    await until('ovsdb-server to listen', async () => {
      if (child.exitCode !== null) throw new Error(`ovsdb-server ended: ${this.#log}`)
      return accepts(this.socket)
    })
    // A clustered database has no schema before its server has joined.
    await until('the database to be there', () => this.tool('ovsdb-client', 'get-schema', this.remote).then(() => true, () => false))
  }

  /** Kills the server as a crash would; the database stays. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    rmSync(this.socket, { force: true })
  }

  /** The TCP port the kernel chose for a remote with port 0. */
  get port(): number {
    const port = /listening on port (\d+)/.exec(this.#log)?.[1]
    if (port === undefined) throw new Error(`ovsdb-server said no port: ${this.#log}`)
    return Number(port)
  }

  /** Runs a program with this server's directories; its standard output. */
  async tool(program: string, ...args: readonly string[]): Promise<string> {
    return (await execute(program, args, { env: this.#environment(), maxBuffer: 1 << 28 })).stdout
  }

  vsctl(...args: readonly string[]): Promise<string> {
    return this.tool('ovs-vsctl', `--db=${this.remote}`, '--no-wait', ...args)
  }

  /**
   * Puts data into a row that nobody monitors or changes. A clustered server forgets history that holds more than the database does
   * (ovsdb_txn_history_run()), and counts a changed row whole: a nearly empty database remembers next to nothing.
   */
  async fill(): Promise<void> {
    const filler = Array.from({ length: 200 }, (_, index) => `external_ids:filler${index}=x`)
    await this.vsctl('set-ssl', '/x', '/x', '/x', '--', 'set', 'SSL', '.', ...filler)
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...process.env, OVS_RUNDIR: this.directory, OVS_LOGDIR: this.directory, OVS_DBDIR: this.directory }
  }
}

/** A running server with an empty Open_vSwitch database. */
export async function startServer(t: Test, options: ServerOptions = {}): Promise<Server> {
  const server = new Server(t, options)
  await server.create()
  await server.start()
  await server.vsctl('init')
  return server
}
