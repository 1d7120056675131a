// The fake kernel against the real one: the same operations, the same answers, the same news in the same order, the
// same tables in the end. Needs root, and network namespaces.
import t from 'tap'
import { AF, NTF, NUD, type NexthopRow, type RtMessage, type WriteRequest } from '../../lib/netlink/index.js'
import { ZERO_MAC } from '../../lib/net/mac.js'
import { enterNewNamespace } from '../netlink/support/namespace.js'
import { Dump } from './kernel/dump.js'
import { FakeKernel } from './kernel/kernel.js'
import { RealKernel } from './kernel/real.js'
import type { Device, News } from './kernel/rows.js'
import { Random } from './random.js'

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'] as const
const IPS = ['10.0.0.1', '10.0.0.2', 'fd00::1'] as const
const REMOTES = ['127.0.0.2', '127.0.0.3'] as const
const SINGLES = [1, 2, 3] as const
const GROUPS = [10, 0x80000001] as const
const BRIDGES = ['br1', 'br2'] as const
const PORTS = ['vx1', 'lo1', 'tap1'] as const

/** Both kernels, with devices of the same names. */
class Pair {
  readonly real = new RealKernel()
  #news: News[] = []
  readonly fake = new FakeKernel((news) => this.#news.push(...news))

  constructor() {
    this.real.ip('link set lo up')
    for (const [i, name] of [...BRIDGES, ...PORTS].entries()) {
      const mac = `02:00:00:00:dd:0${i}`
      const kind = name.startsWith('br') ? 'bridge' : name.startsWith('vx') ? 'vxlan' : 'veth'
      const text = { bridge: kind, vxlan: 'vxlan id 1000 local 127.0.0.1 dstport 61000 nolearning', veth: `veth peer name ${name}p` }[kind]
      this.real.ip(`link add ${name} address ${mac} type ${text}`)
      this.real.ip(`link set ${name} addrgenmode none`)
      const vxlan = { vni: 1000, local: '127.0.0.1', port: 61000, learning: false, external: false, vnifilter: false }
      this.fake.create({ name, kind, mac, ...(kind === 'vxlan' ? { vxlan } : {}) })
    }
    this.#keepCarrier()
  }

  /** A bridge without a running port loses its neighbours, some time later: each keeps one that runs. */
  #keepCarrier(): void {
    for (const [i, bridge] of BRIDGES.entries()) {
      this.real.ip(`link add keep${i} type vxlan id ${2000 + i} local 127.0.0.1 dstport 62000 nolearning`)
      this.real.ip(`link set keep${i} addrgenmode none up master ${bridge}`)
    }
  }

  device(name: string): Device {
    return this.fake.byName(name) as Device
  }

  ifindex(kernel: 'fake' | 'real', name: string): number {
    return kernel === 'fake' ? this.device(name).ifindex : this.#realIndex.get(name) ?? 0
  }

  readonly #realIndex = new Map<string, number>()

  async start(): Promise<void> {
    for (const message of await this.real.dump('link')) {
      if (message.kind === 'link') this.#realIndex.set(message.row.name, message.row.ifindex)
    }
    this.#news = []
  }

  /** The names of devices of the real kernel and of the fake one, by ifindex. */
  #nameOf(kernel: 'fake' | 'real', ifindex: number | undefined): string {
    if (ifindex === undefined) return '-'
    const [realName] = [...this.#realIndex].find(([, index]) => index === ifindex) ?? []
    const found = kernel === 'fake' ? this.fake.devices.get(ifindex)?.name : realName
    return found ?? `device ${ifindex}`
  }

  async told(kernel: 'fake' | 'real'): Promise<string[]> {
    if (kernel === 'real') return this.texts('real', await this.real.told())
    const news = this.#news
    this.#news = []
    return this.texts('fake', news.map(({ message }) => message))
  }

  async dumped(kernel: 'fake' | 'real'): Promise<string[]> {
    const kinds = ['nexthop', 'fdb', 'neigh'] as const
    const messages = kernel === 'real' ? (await Promise.all(kinds.map((kind) => this.real.dump(kind)))).flat()
      : kinds.flatMap((kind) => new Dump(this.fake, kind).next(1000).map(({ message }) => message))
    return this.texts(kernel, messages).sort()
  }

