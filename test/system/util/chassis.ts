// One chassis of a lab as its operator sees it: set with ovs-vsctl, looked at with the stock tools of Open vSwitch and the kernel.
import type { Lab } from '../../lab/lab.js'
import type { RunOptions } from '../../lab/run.js'

export interface FdbRow {
  readonly mac: string
  readonly ifname: string
  /** self, extern_learn, sticky, ... */
  readonly flags: readonly string[]
  /** Of a bridge-level row. */
  readonly master?: string
  readonly dst?: string
  /** static, permanent; empty for a row that may age. */
  readonly state: string
}

export interface NeighbourRow {
  readonly dst: string
  readonly dev: string
  readonly lladdr?: string
  readonly state: readonly string[]
  readonly protocol?: string
  readonly extern_learn?: unknown
}

/** Upper half of every cookie of ours, as ovs-ofctl takes it. */
const OUR_COOKIE = 'cookie=0x6576706e00000000/0xffffffff00000000'

export class Chassis {
  readonly #lab: Lab
  readonly name: string

  constructor(lab: Lab, name = 'c1') {
    this.#lab = lab
    this.name = name
  }

  /** Runs a program there and returns what it printed. */
  async run(argv: readonly string[], options?: RunOptions): Promise<string> {
    return (await this.#lab.exec(this.name, argv, options)).stdout
  }

  vsctl(...args: readonly string[]): Promise<string> {
    return this.run(['ovs-vsctl', '--timeout=10', ...args])
  }

  /** `set('Bridge br-int', { key: 'value' })`: external_ids as docs/configuration.md says to set them. */
  async set(record: string, ids: Readonly<Record<string, string>>): Promise<void> {
    const settings = Object.entries(ids).map(([key, value]) => `external_ids:${key}=${ovsString(value)}`)
    await this.vsctl('--no-wait', 'set', ...record.split(' '), ...settings)
  }

  async unset(record: string, ...keys: readonly string[]): Promise<void> {
    await this.vsctl('--no-wait', ...keys.flatMap((key) => ['--', 'remove', ...record.split(' '), 'external_ids', key]).slice(1))
  }

  ofctl(...args: readonly string[]): Promise<string> {
    return this.run(['ovs-ofctl', '-O', 'OpenFlow15', '--names', ...args])
  }

  /** Flows that match, without counters and durations, in the order ovs-ofctl prints them. */
  async flows(match = '', bridge = 'br-int'): Promise<string[]> {
    return lines(await this.ofctl('--no-stats', 'dump-flows', bridge, match)).filter((line) => line.includes('actions='))
  }

  /** Our flows among them. */
  ourFlows(match = '', bridge = 'br-int'): Promise<string[]> {
    return this.flows([OUR_COOKIE, match].filter((part) => part !== '').join(','), bridge)
  }

  async groups(bridge = 'br-int'): Promise<string[]> {
    return lines(await this.ofctl('dump-groups', bridge)).filter((line) => line.startsWith('group_id='))
  }

  /** Ports of a bridge in OVSDB, sorted. */
  async ports(bridge = 'br-int'): Promise<string[]> {
    return lines(await this.vsctl('list-ports', bridge)).sort()
  }

  /** All FDB rows of the kernel, or those of one device. */
  async fdb(ifname?: string): Promise<FdbRow[]> {
    const rows = JSON.parse(await this.run(['bridge', '-j', 'fdb', 'show'])) as FdbRow[]
    return rows.filter((row) => ifname === undefined || row.ifname === ifname)
  }

  /** All ARP and ND rows of the kernel, NOARP ones included, or those of one device. */
  async neighbours(dev?: string): Promise<NeighbourRow[]> {
    const rows = JSON.parse(await this.run(['ip', '-j', '-d', 'neigh', 'show', 'nud', 'all'])) as NeighbourRow[]
    // On a machine that has our package, iproute2 knows a name for the protocol.
    return rows.filter((row) => dev === undefined || row.dev === dev).map((row) => (row.protocol === 'ovs-evpn' ? { ...row, protocol: '85' } : row))
  }

  /** `ovs-appctl evpn/report KIND [VNI]`: what ovs-evpnctl makes its tables from. */
  async report<T>(kind: string, vni?: number): Promise<T> {
    const text = await this.run(['ovs-appctl', '-t', 'ovs-evpnd', 'evpn/report', kind, ...(vni === undefined ? [] : [String(vni)])])
    return JSON.parse(text) as T
  }

  /** What an operator should look at, a line each. */
  async problems(): Promise<string[]> {
    const rows = await this.report<readonly { readonly record: string, readonly what: string }[]>('problems')
    return rows.map(({ record, what }) => `${record}: ${what}`)
  }
}

export function lines(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '')
}

/** A value ovs-vsctl takes as one string whatever is in it. */
function ovsString(value: string): string {
  return JSON.stringify(value)
}
