// A chassis as the daemon would report it, small enough to check by eye: two VNIs, three VTEPs, one MAC over a nexthop group.
import { bindingKey, nameUuid } from '../../lib/daemon/control/ids.js'
import type { MacReport, Reports, VtepReport } from '../../lib/daemon/report/report.js'

function vtep(vni: number, ip: string, more: Partial<VtepReport> = {}): VtepReport {
  const key = { binding_key: bindingKey(ip, 4789, vni), uuid: nameUuid('vtep', vni, ip, 4789) }
  return { vni, ip, port: 4789, flood: true, macs: 1, state: 'ok', ofport: 1, ...key, ...more }
}

function mac(vni: number, address: string, more: Partial<MacReport>): MacReport {
  return { vni, mac: address, sticky: false, state: 'ok', uuid: nameUuid('mac', vni, address), ...more }
}

const VTEPS: readonly VtepReport[] = [
  vtep(2000, '192.0.2.2'),
  vtep(1000, '192.0.2.10'),
  vtep(1000, '192.0.2.2'),
  vtep(1000, '2001:db8::9', { state: 'unusable', reason: 'no local IPv6 address' })
]

const MACS: readonly MacReport[] = [
  mac(1000, '02:00:00:00:00:03', {
    paths: [
      { ip: '192.0.2.2', port: 4789, weight: 100, binding_key: bindingKey('192.0.2.2', 4789, 1000) },
      { ip: '192.0.2.10', port: 4789, weight: 200, binding_key: bindingKey('192.0.2.10', 4789, 1000) }
    ]
  }),
  mac(1000, '02:00:00:00:00:02', { ip: '192.0.2.2', port: 4789, binding_key: bindingKey('192.0.2.2', 4789, 1000), sticky: true }),
  mac(1000, '02:00:00:00:00:04', { ip: '2001:db8::9', port: 4789, state: 'unusable', reason: 'its VTEP is unusable' }),
  mac(1000, '02:00:00:00:00:05', { paths: [{ ip: '192.0.2.2', port: 4789, weight: 1, binding_key: bindingKey('192.0.2.2', 4789, 1000) }] })
]

const VNI = { vxlan: ['vxlan-1000'], advertise: 'lo-1000', local_ips: ['192.0.2.1'], problems: [] }

const RESOLVED = { vni: 1000, mac: '02:00:00:00:00:02', from: 'remote', answers: true, state: 'ok' } as const

const FLOOD = { vni: 1000, vteps: ['192.0.2.2', '192.0.2.10'], parts: 1, local_ports: ['vm1'], reached: 2, state: 'ok' }

/** Reports with the rows above. */
export function fakeReports(): Reports {
  const of = <Row extends { readonly vni: number | null }>(rows: readonly Row[]) => (vni?: number): readonly Row[] =>
    rows.filter(row => vni === undefined || row.vni === vni)
  const problems = [{ severity: 'warning', record: 'Interface vm9', what: '"x" is no VNI', since: '2026-01-01T00:00:00.000Z' }] as const
  return {
    show: () => ({
      version: '1.2.3', system_id: 'chassis-1', bridge: 'br-int', ovsdb: 'connected', openflow: 'connected', netlink: 'synced',
      tunnels: [{ name: 'ovn-evpn-4789', udp_port: 4789, ofport: 1, state: 'up' }],
      vnis: [
        { vni: 2000, bridge: 'br-2000', vlan: 20, vteps: 1, macs: 0, ips: 0, ports: 1, ...VNI, problems: ['no device vxlan-2000'] },
        { vni: 1000, bridge: 'br-1000', vteps: 3, macs: 4, ips: 2, ports: 1, ...VNI }
      ],
      problems
    }),
    vteps: of(VTEPS),
    macs: of(MACS),
    ips: of([
      { ip: '2001:db8:1::22', router: true, uuid: nameUuid('ip', 1000, '2001:db8:1::22'), ...RESOLVED },
      { ip: '10.0.0.22', router: false, uuid: nameUuid('ip', 1000, '10.0.0.22'), ...RESOLVED },
      { ...RESOLVED, ip: '10.0.0.22', mac: '02:00:00:00:01:01', from: 'local', router: false, answers: false, uuid: nameUuid('ip', 1000, '10.0.0.22', 'local') }
    ]),
    flood: of([
      { ...FLOOD, uuid: nameUuid('flood', 1000) },
      { vni: 2000, vteps: [], parts: 0, local_ports: ['vm2'], reached: 0, state: 'ok', uuid: nameUuid('flood', 2000) }
    ]),
    local: of([{ vni: 1000, port: 'vm1', mac: '02:00:00:00:01:01', ips: ['10.0.0.1', '2001:db8:1::1'], state: 'advertised' }]),
    ports: of([
      { port: 'vm2', vni: null, addresses: '', unknown: true, advertise: true, state: 'ignored', reason: 'its VNI is not valid' },
      { port: 'vm1', vni: 1000, ofport: 5, addresses: '02:00:00:00:01:01 10.0.0.1', unknown: false, advertise: true, state: 'up' },
      { port: 'vm3', vni: 1000, vlan: 10, ofport: 6, addresses: '02:00:00:00:01:03', unknown: false, advertise: true, state: 'up' },
      { port: 'vm3', vni: 2000, vlan: 0, ofport: 6, addresses: '02:00:00:00:01:03', unknown: false, advertise: true, state: 'up' }
    ]),
    drops: async vni => {
      const rows = [
        { vni: null, port: 'ovn-evpn-4789', reason: 'wrong VNI', packets: 4, bytes: 400 },
        { vni: 2000, reason: 'unknown VTEP', packets: 1, bytes: 60 },
        { vni: 1000, reason: 'unknown VTEP', packets: 12345, bytes: 740700 },
        { vni: 1000, reason: 'inner VLAN', packets: 0, bytes: 0 }
      ]
      return await Promise.resolve(vni === undefined ? rows.filter(({ packets }) => packets > 0) : rows.filter(row => row.vni === vni))
    },
    problems: () => problems,
    latency: () => [
      { change: 'learn', events: 100_000, p50: 0.912, p95: 1.25, p99: 2, max: 20_000, buckets: [{ le: 1, events: 60_000 }, { le: 2.5, events: 39_999 }, { le: null, events: 1 }] },
      { change: 'move', events: 12, p50: 1, p95: 1.1, p99: 1.1, max: 1.1, buckets: [{ le: 2.5, events: 12 }] },
      { change: 'withdraw', events: 0, p50: 0, p95: 0, p99: 0, max: 0, buckets: [] },
      { change: 'group', events: 1, p50: 0.8, p95: 0.8, p99: 0.8, max: 0.8, buckets: [{ le: 1, events: 1 }] }
    ]
  }
}

/** Reports of a daemon that has nothing to do. */
export function emptyReports(): Reports {
  const none = (): readonly never[] => []
  return {
    show: () => ({
      version: '1.2.3', bridge: 'br-int', ovsdb: 'connecting', openflow: 'waiting', netlink: 'synced', tunnels: [], vnis: [], problems: []
    }),
    vteps: none, macs: none, ips: none, flood: none, local: none, ports: none, drops: () => Promise.resolve([]), problems: none, latency: none
  }
}
