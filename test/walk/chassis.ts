// One chassis made of fakes, and the agent on it: started, killed, connected and reconnected as main.ts does with real
// sockets. What the agent must never do is noticed here, while it happens.
import { Agent } from '../../lib/daemon/agent.js'
import { createLog } from '../../lib/daemon/log/log.js'
import { AF, type WriteRequest } from '../../lib/netlink/index.js'
import type { Mac } from '../../lib/net/mac.js'
import { wipeSwitch } from '../../lib/sink/wipe.js'
import { promisesSettled, type Clock } from './clock.js'
import { FakeKernel } from './kernel/kernel.js'
import { rowText, type Row } from './kernel/rows.js'
import { FakeSocket, type KernelFaults } from './kernel/socket.js'
import { FakeDatabase } from './ovsdb/database.js'
import { FakeSession, type DatabaseFaults } from './ovsdb/session.js'
import { FakeVswitchd } from './ovsdb/vswitchd.js'
import { Random } from './random.js'
import { FakeConnection } from './switch/connection.js'
import type { SwitchFaults } from './switch/switch.js'

export interface Faults extends KernelFaults, DatabaseFaults, SwitchFaults {}

const NO_FAULTS: Faults = {
  dumpInterrupted: 0, dumpRejected: 0, writeRefused: 0, acknowledgementLost: 0, transactRefused: 0, refuseMessage: -1
}

/** One life of the daemon. */
interface Life {
  readonly agent: Agent
  readonly socket: FakeSocket
  readonly session: FakeSession
  connection: FakeConnection | undefined
  /** The bridge it wants a connection to. */
  bridge: string | undefined
  /** The connection to a bridge it left and is removing its flows from. */
  wiping: FakeConnection | undefined
}

export class Chassis {
  readonly clock: Clock
  readonly faults: Faults = { ...NO_FAULTS }
  readonly violations: string[] = []
  /** The last lines the agents logged. */
  readonly logLines: string[] = []
  readonly kernel: FakeKernel
  readonly database = new FakeDatabase()
  readonly vswitchd: FakeVswitchd
  /** Whether the routing daemon lives; undefined = nobody can say, so that the kernel is taken at its word. */
  speaker: { isAlive: boolean } | undefined
  /** Requests of the agent that the kernel obeyed. */
  writes = 0
  /** Rows that stood when a frame showed their MAC to be here. */
  readonly #outdated = new WeakSet<Row>()
  #life: Life | undefined

