// evpn/plan: what settings would do, as JSON for ovs-evpnctl.
import { plan } from '../plan/plan.js'
import type { State } from '../state.js'
import { type Command, ControlError } from './command.js'

/** Not listed, as evpn/report. One plan at a time: it takes as much memory as what is planned for. */
export function planCommand(state: State, isKnown: () => boolean): Command {
  let isBusy = false
  const run = async (words: readonly string[]): Promise<string> => {
    if (!isKnown()) throw new ControlError('the configuration and the kernel\'s tables are not known yet')
    if (isBusy) throw new ControlError('another plan is being made; try again')
    isBusy = true
    try {
      const made = await plan(state, words)
      return JSON.stringify(typeof made === 'string' ? { refused: made } : made)
    } finally {
      isBusy = false
    }
  }
  return { name: 'evpn/plan', min: 1, max: Infinity, run }
}
