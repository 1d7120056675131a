// ovs-evpnd on a chassis of the lab: started as an operator would, found by the stock ovs-appctl.
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkRunning, type HostTools } from './host.js'
import { endProcesses, processByPid } from './process.js'
import { waitFor } from './wait.js'

/** How a daemon ended: by itself, or by a signal. */
export interface DaemonExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running ovs-evpnd. */
export interface Daemon {
  readonly pid: number
  readonly logPath: string
  /** Its control socket; `ovs-appctl -t ovs-evpnd` finds it by the pidfile. */
  readonly ctlPath: string
  /** What it has logged so far. */
  readonly log: () => string
  /** Runs a control command and returns what it printed. Throws when the daemon refuses it. */
  readonly appctl: (...command: readonly string[]) => Promise<string>
  /** Ends it, SIGTERM by default, and waits until it is gone. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<DaemonExit>
  /** Settles when it is gone, for whatever reason. */
  readonly exited: Promise<DaemonExit>
}

/** The compiled program. */
export const DAEMON_PATH = fileURLToPath(new URL('../../bin/ovs-evpnd.js', import.meta.url))

/** Starts ovs-evpnd on the chassis, with more arguments or another build of it if given, and waits until its control socket answers. */
export async function startDaemon(tools: HostTools, extraArgs: readonly string[] = [], program = DAEMON_PATH): Promise<Daemon> {
  if (!existsSync(program)) throw new Error(`lab: ${program} does not exist; compile it first: npm run build`)
  const logPath = `${tools.host.dir}/ovs-evpnd.log`
  const child = tools.start('ovs-evpnd', [
    process.execPath, '--enable-source-maps', program, '--pidfile', '--overwrite-pidfile', `--log-file=${logPath}`, ...extraArgs
  ])
  child.ref() // whoever awaits its end must not run out of events before
  const { pid } = child
  if (pid === undefined) throw new Error(`lab: cannot start ${process.execPath} on ${tools.host.name}`)
  const exited = new Promise<DaemonExit>((resolve) => child.on('exit', (code, signal) => { resolve({ code, signal }) }))
  const identity = processByPid(pid)
  const ctlPath = `${tools.host.dir}/ovs-evpnd.${pid}.ctl`
  await waitUntilReady(tools, child, ctlPath)
  return {
    pid,
    logPath,
    ctlPath,
    log: () => readText(logPath),
    appctl: async (...command) => (await tools.run(['ovs-appctl', '-t', ctlPath, ...command])).stdout,
    stop: async (signal = 'SIGTERM') => {
      if (identity !== undefined) await endProcesses([identity], signal, 10_000)
      return await exited
    },
    exited
  }
}

async function waitUntilReady(tools: HostTools, child: ChildProcess, ctlPath: string): Promise<void> {
  await waitFor(`ovs-evpnd on ${tools.host.name}`, async () => {
    checkRunning(tools.host, 'ovs-evpnd', child)
    const { code, stderr } = await tools.run(['ovs-appctl', '-t', ctlPath, 'version'], { allowFailure: true })
    return code === 0 || stderr
  }, 15_000)
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
