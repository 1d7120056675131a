// The few values a walk is made of: few, so that they meet. Everything is in canonical text, as the agent shows it.

export const VNIS = [0, 100, 16777215] as const
/** VLANs of trunks. */
export const VLANS = [0, 1, 10, 4094] as const

/** MACs of workloads here, which other chassis may announce too. */
export const SHARED_MACS = [1, 2, 3, 4, 5].map((number) => `02:00:00:00:01:0${number}`)
/** MACs of workloads elsewhere only. */
export const REMOTE_MACS = [1, 2, 3, 4, 5].map((number) => `02:00:00:00:02:0${number}`)
export const ALL_MACS: readonly string[] = [...SHARED_MACS, ...REMOTE_MACS]

/** MACs behind `unknown` ports and behind VTEPs that learn: nobody binds them. */
export const HOST_MACS = [1, 2, 3].map((number) => `02:00:00:00:03:0${number}`)

export const WORKLOAD_IPS = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', 'fd00::1', 'fd00::2', 'fe80::1'] as const

export const VTEPS = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '2001:db8::1', '2001:db8::2', '2001:db8::3'] as const
export const LOCAL_IPS = ['198.51.100.1', '198.51.100.2', '2001:db8:f::1', '2001:db8:f::2'] as const

/** Single nexthops, and groups of them: a small id, one as FRR's, two that only a hash brings into our range, and both to one place. */
export const NEXTHOPS = [1, 2, 3, 4] as const
export const NEXTHOP_GROUPS = [10, 11, 0x20000001, 0x90002292, 0x90002f47] as const

export const UDP_PORTS = [4789, 4790, 8472] as const

export const BRIDGES = ['br-int', 'br-two'] as const
export const WORKLOADS = ['vm1', 'vm2', 'vm3', 'vm4', 'vm5', 'vm6'] as const
/** Ports of the bridge that are none of our business. */
export const OTHERS = ['eth9', 'patch9'] as const

/** The kernel devices of a VNI, by their default names, and the names options may give instead. */
export const DEVICE_NAMES = {
  bridge: (vni: number) => [`br-${vni}`, 'brX'],
  vxlan: (vni: number) => [`vxlan-${vni}`, 'vxX', 'vxY'],
  advertise: (vni: number) => [`lo-${vni}`, 'loX']
} as const

/** UDP port of kernel vxlan devices: never one of the switch's. */
export const KERNEL_UDP_PORT = 60000
