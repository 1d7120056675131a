// A root file system to install packages in, on a host of the lab: this machine's with a layer on top that is thrown away, and the
// chassis' Open vSwitch at its usual place. Nothing of it is seen outside.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Lab } from '../lab/lab.js'
import { endProcesses, processByPid } from '../lab/process.js'
import type { RunResult } from '../lab/run.js'
import { waitFor } from '../lab/wait.js'

const SETUP = `
  mount -t tmpfs tmpfs "$1"
  mkdir "$1/upper" "$1/work" "$1/root"
  mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$1/root"
  mount --rbind /proc "$1/root/proc"
  mount --rbind /dev "$1/root/dev"
  mount -t tmpfs tmpfs "$1/root/run"
  mount -t tmpfs tmpfs "$1/root/tmp"
  mkdir -p "$1/root/run/openvswitch" "$1/root$3"
  mount --bind "$2" "$1/root/run/openvswitch"
  mount --bind "$3" "$1/root$3"
  if [ -n "$4" ]; then
    mkdir -p "$1/tree" "$1/work-tree" "$1/root$4"
    mount -t overlay overlay -o lowerdir="$4",upperdir="$1/tree",workdir="$1/work-tree" "$1/root$4"
  fi
  touch "$1/ready"
  exec sleep infinity`

export class Root {
  readonly #lab: Lab
  readonly #host: string
  readonly #pid: number
  readonly #dir: string

  private constructor(lab: Lab, host: string, pid: number, dir: string) {
    this.#lab = lab
    this.#host = host
    this.#pid = pid
    this.#dir = dir
  }

  /**
   * `shared`: an empty directory to mount it in; what stands there is seen inside as well. `tree`: one that is seen inside wherever
   * it is, with a layer of its own on top.
   */
  static async open(lab: Lab, host: string, shared: string, tree = ''): Promise<Root> {
    const dir = path.join(shared, 'mnt')
    await lab.exec(host, ['mkdir', dir])
    const child = lab.spawn(host, ['unshare', '--mount', '--propagation', 'private', 'bash', '-euc', SETUP, 'root', dir, lab.host(host).dir, shared, tree], { stdio: 'ignore' })
    const root = new Root(lab, host, child.pid ?? 0, dir)
    await waitFor('the root file system', async () => (await root.#enter(['test', '-e', `${dir}/ready`])).code === 0)
    return root
  }

  /** Runs a program inside the namespaces, outside of the root. */
  #enter(argv: readonly string[]): Promise<RunResult> {
    return this.#lab.exec(this.#host, ['nsenter', '--target', String(this.#pid), '--mount', '--', ...argv], { allowFailure: true, timeoutMs: 240_000 })
  }

  /** Runs a script in it, as root, with nothing of the caller's environment. */
  run(script: string): Promise<RunResult> {
    const env = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'DEBIAN_FRONTEND=noninteractive']
    // Debian's bash reads bash.bashrc when its input is a socket, as with sshd, and that does not stand -u.
    return this.#enter([...env, 'chroot', `${this.#dir}/root`, 'bash', '--norc', '-euo', 'pipefail', '-c', script])
  }

  /** The same; what it printed. Throws when it failed. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script)
    if (code !== 0) throw new Error(`'${script}' failed with code ${code}: ${stderr || stdout}`)
    return stdout
  }

  /** What was written in it, as absolute paths. */
  async files(): Promise<string[]> {
    const { stdout } = await this.#enter(['find', `${this.#dir}/upper`, '-mindepth', '1', '-not', '-type', 'c', '-printf', '/%P\\n'])
    return stdout.split('\n').filter((line) => line !== '').sort()
  }

  /** Starts a service as its unit says: what comes before it, user, capability, environment, command. It goes into the background by itself. */
  async startService(name: string): Promise<void> {
    const unit = await this.sh(`cat /lib/systemd/system/${name}.service`)
    const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? ''
    const capability = value('AmbientCapabilities').replace(/^CAP_/, '').toLowerCase()
    const caps = ['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=-all,+${capability}`).join(' ')
    const [user, group, logs] = [value('User'), value('Group'), value('LogsDirectory')]
    await this.sh(`${value('ExecStartPre').replace(/^\+-/, '')}
      install -d -o ${user} -g ${group} /var/log/${logs}
      set -a; . ${value('EnvironmentFile').replace(/^-/, '')}; set +a; umask ${value('UMask')}
      ${value('Environment')} setpriv --reuid=${user} --regid=${group} --init-groups ${caps} --no-new-privs ${value('ExecStart')}`)
  }

  /** Waits until the service, told to end, has ended. */
  async stopService(): Promise<void> {
    await waitFor('the service to end', async () => (await this.run('test -e /run/openvswitch/ovs-evpnd.pid')).code !== 0)
  }

  async close(): Promise<void> {
    const pidfile = path.join(this.#lab.host(this.#host).dir, 'ovs-evpnd.pid')
    const pids = [pidOf(pidfile), this.#pid].flatMap((pid) => processByPid(pid) ?? [])
    await endProcesses(pids)
  }
}

function pidOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return 0
  }
}
