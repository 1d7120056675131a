// What watch adds to the words of a transition (lib/daemon/report/words.ts): drops, which are no transitions, and colours.
import type { TransitionReport } from '../../daemon/report/report.js'
import type { Colour } from '../colour.js'

/** Packets dropped between two looks. */
export interface DropEvent {
  /** ISO 8601. */
  readonly time: string
  readonly kind: 'drops'
  readonly vni?: number
  /** Tunnel port, where no VNI is known. */
  readonly port?: string
  readonly reason: string
  readonly packets: number
  readonly bytes: number
}

const COLOURS: Readonly<Record<string, Colour>> = {
  learned: 'green', up: 'green', advertised: 'green', repaired: 'green', alive: 'green', moved: 'yellow', changed: 'yellow', waiting: 'yellow', settling: 'yellow',
  withdrawn: 'red', down: 'red', gone: 'red', contested: 'red', found: 'red', dead: 'red'
}

export function colourOf({ event }: TransitionReport): Colour | undefined {
  return COLOURS[event]
}
