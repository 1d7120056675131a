// The shape of the code, read from its imports: they go one way, and the libraries know nothing of EVPN.
//   net <- {netlink, openflow, ovsdb} <- mirror, sink;  net <- config <- evpn <- pipeline;  daemon on top, cli beside it
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'

/** What a folder may import from others: a folder, one file of it, and whether only its types. */
interface Allowed { readonly from: string, readonly only?: 'types' }

const RULES: Readonly<Record<string, readonly Allowed[]>> = {
  'lib/net': [],
  'lib/netlink': [{ from: 'lib/net' }],
  'lib/openflow': [{ from: 'lib/net' }],
  'lib/ovsdb': [{ from: 'lib/net' }],
  'lib/config': [{ from: 'lib/net' }, { from: 'lib/ovsdb', only: 'types' }],
  'lib/mirror': [{ from: 'lib/net' }, { from: 'lib/netlink' }, { from: 'lib/openflow', only: 'types' }],
  'lib/evpn': [{ from: 'lib/net' }, { from: 'lib/config' }, { from: 'lib/mirror' }, { from: 'lib/netlink' }],
  'lib/pipeline': [{ from: 'lib/net' }, { from: 'lib/config', only: 'types' }, { from: 'lib/evpn' }, { from: 'lib/openflow', only: 'types' }],
  'lib/sink': [{ from: 'lib/evpn', only: 'types' }, ...['net', 'config', 'mirror', 'pipeline', 'netlink', 'openflow', 'ovsdb'].map((folder) => ({ from: `lib/${folder}` }))],
  'lib/daemon': ['net', 'config', 'mirror', 'evpn', 'pipeline', 'sink', 'netlink', 'openflow', 'ovsdb'].map((folder) => ({ from: `lib/${folder}` })),
  // The CLI shares words with the daemon, and none of its life.
  'lib/cli': [
    { from: 'lib/net' }, { from: 'lib/netlink' }, { from: 'lib/ovsdb' }, { from: 'lib/config' }, { from: 'lib/evpn/device.js' }, { from: 'lib/pipeline/names.js' },
    { from: 'lib/daemon/report/report.js', only: 'types' }, { from: 'lib/daemon/report/session.js' }, { from: 'lib/daemon/report/words.js' },
    { from: 'lib/daemon/explain/explanation.js', only: 'types' }, { from: 'lib/daemon/options.js' }, { from: 'lib/daemon/control/probe.js' }, { from: 'lib/daemon/log/line.js' }
  ],
  bin: [{ from: 'lib/daemon' }, { from: 'lib/cli' }]
}

/** Folders that are packages of their own: what is not in their index is nobody else's business. */
const LIBRARIES = ['lib/netlink', 'lib/openflow', 'lib/ovsdb']

/** Tables of facts that may be longer than 400 lines. None is. */
const LONG_TABLES: readonly string[] = []

interface Import { readonly target: string, readonly isType: boolean }

interface Source { readonly name: string, readonly folder: string, readonly text: string, readonly imports: readonly Import[] }

const FILES = ['lib', 'bin'].flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => path.posix.join(root, file)))
  .filter((file) => file.endsWith('.ts')).sort()

const SOURCES: readonly Source[] = FILES.map((name) => {
  const text = readFileSync(name, 'utf8')
  return { name, text, folder: name.split('/').slice(0, name.startsWith('lib/') ? 2 : 1).join('/'), imports: importsOf(name, text) }
})

