// The command line of ovs-evpnctl.
import { Command, CommanderError } from 'commander'
import { nearestKey } from '../config/nearest.js'
import { parseVni } from '../net/number.js'
import { EXIT_USAGE, Failure } from './failure.js'
import { LISTS } from './lists.js'

export type CommandName = 'show' | keyof typeof QUESTIONS | 'doctor' | 'watch' | keyof typeof LISTS

/** Commands that take words of their own: how many, and how the whole is typed. */
const QUESTIONS = {
  explain: { words: 2, takes: 'a VNI and a MAC or IP', usage: 'explain VNI MAC|IP' },
  history: { words: 1, takes: 'a MAC, an IP or the address of a VTEP', usage: 'history MAC|IP|VTEP' },
  plan: { words: Infinity, takes: 'settings', usage: 'plan KEY=VALUE..., for example: ovs-evpnctl plan evpn-suppress=false vm1:dynamic-routing-vni=20' },
  trace: { words: 2, takes: 'a port and a packet', usage: 'trace PORT PACKET, for example: ovs-evpnctl trace vm1 dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02' }
} as const

/** Commands that --vni means nothing to, and what to type instead. */
const WITHOUT_VNI: { readonly [Command in CommandName]?: (vni: number) => string } = {
  latency: () => 'latencies are not told apart by VNI',
  problems: (vni) => `problems are not told apart by VNI; for those of one, use: ovs-evpnctl show --vni ${vni}`,
  explain: (vni) => `explain takes the VNI as a word, not as --vni: ovs-evpnctl explain ${vni} MAC|IP`,
  plan: (vni) => `plan takes the VNI in the key, not as --vni: ovs-evpnctl plan KEY-${vni}=VALUE`,
  trace: (vni) => `trace takes the VNI from the port, not from --vni; of a tunnel port say it in the packet: tun_id=${vni}`,
  doctor: (vni) => `doctor looks at the whole chassis, not at one VNI; for what is wrong with one, use: ovs-evpnctl show --vni ${vni}`
}

export interface CliOptions {
  readonly command: CommandName
  /** What follows the command. */
  readonly arguments: readonly string[]
  readonly json: boolean
  readonly vni?: number
  readonly target?: string
  /** Directory of FRR's sockets, for vtysh. */
  readonly vtySocket?: string
}

/** The commands and what they are for, in the order of the help. */
const ABOUT = new Map<string, string>([
  ['show', 'overview: connections, tunnel ports, VNIs, problems'],
  ...Object.entries(LISTS).map(([name, list]) => [name, list.about] as const),
  ['explain', 'VNI MAC|IP: the whole way to one address, and its first broken link'],
  ['history', 'MAC|IP|VTEP: its last transitions, when they were and who did it'],
  ['plan', 'KEY=VALUE...: what a change of the configuration would do'],
  ['trace', 'PORT PACKET: what the switch would do with a packet, with names for its numbers'],
  ['watch', 'what happens, as it happens, until Ctrl-C'],
  ['doctor', 'what goes wrong in practice, and the commands that mend it']
])

/**
 * Reads the arguments after the program's name. Undefined when help or version was asked for, and printed to `print`. Throws
 * Failure with exit code 2 for anything that cannot be meant.
 */
export function parseCliArguments(args: readonly string[], version: string, print: (text: string) => void): CliOptions | undefined {
  const program = describeProgram(version, print)
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return undefined
    throw new Failure(EXIT_USAGE, error.message.replace(/^error: /, ''))
  }
  const { json, vni, target, vtySocket } = program.opts<{ readonly json?: true, readonly vni?: string, readonly target?: string, readonly vtySocket?: string }>()
  const [name = '', ...rest] = program.args
  const command = readCommand(name)
  const whyNot = vni === undefined ? undefined : WITHOUT_VNI[command]?.(readVni(vni))
  if (whyNot !== undefined) throw new Failure(EXIT_USAGE, whyNot)
  checkCount(command, rest)
  return {
    command,
    arguments: rest,
    json: json ?? false,
    ...(vni === undefined ? {} : { vni: readVni(vni) }),
    ...(target === undefined ? {} : { target }),
    ...(vtySocket === undefined ? {} : { vtySocket })
  }
}

function describeProgram(version: string, print: (text: string) => void): Command {
  const width = Math.max(...[...ABOUT.keys()].map(name => name.length))
  const commands = [...ABOUT].map(([name, about]) => `  ${name.padEnd(width)}  ${about}`)
  return new Command('ovs-evpnctl')
    .description('Shows what ovs-evpnd knows and does.')
    .argument('COMMAND', 'what to show')
    .argument('[ARGUMENTS...]', 'of explain, history, plan, trace: see below')
    .option('--json', 'print JSON instead of a table')
    .option('--vni <VNI>', 'only this VNI')
    .option('-t, --target <TARGET>', 'control socket (a path) or name of the daemon\'s pidfile (default: the daemon that runs)')
    .option('--vty-socket <DIR>', 'directory of FRR\'s sockets (default: where evpn-speaker says, else vtysh\'s own)')
    .version(`ovs-evpnctl (ovs-evpn) ${version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\nCommands:\n${commands.join('\n')}`)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => undefined })
}

function readCommand(text: string): CommandName {
  if (ABOUT.has(text)) return text as CommandName
  const nearest = nearestKey(text, [...ABOUT.keys()])
  throw new Failure(EXIT_USAGE, `no command "${text}", did you mean "${nearest}"? (ovs-evpnctl --help shows all)`)
}

/** How many words may follow a command. */
function checkCount(command: CommandName, rest: readonly string[]): void {
  const question = (QUESTIONS as { readonly [command: string]: typeof QUESTIONS[keyof typeof QUESTIONS] })[command]
  if (question !== undefined) {
    if (question.words === Infinity ? rest.length === 0 : rest.length !== question.words) throw new Failure(EXIT_USAGE, `${command} takes ${question.takes}: ovs-evpnctl ${question.usage}`)
  } else if (rest.length > 0) throw new Failure(EXIT_USAGE, `too many arguments. Expected 1 argument but got ${rest.length + 1}.`)
}

function readVni(text: string): number {
  const vni = parseVni(text)
  if (vni === undefined) throw new Failure(EXIT_USAGE, `--vni ${text}: no VNI, which is a whole number from 0 to 16777215`)
  return vni
}
