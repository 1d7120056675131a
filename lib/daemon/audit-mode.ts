// evpn-audit for one entry of a sink: its owner's name says which VNI it belongs to.
import type { AuditMode } from '../sink/drift.js'
import type { State } from './state.js'

/** Owners named by a kind and a VNI, as the refresh functions name them. */
const OF_VNI: ReadonlySet<string> = new Set(['domain', 'vtep', 'mac', 'ip', 'local', 'claim', 'flood', 'nexthop-use', 'devices'])

const PORT = 'port '

/** What is to be done about drift of this owner's entries; of what belongs to no VNI, and to nobody, the form for every VNI says it. */
export function auditMode(state: State, owner: string | undefined): AuditMode {
  const { bridge, ports } = state.database
  const modeOf = (vni: number) => bridge.ofVni.get(vni)?.audit ?? bridge.all.audit ?? 'repair'
  // A trunk's flows belong to all of its VNIs.
  const bindings = owner?.startsWith(PORT) === true ? ports.get(owner.slice(PORT.length))?.bindings ?? [] : []
  if (bindings.length > 0) return bindings.some(({ vni }) => modeOf(vni) === 'report') ? 'report' : 'repair'
  const [kind = '', vni] = owner?.split(' ') ?? []
  return OF_VNI.has(kind) ? modeOf(Number(vni)) : bridge.all.audit ?? 'repair'
}
