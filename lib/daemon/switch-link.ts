// The OpenFlow connection to the integration bridge: one at a time, moved when the bridge of that name changes.
import path from 'node:path'
import { OpenFlowClient, type FlowUpdate, type PortDesc, type PortStatusReason } from '../openflow/index.js'
import { CONTROLLER_ID } from '../pipeline/slots.js'
import { TABLE } from '../pipeline/tables.js'
import { OUR_TABLES } from '../sink/read-back.js'
import { wipeSwitch } from '../sink/wipe.js'
import { withAdvice } from './access.js'
import type { Agent } from './agent.js'
import type { ModuleLog } from './log/log.js'

/** Pause before a switch that could not be read is read again, in ms. */
const READ_AGAIN = 2_000
/** How often we look whether there is a little room for learned MACs that were too many, in ms. With much room they are read at once. */
const LOOK_FOR_ROOM = 60_000
/** Why all that was learned is read again. */
const ROOM = 'there is room for MACs that were too many'
/** Our flow monitors: one for what the switch learns, one for each of our tables for what others do there. */
const LEARNED_MONITOR = 1
const FIRST_MONITOR = 100

interface PortNews { readonly reason: PortStatusReason, readonly port: PortDesc }

export class SwitchLink {
  readonly #rundir: string
  readonly #agent: () => Agent
  readonly #log: ModuleLog
  #client: OpenFlowClient | undefined
  #bridge: string | undefined
  #lastProblem: string | undefined
  /** A connection was lost and not made again: that was said, why each attempt since then fails need not be. */
  #isLost = false
  /** The switch was asked to tell what others do in our tables: it does until this connection ends. */
  #isWatching = false
  /** What the switch tells of its ports while their list is asked for. */
  #news: PortNews[] | undefined
  /** What it tells of learned flows while it is asked for all of them. */
  #learned: FlowUpdate[] | undefined
  /** Settles when what it was asked of learned flows has been answered. */
  #asked: Promise<void> = Promise.resolve()
  readonly #roomTimer: NodeJS.Timeout
  /** Settles when the bridges we left are clean: coming back to one before that, we would count on flows about to go. */
  #left: Promise<void> = Promise.resolve()

  constructor(rundir: string, agent: () => Agent, log: ModuleLog, lookForRoom = LOOK_FOR_ROOM) {
    this.#rundir = rundir
    this.#agent = agent
    this.#log = log
    this.#roomTimer = setInterval(() => this.#lookForRoom(), lookForRoom).unref()
  }

