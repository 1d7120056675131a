// The daemon's own life: killed and started at any moment, sockets that lose or break what they carry.
import { announceMany, withdrawAll } from './rows.js'
import type { Operation, Weighted } from './operation.js'

const restart: Operation = (chassis, r) => {
  if (chassis.life === undefined) {
    chassis.start()
    return 'the daemon starts'
  }
  chassis.kill(r)
  if (r.chance(0.3)) return 'the daemon is killed'
  chassis.start()
  return 'the daemon is killed and starts again'
}

const overrun: Operation = ({ life }, r) => {
  if (life === undefined) return undefined
  const lost = life.socket.lose(r.int(1, 30))
  return `the netlink socket overruns, ${lost} notifications are lost`
}

const corrupt: Operation = ({ life }, r) => (life?.socket.corrupt(r) === true ? 'a notification arrives broken' : undefined)

const kernelFault: Operation = ({ faults }, r) => {
  const fault = r.pick(['dumpInterrupted', 'dumpRejected', 'writeRefused', 'acknowledgementLost', 'transactRefused'] as const)
  faults[fault] += r.int(1, 3)
  return `fault: ${fault} ${faults[fault]} times`
}

const databaseLost: Operation = ({ life }, r) => {
  if (life?.session.isConnected !== true) return undefined
  life.session.lose(r)
  return 'the connection to ovsdb-server is lost'
}

const recompute: Operation = ({ life }) => {
  life?.agent.recompute()
  return life === undefined ? undefined : 'everything is computed anew'
}

/** The routing daemon dies, with or without withdrawing what it wrote, or comes back and tells some of it. */
const speakerDies: Operation = async (chassis, r) => {
  const { speaker } = chassis
  if (speaker === undefined) return undefined
  const isFirst = r.chance(0.5)
  if (isFirst) speaker.isAlive = !speaker.isAlive
  const told = await (speaker.isAlive === isFirst ? announceMany : r.chance(0.7) ? withdrawAll : () => 'it leaves all as it is')(chassis, r)
  if (!isFirst) speaker.isAlive = !speaker.isAlive
  return `the routing daemon ${speaker.isAlive ? 'is back' : 'dies'}; ${told}`
}

export const LIFE: Weighted = [[3, restart], [3, speakerDies], [3, overrun], [2, corrupt], [4, kernelFault], [1, databaseLost], [1, recompute]]
