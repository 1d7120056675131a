// The flow-based tunnel ports: one per UDP port on the integration bridge, as rows of OVSDB. What is there is the
// replica; what must change is computed from it whole, and one transaction is under way at a time.
import { atoms, text, textMap, uuids } from '../config/columns.js'
import { isOvnBridge, type TableView } from '../config/database.js'
import { isTunnelPort, TUNNEL_MARK, TUNNEL_PREFIX, tunnelName } from '../config/tunnel-port.js'
import { insert, mutate, namedUuid, uuidRef, type Mutation, type Operation, type Row } from '../ovsdb/index.js'

export interface TunnelPlan {
  readonly operations: readonly Operation[]
  /** What stands in the way, by port name. */
  readonly problems: ReadonlyMap<string, string>
  /**
   * True when a wanted port leaves another bridge first. ovs-vswitchd must have removed it there before it is made here:
   * a port that moves within one transaction fails with "File exists" and stays so (measured on 3.1.0).
   */
  readonly isMove: boolean
  /** True when OVS could not make a wanted port. It tries again with its next configuration only, whatever that is about. */
  readonly isRefused: boolean
  /** What differs from what is wanted, in words. */
  readonly changes: readonly string[]
}

/**
 * The operations that leave exactly the wanted tunnel ports on the bridge, those of ours elsewhere removed. `overIpv6`: packets
 * go to VTEPs over IPv6, so they need a UDP checksum.
 */
export function planTunnels(bridgeUuid: string | undefined, udpPorts: readonly number[], table: TableView, overIpv6 = false): TunnelPlan {
  const wanted = new Map(udpPorts.map((port) => [tunnelName(port), port]))
  const operations: Operation[] = []
  const changes: string[] = []
  const problems = new Map<string, string>()
  const present = new Set<string>()
  const leaving = new Set<string>()
  let isRefused = false
  const named = namedLikeOurs(table)
  for (const [uuid, bridge] of table('Bridge')) {
    const own = named.filter(([portUuid]) => atoms(bridge['ports']).includes(portUuid))
    // Beside ours, its tunnel ports look like ours.
    if (own.length === 0 || (uuid !== bridgeUuid && isOvnBridge(bridge, table))) continue
    for (const [portUuid, port] of own) {
      const name = text(port['name'])
      const udpPort = uuid === bridgeUuid ? wanted.get(name) : undefined
      if (!isTunnelPort(port)) {
        if (wanted.has(name)) problems.set(name, `port ${name} exists and is not ours (no external_ids:${TUNNEL_MARK}=true)`)
      } else if (udpPort === undefined || present.has(name)) {
        operations.push(mutate('Bridge', uuid, [['ports', 'delete', [uuidRef(portUuid)]]]))
        changes.push(`port ${name} is one too many`)
        if (wanted.has(name)) leaving.add(name)
      } else {
        present.add(name)
        isRefused ||= interfacesOf(port, table).some(([, row]) => atoms(row['error']).length > 0)
        operations.push(...repairs(name, port, tunnelOptions(udpPort, overIpv6), table, changes))
      }
    }
  }
  const isMove = bridgeUuid !== undefined && leaving.size > 0
  if (bridgeUuid === undefined) return { operations, problems, isMove, isRefused, changes }
  for (const [name, udpPort] of wanted) {
    if (!present.has(name) && !leaving.has(name) && !problems.has(name)) {
      changes.push(`port ${name} is missing`)
      operations.push(...creation(bridgeUuid, name, udpPort, overIpv6))
    }
  }
  return { operations, problems, isMove, isRefused, changes }
}

/** All that can be ours: few of a chassis' thousands of ports. */
function namedLikeOurs(table: TableView): [uuid: string, port: Row][] {
  const named: [string, Row][] = []
  for (const [uuid, port] of table('Port')) {
    const { name } = port
    if (typeof name === 'string' && name.startsWith(TUNNEL_PREFIX)) named.push([uuid, port])
  }
  return named
}

/**
 * The four options that make a tunnel port flow-based; a user's others (tos, df_default ...) stay. Over IPv6 csum, unless the user
 * has set it: the kernel datapath sends UDP without a checksum otherwise, and a vxlan device of Linux, which has no
 * udp6zerocsumrx by default, takes no such packet (RFC 8200 section 8.1).
 */
function tunnelOptions(udpPort: number, overIpv6: boolean): ReadonlyMap<string, string> {
  const checksum: readonly [string, string][] = overIpv6 ? [['csum', 'true']] : []
  return new Map([['local_ip', 'flow'], ['remote_ip', 'flow'], ['key', 'flow'], ['dst_port', String(udpPort)], ...checksum])
}

function creation(bridgeUuid: string, name: string, udpPort: number, overIpv6: boolean): Operation[] {
  const id = udpPort
  return [
    insert('Interface', { name, type: 'vxlan', options: tunnelOptions(udpPort, overIpv6) }, `iface${id}`),
    insert('Port', { name, interfaces: [namedUuid(`iface${id}`)], external_ids: new Map([[TUNNEL_MARK, 'true']]) }, `port${id}`),
    mutate('Bridge', bridgeUuid, [['ports', 'insert', [namedUuid(`port${id}`)]]])
  ]
}

function repairs(name: string, port: Row, wanted: ReadonlyMap<string, string>, table: TableView, changes: string[]): Operation[] {
  return interfacesOf(port, table).flatMap(([uuid, row]) => {
    const options = textMap(row['options'])
    const drifted = new Map([...wanted].filter(([key, value]) => (key === 'csum' ? !options.has(key) : options.get(key) !== value)))
    const mutations: Mutation[] = drifted.size === 0 ? [] : [['options', 'delete', [...drifted.keys()]], ['options', 'insert', drifted]]
    for (const [key, value] of drifted) changes.push(`port ${name} has ${key}=${options.get(key) ?? '(nothing)'} instead of ${value}`)
    return mutations.length === 0 ? [] : [mutate('Interface', uuid, mutations)]
  })
}

function interfacesOf(port: Row, table: TableView): [uuid: string, row: Row][] {
  return uuids(port['interfaces']).flatMap((uuid): [string, Row][] => {
    const row = table('Interface').get(uuid)
    return row === undefined ? [] : [[uuid, row]]
  })
}
