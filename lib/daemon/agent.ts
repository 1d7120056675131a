// The agent: the state and its tick between the outside's events and the sinks. It opens no socket itself:
// whoever wires it (main.ts, or a test with stateful fakes) hands in connections and calls what happened.
import { OpenFlowDecodeError, type FlowUpdate, type PacketIn, type PortDesc, type RequestForward } from '../openflow/index.js'
import type { RtMessage } from '../netlink/index.js'
import { command } from '../config/shell.js'
import { formatWarning } from '../config/warning.js'
import type { DeviceWriter } from '../sink/device.js'
import type { KernelWriter } from '../sink/kernel.js'
import type { SwitchConnection } from '../sink/switch.js'
import { adoptRemembered } from './adopt.js'
import { auditMode } from './audit-mode.js'
import { KernelFeed, type KernelSource } from './kernel-feed.js'
import { applyLearned, replaceLearned } from './learned.js'
import { limitLog, type LimitedLog } from './log/limit.js'
import type { Log } from './log/log.js'
import { Notices } from './notices.js'
import { receivePacket } from './packet-in.js'
import { decapEstimate, domainProblems } from './refresh/index.js'
import type { SpeakerPhase } from './speaker.js'
import { createSinks } from './sinks.js'
import { createState, EMPTY_DATABASE, type AreListening, type State } from './state.js'
import { derive, markAll, setConstants } from './tick.js'
import { TunnelKeeper, type Transactor } from './tunnel-keeper.js'

/** What the kernel has queued is delivered to `kernelMessages` before this returns. */
export interface KernelDrain {
  drain(): void
}

export interface AgentParts {
  readonly kernel: KernelSource & KernelWriter & DeviceWriter & KernelDrain
  readonly database: Transactor
  readonly log: Log
  /** Tells whether the routing daemon lives; missing = nobody knows. */
  readonly areListening?: AreListening
  /**
   * The integration bridge to hold an OpenFlow connection to; undefined = none (missing, or not for us to use).
   * `isMoved`: the bridge we had is no longer the integration bridge, and keeps nothing of ours.
   */
  readonly bridgeChanged: (bridge: string | undefined, isMoved: boolean) => void
}

export class Agent {
  readonly state: State
  readonly feed: KernelFeed
  readonly tunnels: TunnelKeeper
  readonly #parts: AgentParts
  readonly notices: Notices
  /** For what packets, or a full table, can make us say without end. */
  readonly #limited: LimitedLog
  #bridge: string | undefined
  #isDatabaseSynced = false
  #hasAdopted = false
  #overIpv6 = false
  #tick: NodeJS.Immediate | undefined
  /** When the first event came that was not derived yet. */
  #eventAt: number | undefined
  #isStopped = false
  #phase: SpeakerPhase = 'unknown'

