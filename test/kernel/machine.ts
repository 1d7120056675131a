// The machine: qemu without KVM, without disk, without network; the host's file system read-only, a few ports out.
import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { plainEnv } from '../lab/process.js'
import type { Kernel } from './kernel.js'

export interface MachineOptions {
  readonly cpus: number
  readonly memoryMb: number
  /** The terminal is the guest's. */
  readonly interactive: boolean
  readonly timeLimitS: number
  /** Where the command's standard output goes: to this program's unless told otherwise. */
  readonly output?: Writable
}

/** How a machine ended. `code` is that of the command in it. */
export type Outcome =
  | { readonly kind: 'ended', readonly code: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'stopped', readonly signal: NodeJS.Signals }
  /** The machine ended and the command did not; what the kernel and qemu said last. */
  | { readonly kind: 'crashed', readonly console: string }

/** Descriptors of qemu's ports, in its own numbering. */
const PORTS = { console: 3, stdout: 4, stderr: 5, control: 6 } as const
/** Without AVX, which libraries would choose and qemu only imitates. */
const CPU = 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+rdrand'
/**
 * What protects from attacks costs an emulated machine a fifth of its time. The kernel waits for all its CPUs to pass a point
 * (RCU) whenever a device or a namespace goes: at once instead of at leisure. Large pages: fewer faults, which are dear.
 */
const FASTER = 'random.trust_cpu=on mitigations=off init_on_alloc=0 apparmor=0 rcupdate.rcu_expedited=1 transparent_hugepage=always'
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const CONSOLE_TAIL = 8000

/** Boots the machine and returns when it is gone. What the command writes is passed on as it comes. */
export async function runMachine(kernel: Kernel, initramfs: string, options: MachineOptions): Promise<Outcome> {
  const qemu = startQemu(kernel, initramfs, options)
  const said = { console: '', control: '' }
  listen(qemu, PORTS.console, (text) => { said.console = (said.console + text).slice(-CONSOLE_TAIL) })
  listen(qemu, PORTS.control, (text) => { said.control += text })
  qemu.stderr?.setEncoding('utf8').on('data', (text: string) => { said.console += text })
  passOn(qemu, PORTS.stdout, options.output ?? process.stdout)
  passOn(qemu, PORTS.stderr, process.stderr)
  const early = await endOf(qemu, options)
  if (early) return early
  const code = /^exit (\d+)$/m.exec(said.control)?.[1]
  return code === undefined ? { kind: 'crashed', console: said.console.trim() } : { kind: 'ended', code: Number(code) }
}

function startQemu(kernel: Kernel, initramfs: string, options: MachineOptions): ChildProcess {
  // Should this program be killed, the kernel kills qemu: nothing is left on the host.
  const argv = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArgs(kernel, initramfs, options)]
  const terminal = options.interactive ? 'inherit' : 'ignore'
  const child = spawn('setpriv', argv, {
    env: plainEnv(),
    // A process group of its own: Ctrl-C is for this program, which then ends qemu. A shell's terminal qemu must share.
    detached: !options.interactive,
    stdio: [terminal, terminal, 'pipe', 'pipe', 'pipe', 'pipe', 'pipe']
  })
  return child
}

function qemuArgs(kernel: Kernel, initramfs: string, { cpus, memoryMb, interactive }: MachineOptions): string[] {
  const socket = (name: keyof typeof PORTS): string[] => ['-chardev', `socket,id=${name},fd=${PORTS[name]}`]
  const port = (name: keyof typeof PORTS): string[] => [...socket(name), '-device', `virtserialport,chardev=${name},name=${name}`]
  return [
    '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', CPU, '-smp', String(cpus), '-m', String(memoryMb),
    '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-nic', 'none',
    '-kernel', kernel.image, '-initrd', initramfs,
    // panic=-1: a crash of the kernel is a reboot at once, which -no-reboot makes the end of qemu.
    '-append', `console=ttyS0 panic=-1 quiet loglevel=4 ${FASTER}`,
    ...socket('console'), '-serial', 'chardev:console',
    '-virtfs', 'local,path=/,mount_tag=host,readonly=on,security_model=none,multidevs=remap',
    '-device', 'virtio-serial-pci',
    ...(interactive ? ['-chardev', 'stdio,id=terminal,signal=off', '-device', 'virtconsole,chardev=terminal'] : []),
    ...port('stdout'), ...port('stderr'), ...port('control')
  ]
}

function listen(qemu: ChildProcess, descriptor: number, heard: (text: string) => void): void {
  const stream = qemu.stdio[descriptor] as Readable
  stream.setEncoding('utf8').on('data', heard)
  stream.on('error', () => undefined) // qemu is gone: its exit says so
}

function passOn(qemu: ChildProcess, descriptor: number, to: Writable): void {
  const stream = qemu.stdio[descriptor] as Readable
  stream.on('error', () => undefined)
  stream.pipe(to, { end: false })
}

/** Waits until qemu is gone. Returns why we ended it, or undefined when it ended by itself. */
function endOf(qemu: ChildProcess, { timeLimitS, interactive }: MachineOptions): Promise<Outcome | undefined> {
  return new Promise((resolve, reject) => {
    let why: Outcome | undefined
    const end = (outcome: Outcome): void => {
      why ??= outcome
      // The terminal that it has it gives back as it was, if it is asked to end.
      qemu.kill(interactive ? 'SIGTERM' : 'SIGKILL')
    }
    const timer = setTimeout(() => { end({ kind: 'timeout' }) }, timeLimitS * 1000)
    const stop = (signal: NodeJS.Signals): void => { end({ kind: 'stopped', signal }) }
    for (const signal of SIGNALS) process.on(signal, stop)
    qemu.on('error', reject)
    qemu.on('close', () => {
      clearTimeout(timer)
      for (const signal of SIGNALS) process.off(signal, stop)
      resolve(why)
    })
  })
}
