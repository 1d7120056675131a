// What the figures were measured on: the machine, and the programs that take part.
import { spawnSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'

export interface Machine {
  readonly kernel: string
  readonly cpus: number
  readonly cpu: string
  /** In GB. */
  readonly memory: number
  /** Each with its version. */
  readonly programs: readonly string[]
}

/** The command that tells a program's version, and what is before it there. */
const PROGRAMS: Readonly<Record<string, readonly [command: readonly string[], before: RegExp]>> = {
  'Open vSwitch': [['ovs-vswitchd', '--version'], /\(Open vSwitch\) /],
  'FRR': [['/usr/lib/frr/zebra', '--version'], /version /],
  'GoBGP': [['gobgpd', '--version'], /version /],
  'iproute2': [['bridge', '-V'], /iproute2-|utility, /]
}

export function machine(): Machine {
  const programs = Object.entries(PROGRAMS).map(([name, [command, before]]) => `${name} ${versionOf(command, before)}`)
  return {
    kernel: release(), cpus: cpus().length, cpu: cpus()[0]?.model ?? '', memory: Math.round(totalmem() / 1e9),
    programs: [`Node.js ${process.version.slice(1)}`, ...programs]
  }
}

/** One that is not installed took no part. */
function versionOf([program = '', ...args]: readonly string[], before: RegExp): string {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return new RegExp(`(?:${before.source})(\\S+)`).exec(stdout ?? '')?.[1] ?? '(not installed)'
}

/** In one line. */
export function machineText({ kernel, cpus, cpu, memory, programs }: Machine): string {
  return `${cpus} x ${cpu}, ${memory} GB of memory; Linux ${kernel}, ${programs.join(', ')}.`
}
