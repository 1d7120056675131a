// The value a pipeline builder returns: one flow, one group, in the words of ovs-ofctl. No bytes here.
import type { Action, Match } from '../openflow/index.js'

export interface Flow {
  readonly table: number
  readonly priority: number
  readonly match: Match
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
