// The numbers of a running daemon, from the control commands an operator reads them with.
import type { Daemon } from '../../lab/daemon.js'

export type Numbers = Readonly<Record<string, number>>

/** `coverage/show`: what has happened since the start. A counter that is not there is 0. */
export async function coverage(daemon: Daemon): Promise<Numbers> {
  return parse(await daemon.appctl('coverage/show'))
}

/** `memory/show`: how much of everything is held. */
export async function memory(daemon: Daemon): Promise<Numbers> {
  return parse(await daemon.appctl('memory/show'))
}

/** The `name:number` and `name total: number` pairs of a text. */
function parse(text: string): Numbers {
  return Object.fromEntries([...text.matchAll(/([\w-]+)(?:\s+total)?:\s*(\d+)/g)].map(([, name = '', value]) => [name, Number(value)]))
}
