// A client that keeps what it is told, and a barrier that needs no sleeping.
import { AF, NetlinkClient, neighText } from '../../../lib/netlink/index.js'
import type { LinkRow, NeighRow, NetlinkOptions, NexthopRow, RtMessage } from '../../../lib/netlink/index.js'
import { run } from './namespace.js'

export interface Recorder {
  readonly client: NetlinkClient
  /** Everything received so far that was not taken yet. */
  take(): RtMessage[]
  /** Runs a command and returns the notifications it caused. */
  during(commandLine: string): Promise<RtMessage[]>
}

const NOWHERE: NeighRow = { family: AF.BRIDGE, ifindex: 0x7fffffff, state: 0, flags: 0, type: 0, lladdr: '02:00:00:00:00:01' }

export function openRecorder(options: Omit<NetlinkOptions, 'handlers'> & { readonly overrun?: () => void }): Recorder {
  const messages: RtMessage[] = []
  const take = (): RtMessage[] => messages.splice(0)
  const handlers = {
    messages(batch: readonly RtMessage[]) {
      for (const message of batch) messages.push(message)
    },
    overrun: options.overrun ?? ((): void => undefined)
  }
  const client = NetlinkClient.open({ ...options, handlers })
  return {
    client,
    take,
    async during(commandLine) {
      take()
      run(commandLine)
      // The tool has returned, so its notifications are queued already; a refusal is queued behind them and notifies nobody.
      const [refusal] = await client.write([{ op: 'delete', row: NOWHERE }])
      if (refusal?.code !== 'ENODEV') throw new Error(`the barrier was not refused with ENODEV: ${refusal?.message}`)
      return take()
    }
  }
}

/** Messages in one line each: `new 02:... dev vx0 ...`, `del link vx0 master none`, AF_BRIDGE link messages as `bridge port vx0 ...` and `other 17`. */
export function lines(messages: readonly RtMessage[], nameOf: (ifindex: number) => string): string[] {
  return messages.map(message => {
    switch (message.kind) {
      case 'neigh': return `${message.op} ${neighText(message.row).replace(/(?<=dev |master )\d+/g, index => nameOf(Number(index)))}`
      case 'link': return `${message.op} link ${message.row.name} master ${masterName(message.row, nameOf)}`
      case 'nexthop': return `${message.op} nexthop ${message.row.id}${groupText(message.row)}`
      case 'vlan': return `${message.op} vlan ${message.row.vlans.map(({ vid }) => vid).join('/')} dev ${nameOf(message.row.ifindex)}`
      case 'bridge_port': return `bridge port ${nameOf(message.ifindex)} ${JSON.stringify(message.info)}`
      case 'route': return `route to ${message.row.dst}`
      default: return `${message.kind} ${message.type}`
    }
  })
}

function masterName({ master }: LinkRow, nameOf: (ifindex: number) => string): string {
  return master === undefined ? 'none' : nameOf(master)
}

function groupText({ group }: NexthopRow): string {
  return group === undefined ? '' : ` group ${group.map(({ id }) => id).join('/')}`
}
