// All checks, in the order in which they are made and shown: what else depends on comes first.
import { BRIDGE_CHECKS } from './bridge.js'
import type { Check } from './check.js'
import { PROBLEM_CHECK, SESSION_CHECKS } from './daemon.js'
import { DEVICE_CHECKS } from './device.js'
import { FRR_CHECKS } from './frr.js'
import { UNDERLAY_CHECKS } from './underlay.js'

export const CHECKS: readonly Check[] = [...SESSION_CHECKS, ...BRIDGE_CHECKS, ...DEVICE_CHECKS, ...UNDERLAY_CHECKS, ...FRR_CHECKS, PROBLEM_CHECK]
