// All checks, in the order in which they are made and shown: what else depends on comes first.
import { BRIDGE_CHECKS } from './bridge.js'
import type { Check } from './check.js'
import { PROBLEM_CHECK, SESSION_CHECKS } from './daemon.js'
import { DEVICE_CHECKS } from './device.js'
import type { Source } from './facts.js'
import { FRR_CHECKS } from './frr.js'
import { UNDERLAY_CHECKS } from './underlay.js'

export const CHECKS: readonly Check[] = [...SESSION_CHECKS, ...BRIDGE_CHECKS, ...DEVICE_CHECKS, ...UNDERLAY_CHECKS, ...FRR_CHECKS, PROBLEM_CHECK]

/** Checks that find nothing while a source cannot be asked. The version is FRR's. */
const NEED: Readonly<Record<Source, readonly string[]>> = {
  OVSDB: ['bridge-fail-mode', 'bridge-controller', 'vtep-mtu', 'tx-checksum'],
  addresses: ['local-ip-foreign', 'local-ip-down'],
  ways: ['vtep-no-route', 'vtep-no-neighbour', 'vtep-mtu'],
  checksums: ['tx-checksum'],
  zebra: ['frr-down'],
  bgpd: ['frr-down', 'bgp-no-peer', 'frr-advertise-all-vni', 'frr-connect-timer'],
  version: ['frr-shared-device', 'frr-ipv6-vtep']
}

/** The checks that are left out without these, in their order. */
export function leftOut(sources: readonly Source[]): string[] {
  const needing = new Set(sources.flatMap((source) => NEED[source]))
  return CHECKS.map(({ id }) => id).filter((id) => needing.has(id))
}
