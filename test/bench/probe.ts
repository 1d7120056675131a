// The benchmark's own program inside the chassis' namespace: it writes kernel rows and watches br-int through an OpenFlow
// flow monitor, so that a latency is taken from outside the daemon, by one clock. Commands come as JSON lines on standard
// input, answers go to standard output in the same order.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { NetlinkClient, neighRequest, nexthopRequest, type LinkRow, type NetlinkRequest, type WriteRequest } from '../../lib/netlink/index.js'
import { decodeMatch, type FlowUpdate, type OpenFlowClient } from '../../lib/openflow/index.js'
import { remoteMacPlace, toRemote } from '../../lib/pipeline/forward.js'
import { TABLE } from '../../lib/pipeline/tables.js'
import { compileFlow, flowMod } from '../../lib/sink/flow-entry.js'
import { groupRow, ipRow, macOf, macRow, nexthopRow, vtepOf, VTEPS, vtepRow, type Devices } from './rows.js'
import { connectSwitch, flowsIn } from './switch.js'

export type Change = 'add' | 'move' | 'remove'

export type Command =
  | { readonly kind: 'open', readonly vni: number, readonly mgmt: string }
  | { readonly kind: 'vteps', readonly op: 'append' | 'delete', readonly from: number, readonly to: number }
  | { readonly kind: 'macs', readonly op: 'replace' | 'delete', readonly from: number, readonly to: number, readonly ips: boolean, readonly nexthop?: number }
  /** `vteps` VTEPs in each of `vnis` VNIs, on a vxlan device of many VNIs. */
  | { readonly kind: 'mesh', readonly device: string, readonly vteps: number, readonly firstVni: number, readonly vnis: number }
  /** Nexthops, and a group of them. */
  | { readonly kind: 'paths', readonly group: number, readonly members: readonly number[] }
  /** The last path of the group goes and comes back, so often. Answer: milliseconds of each. */
  | { readonly kind: 'failures', readonly group: number, readonly members: readonly number[], readonly count: number }
  /** So many VTEPs come, one by one, and go again. Answer: milliseconds of each. */
  | { readonly kind: 'joins', readonly from: number, readonly count: number }
  /** One change after the other, each when the one before is in the switch. Answer: milliseconds of each. */
  | { readonly kind: 'latency', readonly change: Change, readonly from: number, readonly count: number, readonly gap: number }
  /** So many moves a second among the first `macs`, each to the VTEP so many further on, whether the ones before arrived or not. Answer: Rate. */
  | { readonly kind: 'rate', readonly macs: number, readonly perSecond: number, readonly seconds: number, readonly by: number }
  /** As `latency` with `add`, while no daemon runs: the flow is added here as soon as the kernel has the row. Answer: milliseconds of each. */
  | { readonly kind: 'floor', readonly from: number, readonly count: number, readonly gap: number }
  /** Listens on a socket as a routing daemon does. */
  | { readonly kind: 'listen', readonly path: string }
  /** Answer: how many flows FORWARD has, with `ips` SUPPRESS as well. */
  | { readonly kind: 'count', readonly ips?: boolean }

/** `samples`: milliseconds of each; `seconds`: from the first to the kernel's answer to the last. */
export interface Rate {
  readonly samples: readonly number[]
  readonly seconds: number
}

const BATCH = 4096
/** Between two changes, in ms: each finds the daemon idle. */
const GAP = 5
/** A change that is not in the switch after so long never will be. */
const PATIENCE = 60_000

class Probe {
  readonly #links = new Map<string, LinkRow>()
  readonly #netlink = NetlinkClient.open({
    groups: [],
    handlers: {
      messages: (batch) => batch.forEach((message) => { if (message.kind === 'link') this.#links.set(message.row.name, message.row) }),
      overrun: () => undefined
    }
  })
  /** MACs whose flow is awaited. */
  readonly #awaited = new Map<string, (now: number) => void>()
  /** Called at the next change of a group. */
  #groupChanged: () => void = () => undefined
  /** When the kernel answered to the last row that was written by itself. */
  #writtenAt = 0
  #openflow: OpenFlowClient | undefined
  #devices: Devices = { vxlan: 0, bridge: 0 }
  #vni = 0

