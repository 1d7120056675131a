// Wires the agent to the world: OVSDB, rtnetlink, OpenFlow, the control socket, signals. Ends when told to.
import { MONITORED } from '../config/database.js'
import { NetlinkClient } from '../netlink/index.js'
import { OvsdbClient } from '../ovsdb/index.js'
import { withAdvice } from './access.js'
import { Agent } from './agent.js'
import { daemonCommands } from './control/daemon-commands.js'
import { evpnCommands } from './control/evpn-commands.js'
import { explainCommand } from './control/explain-command.js'
import { historyCommands } from './control/history-commands.js'
import { planCommand } from './control/plan-command.js'
import { ControlServer } from './control/server.js'
import { explain } from './explain/explain.js'
import type { HttpServer } from './http/server.js'
import { areListening } from './listening.js'
import { cleanUp } from './cleanup.js'
import { countersOf, memoryOf } from './report/counters.js'
import { createLog, type Log } from './log/log.js'
import type { DaemonOptions } from './options.js'
import { enterProcess } from './process/enter.js'
import { reconfigured } from './reconfigured.js'
import { createReports, type SessionStates } from './report/reports.js'
import { SwitchLink } from './switch-link.js'
import { readVersion } from './version.js'

interface Connections {
  readonly agent: Agent
  readonly link: SwitchLink
  readonly sessions: () => SessionStates
  close(): void
}

/** Runs the daemon until SIGTERM, SIGINT, SIGHUP or `exit`; resolves to the exit code. Throws a sentence when it cannot start. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const log = createLog({ verbose: options.verbose, ...(options.logFile === undefined ? {} : { logFile: options.logFile }) })
  const main = log.module('main')
  const life = enterProcess(options)
  const connections = connect(options, log)
  const end = new Ending()
  // A broken invariant ends us, with a word in the log: the switch forwards on, and what restarts us reads it back.
  process.on('uncaughtException', (error) => {
    main.emer(`internal error: ${error.stack ?? String(error)}`)
    process.exit(1)
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => end.now(signal))
  let control: ControlServer | undefined
  let http: HttpServer | undefined
  try {
    control = await startControl(options, log, connections, (reason) => end.now(reason))
    http = await startHttp(options, log, connections)
    main.info(`ovs-evpnd ${readVersion()} started, database ${options.database}`)
    life.ready()
    main.info(`ending (${await end.reason}); flows and kernel entries stay as they are`)
  } finally {
    connections.close()
    await http?.close()
    await control?.close()
    life.leave()
  }
  return 0
}

/** The one moment the daemon is told to end, by whoever comes first. */
class Ending {
  readonly reason: Promise<string>
  now: (reason: string) => void = () => undefined

  constructor() {
    this.reason = new Promise((resolve) => {
      this.now = resolve
    })
  }
}

function connect(options: DaemonOptions, log: Log): Connections {
  const ovsdbLog = log.module('ovsdb')
  const monitor = NetlinkClient.open({
    groups: ['link', 'neigh', 'nexthop', 'vlan'],
    ...(options.netlinkReceiveBuffer === undefined ? {} : { receiveBufferBytes: options.netlinkReceiveBuffer }),
    handlers: {
      messages: (batch, readAt) => agent.kernelMessages(batch, readAt),
      overrun: () => agent.kernelOverrun(),
      failed: fatal
    }
  })
  // Requests have a socket of their own: an overrun of notifications must not lose their answers.
  const requests = NetlinkClient.open({ groups: [], handlers: { messages: () => undefined, overrun: () => undefined, failed: fatal } })
  let [wasUp, isLost] = [false, false]
  const ovsdb = new OvsdbClient({
    remote: options.database,
    database: 'Open_vSwitch',
    tables: MONITORED,
    ...(options.tls === undefined ? {} : { tls: completeTls(options.tls) }),
    handlers: {
      up: () => {
        ovsdbLog.info(`connected to ${options.database}`)
        isLost = false
        wasUp = true
        agent.databaseChanged(true, [])
      },
      // That it is lost is said once; why each attempt since then fails need not be.
      down: (reason) => {
        if (!isLost) ovsdbLog.warn(`${options.database}: ${withAdvice(reason)}; keeping the last configuration, trying again`)
        isLost = wasUp
      },
      changes: (batch) => agent.databaseChanged(false, batch)
    }
  })
  const link = new SwitchLink(options.rundir, () => agent, log.module('openflow'))
  const agent: Agent = new Agent({
    kernel: {
      dump: (kind, ifindex) => monitor.dump(kind, ifindex), write: (rows) => requests.write(rows),
      request: (changes) => requests.request(changes), drain: () => monitor.drain()
    },
    database: {
      table: (name) => ovsdb.table(name), transact: (operations) => ovsdb.transact(operations), reconfigured: () => reconfigured(ovsdb)
    },
    log,
    areListening,
    bridgeChanged: (bridge, isMoved) => link.use(bridge, isMoved)
  })
  agent.feed.resync()
  ovsdb.start()
  const close = () => {
    agent.stop()
    link.close()
    ovsdb.close()
    monitor.close()
    requests.close()
  }
  const sessions = () => ({
    ovsdb: ovsdb.connected ? `connected to ${options.database}` : `not connected to ${options.database}`,
    openflow: link.status,
    netlink: agent.feed.isSynced ? 'synced' : 'reading the kernel\'s tables'
  })
  return { agent, link, sessions, close }
}

/** Without netlink we would go on blind: better to end and be started again, which costs no packet. */
function fatal(error: Error): void {
  setImmediate(() => {
    throw new Error(`netlink socket failed: ${error.message}`, { cause: error })
  })
}

function completeTls(tls: NonNullable<DaemonOptions['tls']>): { privateKey: string, certificate: string, caCert: string } {
  return { privateKey: tls.privateKey ?? '', certificate: tls.certificate ?? '', caCert: tls.caCert ?? '' }
}

async function startControl(
  options: DaemonOptions, log: Log, { agent, link, sessions }: Connections, end: (reason: string) => void
): Promise<ControlServer | undefined> {
  if (options.unixctl === 'none') return undefined
  const version = readVersion()
  const exit = async (cleanup: boolean) => {
    if (cleanup) await cleanUp(agent, link)
    // The answer goes out first.
    setImmediate(() => end(cleanup ? 'exit --cleanup' : 'exit'))
  }
  const commands = [
    ...daemonCommands({ version, log, exit, memory: () => memoryOf(agent), counters: () => countersOf(agent) }),
    ...evpnCommands(createReports(agent, version, sessions)),
    explainCommand((vni, address) => explain(agent.state, vni, address, sessions())),
    ...historyCommands(agent.state),
    planCommand(agent.state, () => agent.isSynced),
    // For tests: what it derives anew must be what there is.
    { name: 'evpn/recompute', min: 0, max: 0, run: () => { agent.recompute(); return '' } }
  ]
  const group = options.unixctlGroup === undefined ? {} : { group: options.unixctlGroup }
  const control = new ControlServer({ commands, log: log.module('unixctl'), ...group })
  await control.listen(options.unixctl)
  return control
}

/** What it needs is loaded only where it is wanted. */
async function startHttp({ metrics }: DaemonOptions, log: Log, { agent, sessions }: Connections): Promise<HttpServer | undefined> {
  if (metrics === undefined) return undefined
  const { serveHttp } = await import('./http/serve.js')
  return await serveHttp(metrics, { agent, sessions, version: readVersion(), log: log.module('http') })
}
