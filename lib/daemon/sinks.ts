// The agent's three sinks with what they tell: the log, within limits, and the history.
import { deviceTable, type DeviceWriter } from '../sink/device.js'
import { KernelSink, rowTable, type KernelTable, type KernelWriter } from '../sink/kernel.js'
import { SwitchSink } from '../sink/switch.js'
import { auditMode } from './audit-mode.js'
import { knowsLeftovers } from './learned.js'
import { limitLog, type LimitedLog } from './log/limit.js'
import type { Log } from './log/log.js'
import type { Sinks, State } from './state.js'

/** What was changed by others is worth a line each, as long as it is not everything. */
const DRIFT_LIMIT = { burst: 100, perMinute: 60 } as const

export interface SinkParts {
  readonly kernel: KernelWriter & DeviceWriter
  readonly log: Log
  /** For what a full table can make us say without end. */
  readonly limited: LimitedLog
  /** The state that the sinks will be part of. */
  readonly state: () => State
  /** Calls for a tick. */
  readonly wake: () => void
}

export function createSinks({ kernel, log, limited, state, wake }: SinkParts): Sinks {
  const [openflow, netlink] = [log.module('openflow'), log.module('netlink')]
  const modeOf = (owner: string | undefined) => auditMode(state(), owner)
  const drift = { switch: limitLog(openflow, DRIFT_LIMIT), kernel: limitLog(netlink, DRIFT_LIMIT) }
  const note = (key: string, text: string) => state().history.record({ kind: 'drift', vni: undefined, of: text, from: undefined, to: undefined, by: 'others', since: undefined, key })
  const kernelSink = (table: KernelTable, mayDelete?: () => boolean) => new KernelSink(table, (text) => netlink.warn(text), wake, {
    modeOf, wake,
    tell: (text, isOver, key) => {
      note(key, text)
      // The rows of a device that goes are told before the device is.
      if (isOver) drift.kernel.info('drift', text)
      else drift.kernel.warn('drift', text)
    },
    mended: (key) => state().history.confirmed(key)
  }, mayDelete)
  const switchSink = new SwitchSink({
    info: (text) => openflow.info(text), warn: (text) => openflow.warn(text), refused: (text) => limited.warn('refused', text),
    drifted: (text, key) => {
      note(key, text)
      drift.switch.warn('drift', text)
    },
    confirmed: (key, at) => state().history.confirmed(key, at)
  }, wake, modeOf)
  return {
    switch: switchSink,
    kernel: kernelSink(rowTable(kernel), () => knowsLeftovers(state())),
    devices: kernelSink(deviceTable(kernel, () => state().mirrors.links))
  }
}
