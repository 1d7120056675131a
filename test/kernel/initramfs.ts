// The guest's first file system: busybox, the modules that lead to the host's files, and what is to be done there.
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plainEnv } from '../lab/process.js'
import { run } from '../lab/run.js'
import { modulesInOrder, type Kernel } from './kernel.js'

/** What runs in the guest. */
export interface Job {
  readonly argv: readonly string[]
  /** Also a directory of the host. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** A terminal's size, for a job that has one. */
  readonly terminal?: { readonly rows: number, readonly columns: number }
}

/** From dist/test/kernel to the source tree: the compiler does not copy it. */
const INIT = fileURLToPath(new URL('../../../test/kernel/init', import.meta.url))
const BUSYBOX = '/bin/busybox'

/** Until the host's files are there; everything else is loaded from them. */
const MODULES = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay'] as const

/** Makes the initramfs in a new directory; the caller removes that when the guest is gone. */
export async function makeInitramfs(kernel: Kernel, job: Job): Promise<{ readonly path: string, readonly remove: () => void }> {
  removeLeftovers()
  const dir = mkdtempSync(join(tmpdir(), `ovs-evpn-kernel-${process.pid}-`))
  const remove = (): void => { rmSync(dir, { recursive: true, force: true }) }
  try {
    const files = join(dir, 'files')
    fill(files, kernel, job)
    const names = readdirSync(files, { recursive: true, encoding: 'utf8' })
    const path = join(dir, 'initramfs')
    await run(['cpio', '--quiet', '-o', '-H', 'newc', '-F', path], { cwd: files, input: names.join('\n') + '\n', env: plainEnv() })
    rmSync(files, { recursive: true })
    return { path, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** What a program that was killed has left. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^ovs-evpn-kernel-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

function fill(files: string, kernel: Kernel, job: Job): void {
  for (const dir of ['bin', 'modules', 'guest']) mkdirSync(join(files, dir), { recursive: true })
  copyFileSync(BUSYBOX, join(files, 'bin/busybox'))
  copyFileSync(INIT, join(files, 'init'))
  for (const program of ['bin/busybox', 'init']) chmodSync(join(files, program), 0o755)
  modulesInOrder(kernel, MODULES).forEach((path, i) => {
    copyFileSync(path, join(files, 'modules', `${String(i).padStart(2, '0')}-${basename(path)}`))
  })
  writeFileSync(join(files, 'guest/settings'), settings(kernel, job))
  writeFileSync(join(files, 'guest/command'), command(job))
}

function settings(kernel: Kernel, { terminal }: Job): string {
  const lines = { modules: kernel.modules, interactive: terminal === undefined ? 'no' : 'yes', rows: terminal?.rows ?? 24, columns: terminal?.columns ?? 80 }
  return Object.entries(lines).map(([name, value]) => `${name}=${quote(String(value))}\n`).join('')
}

/** A script for the host's own shell: environment, directory, program. */
function command({ argv, cwd, env }: Job): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`)
  return `#!/bin/sh\ncd ${quote(cwd)} || exit 126\nexec env -i ${[...variables, ...argv.map(quote)].join(' ')}\n`
}

/** One word for a shell, whatever it contains. */
function quote(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`
}
