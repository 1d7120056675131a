// The flows and the group that one address needs: what is wanted, from the sink; what stands there and what it counted, from the
// switch. The questions are narrow, a table and a match each, however many flows there are.
import type { Domain } from '../../evpn/domain.js'
import type { RemoteMac } from '../../evpn/remote-mac.js'
import { vtepKey } from '../../evpn/vtep.js'
import { ipFamily, type Ip } from '../../net/ip.js'
import type { Mac } from '../../net/mac.js'
import { encodeMatch, type FlowStats } from '../../openflow/index.js'
import type { Flow } from '../../pipeline/flow.js'
import { encapFlows, remoteMacPlace } from '../../pipeline/forward.js'
import { isOurCookie } from '../../pipeline/slots.js'
import { knownPlace } from '../../pipeline/suppress.js'
import { TABLE, TABLES } from '../../pipeline/tables.js'
import { compilePlace, decompileFlow, describeFlowKey, describeFlowValue, entryOfDesc, tableOfKey } from '../../sink/flow-entry.js'
import { FOREIGN_GROUP } from '../../sink/watch.js'
import type { FlowExplanation, GroupExplanation } from './explanation.js'
import { groupUsedBy, responderOf } from '../refresh/index.js'
import { pathsOf } from '../report/reports.js'
import type { State } from '../state.js'

/** Keys of the flows that traffic to the address and from it needs, in the order of the tables. */
export function flowsOf(state: State, domain: Domain, mac: Mac, ip: Ip | undefined): string[] {
  const { vni } = domain
  const { flows } = state.switch
  const remote = state.macs.get(vni, mac)
  const port = state.claims.get(vni, mac)?.local.port
  return [
    ...(ip === undefined || responderOf(state, vni, ip) === undefined ? [] : [compilePlace(knownPlace(vni, ip)), ...flows.keysOf(`ip ${vni} ${ip}`)]),
    ...(remote === undefined ? [] : [compilePlace(remoteMacPlace(vni, mac)), ...remoteKeys(state, domain, remote)]),
    ...flows.keysOf(`local ${vni} ${mac}`),
    ...(port === undefined ? [] : flows.keysOf(`port ${port}`).filter((key) => isOfVni(state, key, vni)))
  ].sort((a, b) => tableOfKey(a) - tableOfKey(b))
}

/** What all MACs behind its VTEPs share: the way into the tunnel, and the way out of it. */
function remoteKeys(state: State, { vni, localIps }: Domain, remote: RemoteMac): string[] {
  const keys = pathsOf(state, remote).flatMap(({ ip }) => {
    const key = vtepKey(ip, remote.udpPort)
    const [vtep, localIp] = [state.vteps.get(vni, key), localIps[ipFamily(ip)]]
    if (vtep?.ofport === undefined || localIp === undefined) return []
    const [own, brought] = encapFlows(vni, ipFamily(ip), remote.udpPort, localIp, vtep.ofport)
    const encap = remote.encapVni === undefined ? own : brought
    return [...(encap === undefined ? [] : [compilePlace(encap)]), ...state.switch.flows.keysOf(`vtep ${vni} ${key}`)]
  })
  const group = remote.via.kind === 'nexthop' ? state.switch.flows.keysOf(`nexthop-use ${vni} ${remote.via.id}`) : []
  return [...new Set([...group, ...keys])]
}

/** Of a trunk's flows, those of one VNI. */
function isOfVni(state: State, key: string, vni: number): boolean {
  const value = state.switch.flows.desired(key)
  if (value === undefined) return false
  const { table, match, actions }: Flow = decompileFlow([key, value])
  if (table === TABLE.DELIVER) return Number(match.metadata) === vni
  if (table !== TABLE.CLASSIFY) return table === 0
  return actions.some((action) => action.kind === 'set_field' && action.field === 'metadata' && Number(action.value) === vni)
}

/** Rejects when the switch cannot be asked. */
export async function explainFlows(state: State, keys: readonly string[]): Promise<FlowExplanation[]> {
  return await Promise.all(keys.map(async (key) => {
    const wanted = state.switch.flows.desired(key) ?? ''
    const { match } = decompileFlow([key, wanted])
    const found = (await state.switch.flowStats({ tableId: tableOfKey(key), match: encodeMatch(match) })).find((stats) => entryOfDesc(stats)[0] === key)
    return flowExplanation(key, wanted, found, state.switch.flows.blocked().get(key))
  }))
}

function flowExplanation(key: string, wanted: string, found: FlowStats | undefined, reason: string | undefined): FlowExplanation {
  const table = tableOfKey(key)
  const held = found && entryOfDesc(found)[1]
  return {
    table: TABLES.find(({ id }) => id === table)?.name ?? 'ENTRY',
    flow: describeFlowKey(key),
    actions: describeFlowValue(held ?? wanted),
    state: found === undefined ? 'missing' : !isOurCookie(found.cookie) ? 'foreign' : held === wanted ? 'installed' : 'different',
    ...(reason === undefined ? {} : { reason }),
    ...(found === undefined ? {} : { packets: Number(found.packets), bytes: Number(found.bytes), idle_s: Math.round(found.idleMs / 1000) })
  }
}

/** The group of a MAC behind a nexthop; undefined when it needs none. Rejects when the switch cannot be asked. */
export async function explainGroup(state: State, remote: RemoteMac | undefined): Promise<GroupExplanation | undefined> {
  if (remote?.via.kind !== 'nexthop') return undefined
  const { id } = remote.via
  const group = groupUsedBy(state, remote.vni, id)
  if (group === undefined) return undefined
  const stats = await state.switch.groupStats(group)
  const { groups } = state.switch
  const reason = groups.blocked().get(String(group))
  return {
    group, nexthop: id,
    buckets: stats?.buckets.length ?? 0,
    state: stats === undefined ? 'missing' : reason === FOREIGN_GROUP ? 'foreign' : groups.isPending(String(group)) ? 'different' : 'installed',
    ...(reason === undefined ? {} : { reason }),
    ...(stats === undefined ? {} : { packets: Number(stats.packets), bytes: Number(stats.bytes) })
  }
}
