// What a lab consists of, as plain data: what the caller asks for (LabSpec) and what follows from it (LabPlan).
import { parseIp, ipFamily, type Ip } from '../../lib/net/ip.js'
import { parseMac, type Mac } from '../../lib/net/mac.js'
import { MAX_VNI, type Vni } from '../../lib/net/number.js'

/** What the caller asks for. Everything missing gets a default: two OVS chassis, one Linux VTEP, VNIs 1000 and 2000, FRR. */
export interface LabSpec {
  /** Names everything the lab makes; a-z and 0-9, at most 12. A unique one by default. */
  readonly id?: string
  /** Number of Open vSwitch chassis (c1, c2, ...), 0..9. */
  readonly chassis?: number
  /** Number of plain Linux VTEPs (l1, l2, ...) that run none of our code, 0..9. */
  readonly linux?: number
  /** zebra and bgpd on every VTEP, in a full iBGP EVPN mesh. Without it, tests write FDB rows with `bridge fdb`. */
  readonly frr?: boolean
  /** evpn-speaker is left as it is by default, and FRR's sockets are there. Without it nobody looks whether FRR lives. */
  readonly speaker?: boolean
  readonly vnis?: readonly Vni[]
  /** Kernel bridge, vxlan and advertise device of each VNI on the OVS chassis; a Linux VTEP always has its own. */
  readonly devices?: boolean
  /** Open vSwitch's datapath on the chassis. Default: what the environment variable OVS_EVPN_DATAPATH says, else userspace. */
  readonly datapath?: Datapath
  /** Where a chassis has its underlay address: on a bridge of Open vSwitch (default), or on the device, beside it. */
  readonly uplink?: Uplink
  /** Every workload of the lab. Default: two for each VTEP and VNI. */
  readonly workloads?: readonly WorkloadSpec[]
  /** Underlay address by VTEP name. Default 192.0.2.1, .2, ... in the order c1, c2, ..., l1, ... */
  readonly vtepIps?: Readonly<Record<string, Ip>>
}

/** OVS's words for `datapath_type`: in ovs-vswitchd itself, or in the kernel (module openvswitch). */
export type Datapath = 'netdev' | 'system'

/** The userspace datapath sends tunnel packets by `br-phy` only; the kernel's by any device. */
export type Uplink = 'br-phy' | 'eth0'

/** A host with one interface, on one VTEP. */
export interface WorkloadSpec {
  /** Also the name of its port on the VTEP, hence at most 15 characters. */
  readonly name: string
  /** The VTEP it is attached to. */
  readonly vtep: string
  readonly vni: Vni
  readonly mac: Mac
  /** With prefix length: `10.0.1.11/16`, `fd00::1:11/64`. */
  readonly addresses: readonly string[]
  /** external_ids of its OVS interface. Default: dynamic-routing-vni and evpn-addresses as above. */
  readonly externalIds?: Readonly<Record<string, string>>
}

/** A VTEP as it will be built. */
export interface Vtep {
  readonly name: string
  readonly kind: 'ovs' | 'linux'
  readonly netns: string
  readonly ip: Ip
  /** Sockets, database, configuration and logs of its daemons; OVS_RUNDIR of a chassis. */
  readonly dir: string
  /** 1, 2, ... in the order c1, c2, ..., l1, ...: the fifth octet of the MACs behind it. */
  readonly index: number
}

export interface Workload extends WorkloadSpec {
  readonly netns: string
}

export interface LabPlan {
  readonly id: string
  readonly dir: string
  readonly underlayNetns: string
  readonly frr: boolean
  readonly speaker: boolean
  readonly devices: boolean
  readonly datapath: Datapath
  readonly uplink: Uplink
  readonly vnis: readonly Vni[]
  readonly vteps: readonly Vtep[]
  readonly workloads: readonly Workload[]
}

/** Where labs keep their state, one directory each. */
export const LAB_ROOT = '/run/ovs-evpn-lab'

export const DEFAULT_VNIS: readonly Vni[] = [1000, 2000]

/** Every namespace of a lab starts with this; ids contain no '-', so no lab's prefix is the beginning of another's. */
export function netnsPrefix(id: string): string {
  return `evpn-${id}-`
}

/** A lab id or VTEP/workload name that cannot be used: one sentence for the user. */
export class SpecError extends Error {
  override readonly name = 'SpecError'
}

/** The lab that `spec` describes. Throws SpecError when it is none. */
export function planLab(spec: LabSpec): LabPlan {
  const id = checkId(spec.id ?? uniqueId())
  const vnis = spec.vnis ?? DEFAULT_VNIS
  vnis.forEach(checkVni)
  const vteps = planVteps(id, spec)
  const plan: LabPlan = {
    id,
    dir: `${LAB_ROOT}/${id}`,
    underlayNetns: `${netnsPrefix(id)}underlay`,
    frr: spec.frr ?? true,
    speaker: spec.speaker ?? false,
    devices: spec.devices ?? true,
    datapath: spec.datapath ?? labDatapath(),
    uplink: spec.uplink ?? 'br-phy',
    vnis,
    vteps,
    workloads: []
  }
  if (plan.uplink === 'eth0' && plan.datapath === 'netdev') throw new SpecError('lab: the userspace datapath needs its uplink on br-phy')
  return addToPlan(plan, spec.workloads ?? defaultWorkloads(vteps, vnis))
}

