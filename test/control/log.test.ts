// The log: vlog's line, its specifications and its files.
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { parseLevelSpec } from '../../lib/daemon/log/level.js'
import { limitLog } from '../../lib/daemon/log/limit.js'
import { createLog, type LogOptions, LogSpecError } from '../../lib/daemon/log/log.js'
import { temporaryFolder } from './chassis.js'

const START = Date.UTC(2026, 0, 1)

function collect(options: LogOptions = {}): { log: ReturnType<typeof createLog>, lines: string[] } {
  const lines: string[] = []
  return { log: createLog({ now: () => START, console: line => lines.push(line), ...options }), lines }
}

await t.test('a line is time, running number, module, level and text', t => {
  const { log, lines } = collect({ verbose: ['dbg'] })
  const netlink = log.module('netlink')
  netlink.info('socket open')
  log.module('ovsdb').warn('trailing newlines go\n\n')
  netlink.emer('a')
  netlink.err('b')
  netlink.dbg(() => 'made when needed')
  t.same(lines, [
    '2026-01-01T00:00:00.000Z|00001|netlink|INFO|socket open',
    '2026-01-01T00:00:00.000Z|00002|ovsdb|WARN|trailing newlines go',
    '2026-01-01T00:00:00.000Z|00003|netlink|EMER|a',
    '2026-01-01T00:00:00.000Z|00004|netlink|ERR|b',
    '2026-01-01T00:00:00.000Z|00005|netlink|DBG|made when needed'
  ])
  t.end()
})

await t.test('text from outside cannot forge a line or reach the terminal', t => {
  const { log, lines } = collect()
  log.module('evpn').info('name "a\n2026|00009|evpn|ERR|b\r\x1b[31m\x9b" é\tok')
  t.same(lines, ['2026-01-01T00:00:00.000Z|00001|evpn|INFO|name "a\\n2026|00009|evpn|ERR|b\\x0d\\x1b[31m\\x9b" é\tok'])
  t.end()
})

await t.test('below the level nothing is written, numbered or even made', t => {
  const { log, lines } = collect()
  const module = log.module('evpn')
  module.dbg(() => {
    throw new Error('must not be called')
  })
  t.notOk(module.enabled('dbg'))
  module.info('first')
  t.match(lines, [/\|00001\|/])
  t.end()
})

const SPECS: readonly (readonly [string, ReturnType<typeof parseLevelSpec>])[] = [
  ['', { kind: 'levels', level: 'dbg' }],
  ['any', { kind: 'levels', level: 'dbg' }],
  ['netlink', { kind: 'levels', module: 'netlink', level: 'dbg' }],
  ['ANY:console:info', { kind: 'levels', destination: 'console', level: 'info' }],
  ['INFO:Console:any', { kind: 'levels', destination: 'console', level: 'info' }],
  ['netlink:file:off', { kind: 'levels', module: 'netlink', destination: 'file', level: 'off' }],
  ['file netlink,emer', { kind: 'levels', module: 'netlink', destination: 'file', level: 'emer' }],
  ['NETLINK::err', { kind: 'levels', module: 'netlink', level: 'err' }],
  ['syslog:err', { kind: 'levels', destination: 'syslog', level: 'err' }],
  ['nosuch', { kind: 'invalid', error: 'no destination, level, or module "nosuch"' }],
  ['dbg:info', { kind: 'invalid', error: 'cannot specify multiple levels' }],
  ['console:file', { kind: 'invalid', error: 'cannot specify multiple destinations' }],
  ['netlink:ovsdb', { kind: 'invalid', error: 'cannot specify multiple modules' }]
]

await t.test('a specification is words in any order, any of them missing', t => {
  for (const [text, expected] of SPECS) t.same(parseLevelSpec(text), expected, `"${text}"`)
  t.end()
})

await t.test('a bad --verbose is refused at the start', t => {
  const error = new LogSpecError('--verbose=nosuch:dbg: no destination, level, or module "nosuch"')
  t.throws(() => createLog({ verbose: ['nosuch:dbg'] }), error)
  t.end()
})

