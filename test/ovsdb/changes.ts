// Random changes to a vSwitch database, as ovs-vsctl commands that work in whatever state the ones before have left.
import fc from 'fast-check'

const bridge = fc.integer({ min: 0, max: 2 }).map((n) => `br${n}`)
const port = fc.integer({ min: 0, max: 5 }).map((n) => `p${n}`)
const key = fc.constantFrom('k1', 'k2', 'remote_ip', 'dst_port')
const value = fc.constantFrom('a', 'flow', '192.0.2.1', 'größer', '日本', '"quoted {x}"', '\\')
const vlan = fc.integer({ min: 1, max: 6 })

const quoted = (text: string): string => JSON.stringify(text)

/** One ovs-vsctl command line. Those that name what does not exist start with --if-exists or create it first. */
export const change: fc.Arbitrary<readonly string[]> = fc.oneof(
  bridge.map((b) => ['--may-exist', 'add-br', b]),
  fc.tuple(bridge, port).map(([b, p]) => ['--if-exists', 'del-port', p, '--', '--may-exist', 'add-br', b, '--', 'add-port', b, p]),
  port.map((p) => ['--if-exists', 'del-port', p]),
  bridge.map((b) => ['--if-exists', 'del-br', b]),
  fc.tuple(port, key, value).map(([p, k, v]) => ['--if-exists', 'set', 'Interface', p, `options:${k}=${quoted(v)}`]),
  fc.tuple(port, key).map(([p, k]) => ['--if-exists', 'remove', 'Interface', p, 'options', k]),
  fc.tuple(port, key, value).map(([p, k, v]) => ['--if-exists', 'set', 'Port', p, `external_ids:${k}=${quoted(v)}`]),
  fc.tuple(port, vlan).map(([p, v]) => ['--if-exists', 'set', 'Port', p, `tag=${v}`]),
  port.map((p) => ['--if-exists', 'clear', 'Port', p, 'tag']),
  fc.tuple(port, fc.uniqueArray(vlan)).map(([p, v]) => ['--if-exists', 'set', 'Port', p, `trunks=[${v.join(',')}]`]),
  fc.tuple(bridge, fc.constantFrom('secure', 'standalone')).map(([b, m]) => ['--if-exists', 'set', 'Bridge', b, `fail_mode=${m}`]),
  bridge.map((b) => ['--if-exists', 'clear', 'Bridge', b, 'fail_mode']),
  fc.tuple(key, value).map(([k, v]) => ['set', 'Open_vSwitch', '.', `external_ids:${k}=${quoted(v)}`])
)