/** The plan with more workloads. Throws SpecError for one that does not fit. */
export function addToPlan(plan: LabPlan, workloads: readonly WorkloadSpec[]): LabPlan {
  const added = workloads.map((workload) => ({ ...workload, netns: netnsPrefix(plan.id) + workload.name }))
  const names = new Set(['underlay', ...plan.vteps.map(({ name }) => name), ...plan.workloads.map(({ name }) => name)])
  for (const workload of added) {
    checkWorkload(workload, plan)
    if (names.has(workload.name)) throw new SpecError(`lab: the name '${workload.name}' is used twice`)
    names.add(workload.name)
  }
  return { ...plan, workloads: [...plan.workloads, ...added] }
}

/** The n-th (1..8) workload's address plan on a VTEP: one subnet for all VNIs, so that only the fabric keeps VNIs apart. */
export function workloadOf(vtep: Pick<Vtep, 'name' | 'index'>, vni: Vni, vniIndex: number, n: number): WorkloadSpec {
  return {
    name: `${vtep.name}-${vni}-${String.fromCharCode(96 + n)}`,
    vtep: vtep.name,
    vni,
    mac: labMac(vtep, vniIndex, n),
    addresses: [`10.0.${vniIndex}.${vtep.index}${n}/16`, `fd00::${vniIndex}:${vtep.index}${n}/64`]
  }
}

/**
 * A Linux VTEP's own addresses in a VNI. Longer prefixes than the workloads': several VNIs share one routing table here.
 * Without the link-local one the kernel sends no neighbour solicitation.
 */
export function sviAddresses(vtep: Vtep, vniIndex: number): readonly string[] {
  return [`10.0.${vniIndex}.${vtep.index}9/24`, `fd00::${vniIndex}:${vtep.index}9/112`, `fe80::${vniIndex}:${vtep.index}9/64`]
}

/** 02:00:00:<VNI>:<VTEP>:<n>, VNI and VTEP counted from 1. */
export function labMac(vtep: Pick<Vtep, 'index'>, vniIndex: number, n: number): Mac {
  return ['02', '00', '00', ...[vniIndex, vtep.index, n].map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

function defaultWorkloads(vteps: readonly Vtep[], vnis: readonly Vni[]): WorkloadSpec[] {
  return vteps.flatMap((vtep) => vnis.flatMap((vni, i) => [1, 2].map((n) => workloadOf(vtep, vni, i + 1, n))))
}

function planVteps(id: string, spec: LabSpec): Vtep[] {
  const named = (kind: Vtep['kind'], letter: string, count: number): { kind: Vtep['kind'], name: string }[] => {
    if (!Number.isInteger(count) || count < 0 || count > 9) throw new SpecError(`lab: 0 to 9 VTEPs of a kind, not ${count}`)
    return Array.from({ length: count }, (_, i) => ({ kind, name: `${letter}${i + 1}` }))
  }
  return [...named('ovs', 'c', spec.chassis ?? 2), ...named('linux', 'l', spec.linux ?? 1)].map(({ kind, name }, i) => ({
    name,
    kind,
    netns: netnsPrefix(id) + name,
    ip: checkIp(name, spec.vtepIps?.[name] ?? `192.0.2.${i + 1}`),
    dir: `${LAB_ROOT}/${id}/${name}`,
    index: i + 1
  }))
}

function uniqueId(): string {
  return `t${process.pid.toString(36)}${Math.floor(Math.random() * 36 ** 5).toString(36)}`
}

/** The id when it can name a lab. Throws SpecError otherwise. */
export function checkId(id: string): string {
  if (/^[a-z0-9]{1,12}$/.test(id)) return id
  throw new SpecError(`lab: id '${id}' must be 1 to 12 characters of a-z and 0-9`)
}

function checkVni(vni: number): void {
  if (!Number.isInteger(vni) || vni < 0 || vni > MAX_VNI) throw new SpecError(`lab: VNI ${vni} is not in 0..${MAX_VNI}`)
}

/** The datapath of labs that ask for none: that of the stage the tests run in. Throws SpecError when it is none. */
export function labDatapath(): Datapath {
  const type = process.env['OVS_EVPN_DATAPATH'] ?? 'netdev'
  if (type === 'netdev' || type === 'system') return type
  throw new SpecError(`lab: OVS_EVPN_DATAPATH is '${type}'; it must be netdev or system`)
}

function checkIp(name: string, ip: string): Ip {
  const canonical = parseIp(ip)
  if (canonical === undefined) throw new SpecError(`lab: '${ip}' of ${name} is no IP address`)
  return canonical
}

function checkWorkload(workload: WorkloadSpec, plan: LabPlan): void {
  const { name, vtep, mac, addresses } = workload
  if (!/^[a-z][a-z0-9-]{0,14}$/.test(name)) {
    throw new SpecError(`lab: workload name '${name}' must be 1 to 15 characters of a-z, 0-9 and '-' (it names an interface)`)
  }
  if (!plan.vteps.some((known) => known.name === vtep)) {
    throw new SpecError(`lab: workload ${name} is on '${vtep}', which is none of ${plan.vteps.map((known) => known.name).join(', ')}`)
  }
  checkVni(workload.vni)
  if (parseMac(mac) === undefined) throw new SpecError(`lab: '${mac}' of workload ${name} is no MAC address`)
  for (const address of addresses) {
    if (parseIp(address.split('/')[0] ?? '') === undefined || !/\/[0-9]+$/.test(address)) {
      throw new SpecError(`lab: '${address}' of workload ${name} is no ADDRESS/PREFIXLENGTH`)
    }
  }
}

/** The address of a workload in one family, without prefix length. */
export function addressOf(workload: WorkloadSpec, family: 4 | 6): Ip | undefined {
  return workload.addresses.map(withoutPrefix).find((ip) => ipFamily(ip) === family)
}

/** `10.0.1.11/16` -> `10.0.1.11`. */
export function withoutPrefix(address: string): Ip {
  return address.split('/')[0] ?? address
}
