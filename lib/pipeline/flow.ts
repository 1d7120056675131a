// The value a pipeline builder returns: one flow, one group, in the words of ovs-ofctl. No bytes here.
import type { Action, Match } from '../openflow/index.js'

/** What makes a flow the one it is. */
export interface FlowPlace {
  readonly table: number
  readonly priority: number
  readonly match: Match
}

export interface Flow extends FlowPlace {
  /** Empty = drop. */
  readonly actions: readonly Action[]
}

export interface GroupBucket {
  /** Derived from content; unique in its group. */
  readonly id: number
  readonly actions: readonly Action[]
  /** Of a select group's bucket, 1..65535; 1 when missing. */
  readonly weight?: number
}

export interface Group {
  readonly id: number
  readonly type: 'all' | 'select'
  readonly buckets: readonly GroupBucket[]
}

/** The action list's usual last step. */
export function goTo(table: number): Action {
  return { kind: 'resubmit', table }
}

/** A tag behind the first: OVS sees it as an Ethernet type, and nothing behind it, unless somebody raised its vlan-limit (ovs-vswitchd.conf.db(5)). */
export const HIDDEN_TAG: readonly Match[] = [{ eth_type: 0x8100 }, { eth_type: 0x88a8 }]

/** Frames with a tag, that behind one which a trunk took off included. */
export const TAGGED: readonly Match[] = [{ vlan_tci: [0x1000, 0x1000] }, ...HIDDEN_TAG]
