// A chassis on fakes for tests of one subject: br-int, ports in VNI 100, and that VNI's vxlan device. Not started.
import { AF } from '../../lib/netlink/index.js'
import { Chassis } from './chassis.js'
import { Clock } from './clock.js'

/**
 * `ports`: evpn-addresses by name, '' = none. Time stands still from here on, until the test uninstalls the clock. `row`: what all
 * rows of the vxlan device have in common.
 */
export function chassisOfVni100(ports: Readonly<Record<string, string>>, localIps = '198.51.100.1') {
  const clock = new Clock()
  clock.install()
  const chassis = new Chassis(clock)
  const { database, kernel } = chassis
  database.addBridge('br-int')
  for (const [name, addresses] of Object.entries(ports)) {
    database.addPort('br-int', name, { external_ids: new Map([['dynamic-routing-vni', '100'], ...(addresses === '' ? [] : [['evpn-addresses', addresses] as const])]) })
  }
  database.setKey('Open_vSwitch', database.root, 'ovn-evpn-local-ip', localIps)
  const vxlan = { vni: 100, port: 60000, learning: false, external: false, vnifilter: false }
  const device = kernel.create({ name: 'vxlan-100', kind: 'vxlan', mac: '02:00:00:00:dd:01', vxlan })
  return { clock, chassis, kernel, row: { family: AF.BRIDGE, ifindex: device?.ifindex ?? 0, type: 0 } as const }
}
