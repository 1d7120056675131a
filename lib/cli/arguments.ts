// The command line of ovs-evpnctl.
import { Command, CommanderError } from 'commander'
import { nearestKey } from '../config/nearest.js'
import { parseVni } from '../net/number.js'
import { EXIT_USAGE, Failure } from './failure.js'
import { LISTS } from './lists.js'

export type CommandName = 'show' | keyof typeof LISTS

export interface CliOptions {
  readonly command: CommandName
  readonly json: boolean
  readonly vni?: number
  readonly target?: string
}

/** The commands and what they are for, in the order of the help. */
const ABOUT = new Map<string, string>([
  ['show', 'overview: connections, tunnel ports, VNIs, problems'],
  ...Object.entries(LISTS).map(([name, list]) => [name, list.about] as const)
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
  const { json, vni, target } = program.opts<{ readonly json?: true, readonly vni?: string, readonly target?: string }>()
  return {
    command: readCommand(program.args[0] ?? ''),
    json: json ?? false,
    ...(vni === undefined ? {} : { vni: readVni(vni) }),
    ...(target === undefined ? {} : { target })
  }
}

function describeProgram(version: string, print: (text: string) => void): Command {
  const width = Math.max(...[...ABOUT.keys()].map(name => name.length))
  const commands = [...ABOUT].map(([name, about]) => `  ${name.padEnd(width)}  ${about}`)
  return new Command('ovs-evpnctl')
    .description('Shows what ovs-evpnd knows and does.')
    .argument('COMMAND', 'what to show')
    .option('--json', 'print JSON instead of a table')
    .option('--vni <VNI>', 'only this VNI')
    .option('-t, --target <TARGET>', 'control socket (a path) or name of the daemon\'s pidfile (default: the daemon that runs)')
    .version(`ovs-evpnctl (ovs-evpn) ${version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\nCommands:\n${commands.join('\n')}`)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => undefined })
}

function readCommand(text: string): CommandName {
  if (text === 'show' || Object.hasOwn(LISTS, text)) return text as CommandName
  const nearest = nearestKey(text, [...ABOUT.keys()])
  throw new Failure(EXIT_USAGE, `no command "${text}", did you mean "${nearest}"? (ovs-evpnctl --help shows all)`)
}

function readVni(text: string): number {
  const vni = parseVni(text)
  if (vni === undefined) throw new Failure(EXIT_USAGE, `--vni ${text}: no VNI, which is a whole number from 0 to 16777215`)
  return vni
}