/** Relative imports and re-exports, as paths from the root; a dynamic import is one like any other. */
function importsOf(file: string, text: string): Import[] {
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(?<what>[^'"]*?)\s*from\s+'(?<target>\.[^']+)'/gm),
    ...text.matchAll(/(?<what>)\bimport\(\s*'(?<target>\.[^']+)'/g), ...text.matchAll(/^(?<what>)import\s+'(?<target>\.[^']+)'/gm)
  ]
  return found.map(({ groups: { what = '', target = '' } = {} }) => ({ target: path.posix.join(path.posix.dirname(file), target), isType: isTypeOnly(what) }))
}

function isTypeOnly(what: string): boolean {
  if (what.startsWith('type ')) return true
  const names = /^\{(.*)\}$/s.exec(what)?.[1]?.split(',').map((name) => name.trim()).filter((name) => name !== '') ?? []
  return names.length > 0 && names.every((name) => name.startsWith('type '))
}

function isUnder(target: string, place: string): boolean {
  return target === place || target.startsWith(`${place}/`)
}

await t.test('the reader of imports sees what there is', (t) => {
  const text = ["import { a } from './a.js'", "import type { B } from '../net/b.js'", 'import {', '  c, type D', "} from './c.js'", "export * from './e.js'",
    "import { type F } from './f.js'", "await import('./g.js')", "import fs from 'node:fs'"].join('\n')
  t.strictSame(importsOf('lib/x/y.ts', text).map(({ target, isType }) => `${target} ${isType}`).sort(), [
    'lib/net/b.js true', 'lib/x/a.js false', 'lib/x/c.js false', 'lib/x/e.js false', 'lib/x/f.js true', 'lib/x/g.js false'
  ])
  t.ok(SOURCES.length > 80, 'all files are read')
  t.end()
})

await t.test('every folder has a rule, every rule a folder', (t) => {
  t.strictSame([...new Set(SOURCES.map(({ folder }) => folder))].sort(), Object.keys(RULES).sort())
  t.end()
})

for (const [folder, allowed] of Object.entries(RULES)) {
  await t.test(`${folder} imports ${allowed.length === 0 ? 'nothing of ours' : `only from ${allowed.map(({ from, only }) => `${from}${only ? ' (types)' : ''}`).join(', ')}`}`, (t) => {
    const violations = SOURCES.filter((source) => source.folder === folder).flatMap(({ name, imports }) => imports
      .filter(({ target, isType }) => !isUnder(target, folder) && !allowed.some(({ from, only }) => isUnder(target, from) && (only === undefined || isType)))
      .map(({ target, isType }) => `${name} imports ${isType ? 'types of ' : ''}${target}`))
    t.strictSame(violations, [])
    t.end()
  })
}

await t.test('the libraries are used through their index, as by anybody outside', (t) => {
  const violations = SOURCES.flatMap(({ name, folder, imports }) => imports
    .filter(({ target }) => LIBRARIES.some((library) => folder !== library && isUnder(target, library) && target !== `${library}/index.js`))
    .map(({ target }) => `${name} imports ${target}`))
  t.strictSame(violations, [])
  t.end()
})

await t.test('no file needs itself: imports of values have no circles', (t) => {
  const needs = new Map(SOURCES.map(({ name, imports }) => [name, imports.filter(({ isType }) => !isType).map(({ target }) => target.replace(/\.js$/, '.ts'))]))
  const done = new Set<string>()
  const circleFrom = (name: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(name)) return [...way.slice(way.indexOf(name)), name]
    if (done.has(name)) return undefined
    const circle = (needs.get(name) ?? []).map((next) => circleFrom(next, [...way, name])).find((found) => found !== undefined)
    done.add(name)
    return circle
  }
  t.strictSame(FILES.map((name) => circleFrom(name, [])).filter((circle) => circle !== undefined), [])
  t.end()
})

await t.test('no file above 400 lines, tables of facts excepted by name', (t) => {
  const long = SOURCES.filter(({ name, text }) => text.split('\n').length > 401 && !LONG_TABLES.includes(name)).map(({ name }) => name)
  t.strictSame(long, [])
  t.end()
})

await t.test('no module has state: no `let` and no `var` outside a function', (t) => {
  const stateful = SOURCES.filter(({ text }) => /^(export )?(let|var) /m.test(text)).map(({ name }) => name)
  t.strictSame(stateful, [])
  t.end()
})

await t.test('every file begins with a comment that says what it owns', (t) => {
  const bare = SOURCES.filter(({ text }) => !/^(#!.*\n)?\/\/ \S/.test(text)).map(({ name }) => name)
  t.strictSame(bare, [])
  t.end()
})

await t.test('no shell is ever started; the daemon starts itself once more, to go into the background, and no other program; the CLI asks vtysh, ip and ethtool', (t) => {
  const starting = SOURCES.filter(({ text }) => /child_process|node:cluster|worker_threads/.test(text)).map(({ name }) => name)
  t.strictSame(starting, ['lib/cli/addresses.ts', 'lib/cli/ethtool.ts', 'lib/cli/vtysh.ts', 'lib/daemon/process/detach.ts'])
  const textOf = (file: string) => SOURCES.find(({ name }) => name === file)?.text ?? ''
  for (const [program, file] of [['vtysh', 'vtysh'], ['ethtool', 'ethtool'], ['ip', 'addresses']] as const) {
    const cli = textOf(`lib/cli/${file}.ts`)
    t.match(cli, "import { execFile } from 'node:child_process'", 'of child_process, execFile alone')
    t.strictSame([...cli.matchAll(/\bexecFile\(([^,]*)/g)].map(([, started]) => started), [`'${program}'`])
  }
  const text = textOf('lib/daemon/process/detach.ts')
  t.match(text, "import { spawn } from 'node:child_process'", 'of child_process, spawn alone')
  t.strictSame([...text.matchAll(/\bspawn\(([^,]*)/g)].map(([, program]) => program), ['process.execPath'])
  const evaluating = SOURCES.filter(({ text }) => /\bshell:|\beval\(|new Function\(|func\('[^']*\b(?:system|popen|exec\w*|posix_spawn\w*)\(/.test(text)).map(({ name }) => name)
  t.strictSame(evaluating, [], 'no shell option, no eval, no exec of libc')
  t.end()
})
