// A workload's port: its way in, table 0 and CLASSIFY, and its way out, DELIVER. A trunk's tags are taken off on the way
// in and put on on the way out, so that between the two a VNI's frames look alike, whatever port they came from.
import type { Binding } from '../config/port.js'
import type { Action, Match } from '../openflow/index.js'
import { entryFlow } from './classify.js'
import { DROP, dropFor, portDropFlow, WRONG_VLAN } from './drops.js'
import { goTo, TAGGED, type Flow } from './flow.js'
import { TABLE } from './tables.js'

const PRIORITY = { PRIORITY_TAGGED: 201, KNOWN: 200, NO_VLAN: 100 } as const
const DELIVER_PRIORITY = { PRIORITY_TAGGED: 120, TAGGED: 110, ANY: 100 } as const

/** OpenFlow's vlan_vid: this bit is a tag's presence, below it the VLAN id (OpenFlow 1.5.1 section 7.2.3.8). */
const PRESENT = 0x1000
const UNTAGGED: Match = { vlan_vid: 0 }
/** A tag of VLAN 0 says a priority and no VLAN: to a bridge the frame is untagged (IEEE 802.1Q 6.9.1). */
const PRIORITY_TAGGED: Match = { vlan_vid: PRESENT }

const PCP = { field: 'vlan_pcp', offset: 0, bits: 3 } as const
const KEPT_PCP = { field: 'reg2', offset: 0, bits: 3 } as const
const TPID = 0x8100

export interface PortBinding extends Pick<Binding, 'vni' | 'vlan'> {
  /** evpn-inner-vlan carry: the VNI's frames may have tags of their own. */
  readonly isCarrying: boolean
  /** evpn-port-security is on, and the port is not one of any address. */
  readonly isSecured: boolean
}

/** All flows of a port with these bindings: of an access port one, of a trunk one for each VLAN. */
export function portFlows(ofport: number, bindings: readonly PortBinding[]): Flow[] {
  const isTrunk = bindings.some(({ vlan }) => vlan !== undefined)
  return [
    entryFlow(ofport),
    ...bindings.flatMap((binding) => [...classifyFlows(ofport, binding), ...deliverFlows(ofport, binding)]),
    ...(isTrunk ? noVlanFlows(ofport) : [])
  ]
}

/** Frames of a trunk that none of its VLANs takes: untagged ones too, unless 0:VNI is in its list. */
function noVlanFlows(ofport: number): Flow[] {
  return [
    { table: TABLE.CLASSIFY, priority: PRIORITY.NO_VLAN, match: { in_port: ofport }, actions: dropFor(WRONG_VLAN) },
    portDropFlow(ofport, WRONG_VLAN)
  ]
}

function classifyFlows(ofport: number, binding: PortBinding): Flow[] {
  const { vni, vlan, isCarrying, isSecured } = binding
  const flow = (priority: number, match: Match, ...strip: readonly Action[]): Flow => ({
    table: TABLE.CLASSIFY, priority, match: { in_port: ofport, ...match },
    actions: [...strip, { kind: 'set_field', field: 'metadata', value: vni }, goTo(isSecured ? TABLE.SECURE : TABLE.SOURCE)]
  })
  if (vlan === undefined) return [flow(PRIORITY.KNOWN, {}), ...(isCarrying ? [] : [flow(PRIORITY.PRIORITY_TAGGED, PRIORITY_TAGGED, { kind: 'pop_vlan' })])]
  if (vlan === 0) return [flow(PRIORITY.KNOWN, UNTAGGED), flow(PRIORITY.PRIORITY_TAGGED, PRIORITY_TAGGED, { kind: 'pop_vlan' })]
  return [flow(PRIORITY.KNOWN, { vlan_vid: PRESENT | vlan }, { kind: 'move', src: PCP, dst: KEPT_PCP }, { kind: 'pop_vlan' })]
}

function deliverFlows(ofport: number, { vni, vlan }: PortBinding): Flow[] {
  const flow = (priority: number, match: Match, actions: readonly Action[]): Flow =>
    ({ table: TABLE.DELIVER, priority, match: { metadata: vni, reg1: ofport, ...match }, actions })
  const out: Action = { kind: 'output', port: ofport }
  if (vlan === undefined) return [flow(DELIVER_PRIORITY.ANY, {}, [out])]
  if (vlan > 0) return [flow(DELIVER_PRIORITY.ANY, {}, [...pushTag(vlan), out])]
  // A tag that a VNI carries would be taken for one of the trunk's own: into another VNI.
  return [
    flow(DELIVER_PRIORITY.PRIORITY_TAGGED, PRIORITY_TAGGED, [out]),
    ...TAGGED.map((match) => flow(DELIVER_PRIORITY.TAGGED, match, dropFor(DROP.INNER_VLAN))),
    flow(DELIVER_PRIORITY.ANY, {}, [out])
  ]
}

/** A tunnel has no place for the priority: what comes out of one has 0. */
function pushTag(vlan: number): Action[] {
  return [
    { kind: 'push_vlan', ethertype: TPID },
    { kind: 'set_field', field: 'vlan_vid', value: PRESENT | vlan },
    { kind: 'move', src: KEPT_PCP, dst: PCP }
  ]
}
