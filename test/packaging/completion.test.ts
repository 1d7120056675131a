// Completion for bash: names come from the database and are never executed.
import t from 'tap'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainEnv } from '../lab/process.js'
import { run } from '../lab/run.js'

const dir = mkdtempSync(join(tmpdir(), 'completion-'))
t.teardown(() => { rmSync(dir, { recursive: true }) })
const trap = join(dir, 'executed')
const PORTS = ['tap1', 'tap2.10', 'other', `t$(touch ${trap})`, `t\`touch ${trap}\``, 't;touch x']
writeFileSync(join(dir, 'ovs-evpnctl'), `#!/bin/sh\ncat <<'END'\n${JSON.stringify(PORTS.map((port) => ({ port, vni: 10 })))}\nEND\n`)
chmodSync(join(dir, 'ovs-evpnctl'), 0o755)

async function complete(...words: readonly string[]): Promise<string[]> {
  const script = `. packaging/bash-completion/ovs-evpnctl; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ovs_evpnctl; printf '%s\n' "\${COMPREPLY[@]}"`
  const env = plainEnv()
  const { stdout } = await run(['bash', '-c', script, 'bash', ...words], { env: { ...env, PATH: `${dir}:${env['PATH']}` } })
  return stdout.split('\n').filter((line) => line !== '')
}

await t.test('ports are completed, and one whose name is a command is left out, not executed', async (t) => {
  t.same(await complete('ovs-evpnctl', 'trace', 't'), ['tap1', 'tap2.10'])
  t.same(await complete('ovs-evpnctl', 'trace', ''), ['other', 'tap1', 'tap2.10'])
  t.notOk(existsSync(trap), 'nothing was executed')
})

await t.test('VNIs, and keys with what follows them', async (t) => {
  t.same(await complete('ovs-evpnctl', 'explain', ''), ['10'])
  t.same(await complete('ovs-evpnctl', 'plan', 'evpn-fl'), ['evpn-flood='])
  t.same(await complete('ovs-evpnctl', 'plan', 'no-such'), [])
  t.same(await complete('ovs-evpnctl', 'plan', 'evpn-a'), ['evpn-audit=', 'evpn-addresses-'], 'a VNI is still to come')
  t.same(await complete('ovs-evpnctl', 'plan', 'vm1:evpn-a'), ['vm1:evpn-addresses=', 'vm1:evpn-addresses-'])
  t.same(await complete('ovs-evpnctl', 'plan', 'vm1', ':', 'dynamic-routing-v'), ['dynamic-routing-vni='], 'bash breaks words at colons')
  t.same(await complete('ovs-evpnctl', 'plan', 'vm1', ':'), ['dynamic-routing-vni=', 'evpn-addresses=', 'evpn-addresses-', 'attached-mac=', 'dynamic-routing-advertise='])
  t.same(await complete('ovs-evpnctl', 'plan', 'a/b:no-such'), [])
})
