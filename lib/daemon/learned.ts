// MACs that the switch learned: from its flow monitor into the mirror, and from the mirror to whose they are.
import type { Binding } from '../config/port.js'
import type { LocalMac } from '../evpn/local.js'
import { snoop } from '../evpn/snoop.js'
import type { LearnedRow } from '../mirror/learned.js'
import { MAX_PORT_NAME } from '../mirror/ports.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import { decodeInstructions, decodeMatch, type FlowChange, type FlowUpdate } from '../openflow/index.js'
import { isLearnedCookie } from '../pipeline/slots.js'
import { TABLE } from '../pipeline/tables.js'
import type { State } from './state.js'

/** What the monitor reports when it starts: all there is. */
export function replaceLearned(state: State, updates: readonly FlowUpdate[]): void {
  state.mirrors.learned.replaceAll(updates.flatMap((update): LearnedRow[] => {
    const row = rowOf(update)
    return row?.ofport === undefined ? [] : [{ vni: row.vni, mac: row.mac, ofport: row.ofport }]
  }))
}

/**
 * Until the switch has told once what it has learned, an announced MAC that nobody binds may be one of those: then it is no leftover.
 * Where no port learns, nobody waits for the switch.
 */
export function knowsLeftovers({ database, mirrors: { learned } }: State): boolean {
  return learned.isKnown || ![...database.ports.values()].some(({ bindings }) => bindings.some(({ addresses }) => addresses.unknown))
}

/** What it reports then. */
export function applyLearned(state: State, updates: readonly FlowUpdate[]): void {
  for (const update of updates) {
    const row = rowOf(update)
    if (row === undefined) continue
    if (row.ofport === undefined) state.mirrors.learned.delete(row.vni, row.mac)
    else state.mirrors.learned.put({ vni: row.vni, mac: row.mac, ofport: row.ofport })
  }
}

function rowOf(update: FlowUpdate): ReturnType<typeof readLearned> {
  return 'match' in update && update.tableId === TABLE.LEARNED && isLearnedCookie(update.cookie) ? readLearned(update) : undefined
}

/** What a learned flow says; `ofport` undefined when it went. Undefined: it is none of ours. */
function readLearned(change: FlowChange): { readonly vni: Vni, readonly mac: Mac, readonly ofport: number | undefined } | undefined {
  const { metadata, eth_dst: mac } = decodeMatch(change.match)
  if (metadata === undefined || typeof mac !== 'string') return undefined
  const place = { vni: Number(metadata), mac }
  if (change.kind === 'removed') return { ...place, ofport: undefined }
  const actions = decodeInstructions(change.instructions).flatMap((one) => (one.kind === 'apply_actions' ? one.actions : []))
  for (const action of actions) {
    if (action.kind === 'set_field' && action.field === 'reg3') return { ...place, ofport: Number(action.value) }
  }
  // Somebody has changed it: it leads nowhere.
  return { ...place, ofport: undefined }
}

/** The local address that a learned MAC is, as long as its port is in the VNI and learns. */
export function learnedLocal(state: State, vni: Vni, mac: Mac): LocalMac | undefined {
  const row = state.mirrors.learned.get(vni, mac)
  const binding = row && bindingOf(state, vni, row.ofport)
  return binding?.addresses.unknown !== true ? undefined : { vni, mac, port: binding.port, ips: snoopedIps(state, vni, mac), advertise: binding.advertise, learned: true }
}

/** What it was heard to have; an IP that is bound here is whose it is bound to. */
function snoopedIps({ domains, books, mirrors: { snooped } }: State, vni: Vni, mac: Mac): Ip[] {
  if (domains.get(vni)?.options.snoop !== true) return []
  const book = books.get(vni)
  return [...snooped.ipsOf(vni, mac)].filter((ip) => book === undefined || book.ofIp(ip).length === 0).sort()
}

/** The learned MAC that an IP was heard of, as long as neither is bound. */
export function snoopedLocal(state: State, vni: Vni, ip: Ip): LocalMac | undefined {
  const mac = state.mirrors.snooped.macOf(vni, ip)
  const local = mac === undefined || (state.books.get(vni)?.ofMac(mac).length ?? 0) > 0 ? undefined : learnedLocal(state, vni, mac)
  return local?.ips.includes(ip) === true ? local : undefined
}

/**
 * A copy of a packet that may say who has which IP. A host is believed of itself, and a server of a host that was learned here: it
 * is often heard of before the switch has told that it learned the MAC, and counts from then on.
 */
export function hear(state: State, vni: Vni, ofport: number, frame: Buffer): void {
  const said = snoop(frame)
  if (said === undefined || state.domains.get(vni)?.options.snoop !== true) return
  const { mac, ip, by } = said
  const isHere = by === 'server' ? state.mirrors.learned.get(vni, mac) !== undefined : bindingOf(state, vni, ofport)?.addresses.unknown === true
  if (isHere) state.mirrors.snooped.put({ vni, mac, ip })
}

function bindingOf(state: State, vni: Vni, ofport: number): Binding | undefined {
  const name = state.mirrors.ports.nameOf(ofport)
  if (name === undefined) return undefined
  if (name.length < MAX_PORT_NAME) return state.bindings.get(vni, name)
  // OpenFlow cuts names: a full one may be the beginning of a longer one.
  return [...state.bindings.under(vni).values()].find(({ port }) => state.mirrors.ports.ofport(port) === ofport)
}