  constructor(parts: AgentParts) {
    this.#parts = parts
    const openflow = parts.log.module('openflow')
    const netlink = parts.log.module('netlink')
    this.#limited = limitLog(openflow)
    // Sinks send in a tick only: after what is desired was derived from all that is known, and never before all is known.
    const wake = () => this.#schedule()
    const sinks = createSinks({ kernel: parts.kernel, log: parts.log, limited: this.#limited, state: () => this.state, wake })
    this.state = createState(sinks, (name) => parts.database.table(name), (eventAt) => {
      this.#eventAt ??= eventAt
      this.state.dirty.notices = true
      wake()
    }, parts.areListening)
    this.feed = new KernelFeed(this.state.mirrors, parts.kernel, netlink, () => {
      this.state.dirty.notices = true
      this.#schedule()
    })
    this.tunnels = new TunnelKeeper(parts.database, parts.log.module('ovsdb'))
    this.notices = new Notices(parts.log.module('evpn'))
    setConstants(this.state)
  }

  /** The configuration and the kernel are known: what is desired is complete. */
  get isSynced(): boolean {
    return this.#isDatabaseSynced && this.feed.isSynced
  }

  /** True when all that is known has been brought about. */
  get isSettled(): boolean {
    return this.isSynced && this.#tick === undefined && this.state.switch.isSettled && this.state.kernel.isSettled && this.state.devices.isSettled
  }

  /** `readAt`: when the kernel's messages were read, as performance.now() tells. */
  kernelMessages(batch: readonly RtMessage[], readAt = performance.now()): void {
    if (this.feed.isSynced) this.#eventAt ??= readAt
    this.feed.messages(batch)
    this.#schedule()
  }

  kernelOverrun(): void {
    this.state.evidence.newsLost()
    this.feed.overrun()
  }

  /** Rows of the OVSDB replica changed; `isComplete` once it holds everything. */
  databaseChanged(isComplete: boolean, changes: readonly { readonly uuid: string }[]): void {
    this.#isDatabaseSynced ||= isComplete
    for (const { uuid } of changes) this.state.dirty.rows?.add(uuid)
    this.state.dirty.database = true
    this.#schedule()
  }

  /** A fresh OpenFlow connection: its ports first, then what it holds of ours, then the difference. */
  async switchUp(connection: SwitchConnection, ports: readonly PortDesc[]): Promise<void> {
    this.state.mirrors.ports.replaceAll(ports)
    this.#schedule()
    await this.state.switch.connect(connection)
    this.#schedule()
  }

  /** Ports stay as they were known: what is desired does not change because a connection is lost. */
  switchDown(): void {
    this.state.switch.disconnect()
  }

  portStatus(reason: 'add' | 'delete' | 'modify', port: PortDesc): void {
    if (reason === 'delete') this.state.mirrors.ports.delete(port)
    else this.state.mirrors.ports.put(port)
    this.#schedule()
  }

  /** All that the switch has learned, when its monitor starts. */
  learnedKnown(updates: readonly FlowUpdate[]): void {
    replaceLearned(this.state, updates)
    this.#schedule()
  }

  /** What it learned or forgot since. */
  learnedChanged(updates: readonly FlowUpdate[]): void {
    applyLearned(this.state, updates)
    this.#schedule()
  }

  /** What flow monitors told; on our tables that is what others did. */
  flowsChanged(updates: readonly FlowUpdate[]): void {
    this.state.switch.flowsChanged(updates)
    this.#schedule()
  }

  /** Somebody else changed a group or a meter. */
  requestForwarded(request: RequestForward): void {
    this.state.switch.requestForwarded(request)
    this.#schedule()
  }

  /** A packet that a flow of ours sent here. */
  packetIn(packetIn: PacketIn): void {
    try {
      receivePacket(this.state, packetIn)
    } catch (error) {
      if (!(error instanceof OpenFlowDecodeError)) throw error
      this.#limited.warn('packet', `a packet of the switch could not be read: ${error.message}`)
    }
    this.#schedule()
  }

  /** Derives everything anew; when nothing changed outside, nothing is sent. */
  recompute(): void {
    markAll(this.state)
    this.#schedule()
  }

  /** No further tick: what is in the switch and the kernel stays. */
  stop(): void {
    this.#isStopped = true
    this.feed.close()
    this.state.evidence.clear()
    this.state.stale.stop()
    if (this.#tick !== undefined) clearImmediate(this.#tick)
    this.#tick = undefined
  }

  #schedule(): void {
    if (this.#isStopped) return
    this.#tick ??= setImmediate(() => {
      this.#tick = undefined
      this.#run()
    })
  }

  #run(): void {
    // Before the configuration is known, a row of ours looks like a leftover.
    if (!this.#isDatabaseSynced) return
    const isDatabaseDirty = this.state.dirty.database
    this.#derive()
    if (this.feed.isSynced && this.state.database !== EMPTY_DATABASE) this.#follow()
    if (this.#parts.areListening !== undefined && this.state.database !== EMPTY_DATABASE && this.feed.isSynced) this.state.stale.start()
    this.#notice()
    const { database } = this.state
    const isOurs = database.bridgeUuid !== undefined && database.standOff === undefined
    this.#useBridge(isOurs ? database.system.bridge : undefined)
    if (database.standOff !== undefined) return
    if (isDatabaseDirty || this.#overIpv6 !== this.state.ipv6Vnis.size > 0) this.#keepTunnels(isOurs)
    // Sinks write nothing before every mirror was complete once.
    if (!this.feed.isSynced || database === EMPTY_DATABASE) return
    this.#adopt()
    this.#writeKernel()
    this.state.devices.flush()
    this.state.switch.flush()
  }

  /** What is derived from all there is, for the first time, is no news; what comes after it is. */
  #follow(): void {
    const { history, stale: { phase } } = this.state
    if (history.isOpen && phase !== this.#phase) {
      history.record({ kind: 'speaker', vni: undefined, of: 'routing daemon', from: this.#phase, to: phase, by: 'speaker', since: undefined, key: undefined })
    }
    this.#phase = phase
    history.open()
  }

  #derive(): void {
    this.state.switch.because(this.#eventAt)
    this.#eventAt = undefined
    derive(this.state)
    this.state.switch.because(undefined)
  }

  #keepTunnels(isOurs: boolean): void {
    const { database, ipv6Vnis } = this.state
    if (database === EMPTY_DATABASE || this.state.table('Open_vSwitch').size === 0) return
    this.#overIpv6 = ipv6Vnis.size > 0
    this.tunnels.keep(database.bridgeUuid, isOurs ? database.system.vxlanPorts : [], auditMode(this.state, undefined), this.#overIpv6)
  }

  /** News of another's claim may be waiting unread, and our row would steal the address: it is read first. */
  #writeKernel(): void {
    this.state.kernel.judge()
    if (!this.state.kernel.hasWork) return
    this.#parts.kernel.drain()
    this.#derive()
    this.state.kernel.flush()
  }

  /** Once, before anything is sent: what the switch remembers from the daemon before us. */
  #adopt(): void {
    if (this.#hasAdopted || !this.state.switch.isReady) return
    this.#hasAdopted = true
    adoptRemembered(this.state)
    derive(this.state)
  }

  #notice(): void {
    const { database, duplicates, domains, dirty } = this.state
    if (!dirty.notices) return
    dirty.notices = false
    this.notices.update([
      ...(this.state.table('Open_vSwitch').size > 0 ? [] : ['the database is empty: it has no Open_vSwitch row; keeping the last configuration']),
      ...(database.standOff === undefined ? [] : [`${database.standOff}; nothing is changed on it`]),
      ...(database.bridgeUuid === undefined ? [`bridge ${database.system.bridge} does not exist; waiting for it`] : []),
      ...(database.bridgeUuid !== undefined && database.failMode !== 'secure'
        ? [`bridge ${database.system.bridge} has no fail_mode=secure; set it with: ${command`ovs-vsctl set-fail-mode ${database.system.bridge} secure`}`] : []),
      ...speakerProblems(this.state),
      ...[decapEstimate(this.state)].filter((text) => text !== undefined),
      ...database.warnings.map(formatWarning),
      ...[...duplicates.outers()].flatMap((vni) => [...duplicates.under(vni).values()].flat().map(formatWarning)),
      // Before the kernel's tables were read, every device is missing.
      ...(this.feed.isSynced ? [...domains.values()].flatMap((domain) => domainProblems(this.state, domain).map((text) => `VNI ${domain.vni}: ${text}`)) : [])
    ])
  }

  #useBridge(bridge: string | undefined): void {
    if (bridge === this.#bridge) return
    const isMoved = this.#bridge !== undefined && this.#bridge !== this.state.database.system.bridge
    this.#bridge = bridge
    this.#parts.bridgeChanged(bridge, isMoved)
  }
}

function speakerProblems({ stale, database }: State): string[] {
  if (stale.phase === 'dead') return [`the routing daemon is gone (nobody listens on ${database.bridge.speaker.join(' or ')}); what it withdraws is kept for evpn-stale-time`]
  return stale.phase === 'settling' ? ['the routing daemon is back; what it has not announced again is kept until it has settled'] : []
}
