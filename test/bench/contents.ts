// What the switch holds in the end against what was written to the kernel, read by ovs-ofctl and compared flow by flow.
import { TABLE } from '../../lib/pipeline/tables.js'
import type { Fabric } from './fabric.js'
import { ipOf, macOf, vtepOf } from './rows.js'

/** How many of the first `macs` MACs have no flow to the VTEP that `vtep` says, by numbers. */
export async function macsAstray(fabric: Fabric, macs: number, vtep: (n: number) => number): Promise<number> {
  const found = await read(fabric, TABLE.FORWARD, /dl_dst=([\da-f:]+) actions=set_field:([\d.]+)->tun_dst/)
  return count(macs, (n) => found.get(macOf(n)) !== vtepOf(vtep(n)))
}

/** How many of the first `ips` IPs have no flow that answers with their MAC. */
export async function ipsAstray(fabric: Fabric, ips: number): Promise<number> {
  const found = await read(fabric, TABLE.SUPPRESS, /arp_tpa=([\d.]+),.* actions=set_field:0x([\da-f]+)->xreg4/)
  return count(ips, (n) => found.get(ipOf(n))?.padStart(12, '0') !== macOf(n).replaceAll(':', ''))
}

async function read({ chassis }: Fabric, table: number, pattern: RegExp): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const line of await chassis.flows(`table=${table}`)) {
    const [, key, value] = pattern.exec(line) ?? []
    if (key !== undefined && value !== undefined) found.set(key, value)
  }
  return found
}

function count(total: number, isAstray: (n: number) => boolean): number {
  let astray = 0
  for (let n = 0; n < total; n++) if (isAstray(n)) astray++
  return astray
}
