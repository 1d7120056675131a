// What doctor wants to know of FRR: whether it answers, its version, its sessions, and the two lines of configuration that are
// forgotten most.
import { readPeers } from '../frr-view.js'
import { askFrr, parseSaid, type Said, type Vtysh } from '../vtysh.js'
import type { Facts, FrrFacts, Source } from './facts.js'

/** Seconds until the next attempt that one may well wait for: FRR's own value for data centers. */
const QUICK = 10

/**
 * `isExpected`: the routing daemon is FRR, as far as anybody has said; another one may be in its place. What could not be looked at is
 * told to `note`. Never rejects.
 */
export async function readFrr(vtysh: Vtysh, isExpected: boolean, note: (source: Source, why: string) => void): Promise<Pick<Facts, 'frr' | 'frrDown' | 'isBgpdOff'>> {
  const zebra = await askFrr(vtysh, 'zebra', 'show version')
  const evpn = await askFrr(vtysh, 'bgpd', 'show bgp l2vpn evpn vni json')
  const silent = ([['zebra', zebra], ['bgpd', evpn]] as const).flatMap(([source, said]) => (said.kind === 'silent' ? [{ source, ...said }] : []))
  // When one of the two answers, FRR is there, and the other should.
  const isFrr = isExpected || silent.length < 2
  const unknown = silent.filter(({ isDown }) => isDown !== true || !isFrr).map(({ source, why }) => ({ source, why: `FRR was not looked at: ${why}` }))
  for (const { source, why } of unknown) note(source, why)
  const frrDown = silent.filter(({ isDown }) => isDown === true && isFrr).map(({ why }) => why)
  const down = { frrDown, isBgpdOff: frrDown.length > 0 && evpn.kind === 'silent' && evpn.isOff === true }
  const version = versionOf(zebra) ?? (evpn.kind === 'said' ? versionOf(await askFrr(vtysh, 'bgpd', 'show version')) : undefined)
  if (version === undefined) {
    if (silent.length < 2) note('version', 'FRR was not looked at: it does not say its version')
    else if (unknown[0] !== undefined) note('version', unknown[0].why)
    return down
  }
  return { ...down, frr: { version, slowPeers: [], ...(evpn.kind === 'silent' ? {} : await readBgp(vtysh, evpn)) } }
}

function versionOf(banner: Said): string | undefined {
  return banner.kind === 'said' ? /^FRRouting (\d[\w.]*)/m.exec(banner.text)?.[1] : undefined
}

async function readBgp(vtysh: Vtysh, evpn: Said): Promise<Partial<FrrFacts>> {
  const config = await askFrr(vtysh, 'bgpd', 'show running-config')
  const text = config.kind === 'said' ? config.text : ''
  const { as = /^router bgp (\d+)/m.exec(text)?.[1], peers } = await readPeers(vtysh)
  const neighbours = parseSaid(await askFrr(vtysh, 'bgpd', 'show bgp neighbors json')) ?? {}
  const said = parseSaid(evpn)?.['advertiseAllVnis']
  return {
    ...(as === undefined ? {} : { as: Number(as) }),
    advertisesAllVnis: said === 'Enabled' || (said === undefined && /^ +advertise-all-vni$/m.test(text)),
    peers, neighbours: namesOf(neighbours), slowPeers: slowPeers(neighbours)
  }
}

/** Who is configured in `show bgp neighbors json`, which has more keys than neighbours. */
function namesOf(neighbours: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(neighbours).flatMap(([name, value]) => (typeof value === 'object' && value !== null && 'bgpState' in value ? [name] : []))
}

/**
 * Neighbours whose next attempt is long in coming, wherever that is said: the value that bgpd works with knows of peer groups and of
 * `frr defaults`. Those that FRR made of a range of addresses wait to be connected to.
 */
export function slowPeers(neighbours: Readonly<Record<string, unknown>>): string[] {
  return namesOf(neighbours).filter((name) => {
    const { connectRetryTimer: timer, dynamicPeer } = neighbours[name] as { readonly connectRetryTimer?: unknown, readonly dynamicPeer?: unknown }
    return typeof timer === 'number' && timer > QUICK && dynamicPeer !== true
  })
}
