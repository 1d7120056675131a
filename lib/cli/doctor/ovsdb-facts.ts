// The columns of OVSDB that doctor looks at, read once: the daemon itself has no use for most of them.
import { parseBridge } from '../../config/bridge.js'
import { atoms, text, textMap, uuids } from '../../config/columns.js'
import { isOvnKey } from '../../config/database.js'
import type { ShowReport } from '../../daemon/report/report.js'
import { parseSystem } from '../../config/system.js'
import { OvsdbClient, type Row } from '../../ovsdb/index.js'
import type { BridgeFact, Facts, InterfaceFact } from './facts.js'

const TABLES = {
  Open_vSwitch: ['external_ids'],
  Bridge: ['name', 'ports', 'fail_mode', 'datapath_type', 'controller', 'external_ids'],
  Controller: ['target'],
  Port: ['name', 'interfaces', 'external_ids'],
  Interface: ['name', 'type', 'options', 'external_ids', 'mtu']
} as const

const TIMEOUT_MS = 5_000

export type OvsdbFacts = Pick<Facts, 'bridges' | 'interfaces' | 'systemIds' | 'system' | 'options'>

/** From the database that the daemon follows. Rejects when it cannot be read within some seconds. */
export async function readOvsdb({ ovsdb, bridge }: ShowReport): Promise<OvsdbFacts> {
  const remote = /connected to (\S+)/.exec(ovsdb)?.[1] ?? ''
  if (remote.startsWith('ssl:')) throw new Error(`${remote} needs keys that only the daemon has`)
  let client: OvsdbClient | undefined
  try {
    client = await connected(remote)
    return factsOf((table) => [...client?.table(table) ?? []], bridge)
  } finally {
    client?.close()
  }
}

function connected(remote: string): Promise<OvsdbClient> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer)
      client.close()
      reject(new Error(`${remote}: ${why}`))
    }
    const client = new OvsdbClient({
      remote, database: 'Open_vSwitch', tables: TABLES,
      handlers: {
        up: () => {
          clearTimeout(timer)
          resolve(client)
        },
        down: fail, changes: () => undefined
      }
    })
    const timer = setTimeout(() => fail('no answer'), TIMEOUT_MS)
    client.start()
  })
}

function factsOf(table: (name: keyof typeof TABLES) => readonly (readonly [uuid: string, row: Row])[], integration: string): OvsdbFacts {
  const [controllers, ports, interfaces] = [new Map(table('Controller')), new Map(table('Port')), new Map(table('Interface'))]
  const bridges = table('Bridge').map(([, row]) => row)
  const portsOf = (row: Row): Row[] => uuids(row['ports']).map((uuid) => ports.get(uuid)).filter((port) => port !== undefined)
  const systemIds = textMap(table('Open_vSwitch')[0]?.[1]['external_ids'])
  const options = parseBridge(integration, textMap(bridges.find((row) => text(row['name']) === integration)?.['external_ids'])).config
  return {
    systemIds, system: parseSystem(systemIds).config, options,
    bridges: bridges.map((row): BridgeFact => ({
      name: text(row['name']), failMode: text(row['fail_mode']), datapathType: text(row['datapath_type']),
      controllers: uuids(row['controller']).map((uuid) => text(controllers.get(uuid)?.['target'])),
      ports: portsOf(row).map((port) => text(port['name'])),
      ovnKeys: [...textMap(row['external_ids']).keys()].filter(isOvnKey),
      ovnPorts: portsOf(row).filter((port) => textMap(port['external_ids']).has('ovn-chassis-id')).map((port) => text(port['name']))
    })),
    interfaces: bridges.flatMap((bridge) => portsOf(bridge).flatMap((port) => uuids(port['interfaces']).flatMap((uuid): InterfaceFact[] => {
      const row = interfaces.get(uuid)
      const [mtu] = atoms(row?.['mtu'])
      return row === undefined ? [] : [{
        name: text(row['name']), bridge: text(bridge['name']), type: text(row['type']), options: textMap(row['options']), externalIds: textMap(row['external_ids']),
        ...(mtu === undefined ? {} : { mtu: Number(mtu) })
      }]
    })))
  }
}
