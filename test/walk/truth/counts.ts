// Counts that the daemon keeps, for metrics and the page, are what one finds by counting.
import type { NestedMap } from '../../../lib/mirror/nested.js'
import type { Chassis } from '../chassis.js'

export function checkCounts({ life }: Chassis): string[] {
  if (life === undefined) return []
  const { state } = life.agent
  const [claims, behind, multihomed] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()]
  for (const vni of state.claims.outers()) for (const claim of state.claims.under(vni).values()) add(claims, `${vni} ${claim.state}`)
  for (const vni of state.macs.outers()) {
    for (const { via, udpPort } of state.macs.under(vni).values()) {
      if (via.kind === 'vtep') add(behind, `${via.ip} ${udpPort} ${vni}`)
      else add(multihomed, `${via.id} ${vni}`)
    }
  }
  return [...differences('claims', claims, state.claimCounts), ...differences('MACs behind a VTEP', behind, state.macsBehind), ...differences('MACs behind a nexthop', multihomed, state.nexthopMacs)]
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function differences<Outer, Inner>(what: string, counted: ReadonlyMap<string, number>, kept: NestedMap<Outer, Inner, number>): string[] {
  const held = new Map<string, number>([...kept.outers()].flatMap((outer) => [...kept.under(outer)].map(([inner, count]) => [`${String(outer)} ${String(inner)}`, count] as const)))
  return [...new Set([...counted.keys(), ...held.keys()])].filter((key) => counted.get(key) !== held.get(key))
    .map((key) => `${what}, ${key}: there are ${counted.get(key) ?? 0}, and the daemon keeps ${held.get(key) ?? 0}`)
}
