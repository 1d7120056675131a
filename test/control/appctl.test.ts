// The control socket as the stock ovs-appctl sees it.
import fs from 'node:fs'
import t from 'tap'
import { appctl, startChassis } from './chassis.js'
import { bindingKey, formatBindingKey, nameUuid } from '../../lib/daemon/control/ids.js'

const UNKNOWN = '"nosuch" is not a valid command (use "list-commands" to see a list of valid commands)\n'

const REFUSED: readonly (readonly [string, readonly string[], string])[] = [
  ['an unknown command', ['nosuch'], UNKNOWN],
  ['too few arguments', ['vlog/set'], '"vlog/set" command requires at least 1 arguments\n'],
  ['too many arguments', ['version', 'x'], '"version" command takes at most 0 arguments\n'],
  ['an unknown option of exit', ['exit', '--now'], '"exit" takes no argument but --cleanup, not "--now"\n'],
  ['an unknown log module', ['vlog/set', 'nosuch'], 'no destination, level, or module "nosuch"\n'],
  ['reopening without a log file', ['vlog/reopen'], 'Logging to file not configured\n'],
  ['an unknown report', ['evpn/report', 'all'], 'no report "all", known are show, vteps, macs, ips, flood, local, ports, drops, problems, latency\n'],
  ['a report of an impossible VNI', ['evpn/report', 'macs', '16777216'], '"16777216" is no VNI (0 to 16777215)\n']
]

await t.test('ovs-appctl shows the error of', async t => {
  const { socket } = await startChassis(t)
  for (const [what, args, error] of REFUSED) {
    const { code, stdout, stderr } = await appctl(t, socket, ...args)
    t.equal(code, 2, `${what}: exit code 2`)
    t.equal(stdout, '', `${what}: no output`)
    t.equal(stderr, `${error}ovs-appctl: ${socket}: server returned an error\n`, what)
  }
})

await t.test('list-commands has the layout of Open vSwitch and hides what is internal', async t => {
  const { socket } = await startChassis(t)
  const { stdout } = await appctl(t, socket, 'list-commands')
  t.equal(stdout, [
    'The available commands are:',
    '  coverage/show           ',
    '  evpn/latency            ',
    '  evpn/remote-vtep-list   ',
    '  evpn/vtep-arp-list      ',
    '  evpn/vtep-binding-list  ',
    '  evpn/vtep-fdb-list      ',
    '  evpn/vtep-multicast-group-list ',
    '  exit                    [--cleanup]',
    '  list-commands           ',
    '  memory/show             ',
    '  set-options             [--format text|json]',
    '  version                 ',
    '  vlog/close              ',
    '  vlog/list               ',
    '  vlog/reopen             ',
    '  vlog/set                {spec}',
    ''
  ].join('\n'))
})

await t.test('version, memory and counters', async t => {
  const { socket } = await startChassis(t)
  t.equal((await appctl(t, socket, 'version')).stdout, 'ovs-evpnd (ovs-evpn) 1.2.3\n')
  t.match((await appctl(t, socket, 'memory/show')).stdout, /^macs:4 vteps:3 heap-kB:[0-9]+ rss-kB:[0-9]+\n$/)
  t.equal((await appctl(t, socket, 'coverage/show')).stdout, [
    'Event coverage:',
    'flow_mod                 total: 7',
    'tick                     total: 12',
    '1 events never hit',
    ''
  ].join('\n'))
})

await t.test('exit is passed on, with or without --cleanup, and answered', async t => {
  const { socket, exits } = await startChassis(t)
  t.equal((await appctl(t, socket, 'exit')).code, 0)
  t.equal((await appctl(t, socket, 'exit', '--cleanup')).code, 0)
  t.same(exits, [false, true])
})

await t.test('vlog/set and vlog/list', async t => {
  const { socket } = await startChassis(t)
  t.equal((await appctl(t, socket, 'vlog/set', 'netlink:file:dbg', 'unixctl:console:warn')).code, 0)
  t.equal((await appctl(t, socket, 'vlog/list')).stdout, [
    '                 console    syslog    file',
    '                 -------    ------    ------',
    'evpn               DBG        OFF       INFO',
    'http               DBG        OFF       INFO',
    'main               DBG        OFF       INFO',
    'netlink            DBG        OFF        DBG',
    'openflow           DBG        OFF       INFO',
    'ovsdb              DBG        OFF       INFO',
    'unixctl           WARN        OFF       INFO',
    'vlog               DBG        OFF       INFO',
    ''
  ].join('\n'))
})

