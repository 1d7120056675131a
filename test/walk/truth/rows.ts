// The kernel rows that tell others of our addresses: exactly those that should be there.
import { NUD } from '../../../lib/netlink/index.js'
import type { Chassis } from '../chassis.js'
import type { Device } from '../kernel/rows.js'
import { readConfig, trueVnis } from './config.js'
import { readVni } from './vni.js'

/** The agent's rows in the kernel: on devices given to it, and neighbours with its protocol. */
export function ourRows({ kernel, database }: Chassis): string[] {
  const config = readConfig(database)
  const bridgeKeys = database.table('Bridge').get(database.find('Bridge', config.bridge) ?? '')?.['external_ids'] as ReadonlyMap<string, string> | undefined
  const named = [...bridgeKeys ?? []].filter(([key]) => key.startsWith('dynamic-routing-advertise-ifname')).map(([, name]) => name)
  const isGiven = (device: Device | undefined) => device?.kind === 'veth' && (named.includes(device.name) || /^lo-\d+$/.test(device.name))
  const fdb = kernel.bridges.all().filter(({ port, state }) => isGiven(kernel.devices.get(port)) && (state & NUD.PERMANENT) === 0)
  const neighbours = kernel.neighbours.all().filter(({ protocol }) => protocol === 85)
  return [...fdb.map(({ port, mac }) => `fdb ${port} ${mac}`), ...neighbours.map(({ ifindex, ip, mac }) => `neigh ${ifindex} ${ip} ${mac}`)].sort()
}

/** What ourRows should be. Where two VNIs share devices and want different things for one row, either is right. */
export function checkOurRows(chassis: Chassis): string[] {
  const config = readConfig(chassis.database)
  if (config.isOvns) return []
  const wanted = trueVnis(config).flatMap((vni) => readVni(vni, config, chassis.kernel).told)
  const present = ourRows(chassis)
  const identity = (row: string) => row.split(' ').slice(0, 3).join(' ')
  const present1 = new Set(present)
  const wantedIds = new Set(wanted.map(identity))
  const missing = wanted.filter((row) => !present1.has(row) && !wanted.some((other) => other !== row && identity(other) === identity(row) && present1.has(other)))
  const extra = present.filter((row) => !wanted.includes(row) && !(wantedIds.has(identity(row)) && missing.some((one) => identity(one) === identity(row))))
  return [...missing.map((row) => `not told to others: ${row}`), ...extra.map((row) => `should not be told to others: ${row}`)]
}
