// The Type-2 (MAC/IP advertisement, RFC 7432 section 7.2) routes that a speaker has, in one line each.
import { formatTable } from '../../lib/cli/table.js'
import type { Lab } from '../lab/lab.js'
import { withoutPrefix } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { requireSame } from './compare.js'

export interface MacIpRoute {
  readonly rd: string
  readonly mac: string
  /** Undefined for a route of the MAC alone. */
  readonly ip: string | undefined
  readonly nextHop: string
  readonly communities: string
}

interface Path {
  readonly mac: string
  readonly ip?: string
  readonly extendedCommunity: { readonly string: string }
  readonly nexthops: readonly { readonly ip: string }[]
}

/** The routes in the output of `show bgp l2vpn evpn route type macip json`. */
export function parseMacIpRoutes(json: string): MacIpRoute[] {
  const byRd = JSON.parse(json) as Readonly<Record<string, unknown>>
  return Object.entries(byRd).flatMap(([rd, routes]) => typeof routes !== 'object' || routes === null ? [] : Object.values(routes)
    .flatMap((route: unknown) => pathsOf(route))
    .map(({ mac, ip, extendedCommunity, nexthops }) => ({
      rd, mac, ip, nextHop: nexthops[0]?.ip ?? '', communities: extendedCommunity.string
    })))
}

/** Prefixes stand beside properties such as `rd` and `numPrefix`: only they have paths, as lists of lists. */
function pathsOf(route: unknown): readonly Path[] {
  return typeof route === 'object' && route !== null && 'paths' in route ? (route.paths as readonly (readonly Path[])[]).flat() : []
}

/** Waits until a VTEP's FRR has from a chassis a route for each of its MACs and each of its addresses; returns them. */
export async function waitForRoutes(lab: Lab, vtep: string, chassis: string): Promise<MacIpRoute[]> {
  const nextHop = lab.plan.vteps.find(({ name }) => name === chassis)?.ip
  const expected = lab.plan.workloads.filter((workload) => workload.vtep === chassis)
    .flatMap(({ mac, addresses }) => [undefined, ...addresses.map(withoutPrefix)].map((ip) => routeLine({ mac, ip })))
  let routes: MacIpRoute[] = []
  await waitFor(`Type-2 routes of ${chassis} on ${vtep}`, async () => {
    const all = parseMacIpRoutes(await lab.vtysh(vtep, 'show bgp l2vpn evpn route type macip json'))
    routes = all.filter((route) => route.nextHop === nextHop)
    requireSame(`Type-2 routes of ${chassis} on ${vtep}`, expected, routes.map(routeLine))
    return true
  }, 10_000, 100)
  return routes
}

export function formatRoutes(routes: readonly MacIpRoute[]): string {
  return formatTable<MacIpRoute>([
    { head: 'RD', cell: ({ rd }) => rd },
    { head: 'MAC', cell: ({ mac }) => mac },
    { head: 'IP', cell: ({ ip }) => ip },
    { head: 'NEXT HOP', cell: ({ nextHop }) => nextHop },
    { head: 'COMMUNITIES', cell: ({ communities }) => communities }
  ], routes)
}

function routeLine({ mac, ip }: Pick<MacIpRoute, 'mac' | 'ip'>): string {
  return `[${mac}]${ip === undefined ? '' : `:[${ip}]`}`
}