const key = (ip: string, vni: number): string => formatBindingKey(bindingKey(ip, 4789, vni))
const vtepUuid = (ip: string, vni: number): string => nameUuid('vtep', vni, ip, 4789)
const macUuid = (mac: string): string => nameUuid('mac', 1000, mac)
const ipUuid = (ip: string): string => nameUuid('ip', 1000, ip)

function bindingLine(ip: string, vni: number): string {
  return `UUID: ${vtepUuid(ip, vni)}, Remote IP: ${ip}, vni: ${vni}, binding_key: ${key(ip, vni)}, tunnel_ofport: 1, dp_key: ${vni}`
}

const LISTS: readonly (readonly [string, readonly string[]])[] = [
  ['evpn/remote-vtep-list', [
    'IP: 192.0.2.2, port: 4789, vni: 1000',
    'IP: 192.0.2.10, port: 4789, vni: 1000',
    'IP: 2001:db8::9, port: 4789, vni: 1000',
    'IP: 192.0.2.2, port: 4789, vni: 2000'
  ]],
  ['evpn/vtep-binding-list', [
    bindingLine('192.0.2.2', 1000),
    bindingLine('192.0.2.10', 1000),
    bindingLine('192.0.2.2', 2000)
  ]],
  ['evpn/vtep-multicast-group-list', [
    `UUID: ${nameUuid('flood', 1000)}, Remote IPs: 192.0.2.2, 192.0.2.10, vni: 1000`
  ]],
  ['evpn/vtep-fdb-list', [
    `UUID: ${macUuid('02:00:00:00:00:02')}, MAC: 02:00:00:00:00:02, vni: 1000, ` +
      `binding_key: ${key('192.0.2.2', 1000)}, dp_key: 1000`,
    `UUID: ${macUuid('02:00:00:00:00:03')}, MAC: 02:00:00:00:00:03, vni: 1000, dp_key: 1000, ` +
      `paths: [{key=${key('192.0.2.2', 1000)}, weight=100}, {key=${key('192.0.2.10', 1000)}, weight=200}]`,
    `UUID: ${macUuid('02:00:00:00:00:05')}, MAC: 02:00:00:00:00:05, vni: 1000, ` +
      `binding_key: ${key('192.0.2.2', 1000)}, dp_key: 1000`
  ]],
  ['evpn/vtep-arp-list', [
    `UUID: ${ipUuid('10.0.0.22')}, VNI: 1000, MAC: 02:00:00:00:00:02, IP: 10.0.0.22, dp_key: 1000`,
    `UUID: ${ipUuid('2001:db8:1::22')}, VNI: 1000, MAC: 02:00:00:00:00:02, IP: 2001:db8:1::22, dp_key: 1000`
  ]]
]

await t.test('the lists have the line forms of ovn-controller, in the order of VNI and address', async t => {
  const { socket } = await startChassis(t)
  for (const [command, expected] of LISTS) {
    t.equal((await appctl(t, socket, command)).stdout, expected.map(line => line + '\n').join(''), command)
  }
})

await t.test('evpn/latency: percentiles, and the histogram below', async t => {
  const { socket } = await startChassis(t)
  t.equal((await appctl(t, socket, 'evpn/latency')).stdout, [
    'learn: 100000 events, p50 0.912 ms, p95 1.250 ms, p99 2.000 ms, max 20000.000 ms',
    '  up to 1 ms: 60000',
    '  up to 2.5 ms: 39999',
    '  longer: 1',
    'move: 12 events, p50 1.000 ms, p95 1.100 ms, p99 1.100 ms, max 1.100 ms',
    '  up to 2.5 ms: 12',
    'withdraw: 0 events, p50 0.000 ms, p95 0.000 ms, p99 0.000 ms, max 0.000 ms',
    'group: 1 events, p50 0.800 ms, p95 0.800 ms, p99 0.800 ms, max 0.800 ms',
    '  up to 1 ms: 1',
    ''
  ].join('\n'))
})

await t.test('a reply of many megabytes arrives whole', async t => {
  const text = 'x'.repeat(1023) + '\n'
  const { socket } = await startChassis(t, { commands: [{ name: 'test/long', usage: '', min: 0, max: 0, run: () => text.repeat(16_384) }] })
  t.equal((await appctl(t, socket, 'test/long')).stdout.length, 16 * 1024 * 1024)
})

await t.test('the socket belongs to its owner alone, and vanishes with the server', async t => {
  const { socket, server } = await startChassis(t)
  t.equal(fs.statSync(socket).mode & 0o777, 0o600)
  await server.close()
  t.notOk(fs.existsSync(socket))
})
