// What every VTEP must know of the others once BGP has told them, from the lab's plan; and what it does know.
import type { IpReport, LocalReport, MacReport, VtepReport } from '../../lib/daemon/report/report.js'
import { fileURLToPath } from 'node:url'
import type { Lab } from '../lab/lab.js'
import { withoutPrefix, type LabPlan, type Vtep, type Workload } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { requireSame } from './compare.js'

/** The compiled ovs-evpnctl. */
export const CTL_PATH = fileURLToPath(new URL('../../bin/ovs-evpnctl.js', import.meta.url))

/** Lines of text, one for each thing known. */
export interface Knowledge {
  readonly vteps: readonly string[]
  readonly macs: readonly string[]
  readonly ips: readonly string[]
  /** Of this chassis, announced to the others. */
  readonly local: readonly string[]
}

/** What a chassis must know. */
export function expectedKnowledge(plan: LabPlan, chassis: Vtep): Knowledge {
  const remote = plan.workloads.filter(({ vtep }) => vtep !== chassis.name)
  const local = plan.workloads.filter(({ vtep }) => vtep === chassis.name)
  const others = plan.vteps.filter(({ name }) => name !== chassis.name)
  return {
    vteps: plan.vnis.flatMap((vni) => others.map(({ ip }) => `${vni} ${ip}`)),
    macs: remote.map((workload) => `${workload.vni} ${workload.mac} via ${vtepIp(plan, workload)}`),
    ips: remote.flatMap(({ vni, mac, addresses }) => addresses.map((address) => `${vni} ${withoutPrefix(address)} at ${mac}`)),
    local: local.map((workload) => [workload.vni, workload.mac, ...workload.addresses.map(withoutPrefix), 'advertised'].join(' '))
  }
}

/** What the daemon of a chassis says it knows. */
export async function chassisKnowledge(lab: Lab, chassis: string): Promise<Knowledge> {
  const ask = async <T>(list: string): Promise<readonly T[]> => JSON.parse(await evpnctl(lab, chassis, list, '--json')) as readonly T[]
  const [vteps, macs, ips, local] = await Promise.all([
    ask<VtepReport>('vteps'), ask<MacReport>('macs'), ask<IpReport>('ips'), ask<LocalReport>('local')
  ])
  return {
    vteps: vteps.map(({ vni, ip }) => `${vni} ${ip}`),
    macs: macs.map(({ vni, mac, ip }) => `${vni} ${mac} via ${ip}`),
    ips: ips.filter(({ from }) => from === 'remote').map(({ vni, ip, mac }) => `${vni} ${ip} at ${mac}`),
    local: local.map(({ vni, mac, ips, state }) => [vni, mac, ...ips, state].join(' '))
  }
}

/** Runs ovs-evpnctl on a chassis and returns what it printed. */
export async function evpnctl(lab: Lab, chassis: string, ...args: readonly string[]): Promise<string> {
  return (await lab.exec(chassis, [process.execPath, CTL_PATH, ...args])).stdout
}

/** Waits until a chassis knows exactly what it must; returns how much that is, in words. */
export async function waitForKnowledge(lab: Lab, chassis: Vtep): Promise<string> {
  const expected = expectedKnowledge(lab.plan, chassis)
  await waitFor(`${chassis.name} to learn the fabric`, async () => {
    const got = await chassisKnowledge(lab, chassis.name)
    for (const list of ['vteps', 'macs', 'ips', 'local'] as const) requireSame(`${list} on ${chassis.name}`, expected[list], got[list])
    return true
  }, 10_000, 100)
  return `${expected.vteps.length} VTEPs, ${expected.macs.length} MACs, ${expected.ips.length} IPs`
}

/** Waits until the kernel of a Linux VTEP has every workload of the other VTEPs behind the right one; returns how many. */
export async function waitForKernelFdb(lab: Lab, vtep: string): Promise<number> {
  const remote = lab.plan.workloads.filter((workload) => workload.vtep !== vtep)
  const expected = remote.map((workload) => `${workload.mac} dev vxlan-${workload.vni} dst ${vtepIp(lab.plan, workload)}`)
  await waitFor(`the kernel of ${vtep} to learn the workloads of the others`, async () => {
    requireSame(`rows of the FDB on ${vtep}`, expected, await kernelFdb(lab, vtep))
    return true
  }, 10_000, 100)
  return expected.length
}

/** Unicast rows of a VTEP's vxlan devices, as `bridge fdb` prints them. */
export async function kernelFdb(lab: Lab, vtep: string): Promise<string[]> {
  const { stdout } = await lab.exec(vtep, ['bridge', '-j', 'fdb', 'show'])
  const rows = JSON.parse(stdout) as readonly { readonly mac: string, readonly ifname: string, readonly dst?: string }[]
  return rows.flatMap(({ mac, ifname, dst }) => dst === undefined || mac === '00:00:00:00:00:00' ? [] : [`${mac} dev ${ifname} dst ${dst}`])
}

function vtepIp(plan: LabPlan, workload: Workload): string {
  return plan.vteps.find(({ name }) => name === workload.vtep)?.ip ?? ''
}
