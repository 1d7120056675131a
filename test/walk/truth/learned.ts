// What a fake switch has learned, as the rules read it: MACs behind `unknown` ports, and MACs behind VTEPs.
import { LEARNED, LEARNED_REMOTE, isLearned } from '../switch/learned.js'
import { number } from '../switch/packet.js'
import type { Bridge } from './world.js'
import { flowActions, flowMatch, type Flow } from '../switch/tables.js'
import type { TrueConfig, TruePort } from './config.js'

export interface TrueLearned {
  /** Ports of the VNI, by the MAC learned there. */
  readonly local: ReadonlyMap<string, TruePort>
  /** The VTEP that a MAC is behind. */
  readonly remote: ReadonlyMap<string, { readonly ip: bigint, readonly udpPort: number }>
}

export function learnedOf(fake: Bridge | undefined, config: TrueConfig, vni: number): TrueLearned {
  const flows = [...fake?.tables.flows.values() ?? []].filter((flow) => isLearned(flow) && Number(flowMatch(flow.match).metadata) === vni)
  const ports = config.ports.filter((port) => port.vni === vni && port.unknown)
  const local = flows.filter(({ table }) => table === LEARNED).flatMap((flow) => {
    const port = ports.find(({ name }) => BigInt(fake?.ports.get(name)?.port ?? 0) === valuesOf(flow)['reg3'])
    return port === undefined ? [] : [[macOf(flow), port] as const]
  })
  const remote = flows.filter(({ table }) => table === LEARNED_REMOTE).map((flow) => {
    const { tun_dst: v4, tun_ipv6_dst: v6 = 0n, reg0 = 0n } = valuesOf(flow)
    return [macOf(flow), { ip: v4 ?? v6, udpPort: Number(reg0 >> 16n) }] as const
  })
  return { local: new Map(local), remote: new Map(remote) }
}

function macOf({ match }: Flow): string {
  return String(flowMatch(match).eth_dst)
}

/** What is written into each field; several writes are of different bits. */
function valuesOf({ instructions }: Flow): Readonly<Record<string, bigint>> {
  const values: Record<string, bigint> = {}
  for (const action of flowActions(instructions)) {
    if (action.kind === 'set_field') values[action.field] = (values[action.field] ?? 0n) | number(action.value)
  }
  return values
}
