// Checks of FRR, as far as vtysh tells: what has to be configured, and what this version cannot do.
import { advertiseAllVni } from '../explain/words.js'
import type { Check, Found } from './check.js'
import { linkNamed, type Facts } from './facts.js'
import { remake } from './device.js'

/** True when a version is older than another: 8.4.4 than 9.0. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map((part) => parseInt(part, 10) || 0)) as [number[], number[]]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [left = 0, right = 0] = [a[at], b[at]]
    if (left !== right) return left < right
  }
  return false
}

const FIRST_WITH_SHARED_DEVICES = '9.0'
const FIRST_WITH_IPV6_VTEPS = '10.6'

/** A device that serves many VNIs: its entries need NDA_SRC_VNI. */
function sharedDevices(facts: Facts): Found[] {
  if (facts.frr === undefined || !isOlder(facts.frr.version, FIRST_WITH_SHARED_DEVICES)) return []
  const { version } = facts.frr
  return facts.show.vnis.flatMap((vni) => vni.vxlan.filter((name) => linkNamed(facts, name)?.vxlan?.external === true).map((name) => ({
    subject: name, what: `VNI ${vni.vni}: ${name} serves many VNIs, and FRR ${version} cannot use such a device (${FIRST_WITH_SHARED_DEVICES} can)`,
    mend: [`ovs-vsctl set Bridge ${facts.show.bridge} external_ids:dynamic-routing-vxlan-ifname-${vni.vni}=vxlan-${vni.vni}`]
  })))
}

function ipv6Vteps(facts: Facts): Found[] {
  if (facts.frr === undefined || !isOlder(facts.frr.version, FIRST_WITH_IPV6_VTEPS)) return []
  const { version } = facts.frr
  const v4 = [...facts.addresses.keys()].find((ip) => !ip.includes(':'))
  return facts.show.vnis.flatMap((vni) => vni.vxlan.flatMap((name) => {
    const link = linkNamed(facts, name)
    return link?.vxlan?.local?.includes(':') !== true ? [] : [{
      subject: name, what: `VNI ${vni.vni}: ${name} has the IPv6 address ${link.vxlan.local}, and FRR ${version} announces VTEPs with IPv4 addresses only (${FIRST_WITH_IPV6_VTEPS} both)`,
      mend: remake(link, vni, v4 ?? 'IPV4')
    }]
  }))
}

/** The checks of this noun. */
export const FRR_CHECKS: readonly Check[] = [
  {
    id: 'frr-advertise-all-vni', severity: 'error', why: 'Without it FRR neither announces nor accepts anything of any VNI.',
    find: ({ frr }) => frr?.advertisesAllVnis !== false ? []
      : [{ subject: 'bgpd', what: 'advertise-all-vni is not configured', mend: [advertiseAllVni(frr.as)] }]
  },
  {
    id: 'frr-connect-timer', severity: 'warning', why: 'A BGP session whose first attempt fails waits 120 seconds for the next one.',
    find: ({ frr }) => (frr?.slowPeers ?? []).map((peer) => ({
      subject: peer, what: `BGP neighbor ${peer} has no timers connect`,
      mend: [`vtysh -c 'configure terminal' -c 'router bgp ${frr?.as ?? 'AS'}' -c 'neighbor ${peer} timers connect 1'`]
    }))
  },
  { id: 'frr-shared-device', severity: 'error', why: 'This version of FRR ignores the VNIs of such a device.', find: sharedDevices },
  { id: 'frr-ipv6-vtep', severity: 'error', why: 'This version of FRR announces no VTEP for such a device.', find: ipv6Vteps }
]
