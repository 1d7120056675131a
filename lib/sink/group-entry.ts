// Groups as the tracker keeps them: type and buckets by id, each bucket as a byte string; and the messages
// that turn one into another, which for one member more or less are one message however large the group.
import {
  decodeActions, decodeBuckets, encodeActions, encodeBucket, encodeGroupMod, formatActions, groupDescSize, type Action, type Bucket, type GroupDesc
} from '../openflow/index.js'
import type { Group, GroupBucket } from '../pipeline/flow.js'
import { FIRST_TABLE, isOurGroup, LAST_TABLE } from '../pipeline/slots.js'
import type { Pending } from './tracker.js'

export interface GroupValue {
  readonly type: 'all' | 'select'
  /** Each as encodeBucket makes it. */
  readonly buckets: ReadonlyMap<number, string>
  /** True when the switch holds it in a form we never write (another type): it must be written whole. */
  readonly strange: boolean
}

export type GroupEntry = readonly [key: string, value: GroupValue]

/**
 * No group of ours may serialise to more than this: a GROUP_DESC reply above 64 KiB ends ovs-vswitchd by an
 * assertion (measured on 3.1.0).
 */
export const MAX_GROUP_BYTES = 60_000

/** A bundle of bucket commands pays off up to this many changes; above, the group is sent whole. */
const MAX_BUCKET_COMMANDS = 4

const DP_HASH = { method: 'dp_hash' } as const

/** Buckets of groups of type `all` that were encoded already. */
export type EncodedBuckets = WeakMap<GroupBucket, string>

/** The tracker's entry for a group we want. */
export function compileGroup(group: Group, encoded?: EncodedBuckets): GroupEntry {
  const buckets = new Map(group.buckets.map((bucket) => [bucket.id, compileBucket(group.type, bucket, encoded)]))
  return [String(group.id), { type: group.type, buckets, strange: false }]
}

function compileBucket(type: GroupValue['type'], bucket: GroupBucket, encoded?: EncodedBuckets): string {
  const known = type === 'all' ? encoded?.get(bucket) : undefined
  if (known !== undefined) return known
  const { id, weight, actions } = bucket
  const text = bucketText(type, { id, weight, actions: encodeActions(actions) })
  if (type === 'all') encoded?.set(bucket, text)
  return text
}

/** The tracker's entry for a group the switch has. */
export function entryOfGroupDesc(desc: GroupDesc): GroupEntry {
  const isKnown = desc.type === 'all' || (desc.type === 'select' && desc.selection?.method === 'dp_hash')
  const type = desc.type === 'select' ? 'select' : 'all'
  return [String(desc.groupId), {
    type,
    buckets: new Map(desc.buckets.map((bucket) => [bucket.id, bucketText(type, bucket)])),
    strange: !isKnown
  }]
}

/**
 * True for a group that we made. Groups have no cookie, so an id in our range is not enough: every bucket of ours ends in one
 * of our tables or in another group of ours.
 */
export function isOurs(desc: GroupDesc): boolean {
  return isOurGroup(desc.groupId) && desc.buckets.every((one) => {
    const last = decodeActions(one.actions).at(-1)
    if (last?.kind === 'group') return isOurGroup(last.group)
    return last?.kind === 'resubmit' && last.table !== undefined && last.table >= FIRST_TABLE && last.table <= LAST_TABLE
  })
}

export function isEqualGroup(a: GroupValue, b: GroupValue): boolean {
  if (a === b) return true
  if (a.type !== b.type || a.strange !== b.strange || a.buckets.size !== b.buckets.size) return false
  for (const [id, bucket] of a.buckets) {
    if (b.buckets.get(id) !== bucket) return false
  }
  return true
}

/** Bytes of the group in a GROUP_DESC reply. */
export function groupBytes(group: GroupValue): number {
  const empty = groupDescSize({ buckets: [], ...selectionOf(group) })
  return [...group.buckets.values()].reduce((sum, bucket) => sum + bucket.length, empty)
}

