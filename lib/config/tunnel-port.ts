// Which ports of OVSDB are tunnel ports of ours: by name and by our mark, never by name alone.
import type { Row } from '../ovsdb/index.js'
import { text, textMap } from './columns.js'

/** Our mark on a Port row; only rows that carry it are ever used, changed or removed. */
export const TUNNEL_MARK = 'ovn-evpn-tunnel'

/** What the names of all of them begin with. */
export const TUNNEL_PREFIX = 'ovn-evpn-'

export function tunnelName(udpPort: number): string {
  return `${TUNNEL_PREFIX}${udpPort}`
}

export function isTunnelPort(port: Row): boolean {
  return textMap(port['external_ids']).get(TUNNEL_MARK) === 'true' && /^ovn-evpn-[0-9]+$/.test(text(port['name']))
}