  async run(command: Command): Promise<unknown> {
    switch (command.kind) {
      case 'open': return this.#open(command.vni, command.mgmt)
      case 'vteps': return this.#write(command.from, command.to, (n) => [vtepRow(command.op, this.#devices, n)])
      case 'macs': return this.#write(command.from, command.to, (n) => [
        macRow(command.op, this.#devices, n, n % VTEPS, command.nexthop), ...(command.ips ? [ipRow(command.op, this.#devices, n)] : [])
      ])
      case 'latency': return this.#watching(() => this.#latencies(command.change, command.from, command.count, command.gap))
      case 'rate': return this.#watching(() => this.#atRate(command.macs, command.perSecond, command.seconds, command.by))
      case 'mesh': return this.#mesh(command.device, command.vteps, command.firstVni, command.vnis)
      case 'paths': return this.#request([...command.members.map(nexthopRow), groupRow(command.group, command.members)].map(nexthopRequest))
      case 'failures': return this.#failures(command.group, command.members, command.count)
      case 'joins': return this.#joins(command.from, command.count)
      case 'floor': return this.#floor(command.from, command.count, command.gap)
      case 'listen': return once(createServer().listen(command.path), 'listening').then(() => undefined)
      case 'count': return flowsIn(this.#switch(), command.ips === true ? [TABLE.FORWARD, TABLE.SUPPRESS] : [TABLE.FORWARD])
    }
  }