/** The messages that bring one group about. */
export function groupMods(pending: Pending<GroupValue>): Buffer[] {
  const { key, desired, realized } = pending
  const groupId = Number(key)
  if (desired === undefined) return [encodeGroupMod({ command: 'delete', type: 'all', groupId, buckets: [] })]
  const whole = { type: desired.type, groupId, buckets: bucketsOf(desired), ...selectionOf(desired) }
  if (realized === undefined) return [encodeGroupMod({ command: 'add', ...whole })]
  return bucketCommands(groupId, realized, desired) ?? [encodeGroupMod({ command: 'modify', ...whole })]
}

/**
 * REMOVE_BUCKET and INSERT_BUCKET for a small difference; undefined when sending the group whole is better. A select group is
 * small, and between two messages it would have too few buckets.
 */
function bucketCommands(groupId: number, realized: GroupValue, desired: GroupValue): Buffer[] | undefined {
  if (realized.type !== desired.type || realized.strange) return undefined
  const gone = [...realized.buckets.keys()].filter((id) => desired.buckets.get(id) !== realized.buckets.get(id))
  const fresh = [...desired.buckets].filter(([id, bucket]) => realized.buckets.get(id) !== bucket).map(([, bucket]) => bucketBytes(bucket))
  if (gone.length + fresh.length > MAX_BUCKET_COMMANDS || (desired.type === 'select' && gone.length + Math.sign(fresh.length) > 1)) return undefined
  const commands = gone.map((id) => encodeGroupMod({ command: 'remove_bucket', type: desired.type, groupId, commandBucketId: id, buckets: [] }))
  if (fresh.length > 0) {
    commands.push(encodeGroupMod({ command: 'insert_bucket', type: desired.type, groupId, commandBucketId: 'last', buckets: fresh }))
  }
  return commands
}

/** What each bucket does. Throws OpenFlowDecodeError for one that we could not have made. */
export function actionsOfBuckets(group: GroupValue): Action[][] {
  return bucketsOf(group).flatMap((bytes) => decodeBuckets(bytes)).map(({ actions }) => decodeActions(actions))
}

/** Buckets that are described of one group. */
const DESCRIBED = 8

/** A group as ovs-ofctl has it, with its buckets in the order of their ids; beside another form of it, only those that this one has not. */
export function describeGroup(key: string, { type, buckets }: GroupValue, beside?: GroupValue): string {
  const own = [...buckets].filter(([id, bucket]) => beside?.buckets.get(id) !== bucket).sort(([a], [b]) => a - b)
  const told = own.slice(0, DESCRIBED).flatMap(([, bucket]) => decodeBuckets(bucketBytes(bucket))).map(describeBucket)
  const more = own.length > DESCRIBED ? [`and ${own.length - DESCRIBED} more`] : []
  const head = `group_id=${key},type=${type}, ${buckets.size} ${buckets.size === 1 ? 'bucket' : 'buckets'}`
  return own.length === 0 ? head : `${head}${beside === undefined ? '' : ', among them'}: ${[...told, ...more].join('; ')}`
}

/** 1 goes without saying: it is what a bucket of a select group has when nothing else is said. */
function describeBucket({ id, weight, actions }: Bucket): string {
  return `bucket_id:${id}${weight === undefined || weight === 1 ? '' : `,weight:${weight}`},actions=${formatActions(actions)}`
}

function bucketsOf(group: GroupValue): Buffer[] {
  return [...group.buckets.values()].map(bucketBytes)
}

function bucketBytes(bucket: string): Buffer {
  return Buffer.from(bucket, 'latin1')
}

/** A select group's bucket needs a weight; for the others it means nothing (OpenFlow 1.5.1 section 5.10.1). */
function bucketText(type: GroupValue['type'], { id, weight = 1, actions }: Pick<Bucket, 'id' | 'actions'> & { readonly weight?: number | undefined }): string {
  return encodeBucket(type === 'select' ? { id, weight, actions } : { id, actions }).toString('latin1')
}

function selectionOf(group: GroupValue): { selection?: typeof DP_HASH } {
  return group.type === 'select' ? { selection: DP_HASH } : {}
}
