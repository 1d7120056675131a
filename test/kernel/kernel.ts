// The kernel that is tested: Debian's package of it, downloaded and unpacked into a cache, never installed.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { plainEnv } from '../lab/process.js'
import { run, RunError } from '../lab/run.js'

/** An unpacked kernel. */
export interface Kernel {
  /** As `uname -r` says it: `6.1.0-56-amd64`. */
  readonly release: string
  readonly image: string
  /** What belongs at /lib/modules. */
  readonly modules: string
}

/** Something the machine lacks: one sentence for the user that says what to do. */
export class MissingError extends Error {
  override readonly name = 'MissingError'
}

/** The generic kernel's meta package. The cloud variant has no 9p. */
const META_PACKAGE = 'linux-image-amd64'
const RELEASE = /^\d+\.\d+\.\d+[-+][\w.+-]*amd64$/

/** The kernel from the cache; the first time it is downloaded, which takes a minute. Throws MissingError without a package. */
export async function provideKernel(progress: (text: string) => void): Promise<Kernel> {
  return cachedKernel() ?? await fetchKernel(progress).catch(async (error: unknown) => {
    if (!(error instanceof MissingError)) throw error
    // Lists that are missing or old name no package, or one that is no longer there.
    progress('updating the lists of packages')
    await run(['apt-get', 'update', '-qq'], { env: plainEnv(), allowFailure: true, timeoutMs: 300_000 })
    return await fetchKernel(progress)
  })
}

function cacheDir(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ovs-evpn', 'kernel')
}

/** The newest one, or undefined. */
function cachedKernel(): Kernel | undefined {
  const dir = cacheDir()
  if (!existsSync(dir)) return undefined
  const releases = readdirSync(dir).filter((name) => RELEASE.test(name))
  const newest = releases.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
  return newest === undefined ? undefined : kernelAt(join(dir, newest), newest)
}

function kernelAt(dir: string, release: string): Kernel {
  return { release, image: join(dir, 'boot', `vmlinuz-${release}`), modules: join(dir, 'lib', 'modules') }
}

async function fetchKernel(progress: (text: string) => void): Promise<Kernel> {
  const release = await candidate()
  progress(`downloading and unpacking linux-image-${release} into ${cacheDir()} (once; nothing is installed)`)
  mkdirSync(cacheDir(), { recursive: true })
  const work = mkdtempSync(join(cacheDir(), 'unpacking-'))
  try {
    await run(['apt-get', 'download', '-q', `linux-image-${release}`], { cwd: work, env: plainEnv(), timeoutMs: 300_000 })
    const [archive = ''] = readdirSync(work)
    const root = join(work, 'root')
    await run(['dpkg-deb', '-x', join(work, archive), root], { env: plainEnv(), timeoutMs: 300_000 })
    await run(['depmod', '-b', root, release], { env: plainEnv() })
    // Last and at once: what has its name in the cache is complete.
    renameSync(root, join(cacheDir(), release))
  } catch (error) {
    throw error instanceof RunError ? new MissingError(`no kernel to test with: ${error.message}`) : error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return kernelAt(join(cacheDir(), release), release)
}

/** The kernel release that the meta package names. */
async function candidate(): Promise<string> {
  const { stdout } = await run(['apt-cache', 'depends', META_PACKAGE], { env: plainEnv(), allowFailure: true })
  const release = /Depends: linux-image-(\S+)/.exec(stdout)?.[1]
  if (release !== undefined && RELEASE.test(release)) return release
  throw new MissingError(`apt knows no package ${META_PACKAGE}: this needs a Debian machine whose lists of packages are there (apt-get update)`)
}

/** Paths of the modules and of all they need, in the order in which they can be loaded. Built-in ones are left out. */
export function modulesInOrder(kernel: Kernel, names: readonly string[]): string[] {
  const dir = join(kernel.modules, kernel.release)
  const needs = new Map(readFileSync(join(dir, 'modules.dep'), 'utf8').split('\n').map((line) => {
    const [path = '', dependencies = ''] = line.split(':')
    return [path, dependencies.split(' ').filter((word) => word !== '')] as const
  }))
  const pathOf = (name: string): string | undefined => [...needs.keys()].find((path) => path.endsWith(`/${name}.ko`))
  // depmod writes a module's dependencies with the one to load first at the end.
  const paths = names.map(pathOf).filter((path) => path !== undefined).flatMap((path) => [...(needs.get(path) ?? []).toReversed(), path])
  return [...new Set(paths)].map((path) => join(dir, path))
}

/** Throws MissingError, with the command that helps, when a program is not there. */
export function checkPrograms(): void {
  const path = (plainEnv()['PATH'] ?? '').split(':')
  const needed = ['qemu-system-x86_64', 'busybox', 'cpio', 'depmod', 'dpkg-deb', 'setpriv']
  const missing = needed.filter((program) => !path.some((dir) => existsSync(join(dir, program))))
  if (missing.length === 0) return
  throw new MissingError(`${missing.join(', ')} not found; install with: ${join(dirname(process.argv[1] ?? ''), '../../../test/kernel/packages')}`)
}
