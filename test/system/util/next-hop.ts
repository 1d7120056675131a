// A next hop on the underlay that is nobody: a chassis is told its MAC, so that packets for whoever is behind it leave.
import type { Lab } from '../../lab/lab.js'

/** The MAC of every such next hop. */
const NEXT_HOP_MAC = '02:00:00:00:00:fe'

/** Told again each time: the userspace datapath, which has an ARP table of its own, forgets it after a while. */
export async function knowNextHop(lab: Lab, chassis: string, ip: string): Promise<void> {
  const { datapath, uplink } = lab.plan
  await lab.exec(chassis, datapath === 'netdev' ?
    ['ovs-appctl', '-t', 'ovs-vswitchd', 'tnl/neigh/set', uplink, ip, NEXT_HOP_MAC] :
    ['ip', 'neigh', 'replace', ip, 'lladdr', NEXT_HOP_MAC, 'dev', uplink, 'nud', 'permanent'])
}
