// The command line of ovs-evpnd.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseArguments } from '../../lib/daemon/arguments.js'
import { run } from './chassis.js'

const ENV = { OVS_RUNDIR: '/r', OVS_LOGDIR: '/l' }

const DEFAULTS = {
  database: 'unix:/r/db.sock', rundir: '/r', overwritePidfile: false, detach: false, chdir: true, verbose: [],
  unixctl: `/r/ovs-evpnd.${process.pid}.ctl`
}

const ACCEPTED: readonly (readonly [string, object])[] = [
  ['', {}],
  ['--pidfile', { pidfile: '/r/ovs-evpnd.pid' }],
  ['--pidfile=x.pid', { pidfile: '/r/x.pid' }],
  ['--pidfile=/a/x.pid --overwrite-pidfile', { pidfile: '/a/x.pid', overwritePidfile: true }],
  ['--pidfile unix:/a/db.sock', { pidfile: '/r/ovs-evpnd.pid', database: 'unix:/a/db.sock' }],
  ['unix:x.sock', { database: 'unix:/r/x.sock' }],
  ['tcp:127.0.0.1:6640', { database: 'tcp:127.0.0.1:6640' }],
  ['-- tcp:[::1]:6640', { database: 'tcp:[::1]:6640' }],
  ['--detach --no-chdir', { detach: true, chdir: false }],
  ['--log-file', { logFile: '/l/ovs-evpnd.log' }],
  ['--log-file=x.log', { logFile: path.resolve('x.log') }],
  ['--unixctl=x.ctl --unixctl-group=users', { unixctl: '/r/x.ctl', unixctlGroup: 'users' }],
  ['--unixctl none', { unixctl: 'none' }],
  ['--metrics=h:9475', { metrics: { host: 'h', port: 9475 } }],
  ['-v', { verbose: [''] }],
  ['--verbose -vconsole:off --verbose=netlink:dbg', { verbose: ['', 'console:off', 'netlink:dbg'] }],
  ['-v tcp:h:1', { verbose: [''], database: 'tcp:h:1' }],
  ['-p /k -c /c -C /a ssl:h:1', { database: 'ssl:h:1', tls: { privateKey: '/k', certificate: '/c', caCert: '/a' } }],
  ['--private-key=/k --certificate=/c --ca-cert=/a', { tls: { privateKey: '/k', certificate: '/c', caCert: '/a' } }]
]

await t.test('arguments become options, the rest is what Open vSwitch has as default', t => {
  for (const [text, expected] of ACCEPTED) {
    t.same(parseArguments(text.split(' ').filter(word => word !== ''), ENV, '1.2.3'), { ...DEFAULTS, ...expected }, text || '(nothing)')
  }
  t.equal(parseArguments([], { OVS_RUNDIR: '' }, '1.2.3').rundir, '/var/run/openvswitch', 'an empty variable counts as unset')
  t.end()
})

const PROGRAM = fileURLToPath(new URL('./daemon.js', import.meta.url))

const PRINTED: readonly (readonly [string, number, RegExp])[] = [
  ['--version', 0, /^ovs-evpnd \(ovs-evpn\) 0\.0\.0\n$/],
  ['-V', 0, /^ovs-evpnd \(ovs-evpn\) 0\.0\.0\n$/],
  ['--help', 0, /^Usage: ovs-evpnd .*--pidfile\[=FILE\].*--unixctl=PATH.*-v, --verbose\[=SPEC\]/s],
  ['--pidfil', 1, /^error: unknown option '--pidfil'\n\(Did you mean --pidfile\?\)\n$/],
  ['tcp:a:1 tcp:b:1', 1, /^error: too many arguments/],
  ['db.sock', 1, /^error: "db\.sock" is no database to connect to; give unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT\n$/],
  ['ssl:h:1 -p /k', 1, /^error: ssl:h:1 needs --private-key, --certificate and --ca-cert\n$/],
  ['--metrics=localhost', 1, /Give HOST:PORT, such as/],
  ['--metrics=h:65536', 1, /Give HOST:PORT, such as/]
]

await t.test('help, version and wrong arguments end the program', async t => {
  for (const [args, expectedCode, text] of PRINTED) {
    const { code, stdout, stderr } = await run(t, process.execPath, [PROGRAM, ...args.split(' ')])
    t.equal(code, expectedCode, args)
    t.match(expectedCode === 0 ? stdout : stderr, text, args)
  }
})
