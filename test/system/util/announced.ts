// What a chassis announces, as the speaker finds it in the kernel: one text line for each row of ours.
import type { Chassis } from './chassis.js'
import { eventually } from './eventually.js'

/** Names of advertise devices in the labs of these tests. */
const ADVERTISE = /^(lo|adv)-/

/**
 * `MAC DEVICE` of every static row of an advertise device, and `IP MAC DEVICE` of every neighbour of protocol 85, sorted. A row
 * that a kernel with VLAN filtering holds once more for each VLAN of the port counts once.
 */
export async function announced(chassis: Chassis): Promise<string[]> {
  const fdb = (await chassis.fdb()).filter(({ ifname, master, state }) => ADVERTISE.test(ifname) && master !== undefined && state === 'static')
  const neighbours = (await chassis.neighbours()).filter(({ protocol, state }) => protocol === '85' && state.join() === 'NOARP,PERMANENT')
  return [...new Set(fdb.map(({ mac, ifname }) => `${mac} ${ifname}`)), ...neighbours.map(({ dst, lladdr, dev }) => `${dst} ${lladdr} ${dev}`)].sort()
}

/** Waits until exactly these rows are announced. */
export async function announces(chassis: Chassis, why: string, rows: readonly string[]): Promise<void> {
  const wanted = [...rows].sort()
  const text = wanted.length === 0 ? 'nothing' : wanted.map((row) => `\n  ${row}`).join('')
  await eventually(`${chassis.name} to announce (${why}) ${text}\n`, () => announced(chassis), (seen) => seen.join('\n') === wanted.join('\n'))
}
