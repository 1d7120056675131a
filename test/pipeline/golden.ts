// Flows and groups as text: what ovs-ofctl dump-flows --names would show, with our own table names; and the fixtures that hold it.
// To write the fixtures anew after a wanted change: UPDATE_FIXTURES=1 node dist/test/pipeline/golden.test.js, then review the difference.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { decodeActions, encodeActions, encodeMatch, formatActions, formatMatch, type Action } from '../../lib/openflow/index.js'
import type { Flow, Group, GroupBucket } from '../../lib/pipeline/flow.js'
import { TABLES } from '../../lib/pipeline/tables.js'

/** The name of a table of ours, the number of any other. */
export function tableName(id: number): string {
  return TABLES.find((table) => table.id === id)?.name ?? String(id)
}

/** What is written goes through the wire form: the text shows what the switch will have. */
function actionsText(actions: readonly Action[]): string {
  return formatActions(decodeActions(encodeActions(actions))).replace(/resubmit\(,(\d+)\)/g, (_, id: string) => `resubmit(,${tableName(Number(id))})`)
}

export function flowText({ table, priority, match, actions }: Flow): string {
  return `table=${tableName(table)}, priority=${priority},${formatMatch(encodeMatch(match))} actions=${actionsText(actions)}`
}

/** A group; of a large one only the first buckets are written out. */
export function groupText({ id, type, buckets }: Group): string {
  const weightOf = ({ weight }: GroupBucket) => (weight === undefined ? '' : `,weight:${weight}`)
  const shown = buckets.length > 20 ? 2 : buckets.length
  const texts = buckets.slice(0, shown).map((bucket) => `bucket=bucket_id:${bucket.id}${weightOf(bucket)},actions=${actionsText(bucket.actions)}`)
  const rest = buckets.length > shown ? [`and ${buckets.length - shown} buckets more`] : []
  return [`group_id=0x${id.toString(16)},type=${type}`, ...texts, ...rest].join('\n  ')
}

const DIRECTORY = path.join(process.cwd(), 'fixtures', 'pipeline')

/** The text of a fixture, comments included. */
export function fixture(name: string, current: string): string {
  const file = path.join(DIRECTORY, `${name}.txt`)
  if (process.env['UPDATE_FIXTURES'] !== undefined) writeFileSync(file, current)
  return readFileSync(file, 'utf8')
}
