// The Debian package, in a root file system of its own (an overlay that is thrown away): installed, run as the service runs it,
// its pages, units and log rotation checked by the programs that read them, and purged.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { eventually } from '../system/util/eventually.js'
import { fetchAll } from '../system/util/fetch.js'
import { workload } from '../system/util/workload.js'
import { Root } from './root.js'

/** Of which package node is differs from machine to machine; and some machines take no documentation. */
const ANYWHERE = "--ignore-depends=nodejs --path-include='/usr/share/man/*' --path-include='/usr/share/doc/*'"
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
const out = mkdtempSync(path.join(tmpdir(), 'evpn-deb-'))
t.teardown(() => rmSync(out, { recursive: true, force: true }))

const vm = workload('vm1', 10, 1)
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10], workloads: [vm] })
t.teardown(() => lab.down())
const built = (await lab.exec('c1', [path.join(REPOSITORY, 'packaging/build-deb'), out])).stdout.trim()
const root = await Root.open(lab, 'c1', out)
t.teardown(() => root.close())
const before = await root.files()

await t.test('it installs: the user, the programs, access to the sockets that Open vSwitch has open', async (t) => {
  await root.sh(`dpkg -i ${ANYWHERE} ${built}`)
  t.match(await root.sh('id ovs-evpn'), /gid=\d+\(ovs-evpn\)/)
  t.match(await root.sh('ovs-evpnd --version'), /^ovs-evpnd \(ovs-evpn\) \d+\.\d+\.\d+/)
  t.match(await root.sh('ovs-evpnctl --version'), /^ovs-evpnctl/)
  t.match(await root.sh('stat -c "%U:%G %a" /run/openvswitch /run/openvswitch/db.sock'), /^root:ovs-evpn 3775\nroot:ovs-evpn 77/)
})

await t.test('sockets of later bridges are opened at the start of the service; of what its user puts there, nothing', async (t) => {
  const listen = (file: string): string => `node -e "require('net').createServer().listen('${file}', () => process.exit())"`
  await root.sh(`${listen('/run/openvswitch/late.mgmt')}; ${listen('/run/victim')}; chmod 700 /run/victim
    setpriv --reuid=ovs-evpn --regid=ovs-evpn --clear-groups ln -s /run/victim /run/openvswitch/trap.mgmt
    /usr/lib/ovs-evpn/open-sockets`)
  t.match(await root.sh('stat -c "%U:%G %a" /run/openvswitch/late.mgmt /run/victim'), /^root:ovs-evpn 77\d\nroot:root 700\n$/)
  await root.sh('rm /run/openvswitch/late.mgmt /run/openvswitch/trap.mgmt')
})

await t.test('a daemon that does not run: said, with how to start it', async (t) => {
  const { code, stderr } = await root.run('ovs-evpnctl show')
  t.equal(code, 1)
  t.match(stderr, /\/run\/openvswitch/)
})

await t.test('the unit is one that systemd has no complaint about, and exposes little', async (t) => {
  const { code, stdout, stderr } = await root.run('systemd-analyze verify ovs-evpnd.service')
  t.strictSame({ code, said: stdout + stderr }, { code: 0, said: '' }, 'systemd-analyze verify')
  const [, score = '10'] = /exposure level for ovs-evpnd\.service: ([\d.]+)/.exec(await root.sh('systemd-analyze security --offline=true ovs-evpnd.service')) ?? []
  const [, told = ''] = /systemd-analyze security ovs-evpnd.*?exposure level ([\d.]+)/s.exec(readFileSync(path.join(REPOSITORY, 'docs/privileges.md'), 'utf8')) ?? []
  t.ok(Number(score) <= Number(told), `${score}, not more than docs/privileges.md tells: ${told}`)
})

await t.test('it runs as the unit says: as its user, with its one capability; ovs-appctl and ovs-evpnctl find it', async () => {
  await root.sh('echo OVS_EVPND_OPTS=--metrics=:9475 > /etc/default/ovs-evpn')
  await root.startService('ovs-evpnd')
  await eventually('the MAC of vm1 to be advertised', async () => (await root.run('ovs-evpnctl local')).stdout, (text) => text.includes(vm.mac) && text.includes('advertised'))
  await eventually('the daemon to be the user', () => root.sh('ps -o user= -p $(cat /run/openvswitch/ovs-evpnd.pid)'), (text) => text.trim() === 'ovs-evpn')
  await eventually('the name of our protocol', () => root.sh('ip -d neigh show nud all'), (text) => text.includes('proto ovs-evpn'))
})

await t.test('with --metrics it serves numbers and the page, and the unit allows that', async (t) => {
  t.match(await root.sh('cat /lib/systemd/system/ovs-evpnd.service'), /^RestrictAddressFamilies=.*\bAF_INET\b.*\bAF_INET6\b/m)
  const [page, metrics] = await fetchAll(lab, 'c1', ['http://127.0.0.1:9475/', 'http://127.0.0.1:9475/metrics'])
  t.match(page?.body, /<title>ovs-evpn<\/title>/)
  t.match(metrics?.body, /^ovs_evpn_ports\{vni="10"\} 1$/m)
})

