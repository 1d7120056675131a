// The command line of ovs-evpnd, as every Open vSwitch daemon has it: options with an optional value take it only after `=`.
import path from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { versionText } from './control/daemon-commands.js'
import { type ListenAddress, parseListenAddress } from './http/address.js'
import { type DaemonOptions, type Environment, logDirectory, runDirectory, type TlsFiles } from './options.js'

/** Options as commander stores them. An option given without its optional value is the empty string. */
interface Parsed {
  readonly pidfile?: string
  readonly overwritePidfile?: true
  readonly detach?: true
  readonly chdir: boolean
  readonly logFile?: string
  readonly unixctl?: string
  readonly unixctlGroup?: string
  readonly metrics?: ListenAddress
  readonly verbose?: readonly string[]
  readonly netlinkRcvbuf?: number
  readonly privateKey?: string
  readonly certificate?: string
  readonly caCert?: string
}

/** Long options whose value is optional, and therefore never the next argument. */
const OPTIONAL_VALUE: ReadonlySet<string> = new Set(['--pidfile', '--log-file', '--verbose'])

/** Reads the arguments after the program's name. Prints help, version or what is wrong, and ends the process, where that is all to do. */
export function parseArguments(args: readonly string[], env: Environment, version: string): DaemonOptions {
  const program = describeProgram(env, version).parse(normalize(args), { from: 'user' })
  const [database] = program.args
  try {
    return resolveOptions(program.opts<Parsed>(), database, env)
  } catch (error) {
    return program.error(`error: ${(error as Error).message}`)
  }
}

function describeProgram(env: Environment, version: string): Command {
  const rundir = runDirectory(env)
  return new Command('ovs-evpnd')
    .description('Makes an Open vSwitch integration bridge an EVPN VTEP.')
    .argument('[DATABASE]', `OVSDB to connect to: unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT (default: unix:${rundir}/db.sock)`)
    .option('--pidfile [FILE]', `create a pidfile (default: ${rundir}/ovs-evpnd.pid)`)
    .option('--overwrite-pidfile', 'with --pidfile, start even when a running process holds it')
    .option('--detach', 'run in the background')
    .option('--no-chdir', 'with --detach, stay in the current directory')
    .option('--log-file [FILE]', `log to a file as well (default: ${logDirectory(env)}/ovs-evpnd.log)`)
    .option('--unixctl <PATH>', `control socket, or "none" (default: ${rundir}/ovs-evpnd.<pid>.ctl)`)
    .option('--unixctl-group <GROUP>', 'group that may use the control socket, too')
    .option('--metrics <HOST:PORT>', 'serve metrics and a page at this address; whoever reaches it may read', parseMetrics)
    .option('-p, --private-key <FILE>', 'private key for ssl:')
    .option('-c, --certificate <FILE>', 'certificate for ssl:')
    .option('-C, --ca-cert <FILE>', 'certificate of the authority that signed the peer\'s')
    .option('-v, --verbose [SPEC]', 'log levels, MODULE:DESTINATION:LEVEL; everything without a SPEC', collect)
    // For the benchmark, which makes the kernel drop notifications (docs/performance.md).
    .addOption(new Option('--netlink-rcvbuf <BYTES>').argParser(parseBytes).hideHelp())
    .version(versionText(version), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ optionTerm: option => option.flags.replace(/ \[(.*)\]$/, '[=$1]').replace(/ <(.*)>$/, '=$1') })
}

/** Ties optional values to their options, so that `--pidfile unix:db.sock` names a database and no pidfile. */
function normalize(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  const options = end < 0 ? args : args.slice(0, end)
  const rest = end < 0 ? [] : args.slice(end)
  return [...options.map(tieValue), ...rest]
}

function tieValue(arg: string): string {
  if (OPTIONAL_VALUE.has(arg)) return arg + '='
  return arg.startsWith('-v') ? '--verbose=' + arg.slice(2) : arg
}

function collect(spec: string, before: readonly string[] = []): readonly string[] {
  return [...before, spec]
}

function parseBytes(text: string): number {
  const bytes = Number(text)
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > 0x7fffffff) throw new InvalidArgumentError('Give a number of bytes.')
  return bytes
}

function parseMetrics(text: string): ListenAddress {
  const address = parseListenAddress(text)
  if (address === undefined) throw new InvalidArgumentError('Give HOST:PORT, such as 127.0.0.1:9475 or [::1]:9475; without HOST it is 127.0.0.1.')
  return address
}

function resolveOptions(parsed: Parsed, database: string | undefined, env: Environment): DaemonOptions {
  const rundir = runDirectory(env)
  const tls = resolveTls(parsed)
  const remote = resolveDatabase(database ?? 'unix:db.sock', rundir)
  if (remote.startsWith('ssl:') && (tls === undefined || Object.keys(tls).length < 3)) {
    throw new Error(`${remote} needs --private-key, --certificate and --ca-cert`)
  }
  return {
    database: remote,
    rundir,
    ...optional('pidfile', parsed.pidfile, file => path.resolve(rundir, file || 'ovs-evpnd.pid')),
    overwritePidfile: parsed.overwritePidfile ?? false,
    detach: parsed.detach ?? false,
    chdir: parsed.chdir,
    ...optional('logFile', parsed.logFile, file => path.resolve(file || path.join(logDirectory(env), 'ovs-evpnd.log'))),
    verbose: parsed.verbose ?? [],
    unixctl: parsed.unixctl === 'none' ? 'none' : path.resolve(rundir, parsed.unixctl ?? `ovs-evpnd.${process.pid}.ctl`),
    ...optional('unixctlGroup', parsed.unixctlGroup, group => group),
    ...optional('tls', tls, files => files),
    ...optional('metrics', parsed.metrics, address => address),
    ...optional('netlinkReceiveBuffer', parsed.netlinkRcvbuf, bytes => bytes)
  }
}

/** An OVSDB remote with an absolute path. Throws when it is none. */
function resolveDatabase(remote: string, rundir: string): string {
  const [, method = '', address = ''] = /^(unix|tcp|ssl):(.+)$/s.exec(remote) ?? []
  if (method === '') throw new Error(`"${remote}" is no database to connect to; give unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT`)
  return method === 'unix' ? `unix:${path.resolve(rundir, address)}` : remote
}

function resolveTls(parsed: Parsed): TlsFiles | undefined {
  const files = {
    ...optional('privateKey', parsed.privateKey, file => path.resolve(file)),
    ...optional('certificate', parsed.certificate, file => path.resolve(file)),
    ...optional('caCert', parsed.caCert, file => path.resolve(file))
  }
  return Object.keys(files).length > 0 ? files : undefined
}

/** `{ [key]: change(value) }`, or nothing when there is no value: an absent option has no key at all. */
function optional<Key extends string, In, Out>(key: Key, value: In | undefined, change: (value: In) => Out): { [K in Key]?: Out } {
  return value === undefined ? {} : { [key]: change(value) } as { [K in Key]?: Out }
}
