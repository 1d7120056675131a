// evpn/events and evpn/history: what happened, as JSON for ovs-evpnctl and whoever else reads the history.
import { parseIp } from '../../net/ip.js'
import { parseMac } from '../../net/mac.js'
import { parseVni } from '../../net/number.js'
import { eventsReport, historyReport } from '../report/history.js'
import type { State } from '../state.js'
import { type Command, ControlError } from './command.js'

/** Not listed, as evpn/report: their answers are ovs-evpnctl's business and may change with it. */
export function historyCommands(state: State): Command[] {
  return [
    { name: 'evpn/events', min: 0, max: 1, run: (args) => JSON.stringify(eventsReport(state, readSeq(args))) },
    { name: 'evpn/history', min: 1, max: 2, run: (args) => JSON.stringify(historyReport(state, ...readQuestion(args))) }
  ]
}

function readSeq([text]: readonly string[]): number | undefined {
  if (text === undefined) return undefined
  if (!/^[0-9]{1,15}$/.test(text)) throw new ControlError(`"${text}" is no sequence number`)
  return Number(text)
}

function readQuestion([addressText = '', vniText]: readonly string[]): [address: string, vni: number | undefined] {
  const address = parseMac(addressText) ?? parseIp(addressText)
  if (address === undefined) throw new ControlError(`"${addressText}" is no MAC and no IP address`)
  const vni = vniText === undefined ? undefined : parseVni(vniText)
  if (vniText !== undefined && vni === undefined) throw new ControlError(`"${vniText}" is no VNI (0 to 16777215)`)
  return [address, vni]
}