  async #open(vni: number, mgmt: string): Promise<void> {
    await this.#netlink.dump('link')
    this.#vni = vni
    this.#devices = { vxlan: this.#links.get(`vxlan-${vni}`)?.ifindex ?? 0, bridge: this.#links.get(`br-${vni}`)?.ifindex ?? 0 }
    this.#openflow = await connectSwitch(mgmt, {
      flowUpdates: (updates) => this.#updated(updates),
      requestForward: ({ kind }) => { if (kind === 'group') this.#groupChanged() }
    })
  }

  #switch(): OpenFlowClient {
    if (this.#openflow === undefined) throw new Error('probe: the first command must be open')
    return this.#openflow
  }

  async #write(from: number, to: number, requests: (n: number) => readonly WriteRequest[]): Promise<void> {
    for (let start = from; start < to; start += BATCH) {
      const batch: WriteRequest[] = []
      for (let n = start; n < Math.min(start + BATCH, to); n++) batch.push(...requests(n))
      await this.#request(batch.map(neighRequest))
    }
  }

  async #request(requests: readonly NetlinkRequest[]): Promise<void> {
    const error = (await this.#netlink.request(requests)).find((outcome) => outcome !== undefined)
    if (error !== undefined) throw error
  }

  async #mesh(device: string, vteps: number, firstVni: number, vnis: number): Promise<void> {
    await this.#netlink.dump('link')
    const vxlan = this.#links.get(device)?.ifindex ?? 0
    await this.#write(0, vteps * vnis, (n) => [vtepRow('append', { vxlan }, n % vteps, firstVni + Math.floor(n / vteps))])
  }

  async #failures(group: number, members: readonly number[], count: number): Promise<number[]> {
    const samples: number[] = []
    for (let i = 0; i < 2 * count; i++) samples.push(await this.#groupChange([nexthopRequest(groupRow(group, i % 2 === 0 ? members.slice(0, -1) : members))]))
    return samples
  }

  async #joins(from: number, count: number): Promise<number[]> {
    const samples: number[] = []
    for (const op of ['append', 'delete'] as const) {
      for (let n = from; n < from + count; n++) samples.push(await this.#groupChange([neighRequest(vtepRow(op, this.#devices, n))]))
    }
    return samples
  }

  /** Milliseconds from the request to the switch's word that a group has changed. */
  async #groupChange(requests: readonly NetlinkRequest[]): Promise<number> {
    let timer: NodeJS.Timeout | undefined
    const changed = new Promise<number>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`probe: no group changed within ${PATIENCE} ms`)), PATIENCE)
      this.#groupChanged = () => resolve(performance.now())
    })
    const start = performance.now()
    const [now] = await Promise.all([changed, this.#request(requests)])
    clearTimeout(timer)
    this.#groupChanged = () => undefined
    await sleep(GAP)
    return now - start
  }

  async #watching<T>(work: () => Promise<T>): Promise<T> {
    await this.#switch().monitorFlows({ id: 1, tableId: TABLE.FORWARD, initial: false, instructions: false })
    try {
      return await work()
    } finally {
      await this.#switch().cancelFlowMonitor(1)
    }
  }

  async #latencies(change: Change, from: number, count: number, gap: number): Promise<number[]> {
    const samples: number[] = []
    for (let n = from; n < from + count; n++) {
      samples.push(await this.#change(change, n))
      await sleep(gap)
    }
    return samples
  }

  /** What nobody between kernel and switch can do faster: a row written, its flow sent, and the switch's answer. */
  async #floor(from: number, count: number, gap: number): Promise<number[]> {
    const samples: number[] = []
    for (let n = from; n < from + count; n++) {
      const via = { kind: 'vtep', ip: vtepOf(n % VTEPS) } as const
      const [key, desired] = compileFlow({ ...remoteMacPlace(this.#vni, macOf(n)), actions: toRemote({ via, udpPort: 4789, encapVni: undefined }) })
      const mod = flowMod({ key, desired, realized: undefined })
      const start = performance.now()
      await this.#request([neighRequest(macRow('replace', this.#devices, n))])
      await this.#switch().apply([mod], { bundle: false })
      samples.push(performance.now() - start)
      await sleep(gap)
    }
    return samples
  }

  /** Spread evenly: the clock says how many are due, so a late timer changes nothing about their number. */
  async #atRate(macs: number, perSecond: number, seconds: number, by: number): Promise<Rate> {
    const total = perSecond * seconds
    const samples: Promise<number>[] = []
    const start = performance.now()
    while (samples.length < total) {
      const due = Math.min(total, Math.floor((performance.now() - start) * perSecond / 1000))
      for (let i = samples.length; i < due; i++) samples.push(this.#change('move', i % macs, by + Math.floor(i / macs)))
      await sleep(1)
    }
    const all = await Promise.all(samples)
    return { samples: all, seconds: (this.#writtenAt - start) / 1000 }
  }

  /** Milliseconds from the request to the flow's event. */
  #change(change: Change, n: number, by = 1): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`probe: no flow event for MAC ${macOf(n)} (${change}) after ${PATIENCE} ms`)), PATIENCE)
      const start = performance.now()
      const earlier = this.#awaited.get(macOf(n))
      this.#awaited.set(macOf(n), (now) => {
        clearTimeout(timer)
        resolve(now - start)
        // A change that this one overtook has no flow of its own any more.
        earlier?.(now)
      })
      const vtep = (n + (change === 'move' ? by : 0)) % VTEPS
      this.#netlink.write([macRow(change === 'remove' ? 'delete' : 'replace', this.#devices, n, vtep)]).then(([error]) => {
        this.#writtenAt = performance.now()
        if (error !== undefined) reject(error)
      }, reject)
    })
  }

  #updated(updates: readonly FlowUpdate[]): void {
    const now = performance.now()
    for (const update of updates) {
      if (!('match' in update)) continue
      const mac = decodeMatch(update.match).eth_dst
      if (typeof mac !== 'string') continue
      this.#awaited.get(mac)?.(now)
      this.#awaited.delete(mac)
    }
  }
}

const probe = new Probe()
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await probe.run(JSON.parse(line) as Command).then((value) => ({ value: value ?? null }), (error: unknown) => ({ error: String(error) }))
  process.stdout.write(JSON.stringify(answer) + '\n')
}
process.exit(0)
