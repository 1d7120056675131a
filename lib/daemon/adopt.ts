// What the switch remembers when we start: remote MACs and VTEPs of floods that no row supports. They may be what a routing
// daemon withdrew while it restarted together with us, so they become stale rows. IPs do not: requests for them are flooded.
import type { Domain } from '../evpn/domain.js'
import { vtepKey } from '../evpn/vtep.js'
import { NTF, NUD, AF } from '../netlink/index.js'
import { ZERO_MAC, type Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { FdbRow } from '../mirror/fdb.js'
import { OpenFlowDecodeError, type Action } from '../openflow/index.js'
import { nexthopPlace } from '../pipeline/nexthop.js'
import { destinationOf, nexthopOf, remoteMacOf, vniOfFloodPart, type Destination } from '../pipeline/remembered.js'
import { TABLE } from '../pipeline/tables.js'
import { compilePlace, decompileFlow, tableOfKey } from '../sink/flow-entry.js'
import { actionsOfBuckets } from '../sink/group-entry.js'
import type { State } from './state.js'

/** Makes stale rows of what the switch holds and nobody wants. What is desired has to be derived, and the switch read. */
export function adoptRemembered(state: State): void {
  state.stale.adopt([...rememberedVteps(state), ...rememberedMacs(state)], state.homes.fdb)
}

function rememberedMacs(state: State): FdbRow[] {
  const { flows } = state.switch
  return flows.pending(Infinity).flatMap(({ key, desired, realized }) => {
    if (desired !== undefined || realized === undefined || tableOfKey(key) !== TABLE.FORWARD) return []
    const flow = understood(() => decompileFlow([key, realized]))
    const whose = flow && remoteMacOf(flow)
    const domain = whose && state.domains.get(whose.vni)
    const to = flow && whose && destinationOf(behindNexthop(state, whose.vni, flow.actions))
    // What is bound here was another's before, at most.
    if (whose === undefined || domain === undefined || to === undefined || state.locals.get(whose.vni, whose.mac) !== undefined) return []
    return rowOf(domain, whose.mac, { ...to, ip: to.ip ?? firstOf(state, to.group) }, NUD.NOARP, NTF.SELF | NTF.EXT_LEARNED)
  })
}

/** What is done with packets to a MAC: as its flow says, or that of the nexthop that it is behind. */
function behindNexthop(state: State, vni: Vni, actions: readonly Action[]): readonly Action[] {
  const id = nexthopOf(actions)
  if (id === undefined) return actions
  const key = compilePlace(nexthopPlace(vni, id))
  const value = state.switch.flows.realized(key)
  return (value === undefined ? undefined : understood(() => decompileFlow([key, value]))?.actions) ?? []
}

/** The first path of a nexthop group: its nexthops are gone, and one of them is enough. */
function firstOf(state: State, group: number | undefined): string | undefined {
  const value = group === undefined ? undefined : state.switch.groups.realized(String(group))
  const actions = value && understood(() => actionsOfBuckets(value))
  return actions?.map((each) => destinationOf(each)?.ip).find((ip) => ip !== undefined)
}

function rememberedVteps(state: State): FdbRow[] {
  return state.switch.groups.pending(Infinity).flatMap(({ key, realized }) => {
    const vni = vniOfFloodPart(Number(key))
    const domain = vni === undefined ? undefined : state.domains.get(vni)
    if (domain === undefined || realized === undefined) return []
    return (understood(() => actionsOfBuckets(realized)) ?? []).flatMap((actions) => {
      const to = destinationOf(actions)
      const isKnown = to?.ip === undefined || state.vteps.get(domain.vni, vtepKey(to.ip, to.udpPort))?.flood === true
      return isKnown ? [] : rowOf(domain, ZERO_MAC, to, NUD.NOARP | NUD.PERMANENT, NTF.SELF)
    })
  })
}

/** The row that a speaker would have written for it. */
function rowOf({ tables: [table], udpPort }: Domain, lladdr: Mac, to: Destination, nud: number, flags: number): FdbRow[] {
  if (table === undefined || to.ip === undefined) return []
  const [ifindex, srcVni] = table.split(' ').map(Number)
  return [{
    family: AF.BRIDGE, ifindex: ifindex ?? 0, state: nud, flags, type: 0, lladdr, dst: to.ip,
    ...(to.udpPort === udpPort ? {} : { port: to.udpPort }),
    ...(to.encapVni === undefined ? {} : { vni: to.encapVni }),
    ...(srcVni === undefined ? {} : { srcVni })
  }]
}

function understood<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (error instanceof OpenFlowDecodeError) return undefined
    throw error
  }
}
