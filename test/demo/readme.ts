// README.md as a program: its code blocks, and the two machines of its tutorial.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DAEMON_PATH } from '../lab/daemon.js'
import { frrDir, vtepOf } from '../lab/host.js'
import type { Lab } from '../lab/lab.js'
import { Root } from '../packaging/root.js'
import { CTL_PATH } from './learned.js'

export interface Block {
  /** After the opening fence; `indented` for a block without one. */
  readonly language: string
  readonly text: string
}

/** Every code block of a page, in its order (CommonMark 4.4 and 4.5; a page of ours has no lists with blocks inside). */
export function codeBlocks(page: string): Block[] {
  const pattern = /^(?<fence>`{3,}|~{3,})(?<language>.*)\n(?<fenced>[^]*?)^\k<fence>$|(?<=\n\n)(?<indented>(?:(?: {4}|\t).*\n)+)/gm
  return [...page.matchAll(pattern)].map(({ groups = {} }) => ({ language: groups['language'] ?? 'indented', text: groups['fenced'] ?? groups['indented'] ?? '' }))
}

/** A text for the second machine: what the table of the page has under `First` and under `Second` is exchanged. */
export function forTheSecond(page: string, text: string): string {
  const table = /\| First \| Second \|\n.*\n(?<rows>(?:\|.*\n)+)/.exec(page)?.groups?.['rows'] ?? ''
  const exchanged = new Map(table.trimEnd().split('\n').flatMap((row): [string, string][] => {
    const [, , first = '', second = ''] = row.split('|')
    const [from, to] = [first.trim().split(', '), second.trim().split(', ')]
    return from.flatMap((value, i): [string, string][] => [[value, to[i] ?? ''], [to[i] ?? '', value]])
  }))
  return text.replace(/[\d.]+\.\d+|[\da-f:]+:[\da-f]+/g, (value) => exchanged.get(value) ?? value)
}

/** A machine of the tutorial: a chassis of the lab with a root file system of its own. */
export interface Machine {
  /** Runs shell commands as root in the directory of the clone, and returns what they printed. Throws when they fail. */
  readonly sh: (script: string) => Promise<string>
  readonly close: () => Promise<void>
}

/** bgpd and br-int are not there, as on a machine that was just installed; zebra and Open vSwitch run, and the underlay is up. */
async function freshMachine(lab: Lab, chassis: string, tree: string): Promise<Machine & { readonly root: Root }> {
  await lab.exec(chassis, ['ovs-vsctl', 'del-br', 'br-int'])
  await lab.stopService(chassis, 'bgpd')
  writeFileSync(`${frrDir(vtepOf(lab.plan, chassis))}/bgpd.conf`, `hostname ${chassis}\n`)
  const dir = mkdtempSync(path.join(tmpdir(), 'evpn-readme-'))
  const root = await Root.open(lab, chassis, dir, tree)
  const close = async (): Promise<void> => {
    await root.close()
    rmSync(dir, { recursive: true, force: true })
  }
  await root.sh(`${program('ovs-vsctl', OVS_VSCTL.replace('DATAPATH', lab.plan.datapath))}
    ln -s /run/openvswitch/frr /run/frr`)
  return { root, sh: (script) => root.sh(`cd '${tree}'\n${script}`), close }
}

/** Shell commands that put a program before those of the system. */
function program(name: string, text: string): string {
  return `printf '%s\\n' '#!/bin/sh' ${text.split('\n').map((line) => `'${line.replaceAll("'", `'\\''`)}'`).join(' ')} > /usr/local/sbin/${name}; chmod 755 /usr/local/sbin/${name}`
}

/** A machine without the kernel's datapath needs a word that one with it does not. */
const OVS_VSCTL = `case " $* " in *' add-br '*) exec /usr/bin/ovs-vsctl "$@" -- set Bridge br-int datapath_type=DATAPATH ;; esac
exec /usr/bin/ovs-vsctl "$@"`

// apt knows the installed packages and no others, and needs no network. Node.js may have come without a package: one without files
// says then that it is there.
const PACKAGES = `
  printf '%s\\n' 'Dir::State::lists "/tmp/lists";' 'Dir::Etc::sourcelist "/dev/null";' 'Dir::Etc::sourceparts "/dev/null";' \\
    'Dir::Cache::pkgcache "";' 'Dir::Cache::srcpkgcache "";' > /etc/apt/apt.conf.d/99offline
  if dpkg --compare-versions "$(dpkg-query -W -f '\${Version}' nodejs 2>/dev/null || echo 0)" lt 20; then
    mkdir -p /tmp/nodejs/DEBIAN
    printf '%s\\n' 'Package: nodejs' "Version: $(node -p process.versions.node)" 'Architecture: all' 'Maintainer: nobody <nobody@localhost>' \\
      'Description: Node.js' > /tmp/nodejs/DEBIAN/control
    dpkg-deb --build /tmp/nodejs /tmp/nodejs.deb >/dev/null
    dpkg -i /tmp/nodejs.deb >/dev/null
  fi`

/** The first machine is all that README.md says, packages included. What is not there is systemd: what a unit would start, the lab starts. */
export async function firstMachine(lab: Lab, tree: string): Promise<Machine> {
  const { root, sh, close } = await freshMachine(lab, 'c1', tree)
  await sh(`${program('systemctl', 'echo "$@" >> /tmp/systemctl')}${PACKAGES}`)
  return {
    close,
    sh: async (script) => {
      const printed = await sh(script)
      if (/\bapt install .*ovs-evpn/.test(script)) await root.startService('ovs-evpnd')
      if (!/^systemctl restart frr$/m.test(script)) return printed
      await sh('grep -qx "restart frr" /tmp/systemctl && grep -qx bgpd=yes /etc/frr/daemons')
      await lab.startService('c1', 'bgpd')
      // What FRR's service does when its daemons run.
      await sh('vtysh -b')
      return printed
    }
  }
}

/** The second machine has its packages: the programs of the clone, and bgpd and the daemon run. */
export async function secondMachine(lab: Lab, tree: string): Promise<Machine> {
  const machine = await freshMachine(lab, 'c2', tree)
  await lab.startService('c2', 'bgpd')
  await machine.sh(`${program('ovs-evpnctl', `exec ${process.execPath} ${CTL_PATH} "$@"`)}
    ${process.execPath} ${DAEMON_PATH} --detach --pidfile --log-file`)
  return machine
}
