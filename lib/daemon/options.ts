// What the command line decides, and the places of Open vSwitch it defaults to. The environment is read once, here.
import path from 'node:path'
import type { ListenAddress } from './http/address.js'

/** Everything ovs-evpnd was told at start. All paths are absolute. */
export interface DaemonOptions {
  /** OVSDB remote: `unix:PATH`, `tcp:HOST:PORT` or `ssl:HOST:PORT`. */
  readonly database: string
  /** `$OVS_RUNDIR`: db.sock, the bridge's .mgmt socket, pidfile and control socket live there. */
  readonly rundir: string
  readonly pidfile?: string
  readonly overwritePidfile: boolean
  readonly detach: boolean
  /** Change to / once detached, so that no mounted file system is held. */
  readonly chdir: boolean
  readonly logFile?: string
  /** vlog specifications in the order given; the empty one means maximum verbosity. */
  readonly verbose: readonly string[]
  /** Path of the control socket, or `none`. */
  readonly unixctl: string
  /** Name or number of the group that may use the control socket. */
  readonly unixctlGroup?: string
  readonly tls?: TlsFiles
  /** Where metrics and the page are served. */
  readonly metrics?: ListenAddress
  /** Bytes of the netlink socket's receive buffer. */
  readonly netlinkReceiveBuffer?: number
}

export interface TlsFiles {
  readonly privateKey?: string
  readonly certificate?: string
  readonly caCert?: string
}

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The directory of sockets and pidfiles; an empty variable counts as unset, as in Open vSwitch. */
export function runDirectory(env: Environment): string {
  return path.resolve(env['OVS_RUNDIR'] || '/var/run/openvswitch')
}

/** The directory of log files. */
export function logDirectory(env: Environment): string {
  return path.resolve(env['OVS_LOGDIR'] || '/var/log/openvswitch')
}
