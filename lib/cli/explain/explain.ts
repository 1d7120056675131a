// `ovs-evpnctl explain VNI MAC|IP`: from the words typed to the screen.
import { parseIp } from '../../net/ip.js'
import { parseMac } from '../../net/mac.js'
import { parseVni } from '../../net/number.js'
import { EXIT_USAGE, Failure } from '../failure.js'
import { gatherChain, type Sources } from './gather.js'
import { judge } from './judge.js'
import { explanationJson, formatExplanation } from './screen.js'
import { wordsOf } from './words.js'

/** `requireVni` throws Failure for a VNI that the daemon does not have. Rejects with Failure for what nobody knows. */
export async function explain(
  [vniText = '', addressText = '']: readonly string[], json: boolean, sources: Sources, requireVni: (vni: number) => Promise<void>
): Promise<string> {
  const vni = parseVni(vniText)
  if (vni === undefined) throw new Failure(EXIT_USAGE, `"${vniText}" is no VNI, which is a whole number from 0 to 16777215`)
  const mac = parseMac(addressText)
  const address = mac ?? parseIp(addressText)
  if (address === undefined) throw new Failure(EXIT_USAGE, `"${addressText}" is no MAC and no IP address, such as 02:00:00:00:00:01, 10.0.0.1, 2001:db8::1`)
  await requireVni(vni)
  const chain = await gatherChain(sources, vni, address, mac === undefined)
  const verdict = judge(chain)
  if (verdict.kind === 'unknown') throw new Failure(EXIT_USAGE, wordsOf(verdict).what)
  return json ? explanationJson(chain, verdict) + '\n' : formatExplanation(chain, verdict)
}
