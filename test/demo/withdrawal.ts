// A workload leaves its chassis and comes back: how long until others no longer send there, and until they do again.
import type { Lab } from '../lab/lab.js'
import { portCommand } from '../lab/ovs.js'
import { ping } from '../lab/ping.js'
import type { Workload } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { kernelFdb } from './learned.js'
import { parseMacIpRoutes } from './routes.js'

/** Milliseconds from the command on the workload's chassis until it had its effect. */
export interface Effect {
  /** The flow on the other chassis. */
  readonly flow: number
  /** The row in the Linux VTEP's FDB. */
  readonly fdb: number
  /** The Type-2 routes in the Linux VTEP's BGP table. */
  readonly route: number
}

/** Where a workload is looked for: on another chassis and on a Linux VTEP. */
export interface Witnesses {
  readonly chassis: string
  readonly linux: string
}

/** Removes the workload's port from its bridge, and waits until the witnesses have forgotten its MAC. */
export async function withdraw(lab: Lab, workload: Workload, witnesses: Witnesses): Promise<Effect> {
  return await timeEffect(lab, workload, witnesses, 'gone', ['--', 'del-port', 'br-int', workload.name])
}

/** Adds the port again, and waits until the witnesses know the MAC and a ping from `pinger` passes. */
export async function bringBack(lab: Lab, workload: Workload, witnesses: Witnesses, pinger: string): Promise<Effect> {
  const effect = await timeEffect(lab, workload, witnesses, 'there', portCommand(workload))
  await waitFor(`a ping from ${pinger} to ${workload.name}`, async () => {
    const { received } = await ping(lab, pinger, workload.name, { count: 1 })
    return received === 1 || 'no reply'
  })
  return effect
}

export function formatEffect(what: 'there' | 'gone', { flow, fdb, route }: Effect, { chassis, linux }: Witnesses): string {
  const after = (time: number): string => `after ${Math.round(time)} ms`
  return `flow on ${chassis} ${what} ${after(flow)}, FDB row on ${linux} ${after(fdb)}, route on ${linux} ${after(route)}`
}

async function timeEffect(
  lab: Lab, workload: Workload, witnesses: Witnesses, wanted: 'there' | 'gone', command: readonly string[]
): Promise<Effect> {
  const hasFlowNow = () => hasFlow(lab, workload, witnesses.chassis)
  const hasRowNow = () => hasRow(lab, workload, witnesses.linux)
  const hasRouteNow = () => hasRoute(lab, workload, witnesses.linux)
  for (const isThere of [hasFlowNow, hasRowNow, hasRouteNow]) {
    if (await isThere() === (wanted === 'there')) throw new Error(`${workload.mac} is ${wanted} before anything was done`)
  }
  const started = performance.now()
  const until = async (what: string, isThere: () => Promise<boolean>): Promise<number> => {
    await waitFor(`the ${what} of ${workload.mac} to be ${wanted}`, async () => await isThere() === (wanted === 'there'), 10_000, 10)
    return performance.now() - started
  }
  const effects = Promise.all([until('flow', hasFlowNow), until('FDB row', hasRowNow), until('route', hasRouteNow)])
  const done = lab.exec(workload.vtep, ['ovs-vsctl', '--timeout=10', ...command.slice(1)])
  const [[flow, fdb, route]] = await Promise.all([effects, done])
  return { flow, fdb, route }
}

async function hasFlow(lab: Lab, { vni, mac }: Workload, chassis: string): Promise<boolean> {
  const { stdout } = await lab.exec(chassis, ['ovs-ofctl', '-O', 'OpenFlow15', 'dump-flows', 'br-int', `metadata=${vni},dl_dst=${mac}`])
  return stdout.includes(mac)
}

async function hasRow(lab: Lab, { vni, mac }: Workload, linux: string): Promise<boolean> {
  return (await kernelFdb(lab, linux)).some((row) => row.startsWith(`${mac} dev vxlan-${vni} `))
}

async function hasRoute(lab: Lab, { mac }: Workload, linux: string): Promise<boolean> {
  const routes = parseMacIpRoutes(await lab.vtysh(linux, 'show bgp l2vpn evpn route type macip json'))
  return routes.some((route) => route.mac === mac)
}
