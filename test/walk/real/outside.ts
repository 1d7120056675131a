// The switch as `ovs-ofctl` prints it, against what our own codec read from it: the truth of a real walk is computed from the latter,
// so a mistake that codec and daemon share would show here, and nowhere else.
import { decodeInstructions, formatActions, formatInstructions, formatMatch, type GroupDesc, type OpenFlowClient } from '../../../lib/openflow/index.js'
import type { Chassis } from '../../system/util/chassis.js'

/** Lines that only one of both has, flows and groups: none when they say the same. */
export async function disagreements(chassis: Chassis, client: OpenFlowClient, bridge = 'br-int'): Promise<string[]> {
  const dump = async (command: string): Promise<string[]> =>
    (await chassis.run(['ovs-ofctl', '-O', 'OpenFlow15', '--no-names', '--no-stats', command, bridge])).split('\n').map((line) => line.trim())
  const [flows, groups] = [await dump('dump-flows'), await dump('dump-groups')]
  const printed = [...flows.filter((line) => line.includes('actions=')).map(withoutTimes), ...groups.filter((line) => line.startsWith('group_id='))]
  const read = [
    ...(await client.flowDescs({})).map(({ tableId, priority, cookie, match, instructions }) => [
      cookie === 0n ? '' : `cookie=0x${cookie.toString(16)}, `, tableId === 0 ? '' : `table=${tableId}, `,
      [`priority=${priority}`, formatMatch(match)].filter((part) => part !== '').join(','), ` actions=${formatInstructions(decodeInstructions(instructions))}`
    ].join('')),
    ...(await client.groupDescs()).map(groupText)
  ]
  return [...only('ovs-ofctl', printed, read), ...only('our codec', read, printed)]
}

function only(who: string, these: readonly string[], those: readonly string[]): string[] {
  const known = new Set(those)
  return these.filter((line) => !known.has(line)).map((line) => `only ${who} says: ${line}`)
}

/** What a learned flow has besides; nobody of ours reads it. */
function withoutTimes(line: string): string {
  return line.replace(/(idle_timeout|hard_timeout|importance)=\d+, |send_flow_rem /g, '')
}

function groupText({ groupId, type, buckets, selection }: GroupDesc): string {
  const of = buckets.map(({ id, weight, actions }) => {
    const share = weight === undefined || weight === (type === 'select' ? 1 : 0) ? '' : `weight:${weight},`
    return `,bucket=bucket_id:${id},${share}actions=${formatActions(actions)}`
  })
  return `group_id=${groupId},type=${type}${selection === undefined ? '' : `,selection_method=${selection.method}`}${of.join('')}`
}
