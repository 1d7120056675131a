// `npm run lab` as a user types it.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { removeLab } from './down.js'
import { leftovers } from './leftovers.js'
import { plainEnv } from './process.js'
import { run, type RunResult } from './run.js'

const id = `cli${process.pid.toString(36)}`
const program = fileURLToPath(new URL('./main.js', import.meta.url))
t.teardown(() => removeLab(id))

function lab(...args: readonly string[]): Promise<RunResult> {
  return run([process.execPath, program, ...args], { env: plainEnv(), allowFailure: true })
}

const badInput = [
  { args: ['up', '--id', 'Not-An-Id'], says: /'Not-An-Id' is invalid.*1 to 12 characters of a-z and 0-9/ },
  { args: ['up', '--vni', '1000,x'], says: /'x' is no VNI/ },
  { args: ['up', '--vni', '16777216'], says: /'16777216' is no VNI/ },
  { args: ['up', '--chassis', '10'], says: /'10' is invalid. It must be 0 to 9/ },
  { args: ['up', '--frob'], says: /unknown option '--frob'/ },
  { args: ['frob'], says: /unknown command 'frob'/ },
  { args: ['exec', '--id', 'nosuchlab', 'c1', '--', 'true'], says: /there is no lab 'nosuchlab'; make one with: npm run lab -- up/ },
  { args: ['exec', '--id', id], says: /missing required argument 'host'/ },
  { args: ['status', '--id', 'nosuchlab'], says: /there is no lab 'nosuchlab'/ }
] as const

for (const { args, says } of badInput) {
  await t.test(`bad input: lab ${args.join(' ')}`, async (t) => {
    const { code, stderr, stdout } = await lab(...args)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, says)
    t.equal(stderr.trim().split('\n').length, 1, `one line: ${stderr}`)
  })
}

await t.test('up leaves the lab running and says what it built; exec, status and down find it', async (t) => {
  const up = await lab('up', '--id', id, '--no-daemon', '--vni', '1000')
  t.equal(up.code, 0, up.stderr)
  t.match(up.stdout, /c1-1000-a +1000 +02:00:00:01:01:01 +10\.0\.1\.11 fd00::1:11/)
  t.match(up.stdout, `npm run lab -- exec --id ${id} c1 -- ovs-vsctl show`)

  const again = await lab('up', '--id', id)
  t.match(again, { code: 1, stderr: `lab: lab '${id}' exists already; remove it with: npm run lab -- down --id ${id}\n` })
  t.match(await lab('status', '--id', id), { code: 0, stdout: /all is well/ })
  t.match(await lab('exec', '--id', id, 'c2', '--', 'ovs-vsctl', 'get', 'Open_vSwitch', '.', 'external_ids:system-id'), { stdout: 'c2\n' })
  t.match(await lab('exec', '--id', id, 'c1', '--', 'ovs-appctl', '-t', 'ovs-vswitchd', 'version'), { stdout: /ovs-vswitchd/ })
  t.match(await lab('exec', '--id', id, 'l1', 'vtysh', '-c', 'show evpn vni 1000'), { stdout: /VxLAN interface: vxlan-1000/ })
  t.match(await lab('exec', '--id', id, 'l1-1000-a', '--', 'ping', '-c', '1', '10.0.1.32'), { code: 0 })
  t.match(await lab('exec', '--id', id, 'c1', '--', 'sh', '-c', 'exit 7'), { code: 7 })
  t.match(await lab('exec', '--id', id, 'c9', '--', 'true'), { code: 2, stderr: /no host 'c9' in lab .*; there are c1, c2, l1, / })

  await lab('exec', '--id', id, 'l1', '--', 'sh', '-c', `kill $(cat /run/ovs-evpn-lab/${id}/l1/frr/bgpd.pid)`)
  t.match(await lab('status', '--id', id), { code: 1, stdout: /something is missing/ })
  t.match(await lab('down', '--id', id), { code: 0, stdout: new RegExp(`'${id}' is down`) })
  t.match(await lab('down', '--id', id), { code: 0, stdout: new RegExp(`there is no lab '${id}'`) })
  t.same(leftovers(id), [])
})

await t.test('up starts the daemons, and they live on when it has ended', async (t) => {
  const up = await lab('up', '--id', id, '--no-frr', '--linux', '0', '--vni', '1000')
  t.equal(up.code, 0, up.stderr)
  t.match(up.stdout, 'ovs-evpnd on c1, c2')
  for (const chassis of ['c1', 'c2']) {
    t.match(await lab('exec', '--id', id, chassis, '--', 'ovs-appctl', '-t', 'ovs-evpnd', 'version'), { stdout: /^ovs-evpnd \(ovs-evpn\)/ }, chassis)
  }
  t.match(await lab('down', '--id', id), { code: 0 })
  t.same(leftovers(id), [])
})

await t.test('what exec runs in the terminal goes down with the lab', async (t) => {
  await lab('up', '--id', id, '--no-daemon', '--no-frr', '--chassis', '0')
  const shell = spawn(process.execPath, [program, 'exec', '--id', id, 'l1', '--', 'sh', '-c', 'echo here; sleep 60'], { env: plainEnv() })
  const exited = new Promise<number | null>((resolve) => shell.on('exit', resolve))
  await new Promise((resolve) => shell.stdout.once('data', resolve))
  await lab('down', '--id', id)
  t.equal(await exited, 143, 'ended by SIGTERM')
  t.same(leftovers(id), [])
})
