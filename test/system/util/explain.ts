// Asks `ovs-evpnctl explain` on a chassis, and breaks links of the chain: what each test of it has in common.
import type { Test } from 'tap'
import type { Verdict } from '../../../lib/cli/explain/verdict.js'
import { frrDir, vtepOf } from '../../lab/host.js'
import type { Lab } from '../../lab/lab.js'
import type { Chassis } from './chassis.js'
import { eventually } from './eventually.js'
import { evpnctl } from './evpnctl.js'

export interface Seen { readonly kind: string, readonly link?: string, readonly what: string, readonly todo: readonly string[] }

export interface Break {
  /** The verdict that has to come. */
  readonly kind: Verdict['kind']
  readonly what: string
  readonly address: string
  readonly breakIt: () => Promise<unknown>
  /** What has to go on meanwhile. */
  readonly again?: () => Promise<unknown>
  readonly mendIt: () => Promise<unknown>
  /** In the words of the verdict. */
  readonly says: RegExp
  /** What it is again afterwards. */
  readonly after?: Verdict['kind']
}

const PATIENCE_MS = 30_000

/** Explains an address of VNI 10 on c1; `unknown` is the sentence of exit code 2. */
export async function explain(lab: Lab, address: string): Promise<Seen> {
  const vtySocket = frrDir(vtepOf(lab.plan, 'c1'))
  const { code, stdout, stderr } = await evpnctl(lab, 'c1', ['explain', '10', address, '--json', '--vty-socket', vtySocket], { allowFailure: true })
  if (code === 2) return { kind: 'unknown', what: stderr, todo: [] }
  if (code !== 0) throw new Error(`explain ended with ${code}: ${stderr}`)
  return (JSON.parse(stdout) as { readonly verdict: Seen }).verdict
}

/** Waits for a verdict on an address. */
export function verdictOn(lab: Lab, address: string, kind: Verdict['kind'], says = /(?:)/, again?: () => Promise<unknown>): Promise<Seen> {
  const look = async (): Promise<Seen> => {
    await again?.()
    return await explain(lab, address)
  }
  return eventually(`the verdict ${kind} on ${address}`, look, (verdict) => verdict.kind === kind && says.test(verdict.what), PATIENCE_MS)
}

/** Breaks a link, waits for the verdict, mends it, and waits until the verdict is gone. */
export async function provoke(t: Test, lab: Lab, { kind, address, breakIt, again, mendIt, says, after = 'ok' }: Break): Promise<void> {
  await breakIt()
  try {
    const { what } = await verdictOn(lab, address, kind, says, again)
    t.match(what, says)
    t.comment(what)
  } finally {
    await mendIt()
  }
  await verdictOn(lab, address, after)
}

/** Whether the daemon puts back what others change. It has heard of it when its next command is answered: both come in order. */
export async function repairs(c1: Chassis, isOn: boolean): Promise<void> {
  if (isOn) return await c1.unset('Bridge br-int', 'evpn-audit')
  await c1.set('Bridge br-int', { 'evpn-audit': 'report' })
}
