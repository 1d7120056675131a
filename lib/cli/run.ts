// ovs-evpnctl from its arguments to its exit code: find the daemon, ask it, print.
import type { Explanation } from '../daemon/explain/explanation.js'
import { type Environment, runDirectory } from '../daemon/options.js'
import type { HistoryReport, PlanReport, ShowReport, VtepReport } from '../daemon/report/report.js'
import { type CliOptions, parseCliArguments } from './arguments.js'
import { paintFor } from './colour.js'
import { call, callUntil, report, requireVni } from './daemon.js'
import { type Diagnosis, diagnose, exitCodeOf, formatDiagnosis, withoutDaemon } from './doctor/doctor.js'
import { gatherFacts } from './doctor/gather.js'
import { explain } from './explain/explain.js'
import { EXIT_USAGE, Failure } from './failure.js'
import { formatHistory, readAddress } from './history.js'
import { formatList, type List, LISTS } from './lists.js'
import { formatPlan } from './plan.js'
import { withProgress, type Step } from './progress.js'
import { formatShow } from './show.js'
import { findTarget } from './target.js'
import { formatTrace, trace } from './trace/trace.js'
import { askVswitchd } from './vswitchd.js'
import { Unreachable } from './unreachable.js'
import { watch } from './watch/watch.js'

export interface CliOutput {
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  /** True when `print` goes to a terminal. */
  readonly isTerminal?: boolean
  /** True when `complain` does. */
  readonly isErrorTerminal?: boolean
}

/** A command other than the lists, which are all printed in the same way. */
type Action = (options: CliOptions, env: Environment, output: CliOutput) => Promise<number>

/**
 * Runs the program; resolves with its exit code: 0, 1 when the daemon cannot be asked, 2 when the question is wrong. Of doctor: 1 for
 * warnings, 2 for errors.
 */
export async function runCli(args: readonly string[], env: Environment, version: string, output: CliOutput): Promise<number> {
  try {
    const options = parseCliArguments(args, version, output.print)
    if (options === undefined) return 0
    const action = ACTIONS[options.command]
    if (action !== undefined) return await action(options, env, output)
    output.print(await answer(options, env))
    return 0
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    output.complain(`ovs-evpnctl: ${error.message}\n`)
    return error.exitCode
  }
}

const ACTIONS: { readonly [command: string]: Action } = {
  doctor: async (options, env, output) => {
    const diagnosis = await withProgress(output, env, (step) => diagnoseWith(options, env, step))
    output.print(options.json ? JSON.stringify(diagnosis) + '\n' : formatDiagnosis(diagnosis))
    return exitCodeOf(diagnosis)
  },

  explain: async ({ arguments: words, json, target, vtySocket }, env, output) => {
    const socket = await findTarget(target, env)
    const ask = async (of: number, address: string) => JSON.parse(await call(socket, 'evpn/explain', String(of), address)) as Explanation
    output.print(await withProgress(output, env, async (progress) => {
      progress('asking ovs-evpnd')
      return await explain(words, json, { ask, rundir: runDirectory(env), vtySocket, progress }, (of) => requireVni(socket, of))
    }))
    return 0
  },

  history: async ({ arguments: [word = ''], json, vni, target }, env, output) => {
    const address = readAddress(word)
    const socket = await findTarget(target, env)
    if (vni !== undefined) await requireVni(socket, vni)
    const history = JSON.parse(await call(socket, 'evpn/history', address, ...(vni === undefined ? [] : [String(vni)]))) as HistoryReport
    output.print(formatHistory(history, address, vni, json))
    return 0
  },

  plan: async ({ arguments: words, json, target }, env, output) => {
    const { print, isTerminal = false } = output
    const socket = await findTarget(target, env)
    const made = await withProgress(output, env, async (step) => {
      step('asking ovs-evpnd')
      const { vnis } = JSON.parse(await report(socket, 'show')) as ShowReport
      step(`planning with ${vnis.reduce((sum, { macs, ips }) => sum + macs + ips, 0)} MACs and IPs`)
      return JSON.parse(await call(socket, 'evpn/plan', ...words)) as PlanReport | { readonly refused: string }
    })
    if ('refused' in made) throw new Failure(EXIT_USAGE, made.refused)
    print(json ? JSON.stringify(made) + '\n' : formatPlan(made, paintFor(isTerminal, env)))
    return 0
  },

  trace: async ({ arguments: [port = '', packet = ''], json, target }, env, { print, isTerminal = false }) => {
    const { bridge } = JSON.parse(await report(await findTarget(target, env), 'show')) as ShowReport
    const traced = await trace({ bridge, ask: (method, ...params) => askVswitchd(runDirectory(env), method, params) }, port, packet)
    print(json ? JSON.stringify(traced) + '\n' : formatTrace(traced, paintFor(isTerminal, env)))
    return 0
  },

  watch: async ({ json, vni, target }, env, { print, complain, isTerminal = false, isErrorTerminal = false }) => {
    if (vni !== undefined) await requireVni(await findTarget(target, env), vni)
    const end = new AbortController()
    const stop = (): void => end.abort()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
    const remark = (text: string): void => complain(`ovs-evpnctl: ${text}\n`)
    const ask = (socket: string, method: string, ...params: readonly string[]) => callUntil(end.signal, socket, method, ...params)
    await watch({ find: () => findTarget(target, env), call: ask, print, remark, paint: paintFor(isTerminal, env), json, vni, end: end.signal })
    // The terminal has written ^C, and the prompt comes next.
    if (isErrorTerminal) complain('\n')
    return 0
  }
}

async function diagnoseWith(options: CliOptions, env: Environment, progress: Step): Promise<Diagnosis> {
  try {
    progress('asking ovs-evpnd')
    const socket = await findTarget(options.target, env)
    const show = JSON.parse(await report(socket, 'show')) as ShowReport
    const vteps = JSON.parse(await report(socket, 'vteps')) as readonly VtepReport[]
    return diagnose(await gatherFacts({ show, vteps, rundir: runDirectory(env), vtySocket: options.vtySocket, progress }))
  } catch (error) {
    if (error instanceof Unreachable) return withoutDaemon(error)
    throw error
  }
}

/** The overview or a list. */
async function answer({ command, vni, json, target }: CliOptions, env: Environment): Promise<string> {
  const socket = await findTarget(target, env)
  if (vni !== undefined) await requireVni(socket, vni)
  const text = await report(socket, command, vni)
  if (json) return text
  if (command === 'show') return formatShow(JSON.parse(text) as ShowReport)
  return formatList(LISTS[command as keyof typeof LISTS] as List<unknown>, JSON.parse(text) as readonly unknown[], vni)
}
