// Checks of the integration bridge: who else is on it, and whether it can do its work.
import { command } from '../shell.js'
import { naming, type Check, type Found } from './check.js'
import { integrationBridge, type Facts, type InterfaceFact } from './facts.js'

const FOREIGN_FLOW = /^foreign flow in our place: (.*)$/
const NO_BRIDGE = /^bridge \S+ does not exist; waiting for it/
const FOREIGN_GROUP = /^foreign group in our place: group_id=(\d+)$/

/** The daemon finds them, and says so under the record `switch`. */
function foreign({ show }: Facts, pattern: RegExp, command: (what: string) => string): Found[] {
  return show.problems.flatMap(({ record, what }) => {
    const place = record === 'switch' ? pattern.exec(what)?.[1] : undefined
    return place === undefined ? [] : [{ subject: show.bridge, what, mend: [command(place)] }]
  })
}

/** Another flow-based tunnel port on the same UDP port: Open vSwitch makes only one. */
function refusedTunnels({ show, interfaces }: Facts): Found[] {
  return show.tunnels.filter(({ state }) => state === 'refused').map((tunnel) => {
    const others = interfaces.filter((one) => one.name !== tunnel.name && isTunnelOn(one, tunnel.udp_port))
    return {
      subject: tunnel.name, what: `Open vSwitch refuses our tunnel port ${tunnel.name}: ${tunnel.reason ?? 'no reason given'}${others.length === 0 ? '' : `; ${others.map(({ name }) => name).join(', ')} has UDP port ${tunnel.udp_port}`}`,
      // Open vSwitch tries again whenever its configuration changes, and the daemon makes its port again.
      mend: others.length > 0 ? others.map(({ name, bridge }) => command`ovs-vsctl del-port ${bridge} ${name}`) : [command`ovs-vsctl --if-exists del-port ${show.bridge} ${tunnel.name}`]
    }
  })
}

const VXLAN_PORT = 4789

function isTunnelOn({ type, options }: InterfaceFact, udpPort: number): boolean {
  return type === 'vxlan' && Number(options.get('dst_port') ?? VXLAN_PORT) === udpPort
}

/** The checks of this noun. */
export const BRIDGE_CHECKS: readonly Check[] = [
  {
    id: 'bridge-missing', severity: 'error', why: 'There is nowhere to forward packets.',
    covers: naming(NO_BRIDGE),
    // Where OVSDB cannot be read the daemon may know.
    find: (facts) => integrationBridge(facts) !== undefined || (facts.bridges.length === 0 && !facts.show.problems.some(({ what }) => NO_BRIDGE.test(what))) ? []
      : [{ subject: facts.show.bridge, what: `the integration bridge ${facts.show.bridge} does not exist`, mend: [command`ovs-vsctl add-br ${facts.show.bridge} -- set-fail-mode ${facts.show.bridge} secure`] }]
  },
  {
    id: 'bridge-fail-mode', severity: 'warning', why: 'Without it an empty bridge floods like a plain switch until our flows are there: broadcasts can circle.',
    covers: naming(/has no fail_mode=secure/),
    find: (facts) => {
      const bridge = integrationBridge(facts)
      return bridge === undefined || bridge.failMode === 'secure' ? []
        : [{ subject: bridge.name, what: `bridge ${bridge.name} is not fail_mode=secure`, mend: [command`ovs-vsctl set-fail-mode ${bridge.name} secure`] }]
    }
  },
  {
    id: 'bridge-controller', severity: 'warning', why: 'Another controller may delete our flows, or put its own in their way.',
    find: (facts) => {
      const bridge = integrationBridge(facts)
      return bridge === undefined || bridge.controllers.length === 0 ? []
        : [{ subject: bridge.name, what: `bridge ${bridge.name} has another controller: ${bridge.controllers.join(', ')}`, mend: [command`ovs-vsctl del-controller ${bridge.name}`] }]
    }
  },
  {
    id: 'foreign-flow', severity: 'error', why: 'It is left alone, and what we would put there is missing.',
    covers: ({ what }, found) => what === found.what,
    find: (facts) => foreign(facts, FOREIGN_FLOW, (place) => command`ovs-ofctl -O OpenFlow15 --strict del-flows ${facts.show.bridge} ${place.replace(', ', ',')}`)
  },
  {
    id: 'foreign-group', severity: 'error', why: 'It is left alone, and what we would put there is missing.',
    covers: ({ what }, found) => what === found.what,
    find: (facts) => foreign(facts, FOREIGN_GROUP, (place) => command`ovs-ofctl -O OpenFlow15 del-groups ${facts.show.bridge} group_id=${place}`)
  },
  {
    id: 'tunnel-refused', severity: 'error', why: 'No packet enters or leaves a tunnel on that UDP port.', find: refusedTunnels,
    covers: ({ record }, { subject }) => record === `port ${subject}`
  }
]