  constructor(clock: Clock) {
    this.clock = clock
    const report = (text: string) => this.violations.push(text)
    this.kernel = new FakeKernel((news) => this.#life?.socket.notify(news))
    this.vswitchd = new FakeVswitchd(this.database, this.faults, report, () => this.#checkMaySend('the switch is'))
    this.vswitchd.lost = (connection, r) => {
      connection.lose(r ?? new Random(0))
      const life = this.#life
      if (life?.connection !== connection) return
      life.connection = undefined
      life.agent.switchDown()
    }
  }

  get life(): Life | undefined {
    return this.#life
  }

  clearFaults(): void {
    Object.assign(this.faults, NO_FAULTS)
  }

  // --- the daemon's life

  start(): void {
    if (this.#life !== undefined) return
    const log = createLog({ console: (line) => this.#log(line), now: () => this.clock.now })
    const socket = new FakeSocket(this.kernel, this.faults, {
      messages: (batch) => agent.kernelMessages(batch),
      overrun: () => agent.kernelOverrun(),
      writing: (requests) => this.#checkWrites(requests),
      written: (_request, error) => {
        if (error === undefined) this.writes++
      }
    })
    const session = new FakeSession(this.database, this.vswitchd, this.faults, (isComplete, changes) => agent.databaseChanged(isComplete, changes))
    const bridgeChanged = (bridge: string | undefined, isMoved: boolean) => this.#useBridge(bridge, isMoved)
    const agent: Agent = new Agent({ kernel: socket, database: session, log, bridgeChanged, areListening: () => this.speaker?.isAlive })
    this.#life = { agent, socket, session, connection: undefined, bridge: undefined, wiping: undefined }
    agent.feed.resync()
  }

  /** kill -9: nothing of it runs any more; what it had sent may still be carried out. */
  kill(r: Random): void {
    const life = this.#life
    if (life === undefined) return
    this.#life = undefined
    life.agent.stop()
    this.clock.forget()
    life.socket.close(r)
    life.session.close(r)
    for (const connection of this.connections) {
      this.vswitchd.connections.delete(connection)
      connection.close(r)
    }
  }

  // --- the OpenFlow connection, as daemon/switch-link.ts keeps it

  #useBridge(bridge: string | undefined, isMoved: boolean): void {
    const life = this.#life
    if (life === undefined) return
    const { connection: old } = life
    life.bridge = bridge
    life.connection = undefined
    life.agent.switchDown()
    if (old === undefined) return
    if (!isMoved || !old.isOpen) return this.#drop(old)
    life.wiping = old
    old.isWiping = true
    wipeSwitch(old).catch(() => undefined).finally(() => {
      if (life.wiping === old) life.wiping = undefined
      this.#drop(old)
    })
  }

  #drop(connection: FakeConnection): void {
    this.vswitchd.connections.delete(connection)
    connection.close(new Random(0))
  }

  get canConnect(): boolean {
    const life = this.#life
    if (life?.bridge === undefined || life.connection !== undefined || life.wiping !== undefined) return false
    return this.vswitchd.isRunning && this.vswitchd.switches.has(life.bridge)
  }

  connect(): void {
    const life = this.#life
    const fake = life?.bridge === undefined ? undefined : this.vswitchd.switches.get(life.bridge)
    if (life === undefined || fake === undefined || !this.canConnect) return
    const tell = (act: (agent: Agent) => void) => {
      if (life.connection === connection) act(life.agent)
    }
    const connection: FakeConnection = new FakeConnection(fake, {
      portStatus: (reason, port) => tell((agent) => agent.portStatus(reason, port)),
      flowsChanged: (updates) => tell((agent) => agent.flowsChanged(updates)),
      learnedChanged: (updates) => tell((agent) => {
        agent.learnedChanged(updates)
        if (updates.some(({ kind }) => kind === 'resumed')) this.#askLearned(life, connection)
      }),
      requestForwarded: (request) => tell((agent) => agent.requestForwarded(request))
    })
    life.connection = connection
    this.vswitchd.connections.set(connection, fake)
    connection.portDescs().then(async (ports) => {
      if (life.connection === connection) await life.agent.switchUp(connection, ports)
      this.#askLearned(life, connection)
    }).catch((error: unknown) => {
      if (connection.isOpen) this.violations.push(`reading the switch failed on a connection that stands: ${String(error)}`)
    })
  }

  #askLearned(life: Life, connection: FakeConnection): void {
    if (life.connection !== connection) return
    connection.monitorLearned().then((known) => {
      if (life.connection === connection) life.agent.learnedKnown(known)
    }).catch(() => undefined)
  }

  disconnect(r: Random): void {
    const connection = this.#life?.connection
    if (connection === undefined) return
    this.vswitchd.connections.delete(connection)
    this.vswitchd.lost(connection, r)
  }

  /** The connections that stand, the one to a bridge that is being left included. */
  get connections(): FakeConnection[] {
    return [...this.vswitchd.connections.keys()]
  }

  /** A frame with this source came from a port: what others claimed of it so far may be claimed again. */
  seen(mac: Mac): void {
    for (const row of [...this.kernel.bridges.all(), ...this.kernel.neighbours.all()]) if (row.mac === mac) this.#outdated.add(row)
  }

  // --- what must never happen

  /** A row that the agent has been told of and that is somebody else's is neither replaced nor deleted. */
  #checkWrites(requests: readonly WriteRequest[]): void {
    const life = this.#life
    if (life === undefined) return
    this.#checkMaySend('the kernel is')
    this.#checkOrder(requests)
    for (const request of requests) {
      const row = this.#rowAt(request)
      if (row === undefined || !life.socket.knows(row) || isAgents(row, request) || this.#outdated.has(row)) continue
      this.violations.push(`${request.op} over a row the agent knew to be another's: ${rowText(row)}`)
    }
  }

  /** zebra keeps a neighbour inactive whose MAC is not in the bridge: the FDB row comes first, and goes last. */
  #checkOrder(requests: readonly WriteRequest[]): void {
    const told = new Set<string>()
    for (const { op, row } of requests) {
      const name = `${op} ${row.lladdr ?? this.kernel.neighbours.get(row.ifindex, row.dst ?? '')?.mac}`
      if ((row.family === AF.BRIDGE) === (op === 'replace')) {
        if (told.has(name)) this.violations.push(`${name}: the FDB row and its neighbour are written in the wrong order`)
      } else {
        told.add(name)
      }
    }
  }

  /** Nothing is sent while the desired state is not known whole, nor while the bridge is another's. */
  #checkMaySend(what: string): void {
    const agent = this.#life?.agent
    if (agent === undefined) return
    if (!agent.isSynced) this.violations.push(`${what} written to before everything was read`)
    if (agent.state.database.standOff !== undefined) this.violations.push(`${what} written to while we stand off`)
  }

  /** The row that a request of ours would change. */
  #rowAt({ op, row }: WriteRequest): Row | undefined {
    if (row.family !== AF.BRIDGE) return this.kernel.neighbours.get(row.ifindex, row.dst ?? '')
    const master = this.kernel.devices.get(row.ifindex)?.master
    // In another bridge than the agent knows the device to be in, any row may be there.
    if (master !== this.#life?.agent.state.mirrors.links.byIndex(row.ifindex)?.master) return undefined
    const found = master === undefined ? undefined : this.kernel.bridges.get(master, row.lladdr ?? '', row.vlan)
    // A deletion names its port: it cannot hit a row elsewhere.
    return op === 'delete' && found?.port !== row.ifindex ? undefined : found
  }

  #log(line: string): void {
    this.logLines.push(line.trimEnd())
    if (this.logLines.length > 40) this.logLines.shift()
  }

  /** Lets everything run that needs nothing from outside. */
  async breathe(): Promise<void> {
    await promisesSettled()
  }
}

/** PROTOCOL of our neighbours. */
const PROTOCOL_OURS = 85
/** NTF_EXT_LEARNED; NUD_NOARP | NUD_PERMANENT. */
const EXT_LEARNED = 0x10
const STATIC = 0xc0

/** Rows on the advertise device are ours; a neighbour is by its protocol, or free when only the kernel resolved it. */
function isAgents(row: Row, request: WriteRequest): boolean {
  if (row.table === 'bridge') return row.port === request.row.ifindex
  if (row.table === 'device') return false
  const isResolved = (row.flags & EXT_LEARNED) === 0 && (row.state & STATIC) === 0
  return row.protocol === PROTOCOL_OURS || (request.op === 'replace' && isResolved)
}
