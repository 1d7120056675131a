// Two whole chains, a remote address and a local one, in which every link is in order; and ways to break one.
import type { Chain } from '../../lib/cli/explain/chain.js'
import type { Explanation, FlowExplanation } from '../../lib/daemon/explain/explanation.js'

export const MAC = '02:00:00:00:00:02'
export const IP = '10.0.0.2'

export const FORWARD: FlowExplanation = {
  table: 'FORWARD', flow: `table=202, priority=300,metadata=0xa,dl_dst=${MAC}`, actions: 'resubmit(,205)', state: 'installed', packets: 12, bytes: 1200, idle_s: 60
}

const CLASSIFY: FlowExplanation = {
  table: 'CLASSIFY', flow: 'table=200, priority=200,tun_id=0xa,tun_src=192.0.2.2,tun_dst=192.0.2.1,in_port=3', actions: 'resubmit(,207)', state: 'installed', packets: 9, bytes: 882, idle_s: 60
}
const ENCAP: FlowExplanation = {
  table: 'ENCAP', flow: 'table=205, priority=200,reg0=0x12b50000/0xffff000b,metadata=0xa', actions: 'output:3', state: 'installed', packets: 31, bytes: 3038, idle_s: 60
}

const DAEMON: Explanation = {
  address: MAC, mac: MAC, bridge: 'br-int', datapath: 'kernel', ovsdb: 'connected to unix:/x', openflow: 'connected to /x', netlink: 'synced', speaker: ['/run/frr/zserv.api', '/run/frr/bgpd.vty'],
  vni: { vni: 10, bridge: 'br-10', vxlan: ['vxlan-10'], advertise: 'lo-10', local_ips: ['192.0.2.1'], vteps: 1, macs: 1, ips: 1, ports: 1, problems: [] },
  svi: 'br-10', vteps: [], ips: [], suppress: true, flows: [FORWARD], nearest: []
}

const PEERS = [{ peer: '192.0.2.2', state: 'Established' }]

export const REMOTE: Chain = {
  vni: 10, address: MAC, mac: MAC,
  daemon: {
    ...DAEMON,
    flows: [CLASSIFY, FORWARD, ENCAP],
    remote: { vni: 10, mac: MAC, ip: '192.0.2.2', port: 4789, sticky: false, state: 'ok', uuid: '' },
    vteps: [{ ip: '192.0.2.2', port: 4789, weight: 1, local_ip: '192.0.2.1', ofport: 3 }]
  },
  kernel: {
    deviceRows: [{ dev: 'vxlan-10', state: ['NOARP'], flags: ['SELF', 'EXT_LEARNED'], dst: '192.0.2.2', age: 5 }],
    bridgeRow: { dev: 'vxlan-10', state: ['REACHABLE'], flags: ['EXT_LEARNED'], age: 5 }, neighbours: {}
  },
  zebra: { kind: 'said', knowsVni: true, mac: { type: 'remote', vtep: '192.0.2.2', isDuplicate: false, ips: [] } },
  bgpd: { kind: 'said', as: 65000, knowsVni: true, peers: PEERS, paths: [{ nexthop: '192.0.2.2', peer: '192.0.2.2', isValid: true, isBest: true, isLocal: false }] },
  underlay: [{ vtep: '192.0.2.2', by: 'kernel', route: { dev: 'eth0', src: '192.0.2.1', mtu: 1600 }, neighbour: { ip: '192.0.2.2', mac: '02:00:00:00:00:ff', state: 'resolved', words: 'REACHABLE' } }]
}

export const LOCAL: Chain = {
  ...REMOTE,
  daemon: {
    ...DAEMON,
    local: { vni: 10, port: 'vm1', mac: MAC, ips: [IP], state: 'advertised' },
    port: { port: 'vm1', vni: 10, ofport: 1, addresses: `${MAC} ${IP}`, unknown: false, advertise: true, state: 'up' }
  },
  kernel: {
    deviceRows: [], bridgeRow: { dev: 'lo-10', state: ['NOARP'], flags: [], age: 5 }, port: { name: 'vm1', isUp: true, hasCarrier: true },
    neighbours: { [IP]: { dev: 'br-10', state: ['NOARP', 'PERMANENT'], flags: [], lladdr: MAC, protocol: 85 } }
  },
  zebra: { kind: 'said', knowsVni: true, mac: { type: 'local', isDuplicate: false, ips: [IP] } },
  bgpd: { kind: 'said', as: 65000, knowsVni: true, peers: PEERS, paths: [{ nexthop: '192.0.2.1', isValid: true, isBest: true, isLocal: true }] },
  underlay: []
}

/** The remote chain as it is while ovs-evpnd does not know the MAC, and nobody else does. */
export const UNKNOWN: Chain = {
  ...REMOTE,
  daemon: { ...DAEMON, nearest: ['02:00:00:00:00:03'] },
  kernel: { deviceRows: [], neighbours: {} },
  zebra: { kind: 'said', knowsVni: true },
  bgpd: { kind: 'said', as: 65000, knowsVni: true, peers: PEERS, paths: [] },
  underlay: []
}

/** A chain with a changed view of one source. */
export function but<Part extends 'daemon' | 'kernel' | 'zebra' | 'bgpd'>(chain: Chain, part: Part, change: Partial<Chain[Part]>): Chain {
  return { ...chain, [part]: { ...chain[part], ...change } }
}

/** Those that fixtures/cli shows. */
export const SCREENS: Readonly<Record<string, Chain>> = {
  remote: REMOTE, local: LOCAL,
  broken: { ...REMOTE, underlay: [{ vtep: '192.0.2.2', by: 'kernel', route: { dev: 'eth0', src: '192.0.2.1', mtu: 1600 }, neighbour: { ip: '192.0.2.2', state: 'failed', words: 'FAILED' } }] }
}
