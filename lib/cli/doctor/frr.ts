// Checks of FRR, as far as vtysh tells: what has to be configured, and what this version cannot do.
import type { BgpPeer } from '../explain/chain.js'
import { advertiseAllVni } from '../explain/words.js'
import { parseIp } from '../../net/ip.js'
import { startFrr } from '../frr-service.js'
import { configureBgp } from '../vtysh.js'
import type { Check, Found } from './check.js'
import { linkNamed, type Facts } from './facts.js'
import { candidate, configuredIps } from './local-ip.js'
import { ownDevice, remake } from './mend-device.js'

/** True when a version is older than another: 8.4.4 than 9.0. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map((part) => parseInt(part, 10) || 0)) as [number[], number[]]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [left = 0, right = 0] = [a[at], b[at]]
    if (left !== right) return left < right
  }
  return false
}

const SPEAKER_GONE = /^the routing daemon is gone /
const FIRST_WITH_SHARED_DEVICES = '9.0'
const FIRST_WITH_IPV6_VTEPS = '10.6'

/** A device that serves many VNIs: its entries need NDA_SRC_VNI. */
function sharedDevices(facts: Facts): Found[] {
  if (facts.frr === undefined || !isOlder(facts.frr.version, FIRST_WITH_SHARED_DEVICES)) return []
  const { version } = facts.frr
  return facts.show.vnis.flatMap((vni) => vni.vxlan.filter((name) => linkNamed(facts, name)?.vxlan?.external === true).map((name) => ({
    subject: name, what: `VNI ${vni.vni}: ${name} serves many VNIs, and FRR ${version} cannot use such a device (${FIRST_WITH_SHARED_DEVICES} can)`,
    mend: ownDevice(facts, vni)
  })))
}

function ipv6Vteps(facts: Facts): Found[] {
  if (facts.frr === undefined || !isOlder(facts.frr.version, FIRST_WITH_IPV6_VTEPS)) return []
  const { version } = facts.frr
  return facts.show.vnis.flatMap((vni) => vni.vxlan.flatMap((name) => {
    const link = linkNamed(facts, name)
    return link?.vxlan?.local?.includes(':') !== true ? [] : [{
      subject: name, what: `VNI ${vni.vni}: ${name} has the IPv6 address ${link.vxlan.local}, and FRR ${version} announces VTEPs with IPv4 addresses only (${FIRST_WITH_IPV6_VTEPS} both)`,
      mend: remake(facts, link, vni, configuredIps(facts, vni.vni)[4] ?? candidate(facts, 4) ?? 'IPV4')
    }]
  }))
}

/** Without any session; one that stands is enough to be heard. */
function noPeer({ frr }: Facts): Found[] {
  const { as, peers, neighbours = [] } = frr ?? {}
  if (peers === undefined || peers.some(({ state }) => state === 'Established')) return []
  if (peers.length > 0) {
    return [{ subject: 'bgpd', what: `no BGP session for EVPN stands: ${peers.map(({ peer, state }) => `${peer} ${state}`).join(', ')}`, mend: peers.flatMap((peer) => reopen(peer, as)) }]
  }
  const activate = neighbours.map((peer) => configureBgp(as, 'address-family l2vpn evpn', `neighbor ${peer} activate`))
  return neighbours.length > 0 ? [{ subject: 'bgpd', what: `no BGP neighbor is activated for EVPN: ${neighbours.join(', ')}`, mend: activate }]
    : [{ subject: 'bgpd', what: 'BGP has no neighbor', mend: [configureBgp(as, 'neighbor PEER remote-as AS', 'address-family l2vpn evpn', 'neighbor PEER activate')] }]
}

/** Who was shut down by configuration, and who does not answer: then the next attempt may be two minutes away. */
function reopen({ peer, state }: BgpPeer, as: number | undefined): string[] {
  if (state.includes('Admin')) return [configureBgp(as, `no neighbor ${peer} shutdown`)]
  return [...(parseIp(peer) === undefined ? [] : [`ping -c 1 -W 5 ${peer}`]), `vtysh -c 'clear bgp ${peer}'`]
}

/** The checks of this noun. */
export const FRR_CHECKS: readonly Check[] = [
  {
    id: 'frr-down', severity: 'error', why: 'Nothing new is announced or learned, and what FRR announced is withdrawn when its neighbors notice.',
    find: ({ frrDown, isBgpdOff, show }) => {
      const told = show.problems.filter(({ what }) => SPEAKER_GONE.test(what)).map(({ what }) => what)
      const all = frrDown.length > 0 ? frrDown : told
      return all.length === 0 ? [] : [{ subject: 'FRR', what: all.join('; '), mend: startFrr(isBgpdOff) }]
    },
    covers: ({ what }) => SPEAKER_GONE.test(what)
  },
  { id: 'bgp-no-peer', severity: 'error', why: 'Nobody hears of what is here, and nothing of what is elsewhere is learned.', find: noPeer },
  {
    id: 'frr-advertise-all-vni', severity: 'error', why: 'Without it FRR neither announces nor accepts anything of any VNI.',
    find: ({ frr }) => frr?.advertisesAllVnis !== false ? []
      : [{ subject: 'bgpd', what: 'advertise-all-vni is not configured', mend: [advertiseAllVni(frr.as)] }]
  },
  {
    id: 'frr-connect-timer', severity: 'info', why: 'A BGP session whose first attempt fails waits that long for the next one, as after every boot.',
    find: ({ frr }) => (frr?.slowPeers ?? []).map((peer) => ({
      subject: peer, what: `BGP neighbor ${peer} waits long between two attempts: timers connect is not set, or more than 10 seconds`,
      mend: [configureBgp(frr?.as, `neighbor ${peer} timers connect 1`)]
    }))
  },
  { id: 'frr-shared-device', severity: 'error', why: 'This version of FRR ignores the VNIs of such a device.', find: sharedDevices },
  { id: 'frr-ipv6-vtep', severity: 'error', why: 'This version of FRR announces no VTEP for such a device.', find: ipv6Vteps }
]
