// DROP: the end of every packet dropped for a reason. Whoever drops names the reason in reg6 and resubmits here; each
// (VNI, reason) has a flow of its own, whose packet counter is what `ovs-evpnctl drops` shows. The table holds nothing
// else, so reading it costs what is in it, whatever else is on the switch. Without its flow a packet is dropped all the
// same, only not counted.
import type { Vni } from '../net/number.js'
import type { Action, Match } from '../openflow/index.js'
import { goTo, type Flow } from './flow.js'
import { TABLE } from './tables.js'

export interface DropReason {
  /** In reg6; never given anew to another reason: counters of an older version may stand in the switch. */
  readonly id: number
  /** For people. */
  readonly name: string
}

/** Reasons counted by VNI. A new one is one more line, and dropFor() at the place that drops. */
export const DROP = {
  UNKNOWN_VTEP: { id: 1, name: 'unknown VTEP' },
  WRONG_DESTINATION: { id: 2, name: 'wrong destination' },
  TUNNEL_TO_TUNNEL: { id: 3, name: 'tunnel to tunnel' },
  INNER_VLAN: { id: 4, name: 'inner VLAN' },
  MULTICAST_SOURCE: { id: 5, name: 'multicast source' },
  RESERVED_DESTINATION: { id: 6, name: 'reserved destination' },
  PORT_SECURITY: { id: 7, name: 'port security' },
  UNKNOWN_UNICAST: { id: 8, name: 'unknown unicast' },
  NO_PORT: { id: 9, name: 'no port' },
  SPOOFED_SOURCE: { id: 12, name: 'spoofed source' }
} as const satisfies Record<string, DropReason>

/** The reasons where no VNI is known: counted by port. The key or the tag of a frame is none that the port has a VNI for. */
export const WRONG_VNI: DropReason = { id: 64, name: 'wrong VNI' }
export const WRONG_VLAN: DropReason = { id: 65, name: 'wrong VLAN' }

const REASONS: ReadonlyMap<number, DropReason> = new Map([...Object.values(DROP), WRONG_VNI, WRONG_VLAN].map((reason) => [reason.id, reason]))

/** What a reason is called; undefined = it is none. */
export function reasonName(id: number): string | undefined {
  return REASONS.get(id)?.name
}

/** Ends a packet; `vni` where CLASSIFY has not yet said it. */
export function dropFor(reason: DropReason, vni?: Vni): Action[] {
  return [
    ...(vni === undefined ? [] : [{ kind: 'set_field', field: 'metadata', value: vni } as const]),
    { kind: 'set_field', field: 'reg6', value: reason.id },
    goTo(TABLE.DROP)
  ]
}

/** The counters of a VNI: all of them, so that they outlive a change of its options. */
export function vniDropFlows(vni: Vni): Flow[] {
  return Object.values(DROP).map(({ id }) => ({ table: TABLE.DROP, priority: 100, match: { metadata: vni, reg6: id }, actions: [] }))
}

/** The counter of a tunnel port or a trunk. */
export function portDropFlow(ofport: number, reason: DropReason): Flow {
  return { table: TABLE.DROP, priority: 100, match: { in_port: ofport, reg6: reason.id }, actions: [] }
}

/** What a flow of DROP counts: packets of a VNI, or of a port; undefined = none of our counters. */
export function counterOf(match: Match): { readonly reason: DropReason, readonly vni: Vni } | { readonly reason: DropReason, readonly ofport: number } | undefined {
  const reason = REASONS.get(Number(match.reg6))
  if (reason === undefined) return undefined
  if (match.in_port !== undefined) return { reason, ofport: Number(match.in_port) }
  return match.metadata === undefined ? undefined : { reason, vni: Number(match.metadata) }
}