await t.test('bash completes commands, options and the VNIs there are', async (t) => {
  const complete = (...words: readonly string[]) => root.sh(`. /usr/share/bash-completion/completions/ovs-evpnctl
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _ovs_evpnctl; echo "\${COMPREPLY[*]}"`)
  t.equal(await complete('ovs-evpnctl', 'vt'), 'vteps\n')
  t.match(await complete('ovs-evpnctl', ''), /\bshow\b.*\bproblems\b/)
  t.equal(await complete('ovs-evpnctl', 'show', '--js'), '--json\n')
  t.equal(await complete('ovs-evpnctl', 'macs', '--vni', ''), '10\n')
})

await t.test('logrotate moves the log, and the daemon goes on in a new one', async () => {
  await root.sh('logrotate --force --state /tmp/state /etc/logrotate.d/ovs-evpn')
  await root.sh('test -s /var/log/ovs-evpn/ovs-evpnd.log.1')
  await root.sh('ovs-appctl -t ovs-evpnd vlog/set dbg')
  await eventually('lines in the new log', () => root.sh('cat /var/log/ovs-evpn/ovs-evpnd.log'), (text) => text.includes('|vlog|'))
})

/** What systemd is told by the package's scripts: systemctl writes it down, and answers of the unit what is asked here. */
async function told(action: string, unit: { readonly isEnabled: boolean }): Promise<string[]> {
  await root.sh(`mkdir -p /run/systemd/system; rm -f /tmp/told
    printf '#!/bin/sh\\necho "$@" >> /tmp/told\\ncase "$*" in *is-enabled*) echo ${unit.isEnabled ? 'enabled' : 'disabled'} ;; esac\\n' > /usr/local/sbin/systemctl
    chmod 755 /usr/local/sbin/systemctl
    [ ! -e /usr/sbin/policy-rc.d ] || mv /usr/sbin/policy-rc.d /tmp/
    ${action}
    [ ! -e /tmp/policy-rc.d ] || mv /tmp/policy-rc.d /usr/sbin/
    rm -r /usr/local/sbin/systemctl /run/systemd/system`)
  return (await root.sh('cat /tmp/told')).split('\n').filter((line) => line.includes('start') || line.includes('stop') || line.includes('able ') || line.includes('reload'))
}

const WANTED = '/etc/systemd/system/ovs-vswitchd.service.wants/ovs-evpnd.service'

await t.test('an upgrade is an installation over it: configuration files that were changed stay, a service that was ended stays so', async (t) => {
  await root.sh('echo OVS_EVPND_OPTS=-vfile:dbg > /etc/default/ovs-evpn')
  const upgrade = `dpkg -i --force-confdef --force-confold ${ANYWHERE} ${built}`
  await root.sh(`test -L ${WANTED}`)
  t.same(await told(upgrade, { isEnabled: true }), ['--system daemon-reload', 'try-restart ovs-evpnd.service'])
  t.match(await root.sh('cat /etc/default/ovs-evpn'), 'OVS_EVPND_OPTS=-vfile:dbg')
  await root.sh(`rm ${WANTED}`)
  await told(upgrade, { isEnabled: false })
  t.equal((await root.run(`test -e ${WANTED}`)).code, 1, 'a service that was disabled stays so')
})

await t.test('the manual pages have no warning, and every option and command', async (t) => {
  for (const page of ['ovs-evpnd', 'ovs-evpnctl']) {
    t.equal((await root.sh(`LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 -Z /usr/share/man/man8/${page}.8.gz 2>&1 >/dev/null`)).trim(), '', page)
  }
  const pages = { 'ovs-evpnd': await page('ovs-evpnd'), 'ovs-evpnctl': await page('ovs-evpnctl') }
  for (const [program, text] of Object.entries(pages)) {
    for (const [, option = ''] of (await root.sh(`${program} --help`)).matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)) t.ok(text.includes(option), `${program}(8) has ${option}`)
  }
  for (const [, command = ''] of (await root.sh('ovs-evpnctl --help')).split('Commands:')[1]?.matchAll(/^ {2}([\w-]+) /gm) ?? []) {
    t.match(pages['ovs-evpnctl'], new RegExp(`^ +${command}\\b`, 'm'), `ovs-evpnctl(8) has ${command}`)
  }
  for (const [, command = ''] of (await root.sh('ovs-appctl -t ovs-evpnd list-commands')).matchAll(/^ +([\w/-]+)/gm)) {
    t.ok(pages['ovs-evpnd'].includes(command), `ovs-evpnd(8) has ${command}`)
  }
})

/** A manual page as text. */
function page(name: string): Promise<string> {
  return root.sh(`LC_ALL=C.UTF-8 MANWIDTH=200 man -l /usr/share/man/man8/${name}.8.gz | col -b`)
}

await t.test('purged, it leaves no file behind, and no user', async (t) => {
  await root.sh('ovs-appctl -t ovs-evpnd exit --cleanup')
  await root.stopService()
  await root.sh('dpkg --purge ovs-evpn')
  t.equal((await root.run('id ovs-evpn')).code, 1, 'no user')
  // man keeps a page it has shown.
  const left = (await root.files()).filter((file) => !before.includes(file) && file.includes('evpn') && !file.startsWith('/var/cache/man/'))
  t.same(left, [])
  t.match(await root.sh('stat -c "%U:%G %a" /run/openvswitch'), /^root:root 755/)
})
