// What doctor wants to know of FRR: its version, and the two lines of configuration that are forgotten most.
import { askFrr, parseSaid, type Vtysh } from '../vtysh.js'
import type { FrrFacts } from './facts.js'

/** undefined: FRR does not answer, which `note` is told. Never rejects. */
export async function readFrr(vtysh: Vtysh, note: (text: string) => void): Promise<FrrFacts | undefined> {
  const banner = await askFrr(vtysh, 'zebra', 'show version')
  const version = banner.kind === 'said' ? /^FRRouting (\d[\w.]*)/m.exec(banner.text)?.[1] : undefined
  if (version === undefined) {
    note(`FRR was not looked at: ${banner.kind === 'silent' ? banner.why : 'it does not say its version'}`)
    return undefined
  }
  const evpn = await askFrr(vtysh, 'bgpd', 'show bgp l2vpn evpn vni json')
  if (evpn.kind === 'silent') note(`bgpd was not looked at: ${evpn.why}`)
  const config = await askFrr(vtysh, 'bgpd', 'show running-config')
  const text = config.kind === 'said' ? config.text : ''
  const as = /^router bgp (\d+)/m.exec(text)?.[1]
  const said = parseSaid(evpn)?.['advertiseAllVnis']
  return {
    version,
    ...(as === undefined ? {} : { as: Number(as) }),
    ...(evpn.kind === 'silent' ? {} : { advertisesAllVnis: said === 'Enabled' || (said === undefined && /^ +advertise-all-vni$/m.test(text)) }),
    slowPeers: slowPeers(text)
  }
}

/** Neighbours (not those of a peer group, which may say it for them) without `timers connect`. */
export function slowPeers(config: string): string[] {
  const peers = [...config.matchAll(/^ neighbor (\S+) (?:remote-as|interface)\b/gm)].map(([, peer = '']) => peer)
  const fast = new Set([...config.matchAll(/^ neighbor (\S+) timers connect\b/gm)].map(([, peer]) => peer))
  return [...new Set(peers)].filter((peer) => !fast.has(peer))
}
