// What ovs-vswitchd knows of the underlay. With the userspace datapath it routes and resolves by itself; the kernel's tables are
// only where it copies routes from (ovs-vswitchd(8), "Native Tunneling").
import fs from 'node:fs'
import path from 'node:path'
import { parseIp, type Ip } from '../net/ip.js'
import { callControl, RefusedError } from './client.js'

export interface VswitchdRoute {
  readonly dev: string
  /** Absent: the destination is on the link. */
  readonly gateway?: Ip
  readonly src?: Ip
}

/** `denied` and `silent` say why, in a sentence. */
export type VswitchdAnswer =
  | { readonly kind: 'answered', readonly text: string }
  | { readonly kind: 'refused', readonly text: string }
  | { readonly kind: 'denied', readonly text: string }
  | { readonly kind: 'silent', readonly text: string }

/** Sends ovs-vswitchd one command. Never rejects. */
export async function askVswitchd(rundir: string, method: string, params: readonly string[]): Promise<VswitchdAnswer> {
  const pidfile = path.join(rundir, 'ovs-vswitchd.pid')
  let pid: string
  try {
    pid = fs.readFileSync(pidfile, 'utf8').trim()
  } catch {
    return { kind: 'silent', text: `ovs-vswitchd is not running: there is no ${pidfile}` }
  }
  const socket = path.join(rundir, `ovs-vswitchd.${pid}.ctl`)
  try {
    return { kind: 'answered', text: await callControl(socket, method, params) }
  } catch (error) {
    if (error instanceof RefusedError) return { kind: 'refused', text: error.message }
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') return { kind: 'denied', text: `not allowed to ask ovs-vswitchd (${socket}); use root` }
    return { kind: 'silent', text: `ovs-vswitchd does not answer on ${socket}: ${message}` }
  }
}

/** The answer of ovs/route/lookup: lines of a name and a value, with `::` where there is no gateway. */
export function parseRouteLookup(text: string): VswitchdRoute | undefined {
  const value = (name: string): string | undefined => new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  const [dev, gateway, src] = [value('dev'), parseIp(value('gateway') ?? ''), parseIp(value('src') ?? '')]
  if (dev === undefined) return undefined
  const hasGateway = gateway !== undefined && gateway !== '::' && gateway !== '0.0.0.0'
  return { dev, ...(hasGateway ? { gateway } : {}), ...(src === undefined ? {} : { src }) }
}

/** The MAC of an address in the answer of tnl/neigh/show: a table of address, MAC and bridge. */
export function findTunnelNeighbour(text: string, ip: Ip): string | undefined {
  for (const line of text.split('\n')) {
    const [address = '', mac] = line.trim().split(/\s+/)
    if (parseIp(address) === ip) return mac
  }
  return undefined
}
