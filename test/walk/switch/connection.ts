// One OpenFlow connection to a fake switch: requests in order, answers and port news in order, and its end at any moment.
import type { ApplyError, ApplyResult, FlowDesc, FlowUpdate, GroupDesc, Meter, MeterFeatures, PortDesc, PortStatusReason, RequestForward } from '../../../lib/openflow/index.js'
import type { SwitchConnection } from '../../../lib/sink/switch.js'
import type { Random } from '../random.js'
import { allLearned, LEARNED } from './learned.js'
import type { FakeSwitch } from './switch.js'

interface Request {
  readonly text: string
  /** Carries the request out in the switch and gives what delivers the answer. */
  readonly run: () => () => void
  /** For a lost connection: carries out what had arrived, without an answer. */
  readonly runPart: (r: Random) => void
  readonly reject: (error: Error) => void
}

/** What the switch tells unasked. */
export interface Told {
  portStatus(reason: PortStatusReason, port: PortDesc): void
  flowsChanged(updates: readonly FlowUpdate[]): void
  learnedChanged(updates: readonly FlowUpdate[]): void
  requestForwarded(request: RequestForward): void
}

export class FakeConnection implements SwitchConnection {
  readonly #switch: FakeSwitch
  readonly #told: Told
  readonly #requests: Request[] = []
  readonly #inbox: (() => void)[] = []
  #isOpen = true
  #isMonitoring = false
  #isPaused = false
  /** The bridge is being left: what is sent is the end of it. */
  isWiping = false

  constructor(fake: FakeSwitch, told: Told) {
    this.#switch = fake
    this.#told = told
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isIdle(): boolean {
    return this.#requests.length === 0 && this.#inbox.length === 0
  }

  // --- the agent's side

  groupDescs(): Promise<readonly GroupDesc[]> {
    return this.#request('group descriptions', () => this.#switch.tables.groupDescs())
  }

  meters(): Promise<readonly Meter[]> {
    return this.#request('meter descriptions', () => [...this.#switch.tables.meters.values()])
  }

  meterFeatures(): Promise<MeterFeatures> {
    return this.#request('meter features', () => ({ maxMeters: this.#switch.maxMeters, maxBands: 8 }))
  }

  flowDescs(filter: { readonly tableId?: number }): Promise<readonly FlowDesc[]> {
    return this.#request(`flow descriptions of table ${filter.tableId}`, () => this.#switch.tables.flowDescs(filter))
  }

  /** Nothing counts here. */
  groupStats(): Promise<readonly never[]> {
    return Promise.resolve([])
  }

  flowStats(): Promise<readonly never[]> {
    return Promise.resolve([])
  }

  portDescs(): Promise<readonly PortDesc[]> {
    return this.#request('port descriptions', () => [...this.#switch.ports.values()])
  }

  /** All that the switch has learned on local ports; from then on it tells what it learns and forgets. */
  monitorLearned(): Promise<readonly FlowUpdate[]> {
    return this.#request('learned flows', () => {
      this.#isMonitoring = true
      return allLearned(this.#switch.tables)
    })
  }

  apply(mods: readonly Buffer[], { bundle }: { readonly bundle: boolean }): Promise<ApplyResult> {
    if (!this.isWiping) this.#switch.onSend()
    const run = () => (bundle ? this.#switch.applyBundle(mods) : this.#switch.applyPlain(mods))
    return this.#request(`${mods.length} messages${bundle ? ' in a bundle' : ''}`, run, (r) => {
      // A bundle is committed at its end; single messages act as they arrive.
      if (bundle) {
        if (r.chance(0.5)) run()
      } else {
        this.#switch.applyPlain(mods.slice(0, r.int(0, mods.length)))
      }
    })
  }

  #request<T>(text: string, run: () => T, runPart: (r: Random) => void = () => undefined): Promise<T> {
    if (!this.#isOpen) return Promise.reject(new Error('not connected'))
    return new Promise((resolve, reject) => {
      const answer = (): (() => void) => {
        const result = run()
        return () => resolve(result)
      }
      this.#requests.push({ text, run: answer, runPart, reject })
    })
  }

  // --- the switch's side

  /** The switch takes the next request. */
  serve(): boolean {
    const request = this.#requests.shift()
    if (request === undefined) return false
    this.#waitingAnswers.push(request)
    const deliver = request.run()
    this.#inbox.push(() => {
      this.#waitingAnswers.shift()
      deliver()
    })
    return true
  }

  /** Requests carried out whose answers are still on the way. */
  readonly #waitingAnswers: Request[] = []

  tellPort(reason: PortStatusReason, port: PortDesc): void {
    if (this.#isOpen) this.#inbox.push(() => this.#told.portStatus(reason, port))
  }

  /** What somebody else did, as flow monitors and forwarded requests tell it. */
  tellFlows(updates: readonly FlowUpdate[]): void {
    if (this.#isOpen) this.#inbox.push(() => this.#told.flowsChanged(updates))
  }

  tellLearned(updates: readonly FlowUpdate[]): void {
    if (!this.#isMonitoring || !this.#isOpen) return
    const told = updates.filter((update) => 'tableId' in update && update.tableId === LEARNED && (!this.#isPaused || update.kind === 'removed'))
    if (told.length > 0) this.#inbox.push(() => this.#told.learnedChanged(told))
  }

  /** Nobody has read for too long: what is learned is not told for a while. */
  pause(): void {
    if (this.#isMonitoring && !this.#isPaused) this.#inbox.push(() => this.#told.learnedChanged([{ kind: 'paused' }]))
    this.#isPaused = this.#isMonitoring
  }

  resume(): void {
    if (this.#isPaused && this.#isOpen) this.#inbox.push(() => this.#told.learnedChanged([{ kind: 'resumed' }]))
    this.#isPaused = false
  }

  tellRequest(request: RequestForward): void {
    if (this.#isOpen) this.#inbox.push(() => this.#told.requestForwarded(request))
  }

  /** A packet for the agent; `read` is called when it reads it. */
  tellPacket(read: () => void): void {
    if (this.#isOpen) this.#inbox.push(read)
  }

  /** The agent reads the next thing the switch sent. */
  deliver(): boolean {
    const next = this.#inbox.shift()
    next?.()
    return next !== undefined
  }

  /** The connection is gone; what is under way is rejected, and perhaps done. */
  lose(r: Random): void {
    this.close(r)
    const error = new Error('the connection is lost, the outcome is unknown')
    for (const request of [...this.#waitingAnswers, ...this.#requests]) request.reject(error)
  }

  /** Our side is gone: nobody waits for answers any more. */
  close(r: Random): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#requests[0]?.runPart(r)
    this.#inbox.length = 0
  }
}

/** An error as the client reports it. */
export function applyError(index: number, name: string): ApplyError {
  return { index, name, type: 0, code: 0 }
}
