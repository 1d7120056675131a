// FRR's view, by vtysh: no shell, one command at a time, one daemon each, with an end to waiting. Whether it answers at all is part
// of what is told: another speaker may be there instead, or somebody who may not use it asks.
import { execFile } from 'node:child_process'
import { DAEMONS_FILE, isService, leavesBgpdOff } from './frr-service.js'

const TIMEOUT_MS = 5_000
const MAX_BYTES = 16 << 20

export type Said =
  | { readonly kind: 'said', readonly text: string }
  | Silent

export interface Silent {
  readonly kind: 'silent'
  readonly why: string
  /** Whoever may ask gets no answer; without, nobody knows. */
  readonly isDown?: true
  /** FRR's service does not start it. */
  readonly isOff?: true
}

/** Where vtysh finds the daemons' sockets; undefined = where it was built to look. */
export interface Vtysh {
  readonly directory: string | undefined
}

/** Runs `vtysh -d DAEMON -c COMMAND`, with one -c for each command. Never rejects. */
export async function askFrr(vtysh: Vtysh, daemon: 'zebra' | 'bgpd', ...commands: readonly string[]): Promise<Said> {
  const said = await runVtysh(vtysh, daemon, commands)
  const isOff = daemon === 'bgpd' && said.kind === 'silent' && said.isDown === true && isService(vtysh.directory) && await leavesBgpdOff()
  return isOff ? { ...said, why: `${said.why}: ${DAEMONS_FILE} has bgpd=no`, isOff } : said
}

async function runVtysh({ directory }: Vtysh, daemon: string, commands: readonly string[]): Promise<Said> {
  const where = directory === undefined ? [] : ['--vty_socket', directory]
  const args = [...where, '-d', daemon, ...commands.flatMap((command) => ['-c', command])]
  return await new Promise((resolve) => {
    execFile('vtysh', args, { timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) resolve({ kind: 'said', text: stdout })
      else resolve({ kind: 'silent', ...whySilent(daemon, error, stderr) })
    })
  })
}

function whySilent(
  daemon: string, error: Error & { readonly code?: string | number | null, readonly killed?: boolean }, stderr: string
): Pick<Silent, 'why' | 'isDown'> {
  if (error.code === 'ENOENT') return { why: 'vtysh is not installed' }
  if (error.code === 'EACCES') return { why: 'vtysh may not be run; use root, or a member of the group frrvty' }
  if (error.killed === true) return { why: `${daemon} did not answer within ${TIMEOUT_MS / 1000} s`, isDown: true }
  if (stderr.includes('Permission denied')) return { why: `not allowed to ask ${daemon} by vtysh; use root, or a member of the group frrvty` }
  const [line] = stderr.split('\n').filter((text) => text !== '')
  return line === undefined || line.includes('failed to connect') ? { why: `${daemon} does not answer vtysh`, isDown: true } : { why: line }
}

/** A command line that configures bgpd, and saves that: what is not written is gone with the next restart of FRR. */
export function configureBgp(as: number | undefined, ...lines: readonly string[]): string {
  return ['vtysh', ...['configure terminal', `router bgp ${as ?? 'AS'}`, ...lines, 'end', 'write'].map((line) => `-c '${line}'`)].join(' ')
}

/** An answer in JSON; undefined when the daemon had something else to say, such as that there is no such VNI. */
export function parseSaid(said: Said): Readonly<Record<string, unknown>> | undefined {
  if (said.kind === 'silent') return undefined
  try {
    const value: unknown = JSON.parse(said.text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
