// A private Open vSwitch per test: the real ovsdb-server and ovs-vswitchd with the userspace datapath, in a temporary directory and
// in a network namespace that ends with the process; gone at the end of the test whatever happens. Also ovs-ofctl, the oracle.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const execute = promisify(execFile)

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const DEADLINE_MS = 20_000

/** Waits until the condition holds; throws with `what` when it never does. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export class Ovs {
  readonly directory = mkdtempSync(join(tmpdir(), 'openflow-test-'))
  /** The bridge's OpenFlow socket. */
  readonly socket = join(this.directory, 'br-int.mgmt')
  readonly #children = new Map<string, ChildProcess>()

  constructor(t: Test) {
    const kill = (): void => {
      for (const child of this.#children.values()) child.kill('SIGKILL')
      rmSync(this.directory, { recursive: true, force: true })
    }
    process.once('exit', kill)
    t.teardown(async () => {
      await this.stop('ovs-vswitchd')
      await this.stop('ovsdb-server')
      kill()
      process.removeListener('exit', kill)
    })
  }

  /** Creates the database and starts both programs. */
  async start(): Promise<void> {
    await this.tool('ovsdb-tool', 'create', this.#path('conf.db'), SCHEMA)
    this.#spawn('ovsdb-server', ['ovsdb-server', this.#path('conf.db'), `--remote=punix:${this.#path('db.sock')}`])
    await until('ovsdb-server to listen', () => existsSync(this.#path('db.sock')))
    await this.vsctl('--no-wait', 'init')
    await this.startSwitch()
  }

  /** Starts ovs-vswitchd, in a network namespace of its own. */
  async startSwitch(): Promise<void> {
    this.#spawn('ovs-vswitchd', ['unshare', '--net', '--', 'ovs-vswitchd', `unix:${this.#path('db.sock')}`, '--disable-system'])
    const answers = (): Promise<boolean> =>
      this.tool('ovs-appctl', '-t', this.#path('ovs-vswitchd.ctl'), 'version').then(() => true, () => false)
    await until('ovs-vswitchd to answer', answers)
  }

  /** Kills one of the programs as a crash would. */
  async stop(program: 'ovs-vswitchd' | 'ovsdb-server'): Promise<void> {
    const child = this.#children.get(program)
    this.#children.delete(program)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  /** Runs a program with this switch's directories; its standard output without the last line end. */
  async tool(program: string, ...args: readonly string[]): Promise<string> {
    return (await execute(program, args, { env: this.#environment(), maxBuffer: 1 << 28 })).stdout.replace(/\n$/, '')
  }

  vsctl(...args: readonly string[]): Promise<string> {
    return this.tool('ovs-vsctl', `--db=unix:${this.#path('db.sock')}`, ...args)
  }

  /** ovs-ofctl over OpenFlow 1.5 to the bridge: `ofctl('add-flow', 'in_port=1,actions=drop')`. */
  ofctl(command: string, ...args: readonly string[]): Promise<string> {
    return this.tool('ovs-ofctl', '-O', 'OpenFlow15', command, `unix:${this.socket}`, ...args)
  }

  /** Runs a program in the switch's network namespace: `inside('ip', 'link', 'set', 'p1', 'up')`. */
  inside(...command: readonly string[]): Promise<string> {
    return this.tool('nsenter', `--net=/proc/${this.#children.get('ovs-vswitchd')?.pid}/ns/net`, ...command)
  }

  #path(name: string): string {
    return join(this.directory, name)
  }

  #environment(): NodeJS.ProcessEnv {
    const own = Object.fromEntries(['RUNDIR', 'DBDIR', 'LOGDIR', 'SYSCONFDIR'].map((name) => [`OVS_${name}`, this.directory]))
    return { ...process.env, ...own }
  }

  #spawn(name: 'ovs-vswitchd' | 'ovsdb-server', [command = '', ...args]: readonly string[]): void {
    const common = ['--no-chdir', `--pidfile=${this.#path(`${name}.pid`)}`, `--unixctl=${this.#path(`${name}.ctl`)}`, '-vconsole:off']
    const child = spawn(command, [...args, ...common], { stdio: 'ignore', env: this.#environment() })
    this.#children.set(name, child)
  }
}

/** A bridge br-int with the ports p1 (1), p2 (2) and a flow-based vxlan port vx (3); its fail mode is secure, so it has no flows. */
export async function startOvs(t: Test): Promise<Ovs> {
  const ovs = new Ovs(t)
  await ovs.start()
  await ovs.vsctl(
    'add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=netdev', 'fail_mode=secure',
    ...['p1', 'p2'].flatMap((name, i) =>
      ['--', 'add-port', 'br-int', name, '--', 'set', 'interface', name, 'type=internal', `ofport_request=${i + 1}`]),
    '--', 'add-port', 'br-int', 'vx', '--', 'set', 'interface', 'vx', 'type=vxlan', 'ofport_request=3',
    ...['remote_ip=flow', 'local_ip=flow', 'key=flow'].map((option) => `options:${option}`)
  )
  return ovs
}

/** What ovs-ofctl reads in a whole OpenFlow message, without the xid. */
export async function ofpPrint(message: Buffer): Promise<string> {
  const { stdout } = await execute('ovs-ofctl', ['ofp-print', message.toString('hex')], { maxBuffer: 1 << 28 })
  return stdout.replace(/ \(xid=0x[0-9a-f]+\)/, '').trim()
}