  /** The state of the connection, in words. */
  get status(): string {
    if (this.#client === undefined) return 'no bridge to connect to'
    if (!this.#client.connected) return `not connected: ${this.#lastProblem ?? 'connecting'}`
    return `connected to ${this.#socket(this.#bridge ?? '')}${this.#lastProblem === undefined ? '' : `, but ${this.#lastProblem}`}`
  }

  /** Connects to a bridge, or to none. With `isMoved`, the bridge we leave keeps nothing of ours. */
  use(bridge: string | undefined, isMoved: boolean): void {
    const old = this.#client
    this.#isLost = false
    this.#bridge = bridge
    this.#client = undefined
    this.#agent().switchDown()
    if (old !== undefined) this.#leave(old, isMoved)
    if (bridge !== undefined) this.#client = this.#connect(bridge)
  }

  /** Removes everything of ours from the switch we are connected to. */
  async wipe(): Promise<void> {
    if (this.#client?.connected === true) await wipeSwitch(this.#client)
  }

  close(): void {
    clearInterval(this.#roomTimer)
    this.#client?.close()
    this.#client = undefined
  }

  #leave(client: OpenFlowClient, wipe: boolean): void {
    const end = () => client.close()
    if (!wipe || !client.connected) return end()
    const wiped = wipeSwitch(client).catch((error: unknown) => this.#log.warn(`the bridge we left keeps flows of ours: ${String(error)}`)).finally(end)
    this.#left = this.#left.then(() => wiped)
  }

  #connect(bridge: string): OpenFlowClient {
    const agent = this.#agent()
    const client: OpenFlowClient = new OpenFlowClient({
      path: this.#socket(bridge),
      controllerId: CONTROLLER_ID,
      handlers: {
        up: () => {
          this.#lastProblem = undefined
          this.#isLost = false
          this.#isWatching = false
          this.#log.info(`connected to ${this.#socket(bridge)}`)
          this.#readPorts(client)
        },
        down: (reason) => {
          if (this.#client !== client) return
          this.#problem(`connection to ${this.#socket(bridge)} lost: ${reason}; trying again`)
          this.#isLost = true
          agent.switchDown()
        },
        unreachable: (reason) => this.#problem(`cannot connect to ${withAdvice(reason)}; trying again`, this.#isLost),
        // It may have been the news of a port: they are read again, all of them.
        malformed: (error) => {
          this.#log.warn(`a message of the switch could not be read: ${error.message}; reading its ports again`)
          this.#readPorts(client)
        },
        flowUpdates: (updates) => {
          if (this.#client !== client) return
          agent.flowsChanged(updates)
          if (this.#learned === undefined) agent.learnedChanged(updates)
          else this.#learned.push(...updates)
          // What was learned while the switch could not keep up with telling is to be read, not trusted to come.
          if (updates.some(({ kind }) => kind === 'resumed')) this.#learnedAgain(client, 'the switch could not keep up with telling what it learned')
          else if (this.#learned === undefined && agent.state.mirrors.learned.hasRoomAgain) this.#learnedAgain(client, ROOM)
        },
        requestForward: (request) => {
          if (this.#client === client) agent.requestForwarded(request)
        },
        packetIn: (packetIn) => {
          if (this.#client === client) agent.packetIn(packetIn)
        },
        portStatus: (reason, port) => {
          if (this.#client !== client) return
          this.#news?.push({ reason, port })
          agent.portStatus(reason, port)
        }
      }
    })
    this.#left.then(() => {
      if (this.#client === client) client.start()
    }).catch((error: unknown) => this.#log.err(`internal error: ${String(error)}`))
    return client
  }

  #readPorts(client: OpenFlowClient): void {
    const news: PortNews[] = []
    this.#news = news
    this.#read(client, news).catch((error: unknown) => {
      // The connection itself tells when it is lost. On one that stands, nothing is sent until the switch could be read.
      if (this.#client !== client || !client.connected) return
      this.#problem(`reading the switch failed: ${String(error)}; trying again`)
      setTimeout(() => {
        if (this.#client === client && client.connected) this.#readPorts(client)
      }, READ_AGAIN).unref()
    })
  }

  async #read(client: OpenFlowClient, news: readonly PortNews[]): Promise<void> {
    await this.#watch(client)
    const ports = await client.portDescs()
    if (this.#client !== client) return
    const done = this.#agent().switchUp(client, ports)
    // News that follows the list in the same piece of the stream was told before the list gets here.
    if (this.#news === news) this.#news = undefined
    for (const { reason, port } of news) this.#agent().portStatus(reason, port)
    await done
    if (this.#client !== client) return
    this.#lastProblem = undefined
    await this.#askLearned(client)
  }

  /** Those refused may stay for good, as those that are kept, and nothing be told of either. */
  #lookForRoom(): void {
    const client = this.#client
    if (client?.connected === true && this.#learned === undefined && this.#agent().state.mirrors.learned.hasRoom) this.#learnedAgain(client, ROOM)
  }

  #learnedAgain(client: OpenFlowClient, why: string): void {
    this.#log.info(`${why}; reading all that it learned again`)
    this.#askLearned(client).catch((error: unknown) => this.#log.err(`internal error: ${String(error)}`))
  }

  /** One question after the other. */
  #askLearned(client: OpenFlowClient): Promise<void> {
    const asked = this.#asked.then(() => (this.#client === client ? this.#watchLearned(client) : undefined))
    this.#asked = asked.catch(() => undefined)
    return asked
  }

  /** From here on the switch tells what it learns, after all that it has learned; a monitor ends with its connection. */
  async #watchLearned(client: OpenFlowClient): Promise<void> {
    const news: FlowUpdate[] = []
    this.#learned = news
    // The monitor of this connection may run already. What it has told until it ends is older than the answer.
    await client.cancelFlowMonitor(LEARNED_MONITOR).catch(() => undefined)
    news.length = 0
    try {
      const known = await client.monitorFlows({ id: LEARNED_MONITOR, tableId: TABLE.LEARNED, ownInFull: true })
      if (this.#client === client) this.#agent().learnedKnown(known)
    } catch (error) {
      if (this.#client !== client || !client.connected) return
      this.#log.warn(`the switch does not tell what it learns, so that is not announced: ${String(error)}`)
      this.#agent().learnedKnown([])
    } finally {
      if (this.#learned === news) this.#learned = undefined
      if (this.#client === client) this.#agent().learnedChanged(news)
    }
  }

  /** From here on the switch tells what others do in our tables. Of what we do ourselves it sends one short line a batch. */
  async #watch(client: OpenFlowClient): Promise<void> {
    if (this.#isWatching) return
    this.#isWatching = true
    // What we learn is told by a monitor of its own.
    const tables = OUR_TABLES.filter((tableId) => tableId !== TABLE.LEARNED)
    const outcomes = await Promise.allSettled(tables.map((tableId) => client.monitorFlows({ id: FIRST_MONITOR + tableId, tableId, initial: false })))
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    if (refused === undefined || !client.connected) return
    this.#log.warn(`the switch does not tell what others do in our tables, so it takes some minutes to be found: ${String(refused.reason)}`)
  }

  /** Each problem is said once, until another or a connection comes. */
  #problem(text: string, isSaid = false): void {
    if (this.#lastProblem !== text && !isSaid) this.#log.warn(text)
    this.#lastProblem = text
  }

  #socket(bridge: string): string {
    return path.join(this.#rundir, `${bridge}.mgmt`)
  }
}
