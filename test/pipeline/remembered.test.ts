// What a switch remembers, read back: the inverse of what builds the flow of a remote MAC, the buckets of floods and nexthop groups.
import t from 'tap'
import { partition } from '../../lib/evpn/flood.js'
import type { RemoteMac } from '../../lib/evpn/remote-mac.js'
import { floodEntries } from '../../lib/pipeline/flood.js'
import { localMacFlow, portlessMacFlow, remoteMacFlow } from '../../lib/pipeline/forward.js'
import { nexthopFlow, nexthopGroup, nexthopGroupId } from '../../lib/pipeline/nexthop.js'
import { destinationOf, nexthopOf, remoteMacOf, vniOfFloodPart } from '../../lib/pipeline/remembered.js'
import { compileFlow, decompileFlow } from '../../lib/sink/flow-entry.js'
import { actionsOfBuckets, compileGroup } from '../../lib/sink/group-entry.js'

const MAC = '02:00:00:00:00:01'

const REMOTES: readonly Pick<RemoteMac, 'via' | 'udpPort' | 'encapVni'>[] = [
  { via: { kind: 'vtep', ip: '192.0.2.2' }, udpPort: 4789, encapVni: undefined },
  { via: { kind: 'vtep', ip: '2001:db8::2' }, udpPort: 65535, encapVni: undefined },
  { via: { kind: 'vtep', ip: '192.0.2.2' }, udpPort: 1, encapVni: 77 }
]

for (const remote of REMOTES) {
  await t.test(`a MAC behind ${JSON.stringify(remote)}`, (t) => {
    const flow = decompileFlow(compileFlow(remoteMacFlow({ ...remote, vni: 0xffffff, mac: MAC, sticky: false })))
    t.same(remoteMacOf(flow), { vni: 0xffffff, mac: MAC })
    const { via, udpPort, encapVni } = remote
    t.same(destinationOf(flow.actions), { ip: via.kind === 'vtep' ? via.ip : undefined, group: undefined, udpPort, encapVni })
    t.equal(nexthopOf(flow.actions), undefined)
    t.end()
  })
}

await t.test('a MAC behind a nexthop, and the group that its VNI uses for it', (t) => {
  const id = 0xfffffffe
  const mac = decompileFlow(compileFlow(remoteMacFlow({ vni: 1000, mac: MAC, via: { kind: 'nexthop', id }, udpPort: 4790, encapVni: undefined, sticky: false })))
  t.same(remoteMacOf(mac), { vni: 1000, mac: MAC })
  t.equal(nexthopOf(mac.actions), id)
  const use = decompileFlow(compileFlow(nexthopFlow(1000, id, nexthopGroupId(id, '192.0.2.2'), 4790)))
  t.same(destinationOf(use.actions), { ip: undefined, group: nexthopGroupId(id, '192.0.2.2'), udpPort: 4790, encapVni: undefined })
  t.equal(nexthopOf(localMacFlow(1000, MAC, 7).actions), undefined, 'a port is none')
  t.end()
})

await t.test('flows of MACs that are here are none of a remote MAC', (t) => {
  for (const flow of [localMacFlow(1000, MAC, 1), portlessMacFlow(1000, MAC)]) t.equal(remoteMacOf(decompileFlow(compileFlow(flow))), undefined)
  t.end()
})

await t.test('the VTEPs of a flood, and none of its local ports', (t) => {
  const set = partition(1000, [
    { kind: 'remote', ip: '192.0.2.2', udpPort: 4789, encapVni: undefined, hash: 1 },
    { kind: 'remote', ip: '2001:db8::2', udpPort: 4790, encapVni: 77, hash: 2 },
    { kind: 'local', port: 'w1', ofport: 1, hash: 3 }
  ])
  const found = floodEntries(set).groups.map((group) => compileGroup(group)).flatMap(([key, value]) => {
    const vni = vniOfFloodPart(Number(key))
    return vni === undefined ? [] : actionsOfBuckets(value).map(destinationOf).filter((to) => to?.ip !== undefined).map((to) => ({ vni, ...to }))
  })
  t.same(found, [
    { vni: 1000, ip: '192.0.2.2', group: undefined, udpPort: 4789, encapVni: undefined },
    { vni: 1000, ip: '2001:db8::2', group: undefined, udpPort: 4790, encapVni: 77 }
  ])
  t.equal(vniOfFloodPart(nexthopGroupId(5, '')), undefined, 'a nexthop group is no flood')
  t.end()
})

await t.test('the VTEPs of a nexthop group', (t) => {
  const [, value] = compileGroup(nexthopGroup(nexthopGroupId(5, ''), [{ ip: '192.0.2.2', weight: 1 }, { ip: '2001:db8::2', weight: 2 }]))
  t.same(actionsOfBuckets(value).map((actions) => destinationOf(actions)?.ip), ['192.0.2.2', '2001:db8::2'])
  t.end()
})
