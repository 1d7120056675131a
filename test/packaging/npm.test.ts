// `npm pack` gives a package that installs, with its programs, libraries and manual pages. No network is needed.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from '../lab/run.js'
import { serveModules } from './registry.js'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
const out = mkdtempSync(path.join(tmpdir(), 'evpn-npm-'))
t.teardown(() => rmSync(out, { recursive: true, force: true }))

// What is compiled is packed: that npm would compile it first would change the tree under the other tests.
await run(['npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', out], { cwd: REPOSITORY })
const [tarball = ''] = readdirSync(out)
mkdirSync(`${out}/modules`)
const registry = await serveModules(REPOSITORY, `${out}/modules`)
t.teardown(() => { registry.close() })
const options = [`--prefix=${out}/prefix`, `--cache=${out}/cache`, `--registry=${registry.url}`, '--no-audit', '--no-fund', '--no-update-notifier', '--silent']
await run(['npm', 'install', '--global', ...options, path.join(out, tarball)], { timeoutMs: 240_000 })

for (const program of ['ovs-evpnd', 'ovs-evpnctl']) {
  await t.test(`${program} runs from where npm put it`, async (t) => {
    t.match((await run([`${out}/prefix/bin/${program}`, '--version'])).stdout, new RegExp(`^${program} \\(ovs-evpn\\) \\d`))
    t.ok(existsSync(`${out}/prefix/share/man/man8/${program}.8`), 'and its manual page is there')
  })
}

await t.test('the libraries can be imported by name, and nothing of the tests is in the package', async (t) => {
  const names = ['netlink', 'openflow', 'ovsdb']
  const script = `for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import('ovs-evpn/' + name)).length)`
  const home = `${out}/prefix/lib/node_modules/ovs-evpn`
  const { stdout } = await run([process.execPath, '--input-type=module', '-e', script], { cwd: home })
  for (const name of names) t.match(stdout, new RegExp(`^${name} [1-9]`, 'm'))
  t.notOk(existsSync(`${home}/dist/test`))
  t.ok(existsSync(`${home}/packaging/systemd/ovs-evpnd.service`), 'the unit is in it')
  t.ok(existsSync(`${home}/assets/fabric.html`), 'and the page')
})
