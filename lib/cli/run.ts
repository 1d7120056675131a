// ovs-evpnctl from its arguments to its exit code: find the daemon, ask it, print.
import type { Explanation } from '../daemon/explanation.js'
import { type Environment, runDirectory } from '../daemon/options.js'
import type { ShowReport, VtepReport } from '../daemon/report.js'
import { type CliOptions, type CommandName, parseCliArguments } from './arguments.js'
import { callControl, RefusedError } from './client.js'
import { type Diagnosis, diagnose, exitCodeOf, formatDiagnosis, withoutDaemon } from './doctor/doctor.js'
import { gatherFacts } from './doctor/gather.js'
import { explain } from './explain/explain.js'
import { EXIT_UNREACHABLE, EXIT_USAGE, Failure } from './failure.js'
import { formatList, type List, LISTS } from './lists.js'
import { formatShow, noVnis } from './show.js'
import { findTarget, unreachable } from './target.js'

export interface CliOutput {
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
}

/** VNIs named to somebody who asked for one that is not there. */
const NAMED_VNIS = 5

/**
 * Runs the program; resolves with its exit code: 0, 1 when the daemon cannot be asked, 2 when the question is wrong. Of doctor: 1 for
 * warnings, 2 for errors.
 */
export async function runCli(args: readonly string[], env: Environment, version: string, output: CliOutput): Promise<number> {
  try {
    const options = parseCliArguments(args, version, output.print)
    if (options?.command === 'doctor') return await examineChassis(options, env, output)
    if (options !== undefined) output.print(await answer(options, env))
    return 0
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    output.complain(`ovs-evpnctl: ${error.message}\n`)
    return error.exitCode
  }
}

async function examineChassis(options: CliOptions, env: Environment, output: CliOutput): Promise<number> {
  const diagnosis = await diagnoseWith(options, env, output)
  output.print(options.json ? JSON.stringify(diagnosis) + '\n' : formatDiagnosis(diagnosis))
  return exitCodeOf(diagnosis)
}

async function diagnoseWith(options: CliOptions, env: Environment, output: CliOutput): Promise<Diagnosis> {
  try {
    const socket = await findTarget(options.target, env)
    const show = JSON.parse(await report(socket, 'show')) as ShowReport
    const vteps = JSON.parse(await report(socket, 'vteps')) as readonly VtepReport[]
    const progress = (text: string): void => output.complain(`${text}\n`)
    return diagnose(await gatherFacts({ show, vteps, rundir: runDirectory(env), vtySocket: options.vtySocket, progress }))
  } catch (error) {
    if (error instanceof Failure && error.exitCode === EXIT_UNREACHABLE) return withoutDaemon(error.message)
    throw error
  }
}

async function answer(options: CliOptions, env: Environment): Promise<string> {
  const { command, vni, json } = options
  if (command === 'latency' && vni !== undefined) throw new Failure(EXIT_USAGE, 'latencies are not told apart by VNI')
  if (command === 'problems' && vni !== undefined) {
    throw new Failure(EXIT_USAGE, `problems are not told apart by VNI; for those of one, use: ovs-evpnctl show --vni ${vni}`)
  }
  const socket = await findTarget(options.target, env)
  if (command === 'explain') {
    const ask = async (of: number, address: string) => JSON.parse(await call(socket, 'evpn/explain', String(of), address)) as Explanation
    return await explain(options.arguments, json, { ask, rundir: runDirectory(env), vtySocket: options.vtySocket }, (of) => requireVni(socket, of))
  }
  if (command === 'doctor') throw new Error('doctor has an exit code of its own')
  if (vni !== undefined) await requireVni(socket, vni)
  const text = await report(socket, command, vni)
  return json ? text : format(command, JSON.parse(text), vni)
}

/** The daemon's report as JSON text that ends in a newline. */
function report(socket: string, kind: CommandName, vni?: number): Promise<string> {
  return call(socket, 'evpn/report', kind, ...(vni === undefined ? [] : [String(vni)]))
}

async function call(socket: string, method: string, ...params: readonly string[]): Promise<string> {
  try {
    return await callControl(socket, method, params)
  } catch (error) {
    if (error instanceof RefusedError) throw new Failure(EXIT_UNREACHABLE, `${socket}: ${error.message}`)
    throw unreachable(socket, error as NodeJS.ErrnoException)
  }
}

/** A VNI nobody has is a typing error more often than not: an empty list would hide that. */
async function requireVni(socket: string, vni: number): Promise<void> {
  const known = (JSON.parse(await report(socket, 'show')) as ShowReport).vnis.map(row => row.vni)
  if (known.includes(vni)) return
  if (known.length === 0) throw new Failure(EXIT_USAGE, `VNI ${vni} is unknown to the daemon. ${noVnis().trimEnd()}`)
  const nearest = known.sort((a, b) => Math.abs(a - vni) - Math.abs(b - vni) || a - b).slice(0, NAMED_VNIS)
  const rest = known.length > nearest.length ? ` and ${known.length - nearest.length} more` : ''
  throw new Failure(EXIT_USAGE, `VNI ${vni} is unknown to the daemon; it knows ${nearest.join(', ')}${rest}`)
}

function format(command: Exclude<CommandName, 'explain' | 'doctor'>, answer: unknown, vni: number | undefined): string {
  if (command === 'show') return formatShow(answer as ShowReport)
  return formatList(LISTS[command] as List<unknown>, answer as readonly unknown[], vni)
}