await t.test('the syslog destination is understood and stays off', t => {
  const { log } = collect({ verbose: ['syslog:dbg'] })
  t.match(log.list(), /^vlog +INFO +OFF +INFO$/m)
  t.end()
})

await t.test('levels of the file and of the console are apart', t => {
  const file = path.join(temporaryFolder(t), 'x.log')
  const { log, lines } = collect({ logFile: file, verbose: ['console:off', 'evpn:file:dbg'] })
  log.module('evpn').dbg('text')
  t.same(lines, [])
  t.same(fs.readFileSync(file, 'utf8').split('\n'), [
    `2026-01-01T00:00:00.000Z|00001|vlog|INFO|opened log file ${file}`,
    '2026-01-01T00:00:00.000Z|00002|evpn|DBG|text',
    ''
  ])
  t.end()
})

await t.test('reopening follows logrotate; closing stops until the next reopening', t => {
  const file = path.join(temporaryFolder(t), 'x.log')
  const { log } = collect({ logFile: file })
  const module = log.module('evpn')
  module.info('before')
  fs.renameSync(file, `${file}.1`)
  module.info('still the old file')
  log.reopen()
  module.info('new file')
  log.close()
  module.info('nowhere')
  log.reopen()
  module.info('again')
  const texts = (name: string): string[] =>
    fs.readFileSync(name, 'utf8').trimEnd().split('\n').map(line => line.slice(line.lastIndexOf('|') + 1))
  t.same(texts(`${file}.1`), [`opened log file ${file}`, 'before', 'still the old file'])
  t.same(texts(file), [`opened log file ${file}`, 'new file', `opened log file ${file}`, 'again'])
  t.end()
})

await t.test('a failed reopening keeps the open file', t => {
  const folder = path.join(temporaryFolder(t), 'logs')
  fs.mkdirSync(folder)
  const { log } = collect({ logFile: path.join(folder, 'x.log') })
  const moved = `${folder}.moved`
  fs.renameSync(folder, moved)
  t.throws(() => log.reopen(), { code: 'ENOENT' })
  log.module('evpn').info('goes on')
  t.match(fs.readFileSync(path.join(moved, 'x.log'), 'utf8'), /goes on/)
  t.end()
})

await t.test('a full disk costs the line, not the daemon', t => {
  const { log, lines } = collect({ logFile: '/dev/full' })
  log.module('evpn').info('text')
  t.equal(lines.length, 2, 'the console still gets it')
  t.end()
})

await t.test('a log file that cannot be opened is an error at the start', t => {
  t.throws(() => createLog({ logFile: path.join(temporaryFolder(t), 'no/x.log') }), { message: /^--log-file=.*\/no\/x\.log: ENOENT/ })
  t.end()
})

await t.test('a limited kind of message says how many were dropped, and hinders no other kind', t => {
  let now = 0
  const { log, lines } = collect()
  const limited = limitLog(log.module('evpn'), { perMinute: 6, burst: 2, now: () => now })
  for (const at of [0, 1000, 2000, 5000]) {
    now = at
    limited.warn('bad row', `at ${at}`)
  }
  limited.warn('other', 'not held back')
  now = 12_000
  limited.warn('bad row', 'at 12000')
  now = 12_500
  limited.info('bad row', 'dropped')
  t.same(lines.map(line => line.split('|').slice(3).join('|')), [
    'WARN|at 0',
    'WARN|at 1000',
    'WARN|not held back',
    'WARN|Dropped 2 log messages in last 10 seconds (most recently, 7 seconds ago) due to excessive rate',
    'WARN|at 12000'
  ])
  t.end()
})

await t.test('what the limiter remembers is bounded', t => {
  const { log, lines } = collect()
  const limited = limitLog(log.module('evpn'), { perMinute: 1, burst: 1, kinds: 2, now: () => 0 })
  for (const kind of ['a', 'a', 'b', 'c', 'a']) limited.warn(kind, kind)
  t.same(lines.map(line => line.slice(-1)), ['a', 'b', 'c', 'a'], 'the kind pushed out starts afresh')
  t.end()
})
