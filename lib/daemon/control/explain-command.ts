// evpn/explain: one address explained, as JSON for ovs-evpnctl.
import { parseIp } from '../../net/ip.js'
import { parseMac } from '../../net/mac.js'
import { parseVni } from '../../net/number.js'
import type { Explanation } from '../explain/explanation.js'
import { type Command, ControlError } from './command.js'

/** Explains a MAC or IP, in canonical text; undefined: there is no such VNI. */
export type Explain = (vni: number, address: string) => Promise<Explanation | undefined>

/** Not listed, as evpn/report: its answer is ovs-evpnctl's business and may change with it. */
export function explainCommand(explain: Explain): Command {
  const run = async ([vniText = '', addressText = '']: readonly string[]): Promise<string> => {
    const vni = parseVni(vniText)
    const address = parseMac(addressText) ?? parseIp(addressText)
    if (vni === undefined) throw new ControlError(`"${vniText}" is no VNI (0 to 16777215)`)
    if (address === undefined) throw new ControlError(`"${addressText}" is no MAC and no IP address`)
    const explanation = await explain(vni, address)
    if (explanation === undefined) throw new ControlError(`there is no VNI ${vni} here`)
    return JSON.stringify(explanation)
  }
  return { name: 'evpn/explain', min: 2, max: 2, run }
}
