// Rows on an advertise device count as ours. A vxlan device named as one by mistake holds the speaker's rows: they stay.
import t from 'tap'
import { Agent } from '../../lib/daemon/agent.js'
import { AF, NTF, NUD, type NeighRow, type WriteRequest } from '../../lib/netlink/index.js'
import type { Row } from '../../lib/ovsdb/index.js'
import { BRIDGE, BRIDGE_LINK, VXLAN, vxlan } from '../evpn/world.js'
import { settle } from '../sink/time.js'

const LOCAL = '02:00:00:00:00:01'
const REMOTE = '02:00:00:00:00:02'

/** An agent for one port of VNI 1000, with this advertise device. */
function startAgent(advertise: string): { readonly agent: Agent, readonly writes: WriteRequest[] } {
  const writes: WriteRequest[] = []
  const port = { 'dynamic-routing-vni': '1000', 'evpn-addresses': LOCAL }
  const tables: Record<string, [string, Row][]> = {
    Open_vSwitch: [['o', { external_ids: new Map() }]],
    Bridge: [['00000000-0000-0000-0000-000000000001', { name: 'br-int', ports: ['p'], fail_mode: ['secure'], external_ids: new Map([['dynamic-routing-advertise-ifname', advertise]]) }]],
    Port: [['p', { name: 'vm1', interfaces: ['i'], external_ids: new Map() }]],
    Interface: [['i', { name: 'vm1', type: '', options: new Map(), ofport: [1], error: [], external_ids: new Map(Object.entries(port)) }]]
  }
  const module = { info: () => undefined, warn: () => undefined, err: () => undefined }
  const agent = new Agent({
    kernel: {
      dump: () => Promise.resolve({ interrupted: false }),
      drain: () => undefined,
      request: () => Promise.reject(new Error('no device is to be made here')),
      write: (requests) => {
        writes.push(...requests)
        return Promise.resolve(requests.map(() => undefined))
      }
    },
    database: { table: (name: string) => new Map(tables[name]), transact: () => new Promise(() => undefined), reconfigured: () => Promise.resolve() },
    log: { module: () => module } as never,
    bridgeChanged: () => undefined
  })
  return { agent, writes }
}

const remote: NeighRow = { family: AF.BRIDGE, ifindex: VXLAN, master: BRIDGE, state: NUD.NOARP, flags: NTF.EXT_LEARNED, type: 0, lladdr: REMOTE }

await t.test("a vxlan device as advertise device: the speaker's rows stay, none of ours is written there, and it is said", async (t) => {
  const { agent, writes } = startAgent('vxlan-1000')
  t.teardown(() => agent.stop())
  agent.feed.resync()
  await settle()
  agent.kernelMessages([
    { kind: 'link', op: 'new', row: BRIDGE_LINK }, { kind: 'link', op: 'new', row: vxlan() }, { kind: 'neigh', op: 'new', row: remote }
  ])
  agent.databaseChanged(true, [])
  await settle()
  t.ok(agent.isSynced)
  t.strictSame(writes, [])
  t.match([...agent.notices.standing.keys()].join('\n'), 'VNI 1000: vxlan-1000 is a vxlan and cannot be the advertise device: its rows are not ours')
})
