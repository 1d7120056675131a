// The machine of `npm run test:kernel`, booted: what its command writes and its exit code come out, nothing else does, and
// however it ends, nothing of it is left on the host.
import t from 'tap'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { needs } from '../lab/needs.js'
import { waitFor } from '../lab/wait.js'

needs('qemu')

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url))
/** Where the machines' own files are made: by its name their processes are known, too. */
const dir = mkdtempSync(join(tmpdir(), 'machine-test-'))
t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })

interface Said { out: string, err: string }

function boot(...args: readonly string[]): { readonly child: ChildProcess, readonly said: Said, readonly ended: Promise<number | string | null> } {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, TMPDIR: dir }, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said.out += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said.err += text })
  return { child, said, ended: new Promise((resolve) => child.on('close', (code, signal) => { resolve(code ?? signal) })) }
}

/** Command lines of the emulators that were started with files of ours. */
function emulators(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
      return argv[0]?.startsWith('qemu') === true && argv.some((word) => word.startsWith(dir)) ? [argv.join(' ')] : []
    } catch {
      return [] // gone meanwhile
    }
  })
}

/** Ready means: the command runs in the machine. */
async function bootUntilReady(): Promise<ReturnType<typeof boot>> {
  const machine = boot('sh', '-c', 'echo ready; exec sleep 600')
  await waitFor('the command in the machine to run', () => machine.said.out.includes('ready') || `${machine.said.out}${machine.said.err}`, 120_000, 50)
  return machine
}

await t.test('what the command writes comes out, its exit code is the program\'s, and what it does to files stays inside', async (t) => {
  const file = join(dir, 'of-the-machine')
  const { said, ended } = boot('sh', '-c', `echo to standard output; echo to standard error >&2; touch ${file} && ls ${file}; uname -r; exit 7`)
  t.equal(await ended, 7, said.err)
  const [first, listed, release = ''] = said.out.split('\n')
  t.same([first, listed], ['to standard output', file], 'the command saw what it had written')
  t.match(release, /amd64/, 'a kernel of Debian\'s')
  t.not(release, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(), 'another one than this machine\'s')
  t.match(said.err, /^to standard error$/m)
  t.notOk(existsSync(file), 'the host has no such file')
  t.same(readdirSync(dir), [], 'nothing is left')
})

await t.test('the time limit ends it: exit code 124, and it says so', async (t) => {
  const { said, ended } = boot('--time-limit', '1', 'sleep', '600')
  t.equal(await ended, 124, said.err)
  t.match(said.err, /not done after 1 s/)
  t.same([...readdirSync(dir), ...emulators()], [], 'nothing is left')
})

await t.test('Ctrl-C ends it at once: exit code 130', async (t) => {
  const { child, said, ended } = await bootUntilReady()
  t.equal(emulators().length, 1, 'one emulator runs')
  child.kill('SIGINT')
  t.equal(await ended, 130, said.err)
  t.same([...readdirSync(dir), ...emulators()], [], 'nothing is left')
})

await t.test('kill -9 of the program: the kernel ends the emulator, too; what it left in /tmp goes with the next run', async (t) => {
  const { child, ended } = await bootUntilReady()
  child.kill('SIGKILL')
  t.equal(await ended, 'SIGKILL')
  await waitFor('the emulator to be gone', () => emulators().length === 0 || emulators().join('\n'))
  t.equal(readdirSync(dir).length, 1, 'its directory is left')
  t.equal(await boot('true').ended, 0)
  t.same(readdirSync(dir), [], 'nothing is left')
})
