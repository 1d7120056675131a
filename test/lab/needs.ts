// What a test needs that not every machine has: declared in the test's file, tried out on the machine, told by name when it
// is missing. The two stages of the tests choose their files by it (docs/testing.md).
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { plainEnv } from './process.js'
import { labDatapath } from './spec.js'

/**
 * Each need with a shell command that succeeds where it is met. It runs in a network namespace of its own, which is gone
 * with it. The kernel ignores what it was built without in a bridge's and a vxlan device's options: what was set is used.
 */
const PROBES = {
  'kernel datapath': 'ovs-dpctl add-dp probe',
  // Of the labs of this run: what depends on how ovs-vswitchd forwards by itself.
  'userspace datapath': labDatapath() === 'netdev' ? 'ip tuntap add dev probe mode tap' : 'false',
  'dummy': 'ip link add probe type dummy',
  'vrf': 'ip link add probe type vrf table 100',
  'vlan device': 'ip link add name probe type veth peer name peer && ip link add link probe name probe.10 type vlan id 10',
  'vlan filtering': 'ip link add name probe type bridge vlan_filtering 1 && ip link set probe up && bridge vlan add vid 10 dev probe self',
  'vnifilter': 'ip link add probe type vxlan dstport 60000 external vnifilter && bridge vni add vni 10 dev probe',
  // To boot the machine of the other stage; inside it there is no room for another.
  'qemu': labDatapath() === 'netdev' ? 'qemu-system-x86_64 --version && busybox true && cpio --version && depmod --version' : 'false'
} as const satisfies Readonly<Record<string, string>>

export type Need = keyof typeof PROBES

/**
 * Declares what a test file needs: one line of the file, before it does anything, with the names as they are.
 * The stages do not run a file that needs what their machine lacks, and say so. Throws when it runs nevertheless.
 */
export function needs(...names: readonly Need[]): void {
  const lacking = names.filter((name) => !isMet(name))
  if (lacking.length > 0) throw new Error(`this machine lacks what the test needs: ${lacking.join(', ')}; try: npm run test:kernel`)
}

/** What the machine can run of test files (compiled), and what it lacks for the others. */
export interface Selection {
  readonly run: readonly string[]
  /** For the user, a line for each thing missing: `not run here, needs vrf: FILE, FILE`. */
  readonly notes: readonly string[]
}

/** Sorts test files by what they declare and what this machine has. Each need is tried out once, and only if declared. */
export function selectFiles(files: readonly string[]): Selection {
  const declared = files.map((file) => ({ file, needs: declaredNeeds(readFileSync(file, 'utf8'), file) }))
  const known = new Set(declared.flatMap(({ needs }) => needs))
  const lacking = new Set([...known].filter((need) => !isMet(need)))
  const notes = [...lacking].map((need) => {
    const which = declared.filter(({ needs }) => needs.includes(need)).map(({ file }) => file)
    return `not run here, needs ${need}: ${which.join(', ')}`
  })
  return { run: declared.filter(({ needs }) => !needs.some((need) => lacking.has(need))).map(({ file }) => file), notes }
}

/** The needs that a test's compiled text declares. Throws when it declares any in a form that is not understood. */
export function declaredNeeds(text: string, file: string): Need[] {
  const calls = [...text.matchAll(/^needs\(([^)]*)\)/gm)].map(([, names = '']) => names)
  const names = calls.flatMap((list) => list.split(',').map((name) => name.trim().replace(/^(['"])(.*)\1$/, '$2')))
  const bad = names.filter((name) => !Object.hasOwn(PROBES, name))
  const isSilent = /^import \{[^}]*\bneeds\b[^}]*\} from .*\/needs\.js/m.test(text) && names.length === 0
  if (bad.length === 0 && !isSilent) return names as Need[]
  throw new Error(`${file}: a line needs('NAME', ...) declares what the test needs, with names of ${Object.keys(PROBES).join(', ')}`)
}

function isMet(need: Need): boolean {
  return spawnSync('unshare', ['--net', 'sh', '-c', PROBES[need]], { stdio: 'ignore', env: plainEnv() }).status === 0
}
