// evpn-audit by the names of owners, as the refresh functions give them.
import t from 'tap'
import { EMPTY_BRIDGE } from '../../lib/config/bridge.js'
import { auditMode } from '../../lib/daemon/audit-mode.js'
import type { State } from '../../lib/daemon/state.js'

const ports = new Map([['trunk', { bindings: [{ vni: 1000 }, { vni: 2000 }] }], ['access', { bindings: [{ vni: 2000 }] }]])
const bridge = { ...EMPTY_BRIDGE, all: { audit: 'report' }, ofVni: new Map([[1000, { audit: 'repair' }]]) }
const state = { database: { bridge, ports } } as unknown as State

for (const [owner, mode] of [
  ['domain 1000', 'repair'], ['vtep 1000 192.0.2.2 4789', 'repair'], ['mac 1000', 'repair'], ['ip 1000', 'repair'], ['local 1000 02:00:00:00:00:01', 'repair'],
  ['claim 1000 02:00:00:00:00:01', 'repair'], ['flood 1000', 'repair'], ['nexthop-use 1000 7', 'repair'], ['devices 1000', 'repair'],
  ['mac 2000', 'report'], ['port trunk', 'report'], ['port access', 'report'],
  // A kernel nexthop's groups are shared by VNIs, whatever its number is.
  ['nexthop 1000', 'report'], ['constant', 'report'], [undefined, 'report']
] as const) t.equal(auditMode(state, owner), mode, owner ?? 'nobody')
