// Kernel rows in the forms FRR writes them (see the fabric test of the lab), by hand: what a speaker says without one running.
import type { Chassis } from './chassis.js'

export class Speaker {
  readonly #chassis: Chassis

  constructor(chassis: Chassis) {
    this.#chassis = chassis
  }

  /** A VTEP announced for flooding (Type-3 route). `more` goes to `bridge fdb`, e.g. `port 4790`. */
  async vtep(vni: number, ip: string, device = `vxlan-${vni}`, ...more: readonly string[]): Promise<void> {
    await this.#bridge('append', '00:00:00:00:00:00', 'dev', device, 'dst', ip, ...more, 'self', 'permanent')
  }

  async noVtep(vni: number, ip: string, device = `vxlan-${vni}`, ...more: readonly string[]): Promise<void> {
    await this.#bridge('del', '00:00:00:00:00:00', 'dev', device, 'dst', ip, ...more, 'self')
  }

  /** A remote MAC (Type-2 route): the row of the vxlan device and the row of the bridge. Moves a row the bridge has elsewhere. */
  async mac(vni: number, mac: string, ip: string, device = `vxlan-${vni}`, ...more: readonly string[]): Promise<void> {
    await this.#bridge('replace', mac, 'dev', device, 'dst', ip, ...more, 'self', 'master', 'dynamic', 'extern_learn')
  }

  async noMac(vni: number, mac: string, device = `vxlan-${vni}`): Promise<void> {
    await this.#bridge('del', mac, 'dev', device, 'self', 'master')
  }

  /** Nexthops as FRR writes them for Ethernet segments: one for each VTEP, ids to addresses, in one go. */
  async nexthops(gateways: Readonly<Record<number, string>>): Promise<void> {
    await this.#ip(Object.entries(gateways).map(([id, ip]) => `nexthop replace id ${id} via ${ip} fdb`))
  }

  /** A group of them: member ids to weights. */
  async nexthopGroup(id: number, members: Readonly<Record<number, number>>): Promise<void> {
    await this.#ip([`nexthop replace id ${id} group ${Object.entries(members).map((member) => member.join(',')).join('/')} fdb`])
  }

  async noNexthop(id: number): Promise<void> {
    await this.#ip([`nexthop del id ${id}`])
  }

  /** Remote MACs behind a nexthop group (Type-2 routes of a multihomed Ethernet segment), any number in one go. */
  async multihomed(vni: number, macs: readonly string[], nexthop: number, device = `vxlan-${vni}`): Promise<void> {
    const lines = macs.map((mac) => `fdb replace ${mac} dev ${device} nhid ${nexthop} self master extern_learn`)
    await this.#chassis.run(['bridge', '-batch', '-'], { input: lines.join('\n') + '\n' })
  }

  /** A remote IP (MAC+IP route). Replaces a neighbour that stands there. `more` goes to `ip neigh`, e.g. `router`. */
  async ip(vni: number, ip: string, mac: string, device = `br-${vni}`, ...more: readonly string[]): Promise<void> {
    await this.#chassis.run(['ip', 'neigh', 'replace', ip, 'lladdr', mac, 'dev', device, 'nud', 'noarp', 'extern_learn', ...more, 'protocol', 'zebra'])
  }

  async noIp(vni: number, ip: string, device = `br-${vni}`): Promise<void> {
    await this.#chassis.run(['ip', 'neigh', 'del', ip, 'dev', device])
  }

  async #ip(lines: readonly string[]): Promise<void> {
    await this.#chassis.run(['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })
  }

  async #bridge(...args: readonly string[]): Promise<void> {
    await this.#chassis.run(['bridge', 'fdb', ...args])
  }
}
