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

  /** A remote IP (MAC+IP route). Replaces a neighbour that stands there. */
  async ip(vni: number, ip: string, mac: string, device = `br-${vni}`): Promise<void> {
    await this.#chassis.run(['ip', 'neigh', 'replace', ip, 'lladdr', mac, 'dev', device, 'nud', 'noarp', 'extern_learn', 'protocol', 'zebra'])
  }

  async noIp(vni: number, ip: string, device = `br-${vni}`): Promise<void> {
    await this.#chassis.run(['ip', 'neigh', 'del', ip, 'dev', device])
  }

  async #bridge(...args: readonly string[]): Promise<void> {
    await this.#chassis.run(['bridge', 'fdb', ...args])
  }
}
