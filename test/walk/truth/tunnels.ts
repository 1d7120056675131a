// The tunnel ports in the database: one for each UDP port, with the four options that make it flow-based; none elsewhere;
// and ports that others gave such a name stay theirs.
import { textOf, texts, type FakeDatabase } from '../ovsdb/database.js'
import type { Row } from '../ovsdb/types.js'
import { readConfig, trueVnis } from './config.js'
import { readVni } from './vni.js'
import type { Things } from './world.js'

interface Tunnel { readonly bridge: string, readonly name: string, readonly isOurs: boolean, readonly interfaces: readonly Row[] }

/** Every disagreement, in words. */
export function checkTunnels({ database, kernel }: Things): string[] {
  const config = readConfig(database)
  if (config.isOvns) return []
  const tunnels = tunnelsIn(database)
  const overIpv6 = trueVnis(config).some((vni) => readVni(vni, config, kernel, undefined).localIp('::') !== undefined)
  const wanted = config.exists ? config.udpPorts.map((udpPort) => `ovn-evpn-${udpPort}`) : []
  // A name is given once: somebody's own port, or ours that is left to ovn-controller, stands in the way.
  const isTaken = ({ isOurs, bridge }: Tunnel) => !isOurs || bridge === config.bridge || isOvns(database, bridge)
  const missing = wanted.filter((name) => !tunnels.some((tunnel) => tunnel.name === name && isTaken(tunnel)))
  const isRight = ({ name, bridge }: Tunnel) => (bridge === config.bridge && wanted.includes(name)) || isOvns(database, bridge)
  const extra = tunnels.filter((tunnel) => tunnel.isOurs && !isRight(tunnel))
  return [
    ...missing.map((name) => `there is no tunnel port ${name} on ${config.bridge}`),
    ...extra.map(({ name, bridge }) => `tunnel port ${name} should not be on ${bridge}`),
    ...tunnels.filter(({ isOurs, bridge }) => isOurs && bridge === config.bridge).flatMap((tunnel) => checkOptions(tunnel, overIpv6))
  ]
}

function tunnelsIn(database: FakeDatabase): Tunnel[] {
  return [...database.table('Bridge').values()].flatMap((bridge) => texts(bridge['ports']).flatMap((uuid) => {
    const port = database.table('Port').get(uuid)
    if (port === undefined || !/^ovn-evpn-\d+$/.test(textOf(port['name']))) return []
    const isOurs = (port['external_ids'] as ReadonlyMap<string, string>).get('ovn-evpn-tunnel') === 'true'
    const interfaces = texts(port['interfaces']).map((one) => database.table('Interface').get(one)).filter((row) => row !== undefined)
    return [{ bridge: textOf(bridge['name']), name: textOf(port['name']), isOurs, interfaces }]
  }))
}

/** While ovn-controller's mark is on a bridge that is not ours, its ports are left alone, whatever they look like. */
function isOvns(database: FakeDatabase, bridge: string): boolean {
  const row = database.table('Bridge').get(database.find('Bridge', bridge) ?? '')
  return (row?.['external_ids'] as ReadonlyMap<string, string> | undefined)?.has('ct-zone-x') === true
}

function checkOptions({ name, interfaces }: Tunnel, overIpv6: boolean): string[] {
  return interfaces.flatMap((row) => {
    const options = row['options'] as ReadonlyMap<string, string>
    const wrong = [['local_ip', 'flow'], ['remote_ip', 'flow'], ['key', 'flow'], ['dst_port', name.slice('ovn-evpn-'.length)]]
      .filter(([key, value]) => options.get(key as string) !== value)
    return [
      ...wrong.map(([key, value]) => `tunnel port ${name} has options:${key}=${options.get(key as string)}, not ${value}`),
      ...(overIpv6 && !options.has('csum') ? [`tunnel port ${name} has no options:csum, and there are IPv6 tunnels`] : [])
    ]
  })
}