  /** Messages about our addresses and devices, in words, without the kernel's own multicast entries and what it tells unchanged. */
  texts(kernel: 'fake' | 'real', messages: readonly RtMessage[]): string[] {
    const lines = messages.flatMap((message) => {
      if (message.kind === 'link') {
        const { name, flags, master } = message.row
        const isTold = [...BRIDGES, ...PORTS].some((one) => one === name)
        return isTold ? [`${message.op} ${name} ${(flags & 1) === 1 ? 'up' : 'down'} in ${this.#nameOf(kernel, master)}`] : []
      }
      if (message.kind === 'nexthop') return [nexthopText(message.op, message.row)]
      if (message.kind !== 'neigh' || this.#nameOf(kernel, message.row.ifindex).startsWith('keep')) return []
      const { row: { ifindex, lladdr, dst, state, flags, master, protocol, port, nhId }, op } = message
      const isOurs = lladdr?.startsWith('02:') === true || (dst !== undefined && (lladdr === ZERO_MAC || state === NUD.FAILED))
      const rest = `state ${state} flags ${flags} ${this.#nameOf(kernel, master)} proto ${protocol ?? 0} port ${port ?? 0} nexthop ${nhId ?? 0}`
      return isOurs ? [[op, this.#nameOf(kernel, ifindex), lladdr, dst, rest].join(' ')] : []
    })
    return sortDeletions(lines.filter((line) => this.#isNew(kernel, line)))
  }

  readonly #lastOf = new Map<string, string>()

  /** Nobody cares how often a device is told unchanged. */
  #isNew(kernel: string, line: string): boolean {
    const [, name] = /^new (\S+) (?:up|down)/.exec(line) ?? []
    if (name === undefined) return true
    const isNew = this.#lastOf.get(`${kernel} ${name}`) !== line
    this.#lastOf.set(`${kernel} ${name}`, line)
    return isNew
  }
}

function nexthopText(op: 'new' | 'del', { id, gateway, group }: NexthopRow): string {
  return `${op} nexthop ${id} ${gateway ?? group?.map((member) => `${member.id}/${member.weight}`).join(' ')}`
}

/** What goes at once goes in the order of a hash table. */
function sortDeletions(lines: readonly string[]): string[] {
  const end = lines.findIndex((line, i) => i > 0 && line.startsWith('del') !== (lines[i - 1] ?? '').startsWith('del'))
  const run = lines.slice(0, end < 0 ? lines.length : end)
  return run.length === 0 ? [] : [...run[0]?.startsWith('del') === true ? run.sort() : run, ...sortDeletions(lines.slice(run.length))]
}

/** An operation on one of the two. */
type Step = { readonly text: string, readonly real: () => Promise<string | undefined>, readonly fake: () => string | undefined }

function write(pair: Pair, text: string, device: string, request: (ifindex: number) => WriteRequest): Step {
  return {
    text: `${text} on ${device}`,
    real: () => pair.real.write(request(pair.ifindex('real', device))),
    fake: () => pair.fake.write(request(pair.ifindex('fake', device)), 'foreign')
  }
}

function command(pair: Pair, text: string, fake: () => void): Step {
  return {
    text,
    real: () => {
      if (text.startsWith('fdb')) pair.real.bridge(text)
      else pair.real.ip(text)
      return Promise.resolve(undefined)
    },
    fake: () => {
      fake()
      return undefined
    }
  }
}

function fdbStep(pair: Pair, r: Random): Step {
  const [mac, dst] = [r.pick(MACS), r.pick(REMOTES)]
  const op = r.pick(['replace', 'replace', 'delete'] as const)
  const row = (flags: number, state: number) => (ifindex: number) =>
    ({ op, row: { family: AF.BRIDGE, ifindex, state, flags, type: 0, lladdr: mac } })
  return r.weighted<() => Step>([
    [3, () => write(pair, `${op} ${mac} static`, r.pick(PORTS), row(NTF.MASTER, NUD.NOARP))],
    // Of the ports, only the vxlan device has a carrier here.
    [1, () => write(pair, `${op} ${mac} dynamic`, 'vx1', row(NTF.MASTER, NUD.REACHABLE))],
    [4, () => remote(pair, op, mac, dst, NTF.SELF | NTF.MASTER | NTF.EXT_LEARNED, NUD.REACHABLE, r)],
    [1, () => remote(pair, op, mac, dst, NTF.SELF | NTF.EXT_LEARNED, NUD.REACHABLE, r)],
    [2, () => remote(pair, op, mac, dst, NTF.SELF | NTF.MASTER | NTF.STICKY, NUD.REACHABLE | NUD.NOARP, r)],
    [2, () => remote(pair, op === 'delete' ? op : 'append', ZERO_MAC, dst, NTF.SELF, NUD.NOARP | NUD.PERMANENT, r)]
  ])()
}

function remote(pair: Pair, op: WriteRequest['op'], lladdr: string, dst: string, flags: number, state: number, r: Random): Step {
  const port = r.chance(0.2) ? { port: r.pick([61000, 4789]) } : {}
  return write(pair, `${op} ${lladdr} behind ${dst} flags ${flags}`, 'vx1', (ifindex) =>
    ({ op, row: { family: AF.BRIDGE, ifindex, state, flags, type: 0, lladdr, dst, ...port } }))
}

function multihomedStep(pair: Pair, r: Random): Step {
  const nhId = r.pick([...GROUPS, ...GROUPS, SINGLES[0], 99])
  const [mac, op] = [r.pick(MACS), r.pick(['replace', 'replace', 'delete'] as const)]
  const [flags, state] = r.pick([
    [NTF.SELF | NTF.MASTER | NTF.EXT_LEARNED, NUD.REACHABLE], [NTF.SELF | NTF.EXT_LEARNED, NUD.REACHABLE],
    [NTF.SELF | NTF.STICKY, NUD.REACHABLE | NUD.NOARP]
  ] as const)
  return write(pair, `${op} ${mac} behind nexthop ${nhId} flags ${flags}`, 'vx1', (ifindex) =>
    ({ op, row: { family: AF.BRIDGE, ifindex, state, flags, type: 0, lladdr: mac, nhId } }))
}

function nexthopStep(pair: Pair, r: Random): Step {
  const one = (text: string, row: NexthopRow | number): Step => ({
    text,
    real: () => pair.real.nexthop(row),
    fake: () => (typeof row === 'number' ? pair.fake.deleteNexthop(row) : pair.fake.writeNexthop(row))
  })
  const base = { fdb: true, blackhole: false, protocol: 0 }
  return r.weighted<() => Step>([
    [3, () => {
      const [id, gateway] = [r.pick([...SINGLES, GROUPS[0]]), r.pick([...REMOTES, ...REMOTES, '2001:db8::2'])]
      return one(`nexthop ${id} via ${gateway}`, { ...base, id, family: gateway.includes(':') ? AF.INET6 : AF.INET, gateway })
    }],
    [4, () => {
      const [id, members] = [r.pick([...GROUPS, ...GROUPS, SINGLES[0]]), r.some([...SINGLES, ...SINGLES], 0.4)]
      const group = (members.length > 0 ? members : [1]).map((member) => ({ id: member, weight: r.int(1, 256) }))
      return one(`nexthop ${id} group ${group.map((member) => member.id).join('/')}`, { ...base, id, family: AF.UNSPEC, group, groupType: 0 })
    }],
    [2, () => {
      const id = r.pick([...SINGLES, ...GROUPS])
      return one(`nexthop ${id} is deleted`, id)
    }]
  ])()
}

function neighbourStep(pair: Pair, r: Random): Step {
  const dst = r.pick(IPS)
  const row = { family: dst.includes(':') ? AF.INET6 : AF.INET, flags: r.pick([0, NTF.EXT_LEARNED]), type: 0, dst }
  const protocol = r.pick([{}, { protocol: 85 }, { protocol: 11 }])
  const [lladdr, state, isDeletion] = [r.pick(MACS), r.pick([NUD.NOARP, NUD.PERMANENT]), r.chance(0.3)]
  return write(pair, `${isDeletion ? 'delete' : 'replace'} neighbour ${dst}`, r.pick(BRIDGES), (ifindex) => isDeletion
    ? { op: 'delete', row: { ...row, ifindex, state: 0 } }
    : { op: 'replace', row: { ...row, ifindex, state, lladdr, ...protocol } })
}

function deviceStep(pair: Pair, r: Random): Step {
  const name = r.pick([...BRIDGES, ...PORTS])
  const device = pair.device(name)
  return r.weighted<() => Step>([
    [3, () => command(pair, `link set ${name} ${device.up ? 'down' : 'up'}`, () => pair.fake.setUp(device, !device.up))],
    [3, () => {
      const port = pair.device(r.pick(PORTS))
      const bridge = r.chance(0.25) ? undefined : pair.device(r.pick(BRIDGES))
      if (bridge?.ifindex === port.master) return command(pair, 'link show', () => undefined)
      const text = `link set ${port.name} ${bridge === undefined ? 'nomaster' : `master ${bridge.name}`}`
      return command(pair, text, () => pair.fake.enslave(port, bridge))
    }]
  ])()
}

enterNewNamespace()

await t.test('the fake kernel answers and tells as the real one does', async (t) => {
  const pair = new Pair()
  t.teardown(() => pair.real.close())
  await pair.start()
  const r = new Random(1)
  for (let i = 0; i < 600; i++) {
    const step = r.weighted([[5, fdbStep], [3, neighbourStep], [2, deviceStep], [3, nexthopStep], [3, multihomedStep]])(pair, r)
    t.strictSame({ answer: step.fake() }, { answer: await step.real() }, `step ${i}: ${step.text}: the answer`)
    t.strictSame(await pair.told('fake'), await pair.told('real'), `step ${i}: ${step.text}: the news`)
    if (t.counts.fail > 3) return
  }
  t.strictSame(await pair.dumped('fake'), await pair.dumped('real'), 'the tables in the end')
})
