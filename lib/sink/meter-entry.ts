// Meters as the tracker keeps them, the messages that bring them about, and flows with those meters only that are there.
// Open vSwitch refuses a flow whose `meter` action names a missing meter, and lets one whose `controller` action does go
// unmetered for good (it looks the meter up when the flow comes): so a meter is in a flow once the switch has the meter.
import { encodeMeterMod, type Action, type Meter } from '../openflow/index.js'
import type { Flow } from '../pipeline/flow.js'
import type { Pending } from './tracker.js'

/** [id in words, `unit rate burst`]. */
export type MeterEntry = readonly [key: string, value: string]

/** Open vSwitch reports a burst as large as the rate where none was given: ours always give one. */
export function compileMeter({ meterId, unit, rate, burst }: Meter): MeterEntry {
  return [meterKey(meterId), `${unit} ${rate} ${burst ?? rate}`]
}

export function meterKey(id: number): string {
  return `meter ${id}`
}

/** The message that brings one meter about. */
export function meterMod({ key, desired, realized }: Pending<string>): Buffer {
  const meterId = Number(key.split(' ')[1])
  const [unit, rate, burst] = (desired ?? realized ?? '').split(' ')
  const meter = { meterId, unit: unit === 'kbps' ? 'kbps' : 'pktps', rate: Number(rate), burst: Number(burst) } as const
  return encodeMeterMod({ command: desired === undefined ? 'delete' : realized === undefined ? 'add' : 'modify', ...meter })
}

/** True for a flow that names a meter. */
export function isMetered(flow: Flow): boolean {
  return flow.actions.some(isMeteredAction)
}

/** The flow, without the meters that the switch does not have. */
export function withMeters(flow: Flow, has: (id: number) => boolean): Flow {
  return isMetered(flow) ? { ...flow, actions: usable(flow.actions, has) } : flow
}

function isMeteredAction(action: Action): boolean {
  if (action.kind === 'clone') return action.actions.some(isMeteredAction)
  return action.kind === 'meter' || (action.kind === 'controller' && action.meter !== undefined)
}

function usable(actions: readonly Action[], has: (id: number) => boolean): Action[] {
  return actions.flatMap((action): Action[] => {
    if (action.kind === 'clone') return [{ ...action, actions: usable(action.actions, has) }]
    if (action.kind === 'meter') return has(action.meter) ? [action] : []
    if (action.kind !== 'controller' || action.meter === undefined || has(action.meter)) return [action]
    const { meter: _, ...unmetered } = action
    return [unmetered]
  })
}
