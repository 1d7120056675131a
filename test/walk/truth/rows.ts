// The kernel rows that tell others of our addresses: exactly those that should be there.
import { NUD } from '../../../lib/netlink/index.js'
import type { BridgeRow } from '../kernel/rows.js'
import { readConfig, trueVnis } from './config.js'
import type { Things } from './world.js'
import { readVni } from './vni.js'

/**
 * The agent's rows in the kernel: on the advertise device of a VNI or one an option names, all; on the default one of a VNI
 * that nobody names, in its default bridge, static ones; and neighbours with its protocol.
 */
export function ourRows({ kernel, database }: Things): string[] {
  const config = readConfig(database)
  const ofVnis = trueVnis(config).map((vni) => config.option('dynamic-routing-advertise-ifname', vni) ?? `lo-${vni}`)
  const given = new Set([...config.advertiseNames, ...ofVnis])
  const isOurs = ({ port, bridge, state }: BridgeRow) => {
    const device = kernel.devices.get(port)
    if (device?.kind !== 'veth' || (state & NUD.PERMANENT) !== 0) return false
    const [, vni] = /^lo-(\d+)$/.exec(device.name) ?? []
    return given.has(device.name) || (vni !== undefined && kernel.devices.get(bridge)?.name === `br-${vni}` && (state & NUD.NOARP) !== 0)
  }
  const neighbours = kernel.neighbours.all().filter(({ protocol }) => protocol === 85)
  return [
    ...kernel.bridges.all().filter(isOurs).map(({ port, mac, vlan }) => `fdb ${port} ${mac} ${vlan}`),
    ...neighbours.map(({ ifindex, ip, mac }) => `neigh ${ifindex} ${ip} ${mac}`)
  ].sort()
}

/** What ourRows should be. Where two VNIs share devices and want different things for one row, either is right. */
export function checkOurRows(things: Things): string[] {
  const config = readConfig(things.database)
  if (config.isOvns) return []
  const fake = things.vswitchd.switches.get(config.bridge)
  const wanted = trueVnis(config).flatMap((vni) => readVni(vni, config, things.kernel, fake).told)
  const present = ourRows(things)
  const identity = (row: string) => row.split(' ').slice(0, row.startsWith('fdb') ? 4 : 3).join(' ')
  const rivals = (row: string) => wanted.filter((other) => identity(other) === identity(row))
  const missing = wanted.filter((row) => !rivals(row).some((one) => present.includes(one)))
  const extra = present.filter((row) => !wanted.includes(row))
  return [...missing.map((row) => `not told to others: ${row}`), ...extra.map((row) => `should not be told to others: ${row}`)]
}
