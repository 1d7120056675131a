// Building a lab, step by step, from its plan.
import type { ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import {
  announceSysctls, checksumOff, decoyLines, ipBatch, linuxVniLines, linuxVtepSysctls, namespaces, portLines, resolveLines, underlayLines,
  uplinkLines, workloadLines
} from './devices.js'
import { configureFrr, missingSessions, startFrrDaemon } from './frr.js'
import { hostTools } from './host.js'
import { configureOvs, portCommand, startOvsdbServer, startVswitchd } from './ovs.js'
import type { LabPlan, Vtep, Workload } from './spec.js'
import { waitFor } from './wait.js'

export type Progress = (text: string) => void

export type ServiceName = 'ovsdb-server' | 'ovs-vswitchd' | 'zebra' | 'bgpd'

/** Builds everything the plan says. On failure the caller removes what was built. */
export async function buildLab(plan: LabPlan, progress: Progress): Promise<void> {
  progress(`network namespaces and devices of ${plan.vteps.length} VTEPs and ${plan.workloads.length} workloads`)
  await ipBatch(plan.id, undefined, namespaces(plan).map((name) => `netns add ${name}`))
  await ipBatch(plan.id, plan.underlayNetns, underlayLines(plan))
  await Promise.all(plan.vteps.map((vtep) => buildVtepDevices(plan, vtep)))
  await Promise.all(plan.workloads.map((workload) => bringUpWorkload(plan, workload)))
  await startSwitches(plan, progress)
  if (plan.frr) await startRouting(plan, progress)
}

/** Makes the kernel devices of a VNI on a VTEP, as at the start. */
export async function addVniDevices(plan: LabPlan, vtep: Vtep, vni: number): Promise<void> {
  await ipBatch(plan.id, vtep.netns, vniLines(plan, vtep, vni))
}

/** Removes the kernel devices of a VNI on a VTEP. */
export async function removeVniDevices(plan: LabPlan, vtep: Vtep, vni: number): Promise<void> {
  const advertise = vtep.kind === 'ovs' ? [`link del lo-${vni}`] : []
  await ipBatch(plan.id, vtep.netns, [...advertise, `link del vxlan-${vni}`, `link del br-${vni}`])
}

/** Adds a workload to a lab that runs: namespace, port, addresses, and on a chassis the port on br-int. */
export async function attachWorkload(plan: LabPlan, workload: Workload): Promise<void> {
  const vtep = vtepByName(plan, workload.vtep)
  await ipBatch(plan.id, undefined, [`netns add ${workload.netns}`])
  await ipBatch(plan.id, vtep.netns, portLines(vtep, workload))
  if (vtep.kind === 'ovs') await hostTools(plan, vtep.name).run(['ovs-vsctl', '--timeout=20', ...portCommand(workload).slice(1)])
  await bringUpWorkload(plan, workload)
  if (vtep.kind === 'linux') await ipBatch(plan.id, vtep.netns, resolveLines(workload))
}

/** Removes a workload: its port from br-int, then the namespace and with it the devices. */
export async function detachWorkload(plan: LabPlan, workload: Workload): Promise<void> {
  const vtep = vtepByName(plan, workload.vtep)
  if (vtep.kind === 'ovs') {
    await hostTools(plan, vtep.name).run(['ovs-vsctl', '--timeout=20', '--if-exists', 'del-port', 'br-int', workload.name])
  }
  // The namespace's devices die with it, but some time later: the port must be gone when this returns.
  await ipBatch(plan.id, vtep.netns, [`link del dev ${workload.name}`])
  await ipBatch(plan.id, undefined, [`netns del ${workload.netns}`])
}

/** Starts one daemon of a VTEP and waits until it does its work. */
export async function startService(plan: LabPlan, vtep: Vtep, service: ServiceName): Promise<ChildProcess> {
  const tools = hostTools(plan, vtep.name)
  switch (service) {
    case 'ovsdb-server': return startOvsdbServer(tools, vtep)
    case 'ovs-vswitchd': return startVswitchd(tools, vtep, plan)
    case 'zebra':
    case 'bgpd': return startFrrDaemon(tools, vtep, service, plan)
  }
}

async function buildVtepDevices(plan: LabPlan, vtep: Vtep): Promise<void> {
  mkdirSync(vtep.dir, { recursive: true })
  const tools = hostTools(plan, vtep.name)
  const workloads = plan.workloads.filter((workload) => workload.vtep === vtep.name)
  const vnis = vtep.kind === 'linux' || plan.devices ? plan.vnis : []
  await ipBatch(plan.id, vtep.netns, [
    ...uplinkLines(vtep),
    ...vnis.flatMap((vni) => vniLines(plan, vtep, vni)),
    ...workloads.flatMap((workload) => portLines(vtep, workload))
  ])
  await tools.run(checksumOff('eth0'))
  if (vtep.kind === 'linux') await tools.run(['sysctl', '-q', '-w', ...linuxVtepSysctls])
}

function vniLines(plan: LabPlan, vtep: Vtep, vni: number): string[] {
  if (vtep.kind === 'ovs') return decoyLines(vtep, vni)
  const known = plan.vnis.indexOf(vni)
  return linuxVniLines(vtep, vni, known < 0 ? plan.vnis.length + 1 : known + 1)
}

async function bringUpWorkload(plan: LabPlan, workload: Workload): Promise<void> {
  const tools = hostTools(plan, workload.name)
  await tools.run(['sysctl', '-q', '-w', ...announceSysctls])
  await tools.run(checksumOff('eth0'))
  await ipBatch(plan.id, workload.netns, workloadLines(workload))
}

async function startSwitches(plan: LabPlan, progress: Progress): Promise<void> {
  const chassis = plan.vteps.filter(({ kind }) => kind === 'ovs')
  if (chassis.length > 0) progress(`Open vSwitch on ${names(chassis)}`)
  await Promise.all(plan.vteps.map(async (vtep) => {
    const own = plan.workloads.filter((workload) => workload.vtep === vtep.name)
    if (vtep.kind === 'linux') {
      await ipBatch(plan.id, vtep.netns, own.flatMap(resolveLines))
      return
    }
    const tools = hostTools(plan, vtep.name)
    await startOvsdbServer(tools, vtep)
    await configureOvs(tools, vtep, plan, own)
    await startVswitchd(tools, vtep, plan)
  }))
}

async function startRouting(plan: LabPlan, progress: Progress): Promise<void> {
  progress(`FRR on ${names(plan.vteps)}`)
  await Promise.all(plan.vteps.map(async (vtep) => {
    const tools = hostTools(plan, vtep.name)
    await configureFrr(tools, vtep, plan)
    await startFrrDaemon(tools, vtep, 'zebra', plan)
    await startFrrDaemon(tools, vtep, 'bgpd', plan)
  }))
  progress('BGP sessions')
  await Promise.all(plan.vteps.map((vtep) => waitForSessions(plan, vtep)))
}

/** Waits until the VTEP has a session with every other one, and its flood route for every VNI that it has devices for. */
export async function waitForSessions(plan: LabPlan, vtep: Vtep, timeoutMs = 20_000): Promise<void> {
  const peers = plan.vteps.length - 1
  const routes = plan.devices ? plan.vnis.length : 0
  const missing = (): Promise<string> => missingSessions(hostTools(plan, vtep.name), peers, routes)
  await waitFor(`BGP EVPN sessions of ${vtep.name}`, async () => await missing() || true, timeoutMs, 100)
}

function vtepByName(plan: LabPlan, name: string): Vtep {
  const vtep = plan.vteps.find((known) => known.name === name)
  if (vtep === undefined) throw new Error(`lab: no VTEP ${name}`)
  return vtep
}

function names(vteps: readonly Vtep[]): string {
  return vteps.map(({ name }) => name).join(', ')
}
